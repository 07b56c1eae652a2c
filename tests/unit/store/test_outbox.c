/*
 * Protects: a step is decided once; a claim passes nothing that must not leave; the moves of a row; last_contacted_ms; what the limits
 * count.
 */
#include "fixture.h"

static void finish(Store *store, gint64 id, OutboxState state, gint64 due_ms)
{
    GError *error = NULL;
    assert_done(store_outbox_finish(store, id, &(OutboxOutcome){.state = state, .due_ms = due_ms, .count_attempt = TRUE},
                                    NOW, &error));
}

static gint64 contact_of_message(Store *store, gint64 id)
{
    GError *error = NULL;
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, id, &message, &error));
    return message->contact_id;
}

static void a_step_is_decided_once(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    gint64 enrolment = add_enrolment(store, contact, "rule", NOW);
    add_message(store, contact, enrolment, "one", NOW);
    add_message(store, contact, enrolment, "two", NOW);
    OutboxMessage again = {.contact_id = contact,
                           .enrolment_id = enrolment,
                           .account = (char *)"other",
                           .rule = (char *)"rule",
                           .step = (char *)"one",
                           .round = 1,
                           .state = OUTBOX_HELD,
                           .planned_ms = NOW};
    assert_refused(store_outbox_add(store, &again, &error), STORE_ERROR_EXISTS);
    assert_int_equal(again.id, 0);
    again.round = 2;
    assert_done(store_outbox_add(store, &again, &error));
    again.enrolment_id = 999;
    again.step = (char *)"three";
    assert_refused(store_outbox_add(store, &again, &error), STORE_ERROR_FAILED);
}

static void a_row_is_read_as_written(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    OutboxMessage message = {.contact_id = contact,
                             .enrolment_id = add_enrolment(store, contact, "rule", NOW),
                             .account = (char *)"anna",
                             .rule = (char *)"rule",
                             .step = (char *)"one",
                             .round = 1,
                             .state = OUTBOX_SKIPPED,
                             .planned_ms = NOW - DAY,
                             .in_reply_to = (char *)"x@y",
                             .references = (char *)"w@y x@y",
                             .reason = (char *)"overdue by 12 days",
                             .created_ms = NOW};
    assert_done(store_outbox_add(store, &message, &error));
    g_autoptr(OutboxMessage) found = NULL;
    assert_done(store_outbox_get(store, message.id, &found, &error));
    assert_string_equal(found->email, "a@b.no");
    assert_string_equal(found->account, "anna");
    assert_string_equal(found->step, "one");
    assert_int_equal(found->state, OUTBOX_SKIPPED);
    assert_int_equal(found->planned_ms, NOW - DAY);
    assert_string_equal(found->in_reply_to, "x@y");
    assert_string_equal(found->references, "w@y x@y");
    assert_string_equal(found->reason, "overdue by 12 days");
    assert_string_equal(found->message_id, "");
    assert_int_equal(found->ended_ms, NOW);
    g_autoptr(OutboxMessage) step = NULL;
    OutboxMessage *none = NULL;
    assert_done(store_outbox_find_step(store, message.enrolment_id, "one", &step, &error));
    assert_int_equal(step->id, message.id);
    assert_done(store_outbox_find_step(store, message.enrolment_id, "two", &none, &error));
    assert_null(none);
    assert_done(store_outbox_get(store, 999, &none, &error));
    assert_null(none);
}

static void a_claim_is_written_with_its_message_id(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_due_message(store, "a@b.no");
    assert_true(claim_at(store, id, NOW));
    assert_false(claim_at(store, id, NOW)); /* once */
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_find_by_message_id(store, "m1.X@EXAMPLE.com", &message, &error));
    assert_int_equal(message->id, id);
    assert_string_equal(message->message_id, "M1.x@Example.com");
    assert_int_equal(message->state, OUTBOX_SENDING);
    assert_int_equal(message->sending_ms, NOW);

    finish(store, id, OUTBOX_DEFERRED, NOW + 5);
    gboolean claimed = FALSE;
    assert_done(store_outbox_claim(store, id, "other@example.com", NOW + 5, &claimed, &error));
    assert_true(claimed);
    g_autoptr(OutboxMessage) again = NULL;
    assert_done(store_outbox_get(store, id, &again, &error));
    assert_string_equal(again->message_id, "M1.x@Example.com"); /* kept over tries */
    assert_int_equal(again->attempts, 1);

    gint64 second = add_due_message(store, "c@b.no");
    assert_refused(store_outbox_claim(store, second, "m1.x@example.COM", NOW, &claimed, &error), STORE_ERROR_EXISTS);
    assert_refused(store_outbox_claim(store, second, "", NOW, &claimed, &error), STORE_ERROR_FAILED);
    OutboxMessage *none = NULL;
    assert_done(store_outbox_find_by_message_id(store, "", &none, &error));
    assert_null(none);
}

