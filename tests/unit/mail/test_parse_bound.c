/*
 * mail/parse_bound: what a crafted message could make the MIME parser spend is cut before it; an honest message passes unchanged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/parse_bound.h"
#include "mail/read.h"

static char *bounded(const char *bytes, gsize len, gboolean *ret_cut)
{
    GByteArray *out = parse_bound(bytes, len, ret_cut);
    g_byte_array_append(out, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(out, FALSE);
}

static guint count(const char *text, const char *what)
{
    guint found = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        found++;
    return found;
}

static void test_honest_messages_pass(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"From: a@b.example\r\nSubject: x\r\n y\r\n\r\n From: z\r\n--b\r\n", "From: a@b.example\r\nSubject: x\r\n y\r\n\r\n From: z\r\n--b\r\n"},
        {"", ""},
        {"no end", "no end"},
        {"From mbox Tue Nov 24 2026\nFrom: a@b.example\n\nhi\n", "From: a@b.example\n\nhi\n"},
        {"\n\nFrom: a@b.example\n\nhi\n", "From: a@b.example\n\nhi\n"},
        {"From: a@b.example\rSubject: x\r\rhi\r", "From: a@b.example\nSubject: x\n\nhi\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean cut;
        g_autofree char *got = bounded(cases[i].in, strlen(cases[i].in), &cut);
        assert_string_equal(got, cases[i].out);
        assert_false(cut);
    }
}

/* head, then line so often, then tail. */
static char *repeated(const char *head, const char *line, guint times, const char *tail)
{
    GString *text = g_string_new(head);
    for (guint i = 0; i < times; i++)
        g_string_append(text, line);
    g_string_append(text, tail);
    return g_string_free(text, FALSE);
}

static void test_each_limit_holds(void **state)
{
    (void)state;
    static const struct {
        const char *name, *head, *line, *tail, *counted;
        guint times, most;
    } cases[] = {
        {"headers", "", "X: y\n", "\nhi\n", "X: y\n", 100000, BOUND_MAX_HEADERS},
        {"address headers", "", "To: a@b.example\n", "\nhi\n", "To: ", 100000, BOUND_MAX_ADDRESS_LINES},
        {"address headers inside", "X: y\n\n", "to : a@b.example\n", "\nhi\n", "to : ", 100000, BOUND_MAX_ADDRESS_LINES},
        {"headers inside", "X: y\n\n", "Z: y\n", "\nhi\n", "Z: y\n", 100000, BOUND_MAX_FIELD_LINES},
        {"folded lines of one header", "X: y\n", " folded on and on and on\n", "\nhi\n", "folded", 100000, BOUND_MAX_HEADER_BYTES / 20},
        {"folded addresses inside", "X: y\n\nTo: a@b.example\n", " , a@b.example\n", "\nhi\n", ", a@", 100000, BOUND_MAX_ADDRESS_BYTES / 10},
        {"parameters", "X: y\n\nContent-Type: text/plain\n", " ;a=b\n", "\nhi\n", ";a=b", 1000000, BOUND_MAX_CONTENT_BYTES / 5},
        {"parts", "X: y\n\n", "Content-Type: text/plain\n\n", "", "Content-Type", 100000, BOUND_MAX_PARTS},
        {"boundaries", "X: y\n\n", "--b\n", "", "--b", 100000, BOUND_MAX_DASH_LINES},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean cut;
        g_autofree char *text = repeated(cases[i].head, cases[i].line, cases[i].times, cases[i].tail);
        g_autofree char *got = bounded(text, strlen(text), &cut);
        guint kept = count(got, cases[i].counted);
        if (!cut || kept == 0 || kept > cases[i].most)
            fail_msg("%s: %u kept, cut: %d", cases[i].name, kept, cut);
        /* what follows a header that was left out is still there, where only headers are left out */
        if (strstr(cases[i].tail, "hi") != NULL)
            assert_non_null(strstr(got, "\nhi\n"));
    }
}

static void test_the_message_is_cut_at_its_limit(void **state)
{
    (void)state;
    gboolean cut;
    gsize len = READ_MAX_MESSAGE + 1000;
    g_autofree char *text = g_malloc(len);
    memset(text, 'a', len);
    memcpy(text, "X: y\n\n", 6);
    GByteArray *got = parse_bound(text, len, &cut);
    assert_true(cut);
    assert_int_equal(got->len, READ_MAX_MESSAGE);
    g_byte_array_unref(got);
}

/* The whole way, for what cost most before it was bounded: seconds of which the slowest machine under a sanitizer needs a part. */
static void test_no_shape_costs_much(void **state)
{
    (void)state;
    g_autofree char *attributes = repeated("From: a@b.example\nContent-Type: text/html\n\n<p z=\">\"", " a=b", 300000, ">x");
    g_autofree char *depth = repeated("From: a@b.example\nContent-Type: text/html\n\n", "<div><blockquote>", 100000, "x");
    g_autofree char *ends = repeated("From: a@b.example\nContent-Type: text/html\n\n", "<a></b>", 200000, "x");
    g_autofree char *headers = repeated("From: a@b.example\nContent-Type: message/rfc822\n\n", "X: y\n", 300000, "\nx");
    g_autofree char *closings = repeated("From: a@b.example\n\n", "Best regards\n", 20000, "x");
    g_autofree char *attributions = repeated("From: a@b.example\n\n", "On 24.11.2026 09:00 a@b.example wrote wrote:\n", 6000, "x");
    const char *const all[] = {attributes, depth, ends, headers, closings, attributions};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        gint64 begin_us = g_get_monotonic_time();
        g_autoptr(InboundMessage) message = mail_read(all[i], strlen(all[i]), G_GINT64_CONSTANT(1795514400000));
        gint64 took_us = g_get_monotonic_time() - begin_us;
        if (took_us > 10 * G_USEC_PER_SEC)
            fail_msg("shape %" G_GSIZE_FORMAT " took %" G_GINT64_FORMAT " us", i, took_us);
        assert_true(strlen(message->full_text) <= READ_MAX_TEXT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_messages_pass),
        cmocka_unit_test(test_each_limit_holds),
        cmocka_unit_test(test_the_message_is_cut_at_its_limit),
        cmocka_unit_test(test_no_shape_costs_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
