/*
 * engine/decide: who comes into a rule, when their steps are due, what ends, resumes and repeats them. A real store, a real
 * configuration, and a clock that the test moves.
 */
#include "rig.h"

static const char *const THREE_DAYS_AGO = "2026-02-27 12:00"; /* a Friday; three days on is the Monday on which the clock stands */

/* ---- coming in ------------------------------------------------------------------------------------------------------- */

static void test_conditions_enrol(void **state)
{
    Rig *rig = *state;
    gint64 pitched = rig_add(rig, "pitched@x.org", "pitching", THREE_DAYS_AGO);
    gint64 other = rig_add(rig, "other@x.org", "research", THREE_DAYS_AGO);
    gint64 customer = rig_add(rig, "customer@x.org", "follow-up", "2026-03-01 12:00");
    rig_decide(rig, pitched);
    rig_decide(rig, other);
    rig_decide(rig, customer);
    assert_enrolment(rig, pitched, "after-pitch", "active");
    assert_enrolment(rig, pitched, "aftercare", "never in it");
    assert_enrolment(rig, other, "after-pitch", "never in it");
    assert_enrolment(rig, customer, "aftercare", "active");
    assert_enrolment(rig, customer, "referral", "never in it"); /* not tagged happy */
    assert_int_equal(rig->summary.enrolled, 2);
}

static void test_deciding_takes_the_mark_and_is_idempotent(void **state)
{
    Rig *rig = *state;
    gboolean marked = FALSE;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    assert_done(store_mark_exists(rig->store, id, &marked, &error));
    assert_true(marked);
    rig_decide(rig, id);
    rig_decide(rig, id);
    assert_done(store_mark_exists(rig->store, id, &marked, &error));
    assert_false(marked);
    assert_int_equal(rig->summary.enrolled, 1);
}

static void test_forgotten_contact_is_no_error(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    assert_done(store_contact_forget(rig->store, id, &error));
    rig_decide(rig, id);
    assert_int_equal(rig->summary.enrolled, 0);
}

/* ---- due times ------------------------------------------------------------------------------------------------------- */

static void test_due_times_move_into_the_window(void **state)
{
    static const struct {
        const char *since, *due;
    } rows[] = {
        {"2026-02-27 12:00", "2026-03-02 12:00"}, /* within the window: to the minute */
        {"2026-02-27 07:00", "2026-03-02 09:00"}, /* before it opens */
        {"2026-02-27 16:30", "2026-03-03 09:00"}, /* as it closes: the next morning */
        {"2026-02-25 12:00", "2026-03-02 09:00"}, /* a Saturday: the Monday */
        {"2026-03-27 12:00", "2026-03-30 12:00"}, /* over the change to summer time: the same time on the wall */
    };
    Rig *rig = *state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *email = g_strdup_printf("p%d@x.org", (int)i);
        gint64 id = rig_add(rig, email, "pitching", rows[i].since);
        rig_decide(rig, id);
        assert_due(rig, id, "after-pitch", rows[i].due);
    }
}

static void test_contacts_zone_counts(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_save(rig, &(ContactEdit){.email = "ny@x.org", .stage = "pitching", .stage_since_ms = at("2026-02-27 10:00"),
                                             .time_zone = "America/New_York"});
    rig_decide(rig, id);
    assert_due(rig, id, "after-pitch", "2026-03-02 15:00"); /* nine in the morning there */
}

static void test_after_counts_from_sending_and_age_from_the_anchor(void **state)
{
    Rig *rig = *state;
    gint64 prospect = rig_add(rig, "p@x.org", "pitching", THREE_DAYS_AGO);
    gint64 customer = rig_add(rig, "c@x.org", "follow-up", "2026-02-25 12:00");
    rig_decide(rig, prospect);
    rig_decide(rig, customer);
    rig_step_at(rig, "2026-03-04 13:00"); /* both are due; they leave late */
    rig_send(rig, prospect, "after-pitch", "one", "1@example.com");
    rig_send(rig, customer, "aftercare", "one", "2@example.com");
    assert_due(rig, prospect, "after-pitch", "2026-03-09 13:00"); /* five days after it was sent */
    assert_due(rig, customer, "aftercare", "2026-05-26 12:00");   /* ninety days after becoming a customer, whenever that left */
}

