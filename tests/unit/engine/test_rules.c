/*
 * Protects: what a rule can say beyond its steps' delays: conditions of a step, tasks, approval, tags and colleagues that stop it,
 * an end, an edited list of steps, dates that pass or are not known.
 */
#include "rig.h"

#define RULE(extra, steps)                                                                                                  \
    "{ name = \"r\"; anchor = \"stage\"; when = { stage = \"pitching\"; }; " extra " steps = ( " steps " ); }\n"
#define ONE "{ after = \"1 day\"; template = \"one\"; }"
#define TWO "{ after = \"1 day\"; template = \"two\"; }"
#define THREE "{ after = \"1 day\"; template = \"three\"; }"

static gint64 pitched(Rig *rig, const char *email, const char *company)
{
    gint64 id = rig_save(rig, &(ContactEdit){.email = email, .stage = "pitching", .company = company});
    rig_decide(rig, id);
    return id;
}

/* Gives it a tag, as a person does. */
static void tag(Rig *rig, const char *email, const char *name)
{
    const char *tags[] = {name, NULL};
    rig_save(rig, &(ContactEdit){.email = email, .add_tags = tags});
}

static char *reason_of(const Rig *rig, gint64 id, const char *step)
{
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "r", step);
    return g_strdup(message ? message->reason : "");
}

/* ---- steps ---- */

static void a_step_whose_condition_fails_is_left_out_with_the_reason(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("stop_on = [ \"stage-change\" ];", ONE ", { after = \"1 day\"; if = { not_replied = true; }; template = \"two\"; }, " THREE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_happens(rig, id, INTERACTION_REPLY);
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-04 13:00");
    assert_message(rig, id, "r", "two", "skipped");
    g_autofree char *why = reason_of(rig, id, "two");
    assert_non_null(strstr(why, "wrote"));
    rig_step_at(rig, "2026-03-05 13:00");
    assert_message(rig, id, "r", "three", "queued");
}

static void a_reply_before_the_rule_is_none_to_its_steps(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", "{ after = \"1 day\"; if = { not_replied = true; }; template = \"one\"; }"), "");
    gint64 id = rig_save(rig, &(ContactEdit){.email = "kari@x.no", .stage = "research"});
    rig_happens(rig, id, INTERACTION_REPLY);
    clock_set(rig->clock, at("2026-03-02 11:00"));
    pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    assert_message(rig, id, "r", "one", "queued");
}

static void a_task_goes_to_the_owner_and_counts_for_no_gap(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", "{ after = \"1 day\"; kind = \"task\"; template = \"one\"; }, " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    assert_true(rig_has(rig, id, INTERACTION_TASK));
    assert_false(rig_has(rig, id, INTERACTION_SENT));
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_get(rig->store, id, &contact, &error));
    assert_int_equal(contact->last_contacted_ms, 0);
    assert_due(rig, id, "r", "2026-03-04 12:00");
}

static void a_reminder_that_the_owners_mailbox_refuses_says_nothing_about_the_contact(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", "{ after = \"1 day\"; kind = \"task\"; template = \"one\"; }, " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "r", "one");
    rig_deliver(rig, message->id, "a@example.com", DELIVERY_FAILED);
    assert_false(rig_has(rig, id, INTERACTION_BOUNCE));
    assert_enrolment(rig, id, "r", "active");
}

static void a_message_that_wants_approval_is_held_until_it_has_it(void **state)
{
    Rig *rig = *state;
    gboolean moved = FALSE;
    rig_configure(rig, RULE("approve = true;", ONE ", " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    assert_message(rig, id, "r", "one", "held");
    clock_set(rig->clock, at("2026-03-20 12:00")); /* far later than max_late */
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "r", "one");
    assert_done(store_outbox_move(rig->store, message->id, 1u << OUTBOX_HELD, &(OutboxOutcome){.state = OUTBOX_QUEUED},
                                  clock_now_ms(rig->clock), &moved, &error));
    assert_true(moved);
    rig_decide(rig, id);
    g_autoptr(OutboxMessage) let_go = rig_message(rig, id, "r", "one");
    assert_int_equal(let_go->approval, APPROVAL_GIVEN);
    assert_int_equal(let_go->planned_ms, clock_now_ms(rig->clock));
}

static void a_rule_that_no_longer_wants_approval_lets_go_what_awaited_it(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("approve = true;", ONE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    assert_message(rig, id, "r", "one", "held");
    rig_configure(rig, RULE("", ONE), "");
    rig_decide(rig, id);
    assert_message(rig, id, "r", "one", "queued");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "r", "one");
    assert_int_equal(message->approval, APPROVAL_NONE); /* nobody gave it, should the rule want it again */
    assert_int_equal(message->due_ms, clock_now_ms(rig->clock));
}

/* ---- edits ---- */

static void a_step_put_in_before_the_next_one_is_not_lost(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE ", " THREE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_configure(rig, RULE("", ONE ", " TWO ", " THREE), "");
    rig_decide(rig, id);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "r");
    assert_string_equal(enrolment->next_step, "two");
    assert_int_equal(rig->summary.moved, 1);
}

