/*
 * The record of a received message on its way from the child that read it to the daemon: whole where it is honest, refused where a child taken
 * over by a crafted mail might have written it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/error.h"
#include "mail/introduced.h"
#include "mail/read.h"

static char *repeated(char c, gsize count)
{
    char *text = g_malloc(count + 1);
    memset(text, c, count);
    text[count] = '\0';
    return text;
}

static void set(char **field, char *text)
{
    g_free(*field);
    *field = text;
}

static IntroducedPerson *person(const char *name, const char *address)
{
    IntroducedPerson *made = g_new0(IntroducedPerson, 1);
    *made = (IntroducedPerson){g_strdup(name), g_strdup(address), g_strdup("+4799887766"), g_strdup("Firma"), INTRODUCED_VCARD, TRUE,
                               g_strdup("ask Ola")};
    return made;
}

/* A record with every field set. Caller frees. */
static InboundMessage *full_message(void)
{
    InboundMessage *message = inbound_message_new();
    message->class = INBOUND_BOUNCE;
    set(&message->evidence, g_strdup("a report"));
    set(&message->from, g_strdup("kari@kunde.example"));
    set(&message->from_name, g_strdup("Kåre"));
    g_strfreev(message->to);
    message->to = g_strsplit("anna@example.com bo@example.com", " ", -1);
    set(&message->subject, g_strdup("Blåbær"));
    set(&message->message_id, g_strdup("m1@kunde.example"));
    set(&message->in_reply_to, g_strdup("abc@example.com"));
    g_strfreev(message->references);
    message->references = g_strsplit("first@example.com abc@example.com", " ", -1);
    message->date_ms = 1795514400000;
    set(&message->text, g_strdup("Ja\ntakk"));
    set(&message->full_text, g_strdup("Ja\ntakk\n> Hei"));
    BounceRecipient *bounce = g_new0(BounceRecipient, 1);
    *bounce = (BounceRecipient){g_strdup("ola@kunde.example"), BOUNCE_SOFT, g_strdup("5.2.2"), g_strdup("mailbox full")};
    g_ptr_array_add(message->bounces, bounce);
    set(&message->original_message_id, g_strdup("abc@example.com"));
    message->absent_until_ms = -1;
    set(&message->token, g_strdup("u-x"));
    message->asks_to_stop = TRUE;
    set(&message->authentication_results, g_strdup("mx; spf=pass"));
    InboundAttachment *attachment = g_new0(InboundAttachment, 1);
    *attachment = (InboundAttachment){g_strdup("a.pdf"), g_strdup("application/pdf"), 7};
    g_ptr_array_add(message->attachments, attachment);
    g_free(message->score.evidence);
    message->score = (ScoreRead){SCORE_CLEAR, 9, g_strdup("9 out of 10")};
    g_ptr_array_add(message->introduced, person("Ola Næss", "ola@firma.example"));
    message->introduced_more = TRUE;
    message->referral_answer = REFERRAL_LATER;
    departure_clear(&message->departure);
    message->departure = (Departure){DEPARTURE_SUCCESSOR, g_strdup("sam@kunde.example"), g_strdup("Sam Vik"), g_strdup("ask Sam")};
    set(&message->original_reply_to, g_strdup("anna+m-1@example.com"));
    set(&message->fingerprint, g_strdup("0f"));
    message->truncated = TRUE;
    return message;
}

static void test_every_field_passes(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) message = full_message();
    g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
    assert_true(g_variant_is_of_type(variant, G_VARIANT_TYPE(INBOUND_MESSAGE_VARIANT_TYPE)));
    g_autoptr(GError) error = NULL;
    g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, &error);
    assert_non_null(again);
    assert_string_equal(again->from_name, "Kåre");
    assert_string_equal(again->to[1], "bo@example.com");
    assert_string_equal(again->full_text, message->full_text);
    assert_int_equal(((BounceRecipient *)again->bounces->pdata[0])->kind, BOUNCE_SOFT);
    assert_int_equal(((InboundAttachment *)again->attachments->pdata[0])->size, 7);
    assert_int_equal(again->score.value, 9);
    assert_string_equal(((IntroducedPerson *)again->introduced->pdata[0])->name, "Ola Næss");
    assert_int_equal(again->referral_answer, REFERRAL_LATER);
    g_autoptr(GVariant) back = g_variant_ref_sink(inbound_message_to_variant(again));
    assert_true(g_variant_equal(variant, back));
}