static void test_step_is_queued_when_due_and_once(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 11:59");
    assert_message(rig, id, "after-pitch", "one", "undecided");
    rig_step_at(rig, "2026-03-02 12:00");
    assert_message(rig, id, "after-pitch", "one", "queued");
    rig_step_at(rig, "2026-03-02 12:01");
    rig_decide(rig, id);
    rig_step(rig);
    assert_int_equal(rig->summary.queued, 1);
    assert_due(rig, id, "after-pitch", "1970-01-01 01:00"); /* nothing is due while the message is under way */
}

static void test_changed_anchor_moves_the_step(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", "2026-03-02 09:30");
    rig_decide(rig, id);
    assert_due(rig, id, "after-pitch", "2026-03-05 09:30");
    rig_add(rig, "a@x.org", "pitching", "2026-03-01 09:30"); /* corrected: a day before */
    rig_decide(rig, id);
    assert_due(rig, id, "after-pitch", "2026-03-04 09:30");
}

static void test_same_thread_answers_the_step_before(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_send(rig, id, "after-pitch", "one", "first@example.com");
    rig_step_at(rig, "2026-03-09 09:00");
    g_autoptr(OutboxMessage) second = rig_message(rig, id, "after-pitch", "two");
    assert_non_null(second);
    assert_string_equal(second->in_reply_to, "first@example.com");
    assert_string_equal(second->references, "first@example.com");
}

/* ---- late ------------------------------------------------------------------------------------------------------------ */

static void test_late_steps_are_skipped_and_the_history_says_so(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "old@x.org", "pitching", "2026-01-05 12:00");
    rig_decide(rig, id);
    rig_step(rig);
    assert_message(rig, id, "after-pitch", "one", "skipped");
    assert_message(rig, id, "after-pitch", "two", "skipped");
    assert_true(rig_has(rig, id, INTERACTION_SKIPPED));
    assert_enrolment(rig, id, "after-pitch", "done");
    assert_int_equal(rig->summary.skipped, 2);
    assert_int_equal(rig->summary.queued, 0);
}

static void test_skipped_step_keeps_the_distance_of_those_behind(void **state)
{
    Rig *rig = *state;
    /* due on Thursday 19 February at noon, and five days later on the 24th: the first is too late by now, the second not */
    gint64 id = rig_add(rig, "a@x.org", "pitching", "2026-02-16 12:00");
    rig_decide(rig, id);
    rig_step(rig);
    assert_message(rig, id, "after-pitch", "one", "skipped");
    assert_message(rig, id, "after-pitch", "two", "queued");
    g_autoptr(OutboxMessage) second = rig_message(rig, id, "after-pitch", "two");
    assert_int_equal(second->planned_ms, at("2026-02-24 12:00"));
}

static void test_step_late_by_no_more_than_max_late_is_sent(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-09 12:00"); /* seven days after it was due, to the minute */
    assert_message(rig, id, "after-pitch", "one", "queued");
}

/* ---- what ends a rule -------------------------------------------------------------------------------------------------- */

static void test_each_stop_event(void **state)
{
    static const struct {
        InteractionKind kind;
        const char *want;
    } rows[] = {
        {INTERACTION_REPLY, "reply"},
        {INTERACTION_BOUNCE, "bounce"},
        {INTERACTION_UNSUBSCRIBE, "unsubscribe"},
        {INTERACTION_COMPLAINT, "complaint"},
        {INTERACTION_STAGE, "stage-change"},
        {INTERACTION_CALL, "active"}, /* not in stop_on's default */
        {INTERACTION_MEETING, "active"},
        {INTERACTION_NOTE, "active"},
        {INTERACTION_AUTO_REPLY, "active"}, /* an absence never ends a rule */
        {INTERACTION_SENT, "active"},
        {INTERACTION_SKIPPED, "active"},
    };
    Rig *rig = *state;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *email = g_strdup_printf("p%d@x.org", (int)i);
        gint64 id = rig_add(rig, email, "pitching", THREE_DAYS_AGO);
        rig_decide(rig, id);
        rig_happens(rig, id, rows[i].kind);
        rig_decide(rig, id);
        assert_enrolment(rig, id, "after-pitch", rows[i].want);
    }
}

