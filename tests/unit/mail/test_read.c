/*
 * mail_read(): what a received message is taken for, and what is new in it. Messages written for this, as programs and people
 * write them; and bytes that mean harm, under limits of time and memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/read.h"
#include "mail/token.h"

#define NOW_MS ((gint64)1795514400000) /* 2026-11-24T10:00:00Z */
#define HEAD "From: Kari Nordmann <Kari@Kunde.example>\r\nTo: anna@example.com\r\nMessage-ID: <m1@kunde.example>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\n"
#define ANSWER HEAD "Subject: Re: What we talked about\r\nIn-Reply-To: <abc@example.com>\r\nReferences: <first@example.com> <abc@example.com>\r\n"
#define ANSWER_TO(subject) HEAD "Subject: " subject "\r\nIn-Reply-To: <abc@example.com>\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n\r\n"

static InboundMessage *read_text(const char *text)
{
    return mail_read(text, strlen(text), NOW_MS);
}

/* ---- the new text ---------------------------------------------------------------------------------------------------- */

static void test_only_what_is_new_is_kept(void **state)
{
    (void)state;
    const struct {
        const char *name, *body, *want;
    } cases[] = {
        {"Gmail, English", "Yes please.\n\nOn Tue, Nov 24, 2026 at 9:00 AM Anna Berg <anna@example.com> wrote:\n\n> Hi Kari,\n> shall we?\n", "Yes please."},
        {"Gmail, Norwegian, wrapped", "Ja takk!\n\ntir. 24. nov. 2026 kl. 09:00 skrev Anna Berg\n<anna@example.com>:\n\n> Hei\n", "Ja takk!"},
        {"Apple, Norwegian", "Ring meg.\n\n> 24. nov. 2026 kl. 09:00 skrev Anna Berg <anna@example.com>:\n> \n> Hei\n", "Ring meg."},
        {"Apple, English", "Call me.\nKari\n\n> On 24 Nov 2026, at 09:00, Anna Berg <anna@example.com> wrote:\n> \n> Hi\n", "Call me.\nKari"},
        {"Outlook, English", "Fine with me.\n\nFrom: Anna Berg <anna@example.com>\nSent: Tuesday, November 24, 2026 9:00 AM\nTo: Kari\nSubject: x\n\nHi Kari\n", "Fine with me."},
        {"Outlook, Norwegian", "Det passer.\n\nFra: Anna Berg <anna@example.com>\nSendt: tirsdag 24. november 2026 09:00\nTil: Kari\nEmne: x\n\nHei\n", "Det passer."},
        {"Outlook with a line", "OK\n\n________________________________\nFrom: Anna <anna@example.com>\nSent: Tuesday\nTo: K\nSubject: x\n\nHi\n", "OK"},
        {"old Outlook", "No.\n\n-----Original Message-----\nFrom: Anna\n\nHi\n", "No."},
        {"old Outlook, Norwegian", "Nei.\n\n-----Opprinnelig melding-----\nFra: Anna\n\nHei\n", "Nei."},
        {"Thunderbird, German", "Gern.\n\nAm 24.11.26 um 09:00 schrieb Anna Berg:\n> Hallo\n", "Gern."},
        {"Thunderbird, Swedish", "Ja.\n\nDen 2026-11-24 kl. 09:00, skrev Anna Berg:\n> Hej\n", "Ja."},
        {"between quotes", "On Tue, 24 Nov 2026 at 09:00, Anna Berg <anna@example.com> wrote:\n> First?\n\nYes.\n\n> Second?\n\nNo.\n", "Yes.\n\nNo."},
        {"signature", "Yes.\n\n-- \nKari Nordmann\nNordmann AS\n", "Yes."},
        {"telephone", "Yes\n\nSent from my iPhone\n\n> On 24 Nov 2026, at 09:00, Anna <anna@example.com> wrote:\n> Hi\n", "Yes"},
        {"telephone, Norwegian", "Ja\n\nSendt fra min iPhone\n", "Ja"},
        {"nothing but new text", "Hello,\n\nI wrote to you on Monday: any news?\n\nKari\n", "Hello,\n\nI wrote to you on Monday: any news?\n\nKari"},
        {"a colon and a year", "He wrote in 2025 that we should wait.\nI do not agree.\n", "He wrote in 2025 that we should wait.\nI do not agree."},
        {"nothing new", "> Hi\n> shall we?\n", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(ANSWER PLAIN, cases[i].body, NULL);
        g_autoptr(InboundMessage) message = read_text(text);
        if (!g_str_equal(message->text, cases[i].want))
            print_error("%s: want [%s], got [%s]\n", cases[i].name, cases[i].want, message->text);
        assert_string_equal(message->text, cases[i].want);
        assert_int_equal(message->class, INBOUND_REPLY);
    }
}

/* ---- classes --------------------------------------------------------------------------------------------------------- */

static void test_classes_by_their_evidence(void **state)
{
    (void)state;
    const struct {
        const char *name, *text;
        InboundClass want;
    } cases[] = {
        {"answer", ANSWER PLAIN "Yes.\n", INBOUND_REPLY},
        {"new mail", HEAD "Subject: A question\r\n" PLAIN "Do you ship to Bergen?\n", INBOUND_REPLY},
        {"a word in the subject alone", HEAD "Subject: Out of office furniture\r\n" PLAIN "We need chairs.\n", INBOUND_REPLY},
        {"suppression header alone", ANSWER "X-Auto-Response-Suppress: All\r\n" PLAIN "Yes.\n", INBOUND_REPLY},
        {"not automatic", ANSWER "Auto-Submitted: no\r\n" PLAIN "Yes.\n", INBOUND_REPLY},
        {"RFC 3834", ANSWER "Auto-Submitted: auto-replied\r\n" PLAIN "I am away.\n", INBOUND_AUTO_REPLY},
        {"vendor's header", ANSWER "X-Autoreply: yes\r\n" PLAIN "I am away.\n", INBOUND_AUTO_REPLY},
        {"subject and words", HEAD "Subject: Automatisk svar: Hei\r\n" PLAIN "Jeg er på ferie til 5. januar.\n", INBOUND_AUTO_REPLY},
        {"a person about holidays", ANSWER_TO("Re: Vacation") PLAIN "I will return on Monday.\n", INBOUND_REPLY},
        {"a person about holidays, Norwegian", ANSWER_TO("Ferie") PLAIN "Vi har ferie i uke 28, kan vi ta det etter?\n", INBOUND_REPLY},
        {"a person about absence", ANSWER_TO("Re: Fravær") PLAIN "Jeg er tilbake mandag.\n", INBOUND_REPLY},
        {"a person about automatic answers", ANSWER_TO("Automatic reply feature") PLAIN "Can it answer when I am on vacation?\n", INBOUND_REPLY},
        {"an answer to an automatic one", ANSWER_TO("Re: Automatic reply: Hi") PLAIN "I saw you were out of the office. Welcome back!\n", INBOUND_REPLY},
        {"program's envelope", "Return-Path: <>\r\n" ANSWER_TO("Ferie") PLAIN "Tilbake mandag.\n", INBOUND_AUTO_REPLY},
        {"no more to one address", ANSWER PLAIN "No more mails to the old address please, use kari2@kunde.example\n", INBOUND_REPLY},
        {"list", HEAD "Subject: Digest\r\nList-Id: <x.example>\r\n" PLAIN "news\n", INBOUND_OTHER},
        {"bulk", HEAD "Subject: Offer\r\nPrecedence: bulk\r\n" PLAIN "buy\n", INBOUND_OTHER},
        {"receipt", HEAD "Subject: Read\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nread\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n", INBOUND_OTHER},
        {"stop", ANSWER PLAIN "STOP\n", INBOUND_UNSUBSCRIBE},
        {"stop, politely", ANSWER PLAIN "Hi Anna,\nplease unsubscribe me. Thanks\nKari\n", INBOUND_UNSUBSCRIBE},
        {"stop, Norwegian", ANSWER PLAIN "Avmeld meg\n", INBOUND_UNSUBSCRIBE},
        {"no stop", ANSWER PLAIN "We should stop by your office on Friday, does that suit you?\n", INBOUND_REPLY},
        {"stop, with a name", ANSWER PLAIN "Stopp!\n\nMvh\nKari Nordmann\n", INBOUND_UNSUBSCRIBE},
        {"stop, and more", ANSWER PLAIN "Stop!\nsend the offer first\n", INBOUND_REPLY},
        {"a wish about one mail", ANSWER PLAIN "Ikke send tilbudet før mandag\n", INBOUND_REPLY},
        {"a wish about invoices", ANSWER PLAIN "Please stop sending the invoices to my old office.\n", INBOUND_REPLY},
        {"no stop either", ANSWER PLAIN "Don't stop now, I love it. Please send the offer.\n", INBOUND_REPLY},
        {"empty", "", INBOUND_OTHER},
        {"noise", "\x01\x02\xff\xfe noise", INBOUND_OTHER},
        {"complaint", "From: fbl@isp.example\r\nSubject: abuse\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nabuse\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <abc@example.com>\r\nSubject: x\r\n\r\nhi\r\n--b--\r\n", INBOUND_COMPLAINT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(InboundMessage) message = read_text(cases[i].text);
        if (message->class != cases[i].want)
            print_error("%s: read as %s (%s)\n", cases[i].name, inbound_class_name(message->class), message->evidence);
        assert_int_equal(message->class, cases[i].want);
        assert_true(*message->evidence);
        if (cases[i].want == INBOUND_COMPLAINT)
            assert_string_equal(message->original_message_id, "abc@example.com");
    }
}

static void test_bounces_by_recipient(void **state)
{
    (void)state;
    const char *report = "From: MAILER-DAEMON@mail.example\r\nTo: anna@example.com\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
                         "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
                         "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\n"
                         "Final-Recipient: rfc822; Kari@Kunde.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
                         "Final-Recipient: rfc822; ola@kunde.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n"
                         "Final-Recipient: rfc822; per@kunde.example\r\nAction: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n"
                         "Final-Recipient: rfc822; siv@kunde.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
                         "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: anna@example.com\r\nMessage-ID: <abc@example.com>\r\n\r\n--b--\r\n";
    g_autoptr(InboundMessage) message = read_text(report);
    assert_int_equal(message->class, INBOUND_BOUNCE);
    assert_string_equal(message->original_message_id, "abc@example.com");
    const struct {
        const char *recipient, *status;
        BounceKind kind;
    } want[] = {{"kari@kunde.example", "5.1.1", BOUNCE_HARD}, {"ola@kunde.example", "4.4.1", BOUNCE_DELAYED}, {"per@kunde.example", "5.2.2", BOUNCE_SOFT}};
    assert_int_equal(message->bounces->len, G_N_ELEMENTS(want));
    for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
        const BounceRecipient *bounce = message->bounces->pdata[i];
        assert_string_equal(bounce->recipient, want[i].recipient);
        assert_string_equal(bounce->status, want[i].status);
        assert_int_equal(bounce->kind, want[i].kind);
    }
    g_autoptr(InboundMessage) qmail = read_text("Return-Path: <>\r\nFrom: MAILER-DAEMON@old.example\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program at old.example.\r\n"
                                                "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n<kari@kunde.example>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
                                                "--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <abc@example.com>\r\nFrom: anna@example.com\r\n");
    assert_int_equal(qmail->class, INBOUND_BOUNCE);
    assert_string_equal(((BounceRecipient *)qmail->bounces->pdata[0])->recipient, "kari@kunde.example");
    assert_int_equal(((BounceRecipient *)qmail->bounces->pdata[0])->kind, BOUNCE_HARD);
    assert_string_equal(qmail->original_message_id, "abc@example.com");
}

/* ---- fields ---------------------------------------------------------------------------------------------------------- */

static void test_fields(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) message = read_text(
        "From: =?utf-8?q?K=C3=A5re?= <KARE@kunde.example>\r\nTo: anna@example.com, \"B\" <b@example.com>\r\nSubject: =?iso-8859-1?q?Bl=E5b=E6r?=\r\nMessage-ID: <m1@kunde.example>\r\n"
        "In-Reply-To: <abc@example.com>\r\nReferences: <first@example.com>\r\n <abc@example.com>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nBl=E5b=E6r\r\n"
        "--b\r\nContent-Type: application/pdf; name=offer.pdf\r\nContent-Disposition: attachment; filename=offer.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n");
    assert_string_equal(message->from, "kare@kunde.example");
    assert_string_equal(message->from_name, "Kåre");
    assert_string_equal(message->subject, "Blåbær");
    assert_string_equal(message->text, "Blåbær");
    assert_string_equal(message->in_reply_to, "abc@example.com");
    assert_int_equal(g_strv_length(message->references), 2);
    assert_int_equal(message->date_ms, NOW_MS - 3600 * 1000);
    assert_int_equal(message->attachments->len, 1);
    assert_int_equal(((InboundAttachment *)message->attachments->pdata[0])->size, 3);
    g_autoptr(InboundMessage) html = read_text(ANSWER "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><style>p{}</style><body><p>Ja &amp; takk</p><script>x</script>"
                                               "<blockquote>Hei</blockquote></body></html>\r\n");
    assert_string_equal(html->text, "Ja & takk");
    g_autoptr(InboundMessage) mislabelled = read_text(ANSWER "Content-Type: text/plain; charset=us-ascii\r\n\r\nbl\xe5 og \xe6\r\n");
    assert_string_equal(mislabelled->text, "blå og æ");
}

