/*
 * Bounces of many systems: whom they tell of, and whether the address is gone (hard) or only did not work this time (soft). A hard bounce ends
 * all mail to a person, so what is no such address must be told from all else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/bounce_kind.h"
#include "mail/read.h"

#define NOW_MS ((gint64)1795514400000) /* 2026-11-24T10:00:00Z */
#define SYSTEM "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: anna@example.com\nSubject: Undelivered Mail Returned to Sender\n"
#define COPY "Received: from x\nMessage-ID: <abc@example.com>\nFrom: anna@example.com\nTo: kari@kunde.example\nSubject: Hi\n\nHi Kari\n"

static InboundMessage *read_text(const char *text)
{
    return mail_read(text, strlen(text), NOW_MS);
}

/* ---- hard or soft ---------------------------------------------------------------------------------------------------- */

static void test_kinds_by_words_and_status(void **state)
{
    (void)state;
    const struct {
        const char *action, *status, *words, *transcript;
        BounceKind want;
    } cases[] = {
        {"failed", "5.1.1", "550 5.1.1 user unknown", "", BOUNCE_HARD},
        {"failed", "5.0.0", "550 No such user here", "", BOUNCE_HARD},
        {"failed", "5.1.2", "Host or domain name not found. Name service error for name=nix.example type=MX: Host not found", "", BOUNCE_HARD},
        {"failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient kari@kunde.example not found by SMTP address lookup", "", BOUNCE_HARD},
        {"failed", "5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [AM0EUR02.prod.protection.outlook.com]", "", BOUNCE_HARD},
        {"failed", "5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable", "", BOUNCE_HARD},
        {"failed", "5.1.0", "550 #5.1.0 Address rejected.", "", BOUNCE_HARD},
        {"", "", "This user doesn't have a mail.example account", "", BOUNCE_HARD},
        {"", "", "550 Brukeren finnes ikke", "", BOUNCE_HARD},
        {"failed", "5.2.2", "552 5.2.2 mailbox full", "", BOUNCE_SOFT},
        {"failed", "5.0.0", "552 user is over quota", "", BOUNCE_SOFT},
        {"failed", "5.2.1", "550 5.2.1 The email account that you tried to reach is disabled", "", BOUNCE_SOFT},
        {"failed", "5.7.1", "550 5.7.1 Message rejected due to content policy", "", BOUNCE_SOFT},
        {"failed", "5.0.0", "554 Your address is listed at spamhaus.org", "", BOUNCE_SOFT},
        {"failed", "5.1.8", "501 5.1.8 Sender address rejected: Domain not found", "", BOUNCE_SOFT},
        {"failed", "5.3.4", "552 5.3.4 Message size exceeds fixed limit", "", BOUNCE_SOFT},
        {"failed", "4.4.7", "Delivery time expired", "", BOUNCE_SOFT},
        {"failed", "", "450 mailbox unavailable", "", BOUNCE_SOFT},
        {"failed", "5.0.0", "", "", BOUNCE_SOFT},
        {"delayed", "4.4.1", "connect to mx.example: Connection timed out", "", BOUNCE_DELAYED},
        {"Delayed (will be retried)", "5.1.1", "user unknown", "", BOUNCE_DELAYED},
        /* the same words, to RCPT and to the end of the data: only the first are of the address */
        {"failed", "5.0.0", "550 User unknown", "550 User unknown (in reply to RCPT TO command)", BOUNCE_HARD},
        {"failed", "5.0.0", "550 User unknown", "550 User unknown (in reply to end of DATA command)", BOUNCE_SOFT},
        {"failed", "5.0.0", "550 Unknown user", ">>> DATA\n<<< 550 Unknown user", BOUNCE_SOFT},
        /* commands sent ahead: the last answer tells that no recipient was taken */
        {"failed", "5.5.0", "550 Invalid recipient", ">>> DATA\n<<< 550 Invalid recipient\n<<< 503 5.0.0 Need RCPT (recipient)", BOUNCE_HARD},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        BounceKind got = bounce_kind(cases[i].action, cases[i].status, cases[i].words, cases[i].transcript);
        if (got != cases[i].want)
            print_error("%s %s: %s\n", cases[i].status, cases[i].words, bounce_kind_name(got));
        assert_int_equal(got, cases[i].want);
    }
}