/* What a claim must never pass: each is set on a contact whose message is otherwise due, and undone where it can be. */
static void a_claim_passes_no_gate_of_the_store(void **state)
{
    Store *store = store_of(state);
    static const struct {
        const char *set, *unset;
    } gates[] = {
        {"UPDATE outbox SET due_ms = due_ms + 1", "UPDATE outbox SET due_ms = due_ms - 1"},
        {"UPDATE outbox SET due_ms = 0", "UPDATE outbox SET due_ms = 1"},
        {"UPDATE outbox SET state = 'held'", "UPDATE outbox SET state = 'queued'"},
        {"UPDATE outbox SET state = 'cancelled'", "UPDATE outbox SET state = 'deferred'"},
        {"UPDATE enrolment SET state = 'ended'", "UPDATE enrolment SET state = 'active'"},
        {"UPDATE enrolment SET state = 'done'", "UPDATE enrolment SET state = 'active'"},
        {"UPDATE contact SET paused_until_ms = 9223372036854775807", "UPDATE contact SET paused_until_ms = 0"},
        {"UPDATE contact SET paused_until_ms = 1760000000001", "UPDATE contact SET paused_until_ms = 1760000000000"},
        {"INSERT INTO suppression VALUES ('a@b.no', 'bounce', '', 1)", "DELETE FROM suppression"},
        {"INSERT INTO suppression VALUES ('@b.no', 'manual', '', 1)", "DELETE FROM suppression"},
        {"INSERT INTO suppression VALUES ('alias@c.no', 'unsubscribe', '', 1)", "DELETE FROM suppression"},
        {"INSERT INTO suppression VALUES ('@c.no', 'manual', '', 1)", "DELETE FROM suppression"},
        {"INSERT INTO suppression VALUES ('x@b.no', 'bounce', '', 1), ('@no', 'manual', '', 1), ('b.no', 'manual', '', 1)",
         NULL},
    };
    GError *error = NULL;
    gint64 id = add_due_message(store, "a@b.no");
    assert_done(store_contact_alias_add(store, contact_of_message(store, id), "alias@c.no", &error));
    for (gsize i = 0; i < G_N_ELEMENTS(gates); i++) {
        run(store, gates[i].set);
        gboolean claimed = claim_at(store, id, NOW);
        if (claimed != (gates[i].unset == NULL))
            fail_msg("%s: claimed %d", gates[i].set, claimed);
        if (gates[i].unset != NULL)
            run(store, gates[i].unset);
    }
    assert_int_equal(state_now(store, id), OUTBOX_SENDING);
}

static void a_stop_holds_for_what_is_queued(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    gint64 enrolment = add_enrolment(store, contact, "rule", NOW);
    gint64 queued = add_message(store, contact, enrolment, "one", NOW);
    gint64 held = add_message(store, contact, enrolment, "two", NOW);
    gint64 sending = add_message(store, contact, enrolment, "three", NOW);
    finish(store, held, OUTBOX_HELD, 0);
    assert_true(claim_at(store, sending, NOW));
    assert_done(store_enrolment_end(store, enrolment, "reply", NOW, &error));
    assert_int_equal(state_now(store, queued), OUTBOX_CANCELLED);
    assert_int_equal(state_now(store, held), OUTBOX_CANCELLED);
    assert_int_equal(state_now(store, sending), OUTBOX_SENDING); /* it may have left */
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, queued, &message, &error));
    assert_string_equal(message->reason, "reply");
    assert_int_equal(message->ended_ms, NOW);
    finish(store, sending, OUTBOX_DEFERRED, NOW);
    assert_false(claim_at(store, sending, NOW));
    finish(store, queued, OUTBOX_QUEUED, NOW); /* even released by hand */
    assert_false(claim_at(store, queued, NOW));
}