static void test_stop_on_is_the_rules_own(void **state)
{
    Rig *rig = *state;
    rig_configure(rig,
                  "{ name = \"talk\"; anchor = \"stage\"; when = { stage = \"pitching\"; }; steps = ( { after = \"1 day\"; template = \"one\"; } );\n"
                  "  stop_on = [ \"call\", \"meeting\", \"note\" ]; }",
                  "");
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_happens(rig, id, INTERACTION_REPLY);
    rig_decide(rig, id);
    assert_enrolment(rig, id, "talk", "active");
    rig_happens(rig, id, INTERACTION_CALL);
    rig_decide(rig, id);
    assert_enrolment(rig, id, "talk", "call");
    gint64 bounced = rig_add(rig, "b@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, bounced);
    rig_happens(rig, bounced, INTERACTION_BOUNCE); /* always stops */
    rig_decide(rig, bounced);
    assert_enrolment(rig, bounced, "talk", "bounce");
}

static void test_what_happened_before_does_not_stop(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_happens(rig, id, INTERACTION_REPLY);
    rig_decide(rig, id);
    rig_decide(rig, id);
    assert_enrolment(rig, id, "after-pitch", "active");
}

static void test_end_takes_the_queued_message_along(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_happens(rig, id, INTERACTION_REPLY);
    rig_decide(rig, id);
    assert_message(rig, id, "after-pitch", "one", "cancelled");
    rig_step_at(rig, "2026-03-20 12:00");
    assert_message(rig, id, "after-pitch", "two", "undecided");
}

static void test_a_reply_ends_it_for_good(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_happens(rig, id, INTERACTION_REPLY);
    rig_decide(rig, id);
    rig_decide(rig, id);
    assert_enrolment(rig, id, "after-pitch", "reply");
    assert_int_equal(rig->summary.resumed, 0);
    assert_int_equal(rig->summary.enrolled, 1);
}

static void test_suppressed_contact_is_ended_instead_of_queued(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    const Suppression suppression = {.address = "@x.org", .reason = "manual", .detail = "", .at_ms = 1};
    assert_done(store_suppression_add(rig->store, &suppression, &error));
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    assert_message(rig, id, "after-pitch", "one", "undecided");
    assert_enrolment(rig, id, "after-pitch", "suppressed");
}

/* A suppression by mistake, taken back: the rule goes on, unless they have answered meanwhile. */
static void test_a_suppression_taken_back_lets_the_rule_go_on(void **state)
{
    Rig *rig = *state;
    gboolean removed = FALSE;
    gint64 ids[] = {rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO), rig_add(rig, "b@x.org", "pitching", THREE_DAYS_AGO)};
    const Suppression suppression = {.address = "@x.org", .reason = "manual", .detail = "", .at_ms = 1};
    assert_done(store_suppression_add(rig->store, &suppression, &error));
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        rig_decide(rig, ids[i]);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_happens(rig, ids[1], INTERACTION_REPLY);
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        rig_decide(rig, ids[i]);
        assert_enrolment(rig, ids[i], "after-pitch", "suppressed"); /* it still is */
    }
    assert_done(store_suppression_remove(rig->store, "@x.org", &removed, &error));
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        rig_decide(rig, ids[i]);
    assert_enrolment(rig, ids[0], "after-pitch", "active");
    assert_enrolment(rig, ids[1], "after-pitch", "reply");
    rig_step_at(rig, "2026-03-02 13:00");
    assert_message(rig, ids[0], "after-pitch", "one", "queued");
    assert_message(rig, ids[1], "after-pitch", "one", "undecided");
}

/* ---- leaving, coming back ---------------------------------------------------------------------------------------------- */

static void test_leaving_and_coming_back_sends_only_what_is_left(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "c@x.org", "follow-up", "2026-02-23 12:00");
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_send(rig, id, "aftercare", "one", "1@example.com");
    rig_add(rig, "c@x.org", "negotiating", "2026-03-03 10:00");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "aftercare", "stage-change");
    clock_set(rig->clock, at("2026-03-04 10:00"));
    rig_add(rig, "c@x.org", "follow-up", "2026-03-04 10:00");
    rig_decide(rig, id);
    g_autoptr(Enrolment) back = rig_enrolment(rig, id, "aftercare");
    assert_string_equal(rig_state(back), "active");
    assert_string_equal(back->next_step, "two");
    assert_int_equal(rig->summary.resumed, 1);
}