static void test_the_status_that_says_most(void **state)
{
    (void)state;
    const struct {
        const char *field, *words, *want;
    } cases[] = {
        {"5.0.0", "smtp; 550 5.7.26 not authenticated", "5.7.26"},
        {"5.1.1", "smtp; 550 user unknown", "5.1.1"},
        {"5.0.0 (permanent failure)", "", "5.0.0"},
        {NULL, "550-5.1.1 The email account that you tried to reach does not exist", "5.1.1"},
        {NULL, "554 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.2 Connection timed out>", "4.4.2"},
        {NULL, "connect to mx.example[5.1.2.3]: refused", NULL},
        {NULL, "250 2.1.0 Ok", NULL},
        {NULL, "(#5.1.1)", "5.1.1"},
        {"4.0.0", "550 5.1.1 of an earlier try", "4.0.0"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = bounce_status(cases[i].field, cases[i].words);
        if (g_strcmp0(got, cases[i].want) != 0)
            fail_msg("%s, %s: %s, not %s", cases[i].field ? cases[i].field : "", cases[i].words, got ? got : "none", cases[i].want ? cases[i].want : "none");
    }
}

/* ---- whole messages -------------------------------------------------------------------------------------------------- */

static void assert_bounce(const char *name, const char *text, const char *recipient, const char *status, BounceKind kind)
{
    g_autoptr(InboundMessage) message = read_text(text);
    if (message->class != INBOUND_BOUNCE || message->bounces->len != 1)
        fail_msg("%s: read as %s with %u recipients", name, inbound_class_name(message->class), message->bounces->len);
    const BounceRecipient *bounce = message->bounces->pdata[0];
    if (!g_str_equal(bounce->recipient, recipient) || !g_str_equal(bounce->status, status) || bounce->kind != kind)
        fail_msg("%s: <%s> %s %s (%s)", name, bounce->recipient, bounce->status, bounce_kind_name(bounce->kind), bounce->diagnostic);
    assert_string_equal(message->original_message_id, "abc@example.com");
}

static void test_texts_of_many_systems(void **state)
{
    (void)state;
    assert_bounce("Exim", SYSTEM "X-Failed-Recipients: kari@kunde.example\n\nThis message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\n"
                  "recipients. This is a permanent error. The following address(es) failed:\n\n  kari@kunde.example\n    host mx.kunde.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<kari@kunde.example>:\n"
                  "    550 5.1.1 <kari@kunde.example>: Recipient address rejected:\n    User unknown in local recipient table\n\n------ This is a copy of the message, including all the headers. ------\n\n" COPY,
                  "kari@kunde.example", "5.1.1", BOUNCE_HARD);
    assert_bounce("Gmail of old", SYSTEM "\nDelivery to the following recipient failed permanently:\n\n     kari@kunde.example\n\nTechnical details of permanent failure:\n"
                  "The error that the other server returned was: 552 552 5.2.2 <kari@kunde.example>... Mailbox full (state 14).\n\n----- Original message -----\n\n" COPY,
                  "kari@kunde.example", "5.2.2", BOUNCE_SOFT);
    assert_bounce("Postfix, text only", SYSTEM "\nThis is the mail system at host mx.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n"
                  "For further assistance, please send mail to <postmaster@mx.example>\n\n<kari@kunde.example>: host mx.kunde.example[192.0.2.1] said: 550 5.1.1\n    <kari@kunde.example>: Recipient address rejected: User\n"
                  "    unknown (in reply to RCPT TO command)\n\n" COPY, "kari@kunde.example", "5.1.1", BOUNCE_HARD);
    assert_bounce("delayed", SYSTEM "\n##########\n# THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n##########\n\nYour message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.\n\n"
                  "<kari@kunde.example>: connect to mx.kunde.example[192.0.2.1]:25: Connection timed out\n\n" COPY, "kari@kunde.example", "", BOUNCE_DELAYED);
    assert_bounce("Exchange of old", "Return-Path: <>\nFrom: System Administrator <postmaster@kunde.example>\nTo: anna@example.com\nSubject: Undeliverable: Hi\n\nYour message\n\n  To:      anna@example.com\n  Subject: Hi\n\n"
                  "did not reach the following recipient(s):\n\nkari@kunde.example on Tue, 24 Nov 2026 09:00:00 +0100\n    The recipient name is not recognized\n    MSEXCH:IMS:Kunde 0 (000C05A6) Unknown Recipient\n\nOriginal message headers:\n\n" COPY,
                  "kari@kunde.example", "", BOUNCE_HARD);
    assert_bounce("to oneself", SYSTEM "\nHi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<anna@example.com>:\nRemote host said: 552 disk quota exceeded\n\n"
                  "--- Below this line is a copy of the message.\n\nMessage-ID: <abc@example.com>\n", "anna@example.com", "", BOUNCE_SOFT);
    assert_bounce("list of addresses first", SYSTEM "\n   ----- The following addresses had permanent fatal errors -----\n<kari@kunde.example>\n\n   ----- Transcript of session follows -----\n... while talking to mx.kunde.example.:\n"
                  ">>> RCPT To:<kari@kunde.example>\n<<< 550 5.1.1 <kari@kunde.example>... User unknown\n550 5.1.1 <kari@kunde.example>... User unknown\n\n   ----- Original message follows -----\n\n" COPY,
                  "kari@kunde.example", "5.1.1", BOUNCE_HARD);
    assert_bounce("no address but in the copy", SYSTEM "\nYour message could not be delivered: mailbox is full.\n\n--- Below this line is a copy of the message.\n\n" COPY, "kari@kunde.example", "", BOUNCE_SOFT);
}

static void test_reports(void **state)
{
    (void)state;
    assert_bounce("Office 365", SYSTEM "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nYour message to kari@kunde.example couldn't be delivered.\n\n"
                  "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;x.outlook.com\n\nFinal-recipient: rfc822;kari@kunde.example\nAction: failed\nStatus: 5.1.10\n"
                  "Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not\n found by SMTP address lookup\n\n--b\nContent-Type: message/rfc822\n\n" COPY "--b--\n",
                  "kari@kunde.example", "5.1.10", BOUNCE_HARD);
    assert_bounce("status in the text alone", SYSTEM "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nkari@kunde.example: 550 5.7.26 Multiple authentication checks failed\n\n"
                  "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; kari@kunde.example\nAction: failed\nStatus: 5.0.0\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <abc@example.com>\n--b--\n",
                  "kari@kunde.example", "5.7.26", BOUNCE_SOFT);
    assert_bounce("final recipient is a program", SYSTEM "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n  pipe to |/usr/bin/vacation\n    generated by kari@kunde.example\n\n"
                  "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822;|/usr/bin/vacation\nAction: failed\nStatus: 5.0.0\n\n--b\nContent-Type: message/rfc822\n\n" COPY "--b--\n",
                  "kari@kunde.example", "5.0.0", BOUNCE_SOFT);
    assert_bounce("boundary that is nowhere", SYSTEM "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=other\n\n--b\nContent-Type: text/plain\n\nfailed\n\n"
                  "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; kari@kunde.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b\nContent-Type: message/rfc822\n\n" COPY "--b--\n",
                  "kari@kunde.example", "5.1.1", BOUNCE_HARD);
}

/* What talks of failed mail, and is none: a person's, or a report of success. */
static void test_what_is_no_bounce(void **state)
{
    (void)state;
    const char *cases[] = {
        "From: Kari <kari@kunde.example>\nTo: anna@example.com\nIn-Reply-To: <abc@example.com>\nSubject: Re: Undelivered mail\n\nYour last mail could not be delivered: user unknown. Try kari@kunde.example.\n",
        "From: Kari <kari@kunde.example>\nTo: anna@example.com\nSubject: Fwd: Returned mail\n\nSee below.\n\n> From: MAILER-DAEMON\n> Final-Recipient: rfc822; ola@kunde.example\n> Action: failed\n",
        "From: Postmaster <postmaster@kunde.example>\nTo: anna@example.com\nIn-Reply-To: <abc@example.com>\nSubject: Re: Undelivered mail\n\nThe mailbox was over quota; user unknown was our mistake.\n",
        "Return-Path: <kari@kunde.example>\nFrom: Kari <kari@kunde.example>\nTo: anna@example.com\nSubject: delivery status of our order\n\nThe goods were not delivered to us.\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(InboundMessage) message = read_text(cases[i]);
        assert_int_equal(message->class, INBOUND_REPLY);
        assert_int_equal(message->bounces->len, 0);
    }
}

static void test_several_recipients_each_with_its_words(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) message = read_text(SYSTEM "\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<kari@kunde.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
                                                         "<ola@kunde.example>:\nMailbox is over quota. (#5.2.2)\n\n--- Below this line is a copy of the message.\n\n" COPY);
    assert_int_equal(message->bounces->len, 2);
    const BounceRecipient *first = message->bounces->pdata[0], *second = message->bounces->pdata[1];
    assert_string_equal(first->recipient, "kari@kunde.example");
    assert_int_equal(first->kind, BOUNCE_HARD);
    assert_string_equal(second->recipient, "ola@kunde.example");
    assert_int_equal(second->kind, BOUNCE_SOFT);
    assert_string_equal(second->status, "5.2.2");
}

