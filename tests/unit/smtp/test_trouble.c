/*
 * What a reply or a fault means: the rule of invariant 2, in its order, and who is to blame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "smtp/limits.h"
#include "smtp/trouble.h"

static void take_lines(SmtpReply *reply, const char *lines)
{
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    for (char **line = each; *line; line++)
        if (**line) {
            g_autofree char *wire = g_strconcat(*line, "\r\n", NULL);
            assert_true(smtp_reply_take(reply, wire, strlen(wire)));
        }
}

static void judge(SmtpPhase phase, SmtpFault fault, const char *lines, DeliveryResult *ret_result)
{
    SmtpReply reply;
    smtp_reply_init(&reply);
    take_lines(&reply, lines);
    const SmtpEnding ending = {.phase = phase,
                               .fault = fault,
                               .reply = &reply,
                               .all_given = phase == PHASE_FINAL,
                               .waited_ms = 300000,
                               .server = "smtp.example.com:465",
                               .ways = "AUTH PLAIN or LOGIN",
                               .detail = "words of the library"};
    smtp_trouble_judge(&ending, ret_result);
    smtp_reply_clear(&reply);
}

typedef struct {
    SmtpPhase phase;
    SmtpFault fault;
    const char *reply;
    DeliveryClass class;
    int code;
    const char *enhanced, *text; /* text NULL: not looked at */
    gboolean recipient_unknown, permanent;
} Case;

static void check(const Case *cases, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const Case *want = &cases[i];
        DeliveryResult got;
        judge(want->phase, want->fault, want->reply, &got);
        if (got.class != want->class || got.code != want->code || got.recipient_unknown != want->recipient_unknown ||
            got.permanent != want->permanent || strcmp(got.enhanced, want->enhanced) != 0 ||
            (want->text && strcmp(got.text, want->text) != 0))
            fail_msg("case %zu (phase %d, \"%s\"): %s %d \"%s\" \"%s\" unknown=%d permanent=%d", i, (int)want->phase,
                     want->reply, delivery_class_name(got.class), got.code, got.enhanced, got.text, got.recipient_unknown,
                     got.permanent);
        delivery_result_clear(&got);
    }
}

static void test_replies(void **state)
{
    static const Case cases[] = {
        {PHASE_FINAL, FAULT_NONE, "250 2.0.0 queued as 7", DELIVERY_SENT, 250, "2.0.0", "queued as 7", FALSE, FALSE},
        {PHASE_FINAL, FAULT_NONE, "250", DELIVERY_SENT, 250, "", "", FALSE, FALSE},
        {PHASE_FINAL, FAULT_PROTOCOL, "450 4.2.1 busy", DELIVERY_DEFERRED, 450, "4.2.1", "busy", FALSE, FALSE},
        {PHASE_FINAL, FAULT_PROTOCOL, "550 5.7.1 spam", DELIVERY_FAILED, 550, "5.7.1", "spam", FALSE, FALSE},
        {PHASE_FINAL, FAULT_PROTOCOL, "535 5.7.1 odd", DELIVERY_FAILED, 535, "5.7.1", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_PROTOCOL, "421 4.3.2 closing", DELIVERY_UNREACHABLE, 421, "4.3.2", "closing", FALSE, FALSE},
        {PHASE_FINAL, FAULT_LOST, "550 5.1.1 no", DELIVERY_FAILED, 550, "5.1.1", "no", TRUE, FALSE},
        {PHASE_MAIL, FAULT_LOST, "451 4.3.0 later", DELIVERY_DEFERRED, 451, "4.3.0", "later", FALSE, FALSE},
        {PHASE_MAIL, FAULT_LOST, "552 5.3.4 too big", DELIVERY_FAILED, 552, "5.3.4", "too big", FALSE, FALSE},
        {PHASE_MAIL, FAULT_LOST, "550 no", DELIVERY_FAILED, 550, "", "no", FALSE, FALSE},
        {PHASE_MAIL, FAULT_LOST, "550 no such user", DELIVERY_FAILED, 550, "", NULL, FALSE, FALSE},
        {PHASE_MAIL, FAULT_LOST, "530 5.7.0 sign in first", DELIVERY_UNREACHABLE, 530, "5.7.0", NULL, FALSE, TRUE},
        {PHASE_MAIL, FAULT_LOST, "553 5.7.1 not your address", DELIVERY_UNREACHABLE, 553, "5.7.1", NULL, FALSE, TRUE},
        {PHASE_RCPT, FAULT_LOST, "550 5.1.8 sender's domain", DELIVERY_UNREACHABLE, 550, "5.1.8", NULL, FALSE, TRUE},
        {PHASE_RCPT, FAULT_LOST, "554 5.7.1 relay access denied", DELIVERY_FAILED, 554, "5.7.1", NULL, FALSE, FALSE},
        {PHASE_RCPT, FAULT_LOST, "450 4.7.1 greylisted", DELIVERY_DEFERRED, 450, "4.7.1", NULL, FALSE, FALSE},
        {PHASE_RCPT, FAULT_LOST, "421 4.7.0 too many", DELIVERY_UNREACHABLE, 421, "4.7.0", NULL, FALSE, FALSE},
        {PHASE_DATA, FAULT_LOST, "554 no", DELIVERY_FAILED, 554, "", "no", FALSE, FALSE},
        {PHASE_GREETING, FAULT_PROTOCOL, "554 5.7.1 go away", DELIVERY_UNREACHABLE, 554, "5.7.1", NULL, FALSE, FALSE},
        {PHASE_HELLO, FAULT_LOST, "550 no", DELIVERY_UNREACHABLE, 550, "", NULL, FALSE, FALSE},
        {PHASE_STARTTLS, FAULT_NO_STARTTLS, "454 4.7.0 not now", DELIVERY_UNREACHABLE, 454, "4.7.0", NULL, FALSE, FALSE},
        {PHASE_STARTTLS, FAULT_NO_STARTTLS, "502 no", DELIVERY_UNREACHABLE, 502, "", NULL, FALSE, TRUE},
        {PHASE_SIGN_IN, FAULT_NO_SIGN_IN, "535 5.7.8 wrong", DELIVERY_UNREACHABLE, 535, "5.7.8", "wrong", FALSE, TRUE},
        {PHASE_SIGN_IN, FAULT_NO_SIGN_IN, "454 4.7.0 later", DELIVERY_UNREACHABLE, 454, "4.7.0", "later", FALSE, FALSE},
    };
    (void)state;
    check(cases, G_N_ELEMENTS(cases));
}

