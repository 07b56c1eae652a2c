/*
 * engine/effects: whose an inbound message is, on what evidence, and what follows. Invariant 7: silence on weak evidence,
 * action on strong. Each test has one prospect to whom one message went.
 */
#include "rig.h"

#include "engine/effects.h"
#include "mail/token.h"

static const char OURS[] = "first@example.com"; /* the Message-ID of what was sent */

/* A prospect on the way through after-pitch, whose first message has the outcome class. */
static gint64 written_to(Rig *rig, const char *email, DeliveryClass class)
{
    gint64 id = rig_add(rig, email, "pitching", "2026-02-27 12:00");
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "after-pitch", "one");
    rig_deliver(rig, message->id, OURS, class);
    return id;
}

static void set(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

static InboundMessage *inbound(InboundClass class, const char *from, const char *answers)
{
    InboundMessage *message = inbound_message_new();
    message->class = class;
    set(&message->from, from);
    set(&message->in_reply_to, answers);
    set(&message->text, "the words");
    set(&message->message_id, "theirs@x.org");
    return message;
}

static InboundMessage *bounce(const char *recipient, BounceKind kind, const char *original)
{
    InboundMessage *message = inbound(INBOUND_BOUNCE, "mailer-daemon@x.org", "");
    BounceRecipient *part = g_new0(BounceRecipient, 1);
    *part = (BounceRecipient){.recipient = g_strdup(recipient), .kind = kind, .status = g_strdup("5.1.1"), .diagnostic = g_strdup("no")};
    g_ptr_array_add(message->bounces, part);
    set(&message->original_message_id, original);
    return message;
}

/* Takes the message in, and frees it. */
static gboolean arrives(Rig *rig, InboundMessage *message)
{
    const Arrival arrival = {.account = rig->core->config->accounts[0], .message = message, .at_ms = clock_now_ms(rig->clock)};
    gboolean filed = FALSE;
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_done(effects_apply(rig->core, &arrival, &filed, &error));
    assert_done(store_commit(transaction, &error));
    inbound_message_free(message);
    return filed;
}

static gboolean is_suppressed(const Rig *rig, const char *address)
{
    gboolean suppressed = FALSE;
    assert_done(store_suppression_check(rig->store, address, &suppressed, NULL, &error));
    return suppressed;
}

/* ---- replies --------------------------------------------------------------------------------------------------------- */

static gboolean take_reply(const Interaction *interaction, gpointer data)
{
    if (interaction->kind != INTERACTION_REPLY)
        return TRUE;
    *(char **)data = g_strdup_printf("%s|%s|%s|%s", interaction->rule, interaction->step, interaction->text, interaction->detail);
    return FALSE;
}

static void test_answer_is_filed_with_rule_and_step_and_stops(void **state)
{
    Rig *rig = *state;
    g_autofree char *reply = NULL;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_REPLY, "kari@x.org", OURS)));
    assert_done(store_history_each(rig->store, id, take_reply, &reply, &error));
    assert_string_equal(reply, "after-pitch|one|the words|");
    assert_enrolment(rig, id, "after-pitch", "reply");
}

static void attach(InboundMessage *message, const char *name, const char *type, gint64 size)
{
    InboundAttachment *attachment = g_new0(InboundAttachment, 1);
    *attachment = (InboundAttachment){.name = g_strdup(name), .type = g_strdup(type), .size = size};
    g_ptr_array_add(message->attachments, attachment);
}

static void test_what_came_along_is_told(void **state)
{
    Rig *rig = *state;
    g_autofree char *reply = NULL;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *message = inbound(INBOUND_REPLY, "kari@x.org", OURS);
    attach(message, "offer.pdf", "application/pdf", 12345);
    attach(message, "", "image/png", 7);
    assert_true(arrives(rig, message));
    assert_done(store_history_each(rig->store, id, take_reply, &reply, &error));
    assert_string_equal(reply, "after-pitch|one|the words|attached: offer.pdf (application/pdf, 12345 octets), without a name (image/png, 7 octets)");
}

static void test_last_of_the_references_counts(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *message = inbound(INBOUND_REPLY, "assistant@elsewhere.org", "");
    g_strfreev(message->references);
    message->references = g_strsplit("strange@x.org first@example.com unknown@x.org", " ", -1);
    assert_true(arrives(rig, message));
    assert_enrolment(rig, id, "after-pitch", "reply"); /* from somebody else, yet filed and stopped */
}

static void test_reply_without_reference_is_known_by_its_sender(void **state)
{
    Rig *rig = *state;
    g_autofree char *reply = NULL;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_REPLY, "kari@x.org", "")));
    assert_done(store_history_each(rig->store, id, take_reply, &reply, &error));
    assert_string_equal(reply, "||the words|known by the sender's address alone");
    assert_enrolment(rig, id, "after-pitch", "reply");
}

