/*
 * Protects: what is due comes in the order of priority, or of age where that is asked for; approval is given by a person alone; a
 * task to the owner counts for none of the contact's limits; and what the account's limits and fair order look back at.
 */
#include "fixture.h"

typedef struct {
    const char *step;
    int priority;
    gint64 due_ms;
    gboolean is_task;
} Row;

static gint64 add_row(Store *store, const Row *row)
{
    GError *error = NULL;
    OutboxMessage message = {.contact_id = 1,
                             .enrolment_id = 1,
                             .account = (char *)"anna",
                             .rule = (char *)"rule",
                             .step = (char *)row->step,
                             .round = 1,
                             .state = OUTBOX_QUEUED,
                             .planned_ms = row->due_ms,
                             .priority = row->priority,
                             .is_task = row->is_task,
                             .created_ms = NOW};
    assert_done(store_outbox_add(store, &message, &error));
    return message.id;
}

/* Of contact 1, enrolment 1, account anna. */
static void add_rows(Store *store, const Row *rows, gsize n)
{
    gint64 contact = add_contact(store, "a@b.no");
    assert_int_equal(contact, 1);
    assert_int_equal(add_enrolment(store, contact, "rule", NOW), 1);
    for (gsize i = 0; i < n; i++)
        add_row(store, &rows[i]);
}

typedef gboolean (*DueFunc)(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages,
                            GError **error);

static void expect_due(Store *store, DueFunc func, gint64 now_ms, guint limit, const char *want)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) due = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    assert_done(func(store, "anna", now_ms, limit, &due, &error));
    for (guint i = 0; i < due->len; i++)
        g_string_append_printf(found, "%s ", ((OutboxMessage *)due->pdata[i])->step);
    assert_string_equal(found->str, want);
}

static const Row mixed[] = {
    {"low-old", -5, NOW - 90, FALSE}, {"mid-b", 0, NOW - 10, FALSE},    {"mid-a", 0, NOW - 20, FALSE},
    {"mid-b2", 0, NOW - 10, FALSE},   {"high", 100, NOW, FALSE},        {"high-later", 100, NOW + 1, FALSE},
    {"top-later", 7, NOW + 5, FALSE}, {"lowest", -100, NOW - 5, FALSE},
};

static void the_higher_priority_is_due_first(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    expect_due(store, store_outbox_due, NOW, 10, "");
    add_rows(store, mixed, G_N_ELEMENTS(mixed));
    expect_due(store, store_outbox_due, NOW, 10, "high mid-a mid-b mid-b2 low-old lowest ");
    expect_due(store, store_outbox_due, NOW, 6, "high mid-a mid-b mid-b2 low-old lowest ");
    expect_due(store, store_outbox_due, NOW, 3, "high mid-a mid-b ");
    expect_due(store, store_outbox_due, NOW, 1, "high ");
    expect_due(store, store_outbox_due, NOW, 0, "");
    expect_due(store, store_outbox_due, NOW - 90, 10, "low-old ");
    expect_due(store, store_outbox_due, NOW - 91, 10, "");
    expect_due(store, store_outbox_due, NOW + 5, 3, "high high-later top-later ");

    expect_due(store, store_outbox_due_oldest, NOW, 10, "low-old mid-a mid-b mid-b2 lowest high ");
    expect_due(store, store_outbox_due_oldest, NOW, 2, "low-old mid-a ");
    gint64 at = 0;
    assert_done(store_outbox_next_due(store, "anna", &at, &error));
    assert_int_equal(at, NOW - 90); /* the earliest of all, not that of the first priority */
    assert_done(store_outbox_postpone(store, 5, 0, "no time is known", &error));
    expect_due(store, store_outbox_due, NOW + 1, 2, "high-later mid-a ");
}

static gint by_priority(gconstpointer a, gconstpointer b)
{
    const Row *row_a = a, *row_b = b;
    if (row_a->priority != row_b->priority)
        return row_a->priority > row_b->priority ? -1 : 1;
    if (row_a->due_ms != row_b->due_ms)
        return row_a->due_ms < row_b->due_ms ? -1 : 1;
    return strcmp(row_a->step, row_b->step);
}