static void test_coming_back_in_another_stage_does_not_resume(void **state)
{
    Rig *rig = *state;
    rig_configure(rig,
                  "{ name = \"open\"; anchor = \"stage\"; when = { stage = [ \"pitching\", \"negotiating\" ]; };\n"
                  "  steps = ( { after = \"3 days\"; template = \"one\"; } ); }",
                  "");
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_add(rig, "a@x.org", "negotiating", "2026-03-02 09:00");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "open", "stage-change");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "open", "stage-change");
}

static void test_lost_tag_ends_and_its_return_resumes(void **state)
{
    static const char *const happy[] = {"happy", NULL};
    Rig *rig = *state;
    gint64 id = rig_add(rig, "c@x.org", "follow-up", "2026-02-23 12:00");
    rig_save(rig, &(ContactEdit){.email = "c@x.org", .add_tags = happy});
    rig_decide(rig, id);
    assert_enrolment(rig, id, "referral", "active");
    rig_save(rig, &(ContactEdit){.email = "c@x.org", .remove_tags = happy});
    rig_decide(rig, id);
    assert_enrolment(rig, id, "referral", "conditions");
    rig_save(rig, &(ContactEdit){.email = "c@x.org", .add_tags = happy});
    rig_decide(rig, id);
    assert_enrolment(rig, id, "referral", "active");
}

/* ---- rules that change ------------------------------------------------------------------------------------------------- */

static void test_removed_rule_ends(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_configure(rig, "", "");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "after-pitch", "rule removed");
}

static void test_step_added_before_the_next_is_neither_repeated_nor_lost(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_send(rig, id, "after-pitch", "one", "1@example.com");
    rig_configure(rig,
                  "{ name = \"after-pitch\"; anchor = \"stage\"; when = { stage = \"pitching\"; };\n"
                  "  steps = ( { after = \"3 days\"; template = \"one\"; }, { after = \"4 days\"; template = \"two\"; },\n"
                  "            { after = \"2 days\"; template = \"three\"; } ); }",
                  "");
    rig_decide(rig, id);
    assert_due(rig, id, "after-pitch", "2026-03-06 12:00"); /* the changed distance is in force */
    rig_step_at(rig, "2026-03-06 12:00");
    rig_send(rig, id, "after-pitch", "two", "2@example.com");
    rig_step_at(rig, "2026-03-09 09:00");
    assert_message(rig, id, "after-pitch", "three", "queued");
    assert_int_equal(rig->summary.queued, 3);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------------ */

static void test_done_rule_repeats_and_counts_from_the_first_anchor(void **state)
{
    static const char *const happy[] = {"happy", NULL};
    Rig *rig = *state;
    gint64 id = rig_add(rig, "c@x.org", "follow-up", "2026-01-16 12:00");
    rig_save(rig, &(ContactEdit){.email = "c@x.org", .add_tags = happy});
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    rig_send(rig, id, "referral", "three", "1@example.com");
    g_autoptr(Enrolment) second = rig_enrolment(rig, id, "referral");
    assert_int_equal(second->round, 2);
    assert_int_equal(second->anchor_ms, at("2026-07-16 12:00"));
    assert_due(rig, id, "referral", "2026-08-31 09:00"); /* 45 days on is a Sunday */
}

static void test_rounds_of_years_before_are_passed_over(void **state)
{
    static const char *const happy[] = {"happy", NULL};
    Rig *rig = *state;
    gint64 id = rig_add(rig, "c@x.org", "follow-up", "2020-01-16 12:00");
    rig_save(rig, &(ContactEdit){.email = "c@x.org", .add_tags = happy});
    rig_decide(rig, id);
    rig_step(rig);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "referral");
    assert_int_equal(enrolment->round, 13); /* of January 2026, whose request is due on 2 March */
    assert_true(enrolment->anchor_ms == at("2026-01-16 12:00"));
    assert_message(rig, id, "referral", "three", "undecided");
    rig_step_at(rig, "2026-03-02 12:00");
    assert_message(rig, id, "referral", "three", "queued");
}

