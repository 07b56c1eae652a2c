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
    {"Ja\n_____\nKari Dahl\nNord AS\n", "Ja"},
    {"Ja\n\nHent Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFra: Anna <anna@example.com>\nSendt: tirsdag\n\nHei\n", "Ja"},
    {"Ja\n\nSent with [Proton Mail](https://proton.me/) secure email.\n\nOn Tuesday, November 24th, 2026 at 9:00 AM, Anna <a@b.example> wrote:\n\n> Hi\n", "Ja"},
    {"Here is another.\n\nSent from my desk, which is much easier than my phone.\n", "Here is another.\n\nSent from my desk, which is much easier than my phone."},
    {"See below.\n\nSent from my iPhone\n\n> Price?\n100\n", "See below.\n\n100"}, /* a signature ends no answers between quotes */
    {"See below.\n-- \nKari\n\nOn 5 Jan 2026 Anna <a@b.example> wrote:\n> Price?\n100\n", "See below.\n\n100"},
    /* languages and programs of other forms */
    {"Ok\n\nThu, 26 Jun 2014 14:00:51 +0400 от Anna <a@b.example>:\n> Hi\n", "Ok"},
    {"Ok\n\n26.06.2014, 14:41, \"Anna Berg\" <a@b.example>:\n> Hi\n", "Ok"},
    {"Ok\n2026/4/7 Anna Berg <a@b.example>\n\n> Hi\n", "Ok"},
    {"Ok\n\nVào 14:24 8 tháng 6, 2026, Anna <a@b.example> đã viết:\n\n> Hi\n", "Ok"},
    {"Ok\n\n---- On Tue, 24 Nov 2026 10:00:00 +0100 Anna <a@b.example> wrote ----\n\nHi\n", "Ok"},
    {"Ok\n\nОт: Anna\nОтправлено: 26 июня 2026 г. 15:05\nКому: Kari\n\nHi\n", "Ok"},
    {"Ok\n\nDate: Wed, 16 May 2026 00:15:02 -0600\nSubject: x\nFrom: a@b.example\nTo: k@d.example\n\nHi\n", "Ok"},
    {"Ok On Wed, Apr 4, 2026 at 3:59 PM, bob@example.com wrote:\n> Hi\n", "Ok"},
    {"Ok\n\n ------------------------------\n\n*From:* Anna [mailto:a@b.example]\n*Sent:* Thursday\n*To:* Kari\n\nHi\n", "Ok"},
    /* what a program tore out of a quote is no answer */
    {"Ok\n\nOn 25 Oct 2026 Anna wrote:\n\n> View (http://b.example/a\n_nonce=3dd518)\n>\n", "Ok"},
    /* a traveller's lines are no header block, a drawn line no signature of all that follows */
    {"The trip:\n\nFrom: Oslo\nTo: Bergen\nDate: Friday\n", "The trip:\n\nFrom: Oslo\nTo: Bergen\nDate: Friday"},
    {"Tasks\n***\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n", "Tasks\n***\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm"},
    {"a\n\n\n  - b\n", "a\n\n\n  - b"}, /* the person's own empty lines stay */
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