static void test_faults(void **state)
{
    static const Case cases[] = {
        {PHASE_GREETING, FAULT_NO_CONNECTION, "", DELIVERY_UNREACHABLE, 0, "",
         "no connection to smtp.example.com:465: words of the library", FALSE, FALSE},
        {PHASE_GREETING, FAULT_CERTIFICATE, "", DELIVERY_UNREACHABLE, 0, "", NULL, FALSE, TRUE},
        {PHASE_GREETING, FAULT_TLS, "", DELIVERY_UNREACHABLE, 0, "", NULL, FALSE, FALSE},
        {PHASE_GREETING, FAULT_SECRET, "", DELIVERY_UNREACHABLE, 0, "", NULL, FALSE, FALSE},
        {PHASE_HELLO, FAULT_NO_STARTTLS, "250 peer", DELIVERY_UNREACHABLE, 0, "", NULL, FALSE, TRUE},
        {PHASE_HELLO, FAULT_NO_SIGN_IN, "250 peer", DELIVERY_UNREACHABLE, 0, "", NULL, FALSE, TRUE},
        {PHASE_MAIL, FAULT_LOST, "", DELIVERY_UNREACHABLE, 0, "",
         "the connection to smtp.example.com:465 was lost after MAIL: words of the library", FALSE, FALSE},
        {PHASE_RCPT, FAULT_OVERDUE, "", DELIVERY_DEFERRED, 0, "",
         "smtp.example.com:465 gave no answer to RCPT within 300 seconds", FALSE, FALSE},
        {PHASE_RCPT, FAULT_CANCELLED, "", DELIVERY_UNREACHABLE, 0, "", NULL, FALSE, FALSE},
        {PHASE_DATA, FAULT_LOST, "", DELIVERY_DEFERRED, 0, "", NULL, FALSE, FALSE},
        {PHASE_DATA, FAULT_PROTOCOL, "250 what", DELIVERY_DEFERRED, 0, "",
         "smtp.example.com:465 answered DATA with 250 what", FALSE, FALSE},
        {PHASE_BODY, FAULT_LOST, "", DELIVERY_DEFERRED, 0, "", NULL, FALSE, FALSE},
        /* from here on it may have arrived */
        {PHASE_FINAL, FAULT_LOST, "", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_OVERDUE, "", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_CANCELLED, "", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_PROTOCOL, "251 elsewhere", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_LOST, "550-5.1.1 half of a refusal", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_LOST, "250 2.0.0 ok", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
        {PHASE_FINAL, FAULT_PROTOCOL, "600 no such class", DELIVERY_UNCERTAIN, 0, "", NULL, FALSE, FALSE},
    };
    (void)state;
    check(cases, G_N_ELEMENTS(cases));
}

/* "Unknown" suppresses the address for good: it must be said, and of the recipient. */
static void test_recipient_unknown(void **state)
{
    static const struct {
        const char *reply;
        SmtpPhase phase;
        gboolean unknown;
    } cases[] = {
        {"550 5.1.1 <x@y>: rejected", PHASE_RCPT, TRUE},
        {"550 5.1.10 null MX", PHASE_RCPT, TRUE},
        {"553 5.1.3 bad syntax", PHASE_RCPT, TRUE},
        {"551 5.1.6 moved", PHASE_RCPT, TRUE},
        {"550 5.1.2 no such domain", PHASE_DATA, TRUE},
        {"550 5.2.1 user unknown", PHASE_RCPT, FALSE},
        {"550 5.2.2 mailbox full", PHASE_RCPT, FALSE},
        {"552 5.1.1 odd code", PHASE_RCPT, FALSE},
        {"550 5.1.1 of the sender?", PHASE_MAIL, FALSE},
        {"550 User Unknown", PHASE_RCPT, TRUE},
        {"550 No such user here", PHASE_RCPT, TRUE},
        {"550 Requested action not taken: mailbox unavailable", PHASE_RCPT, TRUE},
        {"550-The account\n550 does not exist", PHASE_RCPT, TRUE},
        {"550 Sender domain does not exist", PHASE_RCPT, FALSE},
        {"550 mailbox unavailable: blocked by policy", PHASE_RCPT, FALSE},
        {"550 relay access denied, no such user", PHASE_RCPT, FALSE},
        {"554 no such user", PHASE_RCPT, FALSE},
        {"550 no such user", PHASE_FINAL, FALSE},
        {"550 go away", PHASE_RCPT, FALSE},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DeliveryResult got;
        judge(cases[i].phase, FAULT_PROTOCOL, cases[i].reply, &got);
        if (got.recipient_unknown != cases[i].unknown)
            fail_msg("\"%s\": %d", cases[i].reply, got.recipient_unknown);
        delivery_result_clear(&got);
    }
}

static void test_text_is_one_safe_line(void **state)
{
    DeliveryResult got;
    (void)state;
    judge(PHASE_RCPT, FAULT_LOST, "550-5.1.1 first\x1b[31m line\n550-5.1.1 second \xff\n550 5.1.1 third", &got);
    assert_null(strpbrk(got.text, "\r\n\x1b"));
    assert_true(g_utf8_validate(got.text, -1, NULL));
    assert_true(g_str_has_prefix(got.text, "first"));
    assert_non_null(strstr(got.text, "line second"));
    assert_true(g_str_has_suffix(got.text, "third"));
    assert_string_equal(got.enhanced, "5.1.1");
    delivery_result_clear(&got);
}

static void test_text_is_bounded(void **state)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    DeliveryResult got;
    (void)state;
    for (int i = 0; i < 500; i++)
        g_string_append(lines, "550-5.1.1 and so on and so on and so on\n");
    g_string_append(lines, "550 5.1.1 end");
    judge(PHASE_RCPT, FAULT_LOST, lines->str, &got);
    assert_true(strlen(got.text) <= 500 && strlen(got.text) > 450);
    assert_int_equal(got.code, 550);
    delivery_result_clear(&got);
}

