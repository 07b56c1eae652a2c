/*
 * Protects: silence on weak evidence, action on strong, whatever a stranger writes into a message; and that what is known to
 * have arrived is not sent again.
 */
#include "faults.h"

static gint64 under_way(Rig *rig, const char *email)
{
    gint64 contact = rig_pitched(rig, email, 0);
    rig_decide(rig, contact);
    rig_queue_due(rig);
    assert_int_equal(rig_claim(rig, "anna"), 1);
    return contact;
}

static void the_token_of_somebody_forgotten_proves_nothing_about_others(void **state)
{
    GError *error = NULL;
    Rig *rig = *state;
    gint64 forgotten = rig_pitched(rig, "gone@customer.test", 0);
    gint64 victim = rig_pitched(rig, "victim@customer.test", 0);
    g_autoptr(InboundMessage) message = rig_inbound(INBOUND_UNSUBSCRIBE, "victim@customer.test");
    g_free(message->token);
    message->token = mail_token_new(store_token_secret(rig->store), TOKEN_UNSUBSCRIBE, forgotten);
    assert_done(store_contact_forget(rig->store, forgotten, &error));
    assert_true(rig_arrive(rig, message));
    assert_false(rig_is_suppressed(rig, "victim@customer.test")); /* the sender's address can be forged */
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_get(rig->store, victim, &contact, &error));
    assert_int_equal(contact->paused_until_ms, G_MAXINT64); /* but it may pause them */
}

static void a_token_proves_what_it_says_whoever_brings_it(void **state)
{
    Rig *rig = *state;
    gint64 contact = rig_pitched(rig, "kari@customer.test", 0);
    g_autoptr(InboundMessage) message = rig_inbound(INBOUND_UNSUBSCRIBE, "another@private.test");
    g_free(message->token);
    message->token = mail_token_new(store_token_secret(rig->store), TOKEN_UNSUBSCRIBE, contact);
    assert_true(rig_arrive(rig, message));
    assert_true(rig_is_suppressed(rig, "kari@customer.test"));
}

static void what_is_named_by_an_answer_is_not_sent_again(void **state)
{
    static const DeliveryClass ends[] = {DELIVERY_UNCERTAIN, DELIVERY_DEFERRED};
    Rig *rig = *state;
    rig_configure(rig, ACCOUNT_RESEND("anna"), RULE_CHASE);
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *email = g_strdup_printf("kari%d@customer.test", (int)i);
        gint64 contact = under_way(rig, email);
        rig_outcome(rig, contact, ends[i]);
        assert_message(rig, contact, "one", OUTBOX_DEFERRED);
        g_autoptr(OutboxMessage) row = rig_message(rig, contact);
        g_autoptr(InboundMessage) away = rig_inbound(INBOUND_AUTO_REPLY, email);
        take_text(&away->in_reply_to, row->message_id);
        assert_true(rig_arrive(rig, away));
        assert_message(rig, contact, "one", OUTBOX_SENT);
        clock_set(rig->clock, clock_now_ms(rig->clock) + 60 * MINUTE);
        assert_int_equal(rig_claim(rig, "anna"), 0);
    }
}

static void evidence_that_comes_before_the_outcome_counts_as_well(void **state)
{
    Rig *rig = *state;
    gint64 contact = under_way(rig, "kari@customer.test");
    g_autoptr(OutboxMessage) row = rig_message(rig, contact);
    g_autoptr(InboundMessage) away = rig_inbound(INBOUND_AUTO_REPLY, "kari@customer.test");
    take_text(&away->in_reply_to, row->message_id);
    assert_true(rig_arrive(rig, away));
    assert_message(rig, contact, "one", OUTBOX_SENDING); /* its outcome is on the way, with subject and text */
    rig_outcome(rig, contact, DELIVERY_UNCERTAIN);
    assert_message(rig, contact, "one", OUTBOX_SENT);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_string_equal(enrolment->next_step, "two");
}