static void a_step_moved_behind_is_not_repeated(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE ", " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_configure(rig, RULE("", TWO ", " ONE), "");
    rig_decide(rig, id);
    /* what stands behind the last decided step is next: nothing does */
    assert_enrolment(rig, id, "r", "done");
    assert_message(rig, id, "r", "two", "undecided");
}

static void the_last_step_taken_away_ends_the_round_and_not_the_rounds(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("repeat_every = \"1 month\";", ONE ", " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_configure(rig, RULE("repeat_every = \"1 month\";", ONE), "");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "active");
    assert_due(rig, id, "r", "2026-04-03 10:00");
}

static void a_rule_that_comes_to_repeat_does_so_for_those_who_are_through(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "done");
    rig_configure(rig, RULE("repeat_every = \"1 month\"; repeat_max = 2;", ONE), "");
    rig_decide(rig, id);
    assert_due(rig, id, "r", "2026-04-03 10:00");
    rig_step_at(rig, "2026-04-03 12:00");
    g_autoptr(GPtrArray) all = NULL;
    assert_done(store_outbox_of(rig->store, id, &all, &error));
    assert_int_equal(all->len, 2);
    rig_deliver(rig, ((OutboxMessage *)all->pdata[1])->id, "b@example.com", DELIVERY_SENT);
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "done");
}

/* ---- ends ---- */

static void a_named_tag_stops_and_another_does_not(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("stop_on = [ \"tag:won\" ];", ONE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    tag(rig, "kari@x.no", "happy");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "active");
    tag(rig, "kari@x.no", "Won");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "tag");
}

static void any_tag_stops_where_the_rule_says_tag(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("stop_on = [ \"tag\" ];", ONE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    tag(rig, "kari@x.no", "happy");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "tag");
}

/* Decides everybody who is marked, as the scheduler does. */
static void decide_all(Rig *rig)
{
    guint count = 1;
    for (guint rounds = 0; count > 0; rounds++) {
        StoreTransaction *transaction = store_begin(rig->store, NULL);
        assert_done(decide_marked(rig->core, 100, &rig->summary, &count, &error));
        assert_done(store_commit(transaction, &error));
        assert_true(rounds < 10); /* marks do not go round in circles */
    }
}

static void a_colleagues_answer_stops_a_rule_of_the_company(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("scope = \"company\";", ONE), "");
    gint64 kari = pitched(rig, "kari@x.no", "Berg"), ola = pitched(rig, "ola@x.no", "Berg"), per = pitched(rig, "per@y.no", "Other");
    decide_all(rig);
    assert_enrolment(rig, kari, "r", "active"); /* although Ola came into the stage after her */
    rig_happens(rig, kari, INTERACTION_REPLY);
    decide_all(rig);
    assert_enrolment(rig, kari, "r", "reply");
    assert_enrolment(rig, ola, "r", "a colleague's reply");
    assert_enrolment(rig, per, "r", "active");
}

static void a_colleagues_bounce_and_earlier_answer_stop_nobody_else(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("scope = \"company\";", ONE), "");
    gint64 kari = rig_save(rig, &(ContactEdit){.email = "kari@x.no", .stage = "research", .company = "Berg"});
    rig_happens(rig, kari, INTERACTION_REPLY);
    gint64 ola = pitched(rig, "ola@x.no", "Berg");
    decide_all(rig);
    assert_enrolment(rig, ola, "r", "active");
    rig_happens(rig, kari, INTERACTION_BOUNCE);
    decide_all(rig);
    assert_enrolment(rig, ola, "r", "active");
}

static void without_the_scope_colleagues_go_on(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE), "");
    gint64 kari = pitched(rig, "kari@x.no", "Berg"), ola = pitched(rig, "ola@x.no", "Berg");
    rig_happens(rig, kari, INTERACTION_REPLY);
    decide_all(rig);
    assert_enrolment(rig, kari, "r", "reply");
    assert_enrolment(rig, ola, "r", "active");
}