static void what_cannot_be_read_comes_with_its_octets_and_nothing_else_does(void **state)
{
    (void)state;
    static const char octets[] = "\0\xff no head at all";
    g_autoptr(InboundMessage) unread = mail_read(octets, sizeof octets, 1795514400000);
    assert_true(inbound_message_is_unreadable(unread));
    g_bytes_unref(unread->raw);
    unread->raw = g_bytes_new(octets, sizeof octets);
    g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(unread));
    g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, NULL);
    assert_non_null(again);
    assert_true(g_bytes_equal(again->raw, unread->raw));
    InboundMessage *read = full_message();
    g_bytes_unref(read->raw);
    read->raw = g_bytes_new(octets, sizeof octets);
    g_autoptr(GVariant) forged = g_variant_ref_sink(inbound_message_to_variant(read));
    assert_null(inbound_message_from_variant(forged, NULL));
    inbound_message_free(read);
}

static void assert_refused(const char *what, InboundMessage *message)
{
    g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
    g_autoptr(GError) error = NULL;
    g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, &error);
    if (again || !g_error_matches(error, MAIL_ERROR, MAIL_ERROR_LIMIT))
        fail_msg("%s is accepted", what);
    inbound_message_free(message);
}

static InboundMessage *with_many(gsize bounces, gsize attachments, gsize references)
{
    InboundMessage *message = full_message();
    for (gsize i = 0; i < bounces; i++) {
        BounceRecipient *bounce = g_new0(BounceRecipient, 1);
        *bounce = (BounceRecipient){g_strdup("a@b.example"), BOUNCE_HARD, g_strdup(""), g_strdup("")};
        g_ptr_array_add(message->bounces, bounce);
    }
    for (gsize i = 0; i < attachments; i++) {
        InboundAttachment *attachment = g_new0(InboundAttachment, 1);
        *attachment = (InboundAttachment){g_strdup("a"), g_strdup("b/c"), 0};
        g_ptr_array_add(message->attachments, attachment);
    }
    if (references) {
        g_strfreev(message->references);
        message->references = g_new0(char *, references + 1);
        for (gsize i = 0; i < references; i++)
            message->references[i] = g_strdup("r@b.example");
    }
    return message;
}

static void test_what_is_beyond_a_limit_is_refused(void **state)
{
    (void)state;
    static const gsize lines[] = {offsetof(InboundMessage, evidence),    offsetof(InboundMessage, from),        offsetof(InboundMessage, from_name),
                                  offsetof(InboundMessage, subject),     offsetof(InboundMessage, message_id),  offsetof(InboundMessage, in_reply_to),
                                  offsetof(InboundMessage, token),       offsetof(InboundMessage, fingerprint), offsetof(InboundMessage, original_message_id),
                                  offsetof(InboundMessage, authentication_results), offsetof(InboundMessage, original_reply_to),
                                  offsetof(InboundMessage, departure.name), offsetof(InboundMessage, departure.evidence),
                                  offsetof(InboundMessage, departure.address)};
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        InboundMessage *message = full_message();
        set((char **)((char *)message + lines[i]), g_strdup("a\nBcc: b@b.example"));
        assert_refused("a line end in a line", message);
        message = full_message();
        set((char **)((char *)message + lines[i]), g_strdup("a\x1b[2J"));
        assert_refused("a control character in a line", message);
        message = full_message();
        set((char **)((char *)message + lines[i]), repeated('x', READ_MAX_HEADER + 1));
        assert_refused("a line that is too long", message);
    }
    InboundMessage *message = full_message();
    set(&message->text, repeated('x', READ_MAX_TEXT + 1));
    assert_refused("a text that is too long", message);
    message = full_message();
    set(&message->full_text, g_strdup("a\r\nb"));
    assert_refused("CR in a text", message);
    message = full_message();
    message->class = (InboundClass)99;
    assert_refused("an unknown class", message);
    message = full_message();
    ((BounceRecipient *)message->bounces->pdata[0])->kind = (BounceKind)99;
    assert_refused("an unknown kind", message);
    message = full_message();
    set(&((BounceRecipient *)message->bounces->pdata[0])->diagnostic, g_strdup("a\nb"));
    assert_refused("a line end in a diagnostic", message);
    message = full_message();
    ((InboundAttachment *)message->attachments->pdata[0])->size = -1;
    assert_refused("a negative size", message);
    assert_refused("too many bounces", with_many(READ_MAX_BOUNCES, 0, 0));
    assert_refused("too many attachments", with_many(0, READ_MAX_ATTACHMENTS, 0));
    assert_refused("too many references", with_many(0, 0, READ_MAX_REFERENCES + 1));
}