static void random_rows_come_as_if_sorted(void **state)
{
    enum { ROWS = 300 };
    Store *store = store_of(state);
    g_autoptr(GRand) random = g_rand_new_with_seed(77);
    g_autofree Row *rows = g_new0(Row, ROWS);
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < ROWS; i++) {
        char *step = g_strdup_printf("%03d", i);
        g_ptr_array_add(steps, step);
        rows[i] = (Row){step, g_rand_int_range(random, -3, 4) * 30, NOW + g_rand_int_range(random, -20, 20), FALSE};
    }
    add_rows(store, rows, ROWS);
    qsort(rows, ROWS, sizeof *rows, by_priority);
    for (guint limit = 1; limit <= ROWS; limit += 13) {
        g_autoptr(GString) want = g_string_new(NULL);
        guint taken = 0;
        for (int i = 0; i < ROWS && taken < limit; i++)
            if (rows[i].due_ms <= NOW) {
                g_string_append_printf(want, "%s ", rows[i].step);
                taken++;
            }
        expect_due(store, store_outbox_due, NOW, limit, want->str);
    }
}

static void a_rule_may_change_its_priority(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    add_rows(store, mixed, G_N_ELEMENTS(mixed));
    assert_true(claim_at(store, 5, NOW)); /* "high" */
    assert_done(store_outbox_finish(store, 5, &(OutboxOutcome){.state = OUTBOX_SENT}, NOW, &error));
    assert_done(store_outbox_finish(store, 1, &(OutboxOutcome){.state = OUTBOX_HELD}, NOW, &error));
    run(store, "UPDATE outbox SET rule = 'other' WHERE step = 'lowest'");
    assert_done(store_outbox_set_priority(store, "rule", 9, &error));
    expect_due(store, store_outbox_due, NOW + 5, 10, "mid-a mid-b mid-b2 high-later top-later lowest ");
    g_autoptr(OutboxMessage) sent = NULL, held = NULL;
    assert_done(store_outbox_get(store, 5, &sent, &error));
    assert_done(store_outbox_get(store, 1, &held, &error));
    assert_int_equal(sent->priority, 100);
    assert_int_equal(held->priority, 9);
}

static void the_newest_tries_tell_their_priorities(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    int priorities[4] = {9, 9, 9, 9};
    guint count = 9;
    gint64 first = 9;
    assert_done(store_outbox_last_priorities(store, "anna", 4, priorities, &count, &error));
    assert_int_equal(count, 0);
    assert_done(store_outbox_first_try(store, "anna", &first, &error));
    assert_int_equal(first, 0);
    add_rows(store, mixed, G_N_ELEMENTS(mixed));
    assert_true(claim_at(store, 1, NOW + 30) && claim_at(store, 5, NOW + 20) && claim_at(store, 2, NOW + 40));
    assert_done(store_outbox_finish(store, 5, &(OutboxOutcome){.state = OUTBOX_DEFERRED}, NOW, &error));
    assert_done(store_outbox_last_priorities(store, "anna", 4, priorities, &count, &error));
    assert_int_equal(count, 3);
    assert_int_equal(priorities[0], 0);
    assert_int_equal(priorities[1], -5);
    assert_int_equal(priorities[2], 100);
    assert_int_equal(priorities[3], 9);
    assert_done(store_outbox_last_priorities(store, "anna", 1, priorities + 3, &count, &error));
    assert_int_equal(count, 1);
    assert_int_equal(priorities[3], 0);
    assert_done(store_outbox_last_priorities(store, "berit", 4, priorities, &count, &error));
    assert_int_equal(count, 0);
    assert_done(store_outbox_first_try(store, "anna", &first, &error));
    assert_int_equal(first, NOW + 20);
    assert_done(store_outbox_first_try(store, "berit", &first, &error));
    assert_int_equal(first, 0);
}

/* ---- approval ---- */

static void expect_approval(Store *store, gint64 id, OutboxState state, Approval approval, gint64 planned_ms)
{
    GError *error = NULL;
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, id, &message, &error));
    assert_int_equal(message->state, state);
    assert_int_equal(message->approval, approval);
    assert_int_equal(message->planned_ms, planned_ms);
}