static void until_ends_the_rule_and_its_rounds(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("until = \"2026-03-04\";", ONE ", " TWO ", " THREE), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_step_at(rig, "2026-03-04 12:00");
    rig_send(rig, id, "r", "two", "b@example.com");
    assert_enrolment(rig, id, "r", "done");
    clock_set(rig->clock, at("2026-03-05 12:00"));
    gint64 late = pitched(rig, "ola@x.no", NULL);
    assert_enrolment(rig, late, "r", "never in it");
}

/* ---- coming back ---- */

static void move_to(Rig *rig, gint64 id, const char *email, const char *stage)
{
    rig_save(rig, &(ContactEdit){.email = email, .stage = stage});
    rig_decide(rig, id);
}

static void a_step_that_waited_when_they_left_goes_when_they_are_back(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE ", " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    assert_message(rig, id, "r", "one", "queued");
    move_to(rig, id, "kari@x.no", "negotiating");
    assert_message(rig, id, "r", "one", "cancelled");
    move_to(rig, id, "kari@x.no", "pitching");
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "r");
    assert_string_equal(enrolment->next_step, "one");
    rig_step_at(rig, "2026-03-04 13:00");
    assert_message(rig, id, "r", "one", "queued");
}

static void a_message_that_a_person_cancelled_does_not_come_back(void **state)
{
    Rig *rig = *state;
    gboolean moved = FALSE;
    const OutboxOutcome cancelled = {.state = OUTBOX_CANCELLED, .reason = "cancelled by hand"};
    rig_configure(rig, RULE("", ONE ", " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    g_autoptr(OutboxMessage) message = rig_message(rig, id, "r", "one");
    assert_done(store_outbox_move(rig->store, message->id, 1u << OUTBOX_QUEUED, &cancelled, clock_now_ms(rig->clock), &moved, &error));
    move_to(rig, id, "kari@x.no", "negotiating");
    move_to(rig, id, "kari@x.no", "pitching");
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "r");
    assert_string_equal(enrolment->next_step, "two");
}

static void who_answered_while_away_from_the_stage_is_not_written_to_again(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE ", " TWO), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-03-03 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    move_to(rig, id, "kari@x.no", "negotiating");
    rig_happens(rig, id, INTERACTION_REPLY);
    rig_decide(rig, id);
    move_to(rig, id, "kari@x.no", "pitching");
    assert_enrolment(rig, id, "r", "reply");
}

/* ---- dates ---- */

static void set_renewal(Rig *rig, const char *email, const char *date)
{
    g_autoptr(GHashTable) attributes = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(attributes, (gpointer) "renewal", (gpointer)date);
    rig_save(rig, &(ContactEdit){.email = email, .attributes = attributes});
}

static void a_date_that_is_not_known_is_waited_for(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", "{ on = \"renewal\"; before = \"2 days\"; template = \"one\"; }"), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "r");
    assert_int_equal(enrolment->due_ms, G_MAXINT64);
    set_renewal(rig, "kari@x.no", "2026-03-12");
    rig_decide(rig, id);
    assert_due(rig, id, "r", "2026-03-10 09:00");
}

static void a_date_that_has_passed_is_left_out_and_the_rule_goes_on(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", "{ on = \"renewal\"; template = \"one\"; }, " TWO), "");
    gint64 id = rig_save(rig, &(ContactEdit){.email = "kari@x.no", .stage = "research"});
    set_renewal(rig, "kari@x.no", "2026-02-27");
    pitched(rig, "kari@x.no", NULL);
    rig_step(rig);
    assert_message(rig, id, "r", "one", "skipped");
    g_autofree char *why = reason_of(rig, id, "one");
    assert_string_equal(why, "its date has passed");
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "r");
    assert_string_equal(enrolment->next_step, "two");
}

/* Rounds of the rule that the contact was in, and how many steps of them were left out. */
static guint count_rounds(const Rig *rig, gint64 id, guint *ret_skipped)
{
    g_autoptr(GPtrArray) enrolments = NULL;
    g_autoptr(GPtrArray) messages = NULL;
    assert_done(store_enrolments_of(rig->store, id, &enrolments, &error));
    assert_done(store_outbox_of(rig->store, id, &messages, &error));
    *ret_skipped = messages->len;
    return enrolments->len;
}