static void assert_score_refused(ScoreVerdict verdict, int value, const char *evidence)
{
    InboundMessage *message = full_message();
    g_free(message->score.evidence);
    message->score = (ScoreRead){verdict, value, g_strdup(evidence)};
    assert_refused("a score that cannot be", message);
}

static void assert_person_refused(const char *what, gsize field, const char *text)
{
    InboundMessage *message = full_message();
    set((char **)((char *)message->introduced->pdata[0] + field), g_strdup(text));
    assert_refused(what, message);
}

/* A score starts rules and a person becomes a row: neither may be what no reading of a mail gives. */
static void test_impossible_scores_and_people_are_refused(void **state)
{
    (void)state;
    assert_score_refused(SCORE_CLEAR, 11, "11");
    assert_score_refused(SCORE_CLEAR, -1, "");
    assert_score_refused(SCORE_UNCLEAR, 9, "9");
    assert_score_refused((ScoreVerdict)3, -1, "");
    assert_score_refused(SCORE_CLEAR, 9, "9\n10");
    assert_person_refused("a line end in a name", offsetof(IntroducedPerson, name), "Ola\r\nBcc: x@y.example");
    assert_person_refused("an address in no canonical form", offsetof(IntroducedPerson, address), "Ola@Firma.Example");
    assert_person_refused("no address", offsetof(IntroducedPerson, address), "ola");
    assert_person_refused("a long number", offsetof(IntroducedPerson, phone), "123456789012345678901");
    InboundMessage *message = full_message();
    ((IntroducedPerson *)message->introduced->pdata[0])->how = (IntroducedHow)9;
    assert_refused("an unknown way", message);
    message = full_message();
    message->referral_answer = (ReferralAnswer)9;
    assert_refused("an unknown answer", message);
    message = full_message();
    for (guint i = 0; i < INTRODUCED_MAX; i++)
        g_ptr_array_add(message->introduced, person("Kari", ""));
    assert_refused("too many people", message);
}

/* Property: bytes that a pipe may bring, honest ones altered, are accepted or refused, never trusted: an accepted record is one that is written
 * as it was read. */
static void test_altered_bytes_are_refused_or_sound(void **state)
{
    (void)state;
    g_autoptr(InboundMessage) message = full_message();
    g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
    gsize size = g_variant_get_size(variant);
    GRand *random = g_rand_new_with_seed(20261124);
    guint refused = 0, accepted = 0;
    for (guint i = 0; i < 20000; i++) {
        guchar *bytes = g_memdup2(g_variant_get_data(variant), size);
        for (int edits = g_rand_int_range(random, 1, 4); edits > 0; edits--)
            bytes[g_rand_int_range(random, 0, (gint32)size)] = (guchar)g_rand_int_range(random, 0, 256);
        gsize cut = g_rand_boolean(random) ? size : (gsize)g_rand_int_range(random, 0, (gint32)size);
        g_autoptr(GVariant) altered =
            g_variant_ref_sink(g_variant_new_from_data(G_VARIANT_TYPE(INBOUND_MESSAGE_VARIANT_TYPE), bytes, cut, FALSE, g_free, bytes));
        g_autoptr(InboundMessage) read = inbound_message_from_variant(altered, NULL);
        if (!read) {
            refused++;
            continue;
        }
        accepted++;
        g_autoptr(GVariant) back = g_variant_ref_sink(inbound_message_to_variant(read));
        assert_true(g_variant_equal(altered, back));
    }
    assert_true(refused > 0 && accepted > 0);
    g_rand_free(random);
    g_autoptr(GVariant) other = g_variant_ref_sink(g_variant_new_string("not a record"));
    assert_null(inbound_message_from_variant(other, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_passes),
        cmocka_unit_test(what_cannot_be_read_comes_with_its_octets_and_nothing_else_does),
        cmocka_unit_test(test_what_is_beyond_a_limit_is_refused),
        cmocka_unit_test(test_impossible_scores_and_people_are_refused),
        cmocka_unit_test(test_altered_bytes_are_refused_or_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