static void a_person_alone_approves(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    OutboxOutcome queue = {.state = OUTBOX_QUEUED}, hold = {.state = OUTBOX_HELD};
    guint held = 1U << OUTBOX_HELD, queued = 1U << OUTBOX_QUEUED;
    gboolean moved = FALSE;
    gint64 id = add_due_message(store, "a@b.no"), other = add_due_message(store, "b@b.no");
    assert_done(store_outbox_await_approval(store, id, "waits for approval", &error));
    expect_approval(store, id, OUTBOX_HELD, APPROVAL_AWAITED, NOW);
    expect_approval(store, other, OUTBOX_QUEUED, APPROVAL_NONE, NOW);
    assert_false(claim_at(store, id, NOW + DAY));
    assert_done(store_outbox_touch(store, 0, NOW + DAY, &error));
    assert_done(store_outbox_finish(store, id, &queue, NOW, &error)); /* the daemon */
    expect_approval(store, id, OUTBOX_QUEUED, APPROVAL_AWAITED, NOW);
    assert_done(store_outbox_move(store, id, queued, &hold, NOW + 1, &moved, &error));
    expect_approval(store, id, OUTBOX_HELD, APPROVAL_AWAITED, NOW); /* to hold is not to approve */

    assert_done(store_outbox_move(store, id, held, &queue, NOW + DAY, &moved, &error));
    assert_true(moved);
    expect_approval(store, id, OUTBOX_QUEUED, APPROVAL_GIVEN, NOW + DAY); /* nor is it late by the time that it waited */
    assert_done(store_outbox_move(store, other, queued, &hold, NOW, &moved, &error));
    assert_done(store_outbox_move(store, other, held, &queue, NOW - 5, &moved, &error));
    expect_approval(store, other, OUTBOX_QUEUED, APPROVAL_NONE, NOW);
    OutboxOutcome approve = {.state = OUTBOX_QUEUED, .approved = TRUE};
    assert_done(store_outbox_move(store, other, queued, &hold, NOW, &moved, &error));
    assert_done(store_outbox_move(store, other, held, &approve, NOW, &moved, &error));
    expect_approval(store, other, OUTBOX_QUEUED, APPROVAL_GIVEN, NOW); /* one yes is enough, should the rule come to want it */
    assert_true(claim_at(store, id, NOW + DAY));
    assert_done(store_outbox_await_approval(store, id, "too late", &error)); /* it is being sent */
    expect_approval(store, id, OUTBOX_SENDING, APPROVAL_GIVEN, NOW + DAY);
}

/* ---- tasks ---- */

static void tasks_count_for_no_limit_of_the_contact(void **state)
{
    static const Row rows[] = {{"mail", 0, NOW, FALSE}, {"task", 0, NOW, TRUE}, {"mail-2", 0, NOW, FALSE}};
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 at = 9;
    add_rows(store, rows, G_N_ELEMENTS(rows));
    assert_done(store_outbox_nth_contacted(store, 1, 1, &at, &error));
    assert_int_equal(at, 0);
    assert_true(claim_at(store, 1, NOW) && claim_at(store, 2, NOW + 5));
    assert_done(store_outbox_finish(store, 1, &(OutboxOutcome){.state = OUTBOX_SENT}, NOW, &error));
    assert_done(store_outbox_finish(store, 2, &(OutboxOutcome){.state = OUTBOX_SENT}, NOW, &error));
    assert_int_equal(last_contacted(store, 1), NOW);
    assert_done(store_outbox_nth_contacted(store, 1, 1, &at, &error));
    assert_int_equal(at, NOW);
    g_autoptr(OutboxMessage) last = NULL;
    assert_done(store_outbox_last_sent(store, 1, &last, &error));
    assert_string_equal(last->step, "mail"); /* a conversation with the contact goes on behind it, not behind the task */
    assert_true(claim_at(store, 3, NOW + 9));
    assert_done(store_outbox_finish(store, 3, &(OutboxOutcome){.state = OUTBOX_UNCERTAIN}, NOW, &error));
    assert_done(store_outbox_nth_contacted(store, 1, 1, &at, &error));
    assert_int_equal(at, NOW + 9);
    assert_done(store_outbox_nth_contacted(store, 1, 2, &at, &error));
    assert_int_equal(at, NOW);
    assert_done(store_outbox_nth_contacted(store, 1, 3, &at, &error));
    assert_int_equal(at, 0);
    guint64 tries = 0;
    assert_done(store_outbox_count_between(store, "anna", NOW, NOW + 9, &tries, &error));
    assert_int_equal(tries, 3); /* a mail of the account is a mail */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(the_higher_priority_is_due_first), with_store(random_rows_come_as_if_sorted),
        with_store(a_rule_may_change_its_priority),   with_store(the_newest_tries_tell_their_priorities),
        with_store(a_person_alone_approves),          with_store(tasks_count_for_no_limit_of_the_contact),
    };
    return cmocka_run_group_tests_name("outbox: order, approval, tasks", tests, NULL, NULL);
}
