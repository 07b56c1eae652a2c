/*
 * mail/introduced: what a hostile or careless sender may put into an answer becomes no person who is not there, no second line of a
 * header and no list without end. (How well answers are understood is measured by tests/e2e/test_answers.py.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "mail/introduced.h"
#include "mail/read.h"

#define NOW_MS ((gint64)1795514400000) /* 2026-11-24T10:00:00Z */
#define HEAD "From: Sam Carter <sam@client.example>\r\nTo: Anna Berg <anna@example.com>\r\nSubject: Re: Whom do you know?\r\n"      \
             "Message-ID: <m1@client.example>\r\nIn-Reply-To: <abc@example.com>\r\nMIME-Version: 1.0\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n\r\n"

static InboundMessage *answer(const char *headers, const char *body)
{
    g_autofree char *whole = g_strconcat(HEAD, headers, body, NULL);
    return mail_read(whole, strlen(whole), NOW_MS);
}

static const IntroducedPerson *person(const InboundMessage *message, guint i)
{
    assert_true(i < message->introduced->len);
    return message->introduced->pdata[i];
}

static InboundMessage *card(const char *text)
{
    g_autofree char *body = g_strconcat("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the card.\r\n--b\r\n"
                                        "Content-Type: text/x-vcard; name=card.vcf\r\n\r\n", text, "\r\n--b--\r\n", NULL);
    return answer("", body);
}

static void test_a_pasted_list_is_cut_and_certain_of_nobody(void **state)
{
    (void)state;
    g_autoptr(GString) body = g_string_new("Content-Type: text/plain\r\n\r\nHere you go:\r\n");
    for (guint i = 0; i < 500; i++)
        g_string_append_printf(body, "Kari Nordmann <kari%u@firma%u.example>\r\n", i, i);
    g_autoptr(InboundMessage) message = answer("", body->str);
    assert_int_equal(message->introduced->len, INTRODUCED_MAX);
    assert_true(message->introduced_more);
    for (guint i = 0; i < message->introduced->len; i++)
        assert_false(person(message, i)->certain);
}

static void test_twenty_are_taken_whole(void **state)
{
    (void)state;
    g_autoptr(GString) body = g_string_new("Content-Type: text/plain\r\n\r\nMy friends:\r\n");
    for (guint i = 0; i < INTRODUCED_MAX; i++)
        g_string_append_printf(body, "kari%u@firma%u.example\r\n", i, i);
    g_autoptr(InboundMessage) message = answer("", body->str);
    assert_int_equal(message->introduced->len, INTRODUCED_MAX);
    assert_false(message->introduced_more);
    assert_true(person(message, 0)->certain);
}

static void assert_plain(const IntroducedPerson *found)
{
    const char *fields[] = {found->name, found->address, found->phone, found->company, found->evidence};
    static const gsize most[] = {INTRODUCED_MAX_NAME, 254, INTRODUCED_MAX_PHONE, INTRODUCED_MAX_NAME, INTRODUCED_MAX_EVIDENCE};
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        assert_true(g_utf8_validate(fields[i], -1, NULL));
        assert_true(strlen(fields[i]) <= most[i]);
        for (const char *p = fields[i]; *p != '\0'; p++)
            assert_true((guchar)*p >= 0x20 && *p != 0x7f);
    }
    assert_null(strpbrk(found->name, "<>@\""));
    assert_null(strstr(found->name, "\xe2\x80\xae")); /* right-to-left override */
}

/* A name goes into headers and onto terminals: nothing in it ends a line, quotes or an address. */
static void test_injected_names_are_one_plain_line(void **state)
{
    (void)state;
    static const char *const cards[] = {
        "BEGIN:VCARD\r\nFN;ENCODING=QUOTED-PRINTABLE:Ola=0D=0ABcc: all@evil.example\r\nEMAIL:ola@firma.example\r\nEND:VCARD",
        "BEGIN:VCARD\r\nFN:Ola\\nBcc: x\\n <evil@evil.example>\r\nEMAIL:ola@firma.example\r\nEND:VCARD",
        "BEGIN:VCARD\r\nFN:\x1b[2JOla\x07\r\nEMAIL:ola@firma.example\r\nEND:VCARD",
        "BEGIN:VCARD\r\nFN:Ola \xe2\x80\xaehtims\r\nEMAIL:ola@firma.example\r\nEND:VCARD",
        "BEGIN:VCARD\r\nFN:\xff\xfe Ola\r\nEMAIL:ola@firma.example\r\nTEL:+47 99 88 77 66 ext. 4\r\nEND:VCARD",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cards); i++) {
        g_autoptr(InboundMessage) message = card(cards[i]);
        assert_int_equal(message->introduced->len, 1);
        assert_plain(person(message, 0));
        assert_string_equal(person(message, 0)->address, "ola@firma.example");
    }
    g_autoptr(InboundMessage) message = answer("Cc: =?utf-8?q?Ola=0D=0AHansen?= <ola@firma.example>\r\n", PLAIN "Meet Ola!\r\n");
    assert_int_equal(message->introduced->len, 1);
    assert_plain(person(message, 0));
}