/* ---- owners ------------------------------------------------------------------------------------------------------------ */

static void test_queued_message_follows_the_owner(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(OutboxMessage) before = rig_message(rig, id, "after-pitch", "one");
    assert_string_equal(before->account, "anna");
    rig_save(rig, &(ContactEdit){.email = "a@x.org", .owner = "bo"});
    rig_decide(rig, id);
    g_autoptr(OutboxMessage) after = rig_message(rig, id, "after-pitch", "one");
    assert_string_equal(after->account, "bo");
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------------- */

static void test_refused_message_ends_the_rule(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "after-pitch", "one");
    rig_deliver(rig, message->id, "1@example.com", DELIVERY_FAILED);
    assert_message(rig, id, "after-pitch", "one", "failed");
    assert_enrolment(rig, id, "after-pitch", "bounce");
}

static void test_uncertain_message_waits(void **state)
{
    Rig *rig = *state;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "after-pitch", "one");
    rig_deliver(rig, message->id, "1@example.com", DELIVERY_UNCERTAIN);
    rig_step_at(rig, "2026-04-02 12:00");
    assert_message(rig, id, "after-pitch", "one", "uncertain");
    assert_message(rig, id, "after-pitch", "two", "undecided");
    assert_enrolment(rig, id, "after-pitch", "active");
}

static void test_message_cancelled_by_a_person_lets_the_rule_go_on(void **state)
{
    Rig *rig = *state;
    const OutboxOutcome cancelled = {.state = OUTBOX_CANCELLED, .reason = "by hand"};
    gboolean moved = FALSE;
    gint64 id = rig_add(rig, "a@x.org", "pitching", THREE_DAYS_AGO);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "after-pitch", "one");
    assert_done(store_outbox_move(rig->store, message->id, 1u << OUTBOX_QUEUED, &cancelled, clock_now_ms(rig->clock), &moved, &error));
    assert_true(moved);
    rig_decide(rig, id);
    assert_due(rig, id, "after-pitch", "2026-03-09 09:00"); /* five days on is a Saturday */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(test_conditions_enrol),
        with_rig(test_deciding_takes_the_mark_and_is_idempotent),
        with_rig(test_forgotten_contact_is_no_error),
        with_rig(test_due_times_move_into_the_window),
        with_rig(test_contacts_zone_counts),
        with_rig(test_after_counts_from_sending_and_age_from_the_anchor),
        with_rig(test_step_is_queued_when_due_and_once),
        with_rig(test_changed_anchor_moves_the_step),
        with_rig(test_same_thread_answers_the_step_before),
        with_rig(test_late_steps_are_skipped_and_the_history_says_so),
        with_rig(test_skipped_step_keeps_the_distance_of_those_behind),
        with_rig(test_step_late_by_no_more_than_max_late_is_sent),
        with_rig(test_each_stop_event),
        with_rig(test_stop_on_is_the_rules_own),
        with_rig(test_what_happened_before_does_not_stop),
        with_rig(test_end_takes_the_queued_message_along),
        with_rig(test_a_reply_ends_it_for_good),
        with_rig(test_suppressed_contact_is_ended_instead_of_queued),
        with_rig(test_a_suppression_taken_back_lets_the_rule_go_on),
        with_rig(test_leaving_and_coming_back_sends_only_what_is_left),
        with_rig(test_coming_back_in_another_stage_does_not_resume),
        with_rig(test_lost_tag_ends_and_its_return_resumes),
        with_rig(test_removed_rule_ends),
        with_rig(test_step_added_before_the_next_is_neither_repeated_nor_lost),
        with_rig(test_done_rule_repeats_and_counts_from_the_first_anchor),
        with_rig(test_rounds_of_years_before_are_passed_over),
        with_rig(test_queued_message_follows_the_owner),
        with_rig(test_refused_message_ends_the_rule),
        with_rig(test_uncertain_message_waits),
        with_rig(test_message_cancelled_by_a_person_lets_the_rule_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