static void test_alias_is_the_same_person(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_done(store_contact_alias_add(rig->store, id, "kari@private.org", &error));
    assert_true(arrives(rig, inbound(INBOUND_REPLY, "kari@private.org", "")));
    assert_enrolment(rig, id, "after-pitch", "reply");
}

static void test_strangers_and_our_own_people_change_nothing(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_false(arrives(rig, inbound(INBOUND_REPLY, "stranger@x.org", "")));
    assert_false(arrives(rig, inbound(INBOUND_REPLY, "anna@example.com", OURS)));
    assert_false(arrives(rig, inbound(INBOUND_REPLY, "colleague@example.com", OURS)));
    assert_false(arrives(rig, inbound(INBOUND_REPLY, "", "")));
    assert_enrolment(rig, id, "after-pitch", "active");
    assert_false(rig_has(rig, id, INTERACTION_REPLY));
}

static void test_absence_is_filed_and_does_not_stop(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_AUTO_REPLY, "kari@x.org", OURS)));
    assert_true(rig_has(rig, id, INTERACTION_AUTO_REPLY));
    assert_enrolment(rig, id, "after-pitch", "active");
}

/* ---- asking to stop ---------------------------------------------------------------------------------------------------- */

static void test_proven_request_suppresses(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_UNSUBSCRIBE, "kari@x.org", OURS)));
    assert_true(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "unsubscribe");
}

static void test_token_proves_whoever_sends_it(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *message = inbound(INBOUND_UNSUBSCRIBE, "list-robot@provider.org", "");
    g_autofree char *token = mail_token_new(store_token_secret(rig->store), TOKEN_UNSUBSCRIBE, id);
    set(&message->token, token);
    assert_true(arrives(rig, message));
    assert_true(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "unsubscribe");
}

static void test_forged_token_is_nothing(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *message = inbound(INBOUND_UNSUBSCRIBE, "stranger@x.org", "");
    g_autofree char *token = mail_token_new("another secret", TOKEN_UNSUBSCRIBE, id);
    set(&message->token, token);
    assert_false(arrives(rig, message));
    assert_false(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "active");
}

/* Anybody can write a sender's address: enough to pause, which a person can end, and not to suppress for ever. */
static void assert_only_paused(Rig *rig, gint64 id)
{
    g_autoptr(Contact) contact = rig_contact(rig, id);
    assert_false(is_suppressed(rig, contact->email));
    assert_true(contact->paused_until_ms == G_MAXINT64);
    assert_enrolment(rig, id, "after-pitch", "unsubscribe");
}

static void test_unproven_request_only_pauses(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_UNSUBSCRIBE, "kari@x.org", "")));
    assert_only_paused(rig, id);
}

static void test_request_of_another_in_their_thread_only_pauses(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_UNSUBSCRIBE, "somebody@elsewhere.org", OURS)));
    assert_only_paused(rig, id);
}

/* ---- bounces and complaints -------------------------------------------------------------------------------------------- */

static void test_hard_bounce_suppresses_and_stops(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_HARD, OURS)));
    assert_true(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "bounce");
}

static void test_soft_bounce_stops_without_suppressing(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_SOFT, OURS)));
    assert_false(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "bounce");
}

static void test_report_of_a_delay_stops_nothing(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_DELAYED, OURS)));
    assert_false(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "active");
}

/* A report that names no message of ours may be forged, even where it names a contact's address, or comes from one. */
static void test_report_that_names_nothing_we_sent_is_nothing(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *from_contact = bounce("kari@x.org", BOUNCE_HARD, "");
    set(&from_contact->from, "kari@x.org");
    assert_false(arrives(rig, bounce("kari@x.org", BOUNCE_HARD, "guessed@example.com")));
    assert_false(arrives(rig, from_contact));
    assert_false(arrives(rig, inbound(INBOUND_COMPLAINT, "kari@x.org", "")));
    assert_false(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "active");
}

static void test_complaint_suppresses(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *message = inbound(INBOUND_COMPLAINT, "fbl@provider.org", "");
    set(&message->original_message_id, OURS);
    assert_true(arrives(rig, message));
    assert_true(is_suppressed(rig, "kari@x.org"));
    assert_enrolment(rig, id, "after-pitch", "complaint");
}

/* ---- messages of unknown fate ------------------------------------------------------------------------------------------ */

static void test_evidence_settles_an_uncertain_message(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_UNCERTAIN);
    assert_message(rig, id, "after-pitch", "one", "uncertain");
    assert_true(arrives(rig, inbound(INBOUND_AUTO_REPLY, "kari@x.org", OURS)));
    assert_message(rig, id, "after-pitch", "one", "sent");
    assert_true(rig_has(rig, id, INTERACTION_SENT));
    assert_due(rig, id, "after-pitch", "2026-03-09 09:00"); /* the rule goes on; five days on is a Saturday */
}