static void last_contacted_is_what_was_or_may_have_been_sent(void **state)
{
    Store *store = store_of(state);
    gint64 contact = add_contact(store, "a@b.no");
    gint64 enrolment = add_enrolment(store, contact, "rule", NOW);
    gint64 first = add_message(store, contact, enrolment, "one", NOW);
    gint64 second = add_message(store, contact, enrolment, "two", NOW);
    assert_int_equal(last_contacted(store, contact), 0);
    assert_true(claim_at(store, first, NOW));
    assert_int_equal(last_contacted(store, contact), NOW);
    finish(store, first, OUTBOX_SENT, 0);
    assert_int_equal(last_contacted(store, contact), NOW);
    static const OutboxState nothing_left[] = {OUTBOX_DEFERRED, OUTBOX_QUEUED, OUTBOX_HELD, OUTBOX_FAILED};
    for (gsize i = 0; i < G_N_ELEMENTS(nothing_left); i++) {
        finish(store, second, OUTBOX_QUEUED, NOW);
        assert_true(claim_at(store, second, NOW + DAY));
        assert_int_equal(last_contacted(store, contact), NOW + DAY);
        finish(store, second, nothing_left[i], NOW);
        assert_int_equal(last_contacted(store, contact), NOW);
    }
    finish(store, second, OUTBOX_QUEUED, NOW);
    assert_true(claim_at(store, second, NOW + DAY));
    finish(store, second, OUTBOX_UNCERTAIN, 0);
    assert_int_equal(last_contacted(store, contact), NOW + DAY);
    finish(store, second, OUTBOX_CANCELLED, 0);
    assert_int_equal(last_contacted(store, contact), NOW);
}

static void what_cannot_be_undone_is_not(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_due_message(store, "a@b.no");
    assert_true(claim_at(store, id, NOW));
    OutboxOutcome cancel = {.state = OUTBOX_CANCELLED}, queue = {.state = OUTBOX_QUEUED},
                  sent = {.state = OUTBOX_SENT, .subject = "Hi"};
    assert_refused(store_outbox_finish(store, id, &cancel, NOW, &error), STORE_ERROR_BUSY);
    assert_done(store_outbox_finish(store, id, &sent, NOW + 3, &error));
    assert_refused(store_outbox_finish(store, id, &cancel, NOW, &error), STORE_ERROR_BUSY);
    assert_refused(store_outbox_finish(store, id, &queue, NOW, &error), STORE_ERROR_BUSY);
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, id, &message, &error));
    assert_string_equal(message->subject, "Hi");
    assert_int_equal(message->ended_ms, NOW + 3);
    assert_int_equal(message->attempts, 0);
    assert_done(store_outbox_finish(store, 999, &sent, NOW, &error)); /* forgotten meanwhile */

    /* a refusal writes nothing, so that the caller's transaction is whole */
    StoreTransaction *transaction = store_begin(store, &error);
    assert_refused(store_outbox_finish(store, id, &queue, NOW, &error), STORE_ERROR_BUSY);
    assert_done(store_commit(transaction, &error));
}

static void people_move_only_what_stands_where_they_saw_it(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_due_message(store, "a@b.no");
    run(store, "DELETE FROM mark");
    OutboxOutcome hold = {.state = OUTBOX_HELD, .reason = "wait for the fair"}, approve = {.state = OUTBOX_QUEUED};
    gboolean moved = FALSE;
    assert_done(store_outbox_move(store, id, 1U << OUTBOX_QUEUED | 1U << OUTBOX_DEFERRED, &hold, NOW, &moved, &error));
    assert_true(moved);
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 1);
    assert_done(store_outbox_move(store, id, 1U << OUTBOX_QUEUED, &hold, NOW, &moved, &error));
    assert_false(moved);
    assert_done(store_outbox_move(store, id, 1U << OUTBOX_HELD, &approve, NOW + 7, &moved, &error));
    assert_true(moved);
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, id, &message, &error));
    assert_int_equal(message->due_ms, NOW + 7); /* at once */
    assert_string_equal(message->reason, "");
    assert_true(claim_at(store, id, NOW + 7));
    assert_done(store_outbox_move(store, id, 1U << OUTBOX_QUEUED | 1U << OUTBOX_HELD, &hold, NOW, &moved, &error));
    assert_false(moved);
    assert_int_equal(state_now(store, id), OUTBOX_SENDING);
}