/* A crafted report of many recipients and long words is read in bounded time, and no further than the limits. */
static void test_large_reports_are_bounded(void **state)
{
    (void)state;
    GString *text = g_string_new(SYSTEM "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n");
    for (int i = 0; i < 20000; i++)
        g_string_append_printf(text, "r%d@kunde.example: user address mailbox account recipient\n", i);
    g_string_append(text, "--b\nContent-Type: message/delivery-status\n\n");
    for (int i = 0; i < 2000; i++)
        g_string_append_printf(text, "Final-Recipient: rfc822; r%d@kunde.example\nAction: failed\nStatus: 5.1.1\n\n", i);
    g_string_append(text, "--b--\n");
    gint64 began = g_get_monotonic_time();
    g_autoptr(InboundMessage) message = mail_read(text->str, text->len, NOW_MS);
    assert_true(message->bounces->len <= READ_MAX_BOUNCES);
    assert_true(message->truncated);
    assert_true(g_get_monotonic_time() - began < 30 * G_USEC_PER_SEC);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_by_words_and_status), cmocka_unit_test(test_the_status_that_says_most),
        cmocka_unit_test(test_texts_of_many_systems),     cmocka_unit_test(test_reports),
        cmocka_unit_test(test_what_is_no_bounce),         cmocka_unit_test(test_several_recipients_each_with_its_words),
        cmocka_unit_test(test_large_reports_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
