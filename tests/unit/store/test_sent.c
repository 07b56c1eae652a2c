/*
 * Protects: what is kept for the Sent folder is bounded, goes with its person, and is filed only of what was sent; and searches end with
 * the doubt that they are about.
 */
#include "fixture.h"

#include "store/sent.h"

static gint64 in_doubt(Store *store, const char *email)
{
    GError *error = NULL;
    gint64 id = add_due_message(store, email);
    assert_true(claim_at(store, id, NOW));
    const OutboxOutcome outcome = {.state = OUTBOX_UNCERTAIN, .reason = "no answer"};
    assert_done(store_outbox_finish(store, id, &outcome, NOW, &error));
    return id;
}

static void move_to(Store *store, gint64 id, OutboxState state)
{
    GError *error = NULL;
    const OutboxOutcome outcome = {.state = state};
    assert_done(store_outbox_finish(store, id, &outcome, NOW, &error));
}

static char *account_of(Store *store, gint64 id)
{
    GError *error = NULL;
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(store, id, &message, &error));
    return g_strdup(message->account);
}

static guint waiting(Store *store, const char *account)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) copies = NULL;
    assert_done(store_copies_next(store, account, 10, &copies, &error));
    return copies->len;
}

static gboolean keep(Store *store, gint64 id, const char *account, const char *content)
{
    GError *error = NULL;
    gboolean kept = FALSE;
    assert_done(store_copy_keep(store, id, account, NOW, content, &kept, &error));
    return kept;
}

static void a_copy_waits_until_its_message_is_sent(void **state)
{
    GError *error = NULL;
    Store *store = store_of(state);
    gint64 id = in_doubt(store, "kari@customer.test");
    g_autofree char *account = account_of(store, id);
    g_autofree char *content = NULL;
    assert_true(keep(store, id, account, "first try"));
    assert_int_equal(waiting(store, account), 0);
    assert_true(keep(store, id, account, "second try")); /* sent again, after a doubt */
    move_to(store, id, OUTBOX_SENT);
    g_autoptr(GPtrArray) copies = NULL;
    assert_done(store_copies_next(store, account, 10, &copies, &error));
    assert_int_equal(copies->len, 1);
    const SentCopy *copy = copies->pdata[0];
    assert_int_equal(copy->outbox_id, id);
    assert_int_equal(copy->tries, 0);
    assert_done(store_copy_content(store, copy->id, &content, &error));
    assert_string_equal(content, "second try");
    assert_done(store_copy_tried(store, copy->id, &error));
    assert_done(store_copy_done(store, id, &error));
    assert_int_equal(waiting(store, account), 0);
}

static void what_waits_is_bounded(void **state)
{
    Store *store = store_of(state);
    gint64 first = in_doubt(store, "kari@customer.test"), second = in_doubt(store, "ola@customer.test");
    g_autofree char *account = account_of(store, first);
    g_autofree char *large = g_strnfill(SENT_COPIES_OCTETS - 3, 'x');
    assert_true(keep(store, first, account, large));
    assert_false(keep(store, second, account, "four"));
    assert_true(keep(store, second, account, "3.."));
    assert_true(keep(store, first, "another", "of another account"));
}

static void copies_of_what_never_left_and_of_long_ago_are_dropped(void **state)
{
    GError *error = NULL;
    guint64 dropped = 0, count = 0;
    gint64 newest = 0;
    Store *store = store_of(state);
    gint64 failed = in_doubt(store, "a@customer.test"), sent = in_doubt(store, "b@customer.test"),
           doubt = in_doubt(store, "c@customer.test");
    g_autofree char *account = account_of(store, failed);
    assert_true(keep(store, failed, account, "x") && keep(store, sent, account, "x") && keep(store, doubt, account, "x"));
    move_to(store, failed, OUTBOX_FAILED);
    move_to(store, sent, OUTBOX_SENT);
    assert_done(store_copies_drop(store, account, NOW, &dropped, &error));
    assert_int_equal(dropped, 0); /* nobody is told of the failed one */
    assert_int_equal(number_of(store, "SELECT count(*) FROM sent_copy"), 2);
    assert_done(store_copies_count(store, account, &count, &newest, &error));
    assert_int_equal(count, 1);
    assert_true(newest > 0);
    assert_done(store_copies_drop(store, "another", NOW + 1, &dropped, &error));
    assert_int_equal(dropped, 0);
    assert_done(store_copies_drop(store, "", NOW + 1, &dropped, &error)); /* whoever's they are */
    assert_int_equal(dropped, 2);
}

static void a_search_ends_with_the_doubt(void **state)
{
    static const OutboxState ends[] = {OUTBOX_SENT, OUTBOX_QUEUED, OUTBOX_CANCELLED, OUTBOX_FAILED, OUTBOX_DEFERRED};
    GError *error = NULL;
    Store *store = store_of(state);
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *email = g_strdup_printf("p%zu@customer.test", i);
        gint64 id = in_doubt(store, email), due_ms = 0;
        g_autofree char *account = account_of(store, id);
        g_autoptr(GPtrArray) before = NULL, due = NULL;
        assert_done(store_search_begin(store, id, NOW + 5, &error));
        assert_done(store_searches_due(store, account, NOW + 4, 10, &before, &error));
        assert_int_equal(before->len, 0);
        assert_done(store_searches_due(store, account, NOW + 5, 10, &due, &error));
        assert_int_equal(due->len, 1);
        assert_int_equal(((SentSearch *)due->pdata[0])->outbox_id, id);
        assert_true(*((SentSearch *)due->pdata[0])->message_id != '\0');
        assert_done(store_search_tried(store, id, NOW + 9, &error));
        move_to(store, id, OUTBOX_UNCERTAIN); /* still */
        assert_done(store_search_next_due(store, account, &due_ms, &error));
        assert_int_equal(due_ms, NOW + 9);
        move_to(store, id, ends[i]);
        assert_int_equal(number_of(store, "SELECT count(*) FROM sent_search"), 0);
    }
}

static void both_go_with_the_person(void **state)
{
    GError *error = NULL;
    Store *store = store_of(state);
    gint64 id = in_doubt(store, "kari@customer.test");
    assert_true(keep(store, id, "anna", "secret words"));
    assert_done(store_search_begin(store, id, NOW, &error));
    assert_done(store_contact_forget(store, number_of(store, "SELECT contact_id FROM outbox"), &error));
    assert_int_equal(number_of(store, "SELECT (SELECT count(*) FROM sent_copy) + (SELECT count(*) FROM sent_search)"), 0);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(a_copy_waits_until_its_message_is_sent),
        with_store(what_waits_is_bounded),
        with_store(copies_of_what_never_left_and_of_long_ago_are_dropped),
        with_store(a_search_ends_with_the_doubt),
        with_store(both_go_with_the_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