static void what_may_have_arrived_is_not_sent_for_ever(void **state)
{
    Rig *rig = *state;
    guint tries = 0;
    rig_configure(rig, ACCOUNT_RESEND("anna"), RULE_CHASE);
    gint64 contact = rig_pitched(rig, "kari@customer.test", 0);
    rig_decide(rig, contact);
    rig_queue_due(rig);
    for (guint hours = 0; hours < 100; hours += 5) {
        clock_set(rig->clock, NOW + hours * 60 * MINUTE);
        if (rig_claim(rig, "anna") == 0)
            continue;
        tries++;
        rig_outcome(rig, contact, DELIVERY_UNCERTAIN);
    }
    assert_int_equal(tries, 3);
    assert_message(rig, contact, "one", OUTBOX_UNCERTAIN);
}

static void after_a_crash_the_accounts_policy_decides(void **state)
{
    GError *error = NULL;
    Rig *rig = *state;
    guint count = 0;
    gint64 held = under_way(rig, "kari@customer.test");
    assert_done(outcome_recover(rig->core, &count, &error));
    assert_int_equal(count, 1);
    assert_message(rig, held, "one", OUTBOX_UNCERTAIN);
    rig_configure(rig, ACCOUNT_RESEND("anna"), RULE_CHASE);
    gint64 resent = under_way(rig, "ola@customer.test");
    gint64 named = under_way(rig, "per@customer.test");
    g_autoptr(OutboxMessage) row = rig_message(rig, named);
    g_autoptr(InboundMessage) away = rig_inbound(INBOUND_AUTO_REPLY, "per@customer.test");
    take_text(&away->in_reply_to, row->message_id);
    assert_true(rig_arrive(rig, away));
    assert_done(outcome_recover(rig->core, &count, &error));
    assert_int_equal(count, 2);
    assert_message(rig, resent, "one", OUTBOX_DEFERRED);
    assert_message(rig, named, "one", OUTBOX_UNCERTAIN); /* it arrived: somebody answered it */
}

static void an_outcome_told_twice_counts_once(void **state)
{
    Rig *rig = *state;
    gint64 contact = under_way(rig, "kari@customer.test");
    rig_outcome(rig, contact, DELIVERY_SENT);
    rig_outcome(rig, contact, DELIVERY_SENT); /* a store that said no to what it had taken */
    rig_outcome(rig, contact, DELIVERY_FAILED);
    assert_message(rig, contact, "one", OUTBOX_SENT);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, contact);
    assert_int_equal(enrolment->state, ENROLMENT_ACTIVE);
    assert_string_equal(enrolment->next_step, "two");
}

static void a_stop_while_a_message_is_under_way_stops_its_retry(void **state)
{
    Rig *rig = *state;
    gint64 contact = under_way(rig, "kari@customer.test");
    g_autoptr(InboundMessage) reply = rig_inbound(INBOUND_REPLY, "kari@customer.test");
    assert_true(rig_arrive(rig, reply));
    rig_outcome(rig, contact, DELIVERY_DEFERRED);
    clock_set(rig->clock, NOW + 60 * MINUTE);
    assert_int_equal(rig_claim(rig, "anna"), 0);
    assert_message(rig, contact, "one", OUTBOX_CANCELLED);
}

static void somebody_forgotten_while_mail_was_under_way_is_no_fault(void **state)
{
    GError *error = NULL;
    Rig *rig = *state;
    gint64 contact = under_way(rig, "kari@customer.test");
    g_autoptr(OutboxMessage) row = rig_message(rig, contact);
    assert_done(store_contact_forget(rig->store, contact, &error));
    const DeliveryResult sent = {.class = DELIVERY_SENT, .enhanced = (char *)"", .text = (char *)""};
    assert_done(outcome_commit(rig->core, row->id, rig->config->accounts[0], &sent, NULL, NOW, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(the_token_of_somebody_forgotten_proves_nothing_about_others),
        with_rig(a_token_proves_what_it_says_whoever_brings_it),
        with_rig(what_is_named_by_an_answer_is_not_sent_again),
        with_rig(evidence_that_comes_before_the_outcome_counts_as_well),
        with_rig(what_may_have_arrived_is_not_sent_for_ever),
        with_rig(after_a_crash_the_accounts_policy_decides),
        with_rig(an_outcome_told_twice_counts_once),
        with_rig(a_stop_while_a_message_is_under_way_stops_its_retry),
        with_rig(somebody_forgotten_while_mail_was_under_way_is_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