static void test_enhanced_status(void **state)
{
    static const struct {
        const char *line, *enhanced, *text;
    } cases[] = {
        {"550 5.1.1 x", "5.1.1", "x"},
        {"550 5.7.509 x", "5.7.509", "x"},
        {"550 5.1.1", "5.1.1", ""},
        {"550 4.1.1 x", "", "4.1.1 x"},
        {"550 5.1 x", "", "5.1 x"},
        {"550 5.1.1x y", "", "5.1.1x y"},
        {"550 5.1234.1 x", "", "5.1234.1 x"},
        {"550 5..1 x", "", "5..1 x"},
        {"550 5.1.1234 x", "", "5.1.1234 x"},
        {"550  x", "", "x"},
        {"550", "", ""},
        {"550 5.", "", "5."},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SmtpReply reply;
        smtp_reply_init(&reply);
        take_lines(&reply, cases[i].line);
        assert_true(reply.complete);
        assert_string_equal(reply.enhanced, cases[i].enhanced);
        assert_string_equal(reply.text->str, cases[i].text);
        smtp_reply_clear(&reply);
    }
}

/* Any octets: no overrun (the sanitizer watches exact allocations), and nothing is complete that has no code. */
static void test_reply_of_any_octets(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(5321);
    SmtpReply reply;
    (void)state;
    smtp_reply_init(&reply);
    for (int round = 0; round < 20000; round++) {
        gsize size = (gsize)g_rand_int_range(rand, 0, 16);
        g_autofree char *line = g_malloc(size + 1);
        char *exact = g_realloc(g_steal_pointer(&line), MAX(size, 1));
        for (gsize i = 0; i < size; i++)
            exact[i] = "0255-. \r\nx"[g_rand_int_range(rand, 0, 10)];
        smtp_reply_begin(&reply);
        assert_true(smtp_reply_take(&reply, exact, size));
        (void)smtp_reply_line_offers(exact, size, "AUTH");
        assert_true(!reply.complete || (size >= 4 && reply.code <= 999));
        g_free(exact);
    }
    smtp_reply_clear(&reply);
}

static void test_reply_without_end_is_cut(void **state)
{
    SmtpReply reply;
    gsize taken = 0;
    (void)state;
    smtp_reply_init(&reply);
    while (smtp_reply_take(&reply, "250-more\r\n", 10))
        taken += 10;
    assert_true(taken <= SMTP_REPLY_OCTETS);
    smtp_reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_recipient_unknown),
        cmocka_unit_test(test_text_is_one_safe_line),
        cmocka_unit_test(test_text_is_bounded),
        cmocka_unit_test(test_enhanced_status),
        cmocka_unit_test(test_reply_of_any_octets),
        cmocka_unit_test(test_reply_without_end_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
