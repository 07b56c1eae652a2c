/*
 * Protects: no decision loops or sticks, and nothing that a gate refused is refused for ever, whatever is done to rules, rows and
 * contacts while messages are on their way.
 */
#include "faults.h"

static void a_rule_removed_before_its_people_were_decided_ends_their_late_steps(void **state)
{
    Rig *rig = *state;
    gint64 contact = rig_pitched(rig, "kari@customer.test", 0);
    rig_decide(rig, contact);
    clock_set(rig->clock, NOW + 30 * DAY);
    rig_configure(rig, ACCOUNT("anna"), RULE_OTHER);
    rig_queue_due(rig); /* came here first: their marks stand behind five hundred others */
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_int_equal(enrolment->state, ENROLMENT_ENDED);
    assert_string_equal(enrolment->end_reason, "rule removed");
}

static void nothing_is_decided_on_facts_that_are_out_of_date(void **state)
{
    Rig *rig = *state;
    gint64 contact = rig_pitched(rig, "kari@customer.test", 0);
    rig_decide(rig, contact);
    rig_save(rig, &(ContactEdit){.email = "kari@customer.test", .stage = "research"});
    rig_queue_due(rig);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_true(enrolment->due_ms > 0); /* the stage came first, and has yet to be decided */
    rig_decide(rig, contact);
    g_autoptr(Enrolment) ended = rig_enrolment(rig, contact);
    assert_int_equal(ended->state, ENROLMENT_ENDED);
}

static void a_date_before_1970_is_only_very_late(void **state)
{
    Rig *rig = *state;
    gint64 contact = rig_save(rig, &(ContactEdit){.email = "kari@customer.test", .stage = "follow-up", .customer_since_ms = -40 * 365 * DAY});
    rig_decide(rig, contact);
    rig_queue_due(rig);
    assert_message(rig, contact, "one", OUTBOX_SKIPPED);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_int_equal(enrolment->state, ENROLMENT_DONE);
}

static gint64 queued(Rig *rig, const char *email)
{
    gint64 contact = rig_pitched(rig, email, 0);
    rig_decide(rig, contact);
    rig_queue_due(rig);
    assert_message(rig, contact, "one", OUTBOX_QUEUED);
    return contact;
}

static void a_retry_that_met_a_pause_goes_on_when_the_pause_ends(void **state)
{
    GError *error = NULL;
    Rig *rig = *state;
    gint64 contact = queued(rig, "kari@customer.test");
    assert_int_equal(rig_claim(rig, "anna"), 1);
    rig_outcome(rig, contact, DELIVERY_DEFERRED);
    assert_done(store_contact_pause(rig->store, contact, G_MAXINT64, NOW, &error));
    clock_set(rig->clock, NOW + 60 * MINUTE);
    assert_int_equal(rig_claim(rig, "anna"), 0);
    assert_done(store_contact_pause(rig->store, contact, 0, NOW, &error));
    rig_decide(rig, contact);
    assert_int_equal(rig_claim(rig, "anna"), 1);
    assert_message(rig, contact, "one", OUTBOX_SENDING);
}

static void a_retry_whose_owner_lost_their_account_goes_on_when_it_is_back(void **state)
{
    Rig *rig = *state;
    gint64 contact = queued(rig, "kari@customer.test");
    assert_int_equal(rig_claim(rig, "anna"), 1);
    rig_outcome(rig, contact, DELIVERY_DEFERRED);
    rig_save(rig, &(ContactEdit){.email = "kari@customer.test", .owner = "nobody"});
    clock_set(rig->clock, NOW + 60 * MINUTE);
    assert_int_equal(rig_claim(rig, "anna"), 0);
    rig_save(rig, &(ContactEdit){.email = "kari@customer.test", .owner = "anna"});
    rig_decide(rig, contact);
    assert_int_equal(rig_claim(rig, "anna"), 1);
}

static void an_older_message_revived_does_not_cost_the_rule_its_next_step(void **state)
{
    GError *error = NULL;
    Rig *rig = *state;
    gint64 contact = queued(rig, "kari@customer.test");
    g_autoptr(OutboxMessage) first = rig_message(rig, contact);
    const OutboxOutcome cancelled = {.state = OUTBOX_CANCELLED};
    assert_done(store_outbox_finish(rig->store, first->id, &cancelled, NOW, &error));
    rig_decide(rig, contact);
    g_autoptr(Enrolment) moved = rig_enrolment(rig, contact);
    assert_string_equal(moved->next_step, "two");
    const OutboxOutcome again = {.state = OUTBOX_QUEUED};
    assert_done(store_outbox_finish(rig->store, first->id, &again, NOW, &error));
    clock_set(rig->clock, NOW + 8 * DAY); /* too late for step one */
    assert_int_equal(rig_claim(rig, "anna"), 0);
    assert_message(rig, contact, "one", OUTBOX_SKIPPED);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_string_equal(enrolment->next_step, "two");
}

/* Nobody resumes them: the step is left out the moment it is too late, whatever else touches the contact or does not. */
static void a_message_that_waits_for_a_person_is_left_out_when_it_is_too_late(void **state)
{
    GError *error = NULL;
    Rig *rig = *state;
    gint64 contact = queued(rig, "kari@customer.test");
    assert_done(store_contact_pause(rig->store, contact, G_MAXINT64, NOW, &error));
    rig_decide(rig, contact);
    assert_int_equal(rig_claim(rig, "anna"), 0);
    g_autoptr(OutboxMessage) waiting = rig_message(rig, contact);
    assert_true(waiting->due_ms > NOW);
    clock_set(rig->clock, waiting->due_ms - 1);
    assert_int_equal(rig_claim(rig, "anna"), 0);
    assert_message(rig, contact, "one", OUTBOX_QUEUED);
    clock_set(rig->clock, waiting->due_ms);
    assert_int_equal(rig_claim(rig, "anna"), 0);
    assert_message(rig, contact, "one", OUTBOX_SKIPPED);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_string_equal(enrolment->next_step, "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_rule_removed_before_its_people_were_decided_ends_their_late_steps),
        with_rig(nothing_is_decided_on_facts_that_are_out_of_date),
        with_rig(a_date_before_1970_is_only_very_late),
        with_rig(a_retry_that_met_a_pause_goes_on_when_the_pause_ends),
        with_rig(a_retry_whose_owner_lost_their_account_goes_on_when_it_is_back),
        with_rig(a_message_that_waits_for_a_person_is_left_out_when_it_is_too_late),
        with_rig(an_older_message_revived_does_not_cost_the_rule_its_next_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