static void test_a_mere_sender_settles_nothing(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_UNCERTAIN);
    assert_true(arrives(rig, inbound(INBOUND_AUTO_REPLY, "kari@x.org", "")));
    assert_message(rig, id, "after-pitch", "one", "uncertain");
}

/* ---- reminders to the owner ---- */

static void test_what_comes_back_for_a_reminder_says_nothing_about_the_contact(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, "{ name = \"after-pitch\"; anchor = \"stage\"; when = { stage = \"pitching\"; };\n"
                       "  steps = ( { after = \"3 days\"; kind = \"task\"; template = \"one\"; }, { after = \"5 days\"; template = \"two\"; } ); }\n", "");
    gint64 id = written_to(rig, "kari@x.no", DELIVERY_UNCERTAIN);
    assert_false(arrives(rig, bounce("anna@example.com", BOUNCE_HARD, OURS)));
    assert_false(is_suppressed(rig, "kari@x.no"));
    assert_false(rig_has(rig, id, INTERACTION_BOUNCE));
    assert_message(rig, id, "after-pitch", "one", "sent"); /* it surely left */
    assert_false(arrives(rig, inbound(INBOUND_REPLY, "anna.private@y.org", OURS)));
    assert_false(rig_has(rig, id, INTERACTION_REPLY));
    assert_enrolment(rig, id, "after-pitch", "active");
    assert_true(arrives(rig, inbound(INBOUND_REPLY, "kari@x.no", OURS))); /* forwarded to her, and it is she who writes */
    assert_enrolment(rig, id, "after-pitch", "reply");
}

static gint64 held_until(Rig *rig, gint64 id)
{
    g_autoptr(Contact) contact = rig_contact(rig, id);
    return contact->hold_until_ms;
}

static void test_an_absence_holds_until_the_day_after_it(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    InboundMessage *away = inbound(INBOUND_AUTO_REPLY, "kari@x.org", OURS);
    away->absent_until_ms = 1773014400000; /* 2026-03-09 */
    assert_true(arrives(rig, away));
    assert_true(held_until(rig, id) == at("2026-03-10 00:00"));
    assert_enrolment(rig, id, "after-pitch", "active");
    assert_true(arrives(rig, inbound(INBOUND_AUTO_REPLY, "kari@x.org", OURS)));
    assert_true(held_until(rig, id) == at("2026-03-10 00:00")); /* the later of two counts */
}

static void test_an_automatic_answer_without_a_date_holds_for_absence_hold(void **state)
{
    Rig *rig = *state;
    gint64 id = written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, inbound(INBOUND_AUTO_REPLY, "kari@x.org", OURS)));
    assert_true(held_until(rig, id) == at("2026-03-05 12:00"));
}

static void test_the_third_full_mailbox_within_a_month_is_for_good(void **state)
{
    Rig *rig = *state;
    written_to(rig, "kari@x.org", DELIVERY_SENT);
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_SOFT, OURS)));
    clock_set(rig->clock, clock_now_ms(rig->clock) + 31 * DAY);
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_SOFT, OURS)));
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_SOFT, OURS)));
    assert_false(is_suppressed(rig, "kari@x.org"));
    assert_true(arrives(rig, bounce("kari@x.org", BOUNCE_SOFT, OURS)));
    assert_true(is_suppressed(rig, "kari@x.org"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(test_what_comes_back_for_a_reminder_says_nothing_about_the_contact),
        with_rig(test_answer_is_filed_with_rule_and_step_and_stops),
        with_rig(test_what_came_along_is_told),
        with_rig(test_last_of_the_references_counts),
        with_rig(test_reply_without_reference_is_known_by_its_sender),
        with_rig(test_alias_is_the_same_person),
        with_rig(test_strangers_and_our_own_people_change_nothing),
        with_rig(test_absence_is_filed_and_does_not_stop),
        with_rig(test_proven_request_suppresses),
        with_rig(test_token_proves_whoever_sends_it),
        with_rig(test_forged_token_is_nothing),
        with_rig(test_unproven_request_only_pauses),
        with_rig(test_request_of_another_in_their_thread_only_pauses),
        with_rig(test_hard_bounce_suppresses_and_stops),
        with_rig(test_soft_bounce_stops_without_suppressing),
        with_rig(test_report_of_a_delay_stops_nothing),
        with_rig(test_report_that_names_nothing_we_sent_is_nothing),
        with_rig(test_complaint_suppresses),
        with_rig(test_evidence_settles_an_uncertain_message),
        with_rig(test_a_mere_sender_settles_nothing),
        with_rig(test_an_absence_holds_until_the_day_after_it),
        with_rig(test_an_automatic_answer_without_a_date_holds_for_absence_hold),
        with_rig(test_the_third_full_mailbox_within_a_month_is_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
