/*
 * mail/reply_text: nothing that the person wrote is lost, and nothing that their program added is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/reply_text.h"

static const struct {
    const char *text, *want;
} cases[] = {
    /* introductions, in one line or wrapped, with and without a mark on the quote */
    {"Yes.\n\nOn Mon, 5 Jan 2026 at 09:00, Anna Berg <anna@example.com> wrote:\n> Hi\n", "Yes."},
    {"Yes.\n\nOn Mon, 5 Jan 2026 at 09:00, Anna\nBerg <anna@example.com> wrote:\n\n> Hi\n", "Yes."},
    {"Ja.\n\nDen tir. 24. nov. 2026 kl. 09:10 skrev Anna Berg <\nanna@example.com>:\n\nHei Kari,\n", "Ja."},
    {"Ja.\n\nAm 24.11.2026 um 09:10 schrieb Anna Berg:\n> Hallo\n", "Ja."},
    {"Oui.\n\nLe mar. 24 nov. 2026 à 09:10, Anna Berg <anna@example.com> a écrit :\n> Bonjour\n", "Oui."},
    {"Ja.\n\nDen 24. nov. skrev Anna Berg:\n> Hei\n", "Ja."},
    {"Ja.\n\nAnna skrev:\n> Hei\n", "Ja."},
    /* no empty line between the answer and the introduction */
    {"Yes please.\nOn Mon, 5 Jan 2026 at 09:00, Anna Berg <anna@example.com> wrote:\n> Hi\n", "Yes please."},
    {"Yes please.\nOn Mon, 5 Jan 2026 at 09:00, Anna\nBerg <anna@example.com> wrote:\n> Hi\n", "Yes please."},
    {"Ring meg 10:15\nDen 24. nov. 2026 kl. 09:10 skrev Anna Berg:\n> Hei\n", "Ring meg 10:15"},
    {"Send it by 10:00.\n2026-11-24 09:10 Anna Berg <anna@example.com> wrote:\n> Hi\n", "Send it by 10:00."},
    {"Ja.\nAnna skrev:\n> Hei\n", "Ja."},
    /* what only looks like one */
    {"This is what my boss wrote:\nWe want 12 seats.\n", "This is what my boss wrote:\nWe want 12 seats."},
    {"We need three things:\n- price\n- date\n", "We need three things:\n- price\n- date"},
    {"I wrote to you in 2026.\nBest\n", "I wrote to you in 2026.\nBest"},
    /* answers between the quotes */
    {"> Do you want it?\nYes\n> When?\nMonday\n", "Yes\nMonday"},
    {"On 5 Jan 2026 Anna wrote:\n> Do you want it?\nYes\n", "Yes"},
    /* dividers, header blocks, signatures */
    {"Nei\n-----Original Message-----\nFrom: Anna\nHi\n", "Nei"},
    {"Nei\n\n________________________________\nFrom: Anna Berg\nSent: Monday\nTo: Kari\nSubject: Hi\n\nHi\n", "Nei"},
    {"Nei\n\nFra: Anna Berg\nSendt: mandag\nTil: Kari\nEmne: Hei\n\nHei\n", "Nei"},
    {"Ja\n-- \nKari Dahl\nNord AS\n", "Ja"},
    {"Ja\n\nSent from my iPhone\n", "Ja"},
    {"-- \nKari\n", "--\nKari"}, /* nothing but a signature: kept, since nothing else was said */
    {"", ""},
    {"> only\n> quoted\n", ""},
};

static void test_new_text(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = reply_text_extract(cases[i].text);
        g_autofree char *want = g_strdup(cases[i].want);
        if (!g_str_equal(got, want))
            fail_msg("\"%s\"\ngave \"%s\"\nnot  \"%s\"", cases[i].text, got, want);
    }
}

/* What a hostile sender may write costs no more than its length: 20,000 lines that all look like the begin of an introduction. */
static void test_work_is_bounded(void **state)
{
    (void)state;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < 20000; i++)
        g_string_append(text, "On 09:00 2026 a@b wrote wrote wrote wrote\n");
    gint64 begin_us = g_get_monotonic_time();
    g_autofree char *got = reply_text_extract(text->str);
    assert_true(g_get_monotonic_time() - begin_us < 20 * G_USEC_PER_SEC);
    assert_true(strlen(got) + 1 == text->len);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_text),
        cmocka_unit_test(test_work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