static void due_ones_come_earliest_first(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    gint64 enrolment = add_enrolment(store, contact, "rule", NOW);
    gint64 at = 0;
    assert_done(store_outbox_next_due(store, "anna", &at, &error));
    assert_int_equal(at, 0);
    add_message(store, contact, enrolment, "later", NOW + 5);
    gint64 second = add_message(store, contact, enrolment, "second", NOW - 1);
    gint64 first = add_message(store, contact, enrolment, "first", NOW - 2);
    gint64 held = add_message(store, contact, enrolment, "held", NOW - 3);
    finish(store, held, OUTBOX_HELD, 0);
    g_autoptr(GPtrArray) due = NULL;
    assert_done(store_outbox_due(store, "anna", NOW, 10, &due, &error));
    assert_int_equal(due->len, 2);
    assert_int_equal(((OutboxMessage *)due->pdata[0])->id, first);
    assert_int_equal(((OutboxMessage *)due->pdata[1])->id, second);
    g_autoptr(GPtrArray) one = NULL;
    assert_done(store_outbox_due(store, "anna", NOW, 1, &one, &error));
    assert_int_equal(one->len, 1);
    g_autoptr(GPtrArray) others = NULL;
    assert_done(store_outbox_due(store, "berit", NOW, 10, &others, &error));
    assert_int_equal(others->len, 0);
    assert_done(store_outbox_next_due(store, "anna", &at, &error));
    assert_int_equal(at, NOW - 2);

    assert_done(store_outbox_postpone(store, first, NOW + 9, "outside the window", &error));
    assert_done(store_outbox_postpone(store, second, 0, "no account", &error));
    assert_done(store_outbox_postpone(store, held, NOW, "no", &error)); /* stays as it is */
    assert_done(store_outbox_next_due(store, "anna", &at, &error));
    assert_int_equal(at, NOW + 5);
    assert_int_equal(state_now(store, held), OUTBOX_HELD);
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, first, &message, &error));
    assert_string_equal(message->reason, "outside the window");

    assert_done(store_outbox_assign(store, contact, "berit", &error));
    assert_done(store_outbox_touch(store, contact, NOW, &error));
    g_autoptr(GPtrArray) touched = NULL;
    assert_done(store_outbox_due(store, "berit", NOW, 10, &touched, &error));
    assert_int_equal(touched->len, 3);
    assert_done(store_outbox_postpone(store, first, NOW + 9, "", &error));
    assert_done(store_outbox_touch(store, 0, NOW + 1, &error));
    assert_done(store_outbox_next_due(store, "berit", &at, &error));
    assert_int_equal(at, NOW);
    assert_int_equal(number_of(store, "SELECT count(*) FROM outbox WHERE due_ms > 1760000000001"), 0);
}

static void what_was_under_way_at_a_crash_is_uncertain(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 a = add_due_message(store, "a@b.no"), b = add_due_message(store, "b@b.no"), c = add_due_message(store, "c@b.no");
    assert_true(claim_at(store, a, NOW) && claim_at(store, b, NOW));
    finish(store, b, OUTBOX_SENT, 0);
    guint count = 0;
    assert_done(store_outbox_recover(store, NOW + 1, &count, &error));
    assert_int_equal(count, 1);
    assert_int_equal(state_now(store, a), OUTBOX_UNCERTAIN);
    assert_int_equal(state_now(store, b), OUTBOX_SENT);
    assert_int_equal(state_now(store, c), OUTBOX_QUEUED);
    assert_int_equal(last_contacted(store, contact_of_message(store, a)), NOW);
    assert_false(claim_at(store, a, NOW + DAY)); /* never again blindly */
    assert_done(store_outbox_recover(store, NOW + 1, &count, &error));
    assert_int_equal(count, 0);
}

static void limits_count_every_try(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 at = 1;
    for (int i = 0; i < 5; i++) {
        g_autofree char *email = g_strdup_printf("%d@b.no", i);
        gint64 id = add_due_message(store, email);
        assert_true(claim_at(store, id, NOW + i));
        finish(store, id, i % 2 == 0 ? OUTBOX_SENT : OUTBOX_FAILED, 0);
    }
    guint64 count = 0;
    assert_done(store_outbox_count_between(store, "anna", NOW + 2, NOW + 30 * DAY, &count, &error));
    assert_int_equal(count, 3);
    assert_done(store_outbox_count_between(store, "berit", 0, NOW + 30 * DAY, &count, &error));
    assert_int_equal(count, 0);
    assert_done(store_outbox_nth_newest(store, "anna", 1, NOW + 30 * DAY, &at, &error));
    assert_int_equal(at, NOW + 4);
    assert_done(store_outbox_nth_newest(store, "anna", 5, NOW + 30 * DAY, &at, &error));
    assert_int_equal(at, NOW);
    assert_done(store_outbox_nth_newest(store, "anna", 6, NOW + 30 * DAY, &at, &error));
    assert_int_equal(at, 0);
}