static void test_an_address_that_cannot_be_mailed_is_none(void **state)
{
    (void)state;
    static const char *const addresses[] = {"ola@firma.example\\nBcc: x@y.example", "ola@", "@firma.example", "ola firma.example", "\"ola\"@firma.example", "ola@[127.0.0.1]"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *text = g_strdup_printf("BEGIN:VCARD\r\nFN:Ola Hansen\r\nEMAIL:%s\r\nEND:VCARD", addresses[i]);
        g_autoptr(InboundMessage) message = card(text);
        for (guint n = 0; n < message->introduced->len; n++) {
            assert_string_equal(person(message, n)->address, "");
            assert_false(person(message, n)->certain);
        }
    }
}

/* Whoever wrote the answer, or was written to, is introduced by nobody. */
static void test_the_sender_and_we_are_no_friends(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        PLAIN "Try sam@client.example\r\n", PLAIN "Talk to Sam Carter, 07700 900456\r\n", PLAIN "Ask Anna Berg about it!\r\n", PLAIN "Try info@firma.example or no-reply@firma.example\r\n",
        PLAIN "Thanks!\r\n\r\nSam Carter\r\nCarter Tools Ltd\r\nsam.carter@other.example\r\n+44 113 496 0712\r\n", PLAIN "Thanks!\r\n> try ola@firma.example\r\n",
        PLAIN "Please don't contact Ola Hansen (ola@firma.example).\r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autoptr(InboundMessage) message = answer("", bodies[i]);
        if (message->introduced->len > 0)
            fail_msg("\"%s\" introduces %s <%s>", bodies[i], person(message, 0)->name, person(message, 0)->address);
    }
    g_autoptr(InboundMessage) message = card("BEGIN:VCARD\r\nFN:Sam Carter\r\nEMAIL:sam@new.example\r\nEND:VCARD");
    assert_int_equal(message->introduced->len, 0);
}

/* Machines introduce nobody. */
static void test_only_replies_are_read(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) message = answer("Auto-Submitted: auto-replied\r\n", PLAIN "I am away. Ask Ola Hansen, ola@firma.example. 9/10\r\n");
    assert_int_equal(message->introduced->len, 0);
    assert_int_equal(message->score.verdict, SCORE_NONE);
}

/* One who is named three times is one person, with all that was said. */
static void test_a_person_is_one_entry(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) message = answer("Cc: ola@firma.example\r\n", PLAIN "Meet Ola Hansen, in cc. Ola's number is +47 99 88 77 66.\r\n\r\nola@firma.example\r\n");
    assert_int_equal(message->introduced->len, 1);
    assert_string_equal(person(message, 0)->name, "Ola Hansen");
    assert_string_equal(person(message, 0)->phone, "+4799887766");
    assert_int_equal(person(message, 0)->how, INTRODUCED_CC);
    assert_true(person(message, 0)->certain);
}

/* Whatever text a stranger makes of such pieces is read within bounds, and what comes of it is plain. */
static void test_any_text_is_read(void **state)
{
    (void)state;
    static const char *const pieces[] = {"Kari ", "Nordmann", "kari", "@", "firma.example", " <", "> ", "99 88 77 66", "+47", "\r\n", "ask ", "meet ", ". ", ", ", "(at)", " dot ", "ø", "\"", "'s",
                                         "-", "--", "Sam Carter", "\xff", "BEGIN:VCARD", "Fra: ", "---------- Forwarded message ---------\r\n", "A.", "\xc2\xa0"};
    GRand *random = g_rand_new_with_seed(20261124);
    for (guint i = 0; i < 1500; i++) {
        g_autoptr(GString) body = g_string_new(PLAIN);
        for (int n = g_rand_int_range(random, 0, 60); n > 0; n--)
            g_string_append(body, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        g_autoptr(InboundMessage) message = answer(i % 2 ? "" : "Cc: Kari <kari@firma.example>, kari@x.example\r\n", body->str);
        assert_true(message->introduced->len <= INTRODUCED_MAX);
        for (guint n = 0; n < message->introduced->len; n++)
            assert_plain(person(message, n));
        g_autoptr(GVariant) record = g_variant_ref_sink(inbound_message_to_variant(message));
        g_autoptr(InboundMessage) again = inbound_message_from_variant(record, NULL);
        assert_non_null(again); /* what is read always travels */
    }
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pasted_list_is_cut_and_certain_of_nobody),
        cmocka_unit_test(test_twenty_are_taken_whole),
        cmocka_unit_test(test_injected_names_are_one_plain_line),
        cmocka_unit_test(test_an_address_that_cannot_be_mailed_is_none),
        cmocka_unit_test(test_the_sender_and_we_are_no_friends),
        cmocka_unit_test(test_only_replies_are_read),
        cmocka_unit_test(test_a_person_is_one_entry),
        cmocka_unit_test(test_any_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