static void a_date_that_has_passed_is_left_out_once_a_round_and_not_for_years_ahead(void **state)
{
    Rig *rig = *state;
    guint skipped = 0;
    rig_configure(rig, RULE("repeat_every = \"1 year\";", "{ on = \"renewal\"; template = \"one\"; }"), "");
    gint64 id = rig_save(rig, &(ContactEdit){.email = "kari@x.no", .stage = "research"});
    set_renewal(rig, "kari@x.no", "2026-02-27");
    pitched(rig, "kari@x.no", NULL);
    for (int i = 0; i < 5; i++)
        rig_step(rig);
    assert_int_equal(count_rounds(rig, id, &skipped), 2);
    assert_int_equal(skipped, 1);
    assert_due(rig, id, "r", "2027-03-02 10:00");
    rig_step_at(rig, "2027-03-03 10:00");
    rig_step(rig);
    assert_int_equal(count_rounds(rig, id, &skipped), 3);
    assert_int_equal(skipped, 2);
}

static void an_old_anchor_with_a_passed_date_begins_no_round_of_another_century(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("repeat_every = \"1 year\";", "{ on = \"2020-01-15\"; template = \"one\"; }"), "");
    gint64 id = rig_add(rig, "kari@x.no", "pitching", "2015-01-05 10:00");
    rig_decide(rig, id);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "r");
    assert_in_range(enrolment->anchor_ms, at("2025-01-01 10:00"), at("2027-12-31 10:00"));
}

/* Every month there is a round, and Christmas is once a year. */
static void rounds_that_wait_for_the_same_day_are_one(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("repeat_every = \"1 month\";", "{ on = \"12-24\"; template = \"one\"; }"), "");
    gint64 id = pitched(rig, "kari@x.no", NULL);
    rig_step_at(rig, "2026-12-24 09:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    assert_due(rig, id, "r", "2027-12-24 09:00");
}

/* ---- who enters ---- */

static void a_rule_for_the_neglected_is_not_ended_by_its_own_message(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, "{ name = \"r\"; anchor = \"stage\"; when = { stage = \"pitching\"; not_contacted = { for = \"5 days\"; }; };"
                       " steps = ( " ONE ", " TWO " ); }\n", "");
    gint64 id = rig_save(rig, &(ContactEdit){.email = "kari@x.no", .stage = "pitching"});
    rig_happens(rig, id, INTERACTION_CALL);
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "never in it");
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_get(rig->store, id, &contact, &error));
    assert_int_equal(contact->reconsider_ms, at("2026-03-07 10:00"));
    clock_set(rig->clock, at("2026-03-07 10:00"));
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "active");
    rig_step_at(rig, "2026-03-09 12:00");
    rig_send(rig, id, "r", "one", "a@example.com");
    rig_decide(rig, id);
    assert_enrolment(rig, id, "r", "active");
    assert_due(rig, id, "r", "2026-03-10 12:00");
}



int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_step_whose_condition_fails_is_left_out_with_the_reason),
        with_rig(a_reply_before_the_rule_is_none_to_its_steps),
        with_rig(a_task_goes_to_the_owner_and_counts_for_no_gap),
        with_rig(a_reminder_that_the_owners_mailbox_refuses_says_nothing_about_the_contact),
        with_rig(a_message_that_wants_approval_is_held_until_it_has_it),
        with_rig(a_rule_that_no_longer_wants_approval_lets_go_what_awaited_it),
        with_rig(a_step_put_in_before_the_next_one_is_not_lost),
        with_rig(a_step_moved_behind_is_not_repeated),
        with_rig(the_last_step_taken_away_ends_the_round_and_not_the_rounds),
        with_rig(a_rule_that_comes_to_repeat_does_so_for_those_who_are_through),
        with_rig(a_named_tag_stops_and_another_does_not),
        with_rig(any_tag_stops_where_the_rule_says_tag),
        with_rig(a_colleagues_answer_stops_a_rule_of_the_company),
        with_rig(a_colleagues_bounce_and_earlier_answer_stop_nobody_else),
        with_rig(without_the_scope_colleagues_go_on),
        with_rig(until_ends_the_rule_and_its_rounds),
        with_rig(a_step_that_waited_when_they_left_goes_when_they_are_back),
        with_rig(a_message_that_a_person_cancelled_does_not_come_back),
        with_rig(who_answered_while_away_from_the_stage_is_not_written_to_again),
        with_rig(a_date_that_is_not_known_is_waited_for),
        with_rig(a_date_that_has_passed_is_left_out_and_the_rule_goes_on),
        with_rig(a_date_that_has_passed_is_left_out_once_a_round_and_not_for_years_ahead),
        with_rig(an_old_anchor_with_a_passed_date_begins_no_round_of_another_century),
        with_rig(rounds_that_wait_for_the_same_day_are_one),
        with_rig(a_rule_for_the_neglected_is_not_ended_by_its_own_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