static void the_conversation_is_the_last_that_went(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    gint64 enrolment = add_enrolment(store, contact, "rule", NOW);
    OutboxMessage *none = NULL;
    assert_done(store_outbox_last_sent(store, enrolment, &none, &error));
    assert_null(none);
    gint64 ids[3];
    for (int i = 0; i < 3; i++) {
        g_autofree char *step = g_strdup_printf("s%d", i);
        ids[i] = add_message(store, contact, enrolment, step, NOW);
        assert_true(claim_at(store, ids[i], NOW + i));
        finish(store, ids[i], i == 0 ? OUTBOX_SENT : i == 1 ? OUTBOX_UNCERTAIN : OUTBOX_FAILED, 0);
    }
    g_autoptr(OutboxMessage) last = NULL;
    assert_done(store_outbox_last_sent(store, enrolment, &last, &error));
    assert_int_equal(last->id, ids[1]);
    g_autoptr(GPtrArray) all = NULL;
    assert_done(store_outbox_of(store, contact, &all, &error));
    assert_int_equal(all->len, 3);
}

static gboolean note_state(const OutboxMessage *message, gpointer data)
{
    g_string_append_printf(data, "%s ", outbox_state_name(message->state));
    return TRUE;
}

static void the_queue_lists_what_may_need_somebody(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    gint64 enrolment = add_enrolment(store, contact, "rule", NOW);
    for (guint wanted = 0; wanted <= OUTBOX_SKIPPED; wanted++) {
        g_autofree char *step = g_strdup_printf("s%u", wanted);
        gint64 id = add_message(store, contact, enrolment, step, NOW);
        if (wanted == OUTBOX_SENDING || wanted == OUTBOX_SENT || wanted == OUTBOX_UNCERTAIN)
            assert_true(claim_at(store, id, NOW));
        if (wanted != OUTBOX_QUEUED && wanted != OUTBOX_SENDING)
            finish(store, id, (OutboxState)wanted, NOW);
    }
    g_autoptr(GString) open = g_string_new(NULL), all = g_string_new(NULL);
    assert_done(store_outbox_each(store, FALSE, note_state, open, &error));
    assert_string_equal(open->str, "queued sending deferred failed uncertain held ");
    assert_done(store_outbox_each(store, TRUE, note_state, all, &error));
    assert_string_equal(all->str, "queued sending sent deferred failed uncertain held cancelled skipped ");
    guint64 counts[OUTBOX_SKIPPED + 1];
    assert_done(store_outbox_counts(store, NULL, counts, &error));
    for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
        assert_int_equal(counts[i], 1);
    assert_done(store_outbox_counts(store, "berit", counts, &error));
    assert_int_equal(counts[OUTBOX_SENT], 0);
    assert_done(store_outbox_counts(store, "anna", counts, &error));
    assert_int_equal(counts[OUTBOX_SENT], 1);
}

static void names_of_states_go_both_ways(void **state)
{
    (void)state;
    for (guint i = 0; i <= OUTBOX_SKIPPED; i++) {
        OutboxState found = OUTBOX_SKIPPED;
        assert_true(outbox_state_parse(outbox_state_name((OutboxState)i), &found));
        assert_int_equal(found, i);
    }
    OutboxState none;
    assert_false(outbox_state_parse("lost", &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(a_step_is_decided_once),
        with_store(a_row_is_read_as_written),
        with_store(a_claim_is_written_with_its_message_id),
        with_store(a_claim_passes_no_gate_of_the_store),
        with_store(a_stop_holds_for_what_is_queued),
        with_store(last_contacted_is_what_was_or_may_have_been_sent),
        with_store(what_cannot_be_undone_is_not),
        with_store(people_move_only_what_stands_where_they_saw_it),
        with_store(due_ones_come_earliest_first),
        with_store(what_was_under_way_at_a_crash_is_uncertain),
        with_store(limits_count_every_try),
        with_store(the_conversation_is_the_last_that_went),
        with_store(the_queue_lists_what_may_need_somebody),
        cmocka_unit_test(names_of_states_go_both_ways),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