static void test_a_token_is_found_and_copies_have_one_fingerprint(void **state)
{
    (void)state;
    g_autofree char *token = mail_token_new("secret", TOKEN_UNSUBSCRIBE, 42);
    g_autofree char *text = g_strdup_printf(HEAD "Subject: unsubscribe %s\r\n\r\n", token);
    g_autoptr(InboundMessage) message = read_text(text);
    assert_int_equal(message->class, INBOUND_UNSUBSCRIBE);
    assert_string_equal(message->token, token);
    g_autofree char *copy = g_strconcat("Received: from elsewhere\r\nX-Folder: Archive\r\n", text, NULL);
    g_autoptr(InboundMessage) same = read_text(copy);
    assert_string_equal(message->fingerprint, same->fingerprint);
    g_autofree char *other_text = g_strconcat(text, "one more line\r\n", NULL);
    g_autoptr(InboundMessage) other = read_text(other_text);
    assert_string_not_equal(message->fingerprint, other->fingerprint);
}

enum { NONE = -99 };

static void test_the_day_of_return(void **state)
{
    (void)state;
    const struct {
        const char *body;
        gint64 day; /* of 2026-12; below 1 of the end of November */
    } cases[] = {
        {"I am back on December 7th.", 7},
        {"I will return on 7 December.", 7},
        {"I am out from December 1-7 and will answer then.", 7},
        {"Jeg er tilbake 7. desember 2026.", 7},
        {"Tilbake 07.12.2026", 7},
        {"Tilbake 7/12.", 7},
        {"until 2026-12-07", 7},
        {"Jag är tillbaka den 7 december.", 7},
        {"Jeg er tilbage den 7. december.", 7},
        {"Zurück am 7. Dezember", 7},
        {"Ich bin bis 07.12.2026 nicht im Haus.", 7},
        {"Ik ben terug op 7 december.", 7},
        {"De retour le 7 décembre 2026.", 7},
        {"Estaré de vuelta el 7 de diciembre de 2026.", 7},
        {"Torno il 7 dicembre.", 7},
        {"Wracam 7 grudnia 2026.", 7},
        {"Estarei de volta em 7 de dezembro.", 7},
        {"From 24 November to 7 December 2026.", 7},
        {"Back in the office on Friday.", 27 - 30}, /* it is a Tuesday */
        {"Jeg er tilbake på kontoret tirsdag.", 1},
        {"Ich bin ab Montag wieder da, zurück am Montag.", 30 - 30},
        {"Wracam w poniedziałek.", 30 - 30},
        {"I will be back tomorrow.", 25 - 30},
        {"On holiday.", NONE},
        {"Call me on 22 33 44 55 or see invoice 2025-01-07.", NONE},
        {"Our hotline is there 24/7, version 2.1.", NONE},
        {"We have been open every Monday since 1999.", NONE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(ANSWER "Auto-Submitted: auto-replied\r\n" PLAIN, cases[i].body, "\n", NULL);
        g_autoptr(InboundMessage) message = read_text(text);
        gint64 want = cases[i].day == NONE ? 0 : (gint64)1796083200000 + (cases[i].day - 1) * 86400000; /* 2026-12-01 */
        if (message->absent_until_ms != want)
            print_error("%s: %" G_GINT64_FORMAT "\n", cases[i].body, message->absent_until_ms);
        assert_int_equal(message->absent_until_ms, want);
    }
}

/* A long letter is searched for people where it holds something to reach them by. */
static void test_people_in_long_letters(void **state)
{
    (void)state;
    const struct {
        const char *end;
        guint repeats, least, most; /* of the sentence before; people found */
    } cases[] = {
        {"You should talk to Per Hansen.", 1, 1, 1},
        {"You should talk to Per Hansen.", 60, 0, 0},
        {"You should talk to Per Hansen, per.hansen@firma.example.", 60, 1, 1},
        {"You should talk to Per Hansen, telephone 22 33 44 55.", 60, 1, 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *text = g_string_new(ANSWER PLAIN);
        for (guint n = 0; n < cases[i].repeats; n++)
            g_string_append(text, "We are glad about what you did.\n");
        g_string_append(text, cases[i].end);
        g_autoptr(InboundMessage) message = read_text(text->str);
        assert_in_range(message->introduced->len, cases[i].least, cases[i].most);
        g_string_free(text, TRUE);
    }
}

/* ---- harm ------------------------------------------------------------------------------------------------------------ */

static void test_hostile_bytes_are_bounded(void **state)
{
    (void)state;
    GString *deep = g_string_new("From: a@b.example\r\n");
    for (int i = 0; i < 10000; i++)
        g_string_append_printf(deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    GString *line = g_string_new(ANSWER PLAIN);
    for (int i = 0; i < 1000000; i++)
        g_string_append(line, "> On 24 wrote: x");
    GString *headers = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append_printf(headers, "X-%d: y\r\n", i);
    g_string_append(headers, HEAD "\r\nhi\r\n");
    GString *divs = g_string_new(ANSWER "Content-Type: text/html\r\n\r\n");
    for (int i = 0; i < 200000; i++)
        g_string_append(divs, "<div><blockquote>");
    GString *all[] = {deep, line, headers, divs};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(InboundMessage) message = mail_read(all[i]->str, all[i]->len, NOW_MS);
        assert_true(strlen(message->full_text) <= READ_MAX_TEXT && strlen(message->text) <= READ_MAX_TEXT);
        g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
        g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, NULL);
        assert_non_null(again);
        g_string_free(all[i], TRUE);
    }
}

/* Property: any bytes give a message that the daemon's side accepts. */
static void test_any_bytes_give_a_record_that_is_accepted(void **state)
{
    (void)state;
    const char *seeds[] = {ANSWER PLAIN "Yes.\n\nOn 24 Nov 2026, Anna <a@b.example> wrote:\n> Hi\n",
                           "From: MAILER-DAEMON@x\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;a@b.example\r\nStatus: 5.1.1\r\n--b--\r\n",
                           HEAD "Content-Type: text/html; charset=utf-16\r\n\r\n<p>x</p>"};
    GRand *random = g_rand_new_with_seed(20261124);
    for (guint i = 0; i < 6000; i++) {
        g_autofree char *bytes = g_strdup(seeds[i % G_N_ELEMENTS(seeds)]);
        gsize len = strlen(bytes);
        for (int edits = g_rand_int_range(random, 1, 30); edits > 0; edits--)
            bytes[g_rand_int_range(random, 0, (gint32)len)] = (char)g_rand_int_range(random, 0, 256);
        g_autoptr(InboundMessage) message = mail_read(bytes, len, NOW_MS);
        g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
        g_autoptr(GError) error = NULL;
        g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, &error);
        if (!again)
            print_error("seed %u: %s\n", i, error->message);
        assert_non_null(again);
    }
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_new_is_kept),
        cmocka_unit_test(test_classes_by_their_evidence),
        cmocka_unit_test(test_bounces_by_recipient),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_a_token_is_found_and_copies_have_one_fingerprint),
        cmocka_unit_test(test_the_day_of_return),
        cmocka_unit_test(test_people_in_long_letters),
        cmocka_unit_test(test_hostile_bytes_are_bounded),
        cmocka_unit_test(test_any_bytes_give_a_record_that_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
