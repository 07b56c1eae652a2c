/* Protects: a round exists once, due ones come earliest first, an end ends it once. Suppressions, cursors and accounts' pauses too. */
#include "fixture.h"

#include "store/accounts.h"
#include "store/cursors.h"

static Enrolment *get(Store *store, gint64 id)
{
    GError *error = NULL;
    Enrolment *enrolment = NULL;
    assert_done(store_enrolment_get(store, id, &enrolment, &error));
    return enrolment;
}

static void a_round_exists_once_and_is_read_as_written(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    Enrolment enrolment = {.contact_id = contact,
                           .rule = (char *)"after-pitch",
                           .round = 1,
                           .state = ENROLMENT_ACTIVE,
                           .stage = (char *)"pitching",
                           .anchor_ms = NOW - DAY,
                           .next_step = (char *)"pitch-1",
                           .due_ms = NOW + DAY,
                           .last_step_ms = 3,
                           .history_mark = 4,
                           .enrolled_ms = NOW};
    assert_done(store_enrolment_add(store, &enrolment, &error));
    assert_refused(store_enrolment_add(store, &enrolment, &error), STORE_ERROR_EXISTS);
    Enrolment orphan = {.contact_id = 99, .rule = (char *)"r", .round = 1};
    assert_refused(store_enrolment_add(store, &orphan, &error), STORE_ERROR_FAILED);
    Enrolment round_0 = {.contact_id = contact, .rule = (char *)"r", .round = 0};
    assert_refused(store_enrolment_add(store, &round_0, &error), STORE_ERROR_FAILED);

    g_autoptr(Enrolment) found = get(store, enrolment.id);
    assert_string_equal(found->rule, "after-pitch");
    assert_string_equal(found->stage, "pitching");
    assert_string_equal(found->next_step, "pitch-1");
    assert_string_equal(found->end_reason, "");
    assert_int_equal(found->anchor_ms, NOW - DAY);
    assert_int_equal(found->due_ms, NOW + DAY);
    assert_int_equal(found->last_step_ms, 3);
    assert_int_equal(found->history_mark, 4);
    assert_int_equal(found->enrolled_ms, NOW);
    found->state = ENROLMENT_DONE;
    found->due_ms = 0;
    found->ended_ms = NOW + 1;
    assert_done(store_enrolment_update(store, found, &error));
    g_autoptr(Enrolment) done = get(store, enrolment.id);
    assert_int_equal(done->state, ENROLMENT_DONE);
    assert_int_equal(done->ended_ms, NOW + 1);
    assert_null(get(store, 999));
}

static void due_ones_come_earliest_first(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no"), at = 1;
    assert_done(store_enrolments_next_due(store, &at, &error));
    assert_int_equal(at, 0);
    gint64 b = add_enrolment(store, contact, "b", NOW - 1), a = add_enrolment(store, contact, "a", NOW - 2);
    add_enrolment(store, contact, "later", NOW + 1);
    add_enrolment(store, contact, "waits", 0);
    gint64 ended = add_enrolment(store, contact, "ended", NOW - 3);
    assert_done(store_enrolment_end(store, ended, "reply", NOW, &error));
    g_autoptr(GPtrArray) due = NULL, one = NULL, all = NULL;
    assert_done(store_enrolments_due(store, NOW, 10, &due, &error));
    assert_int_equal(due->len, 2);
    assert_int_equal(((Enrolment *)due->pdata[0])->id, a);
    assert_int_equal(((Enrolment *)due->pdata[1])->id, b);
    assert_done(store_enrolments_due(store, NOW, 1, &one, &error));
    assert_int_equal(one->len, 1);
    assert_done(store_enrolments_next_due(store, &at, &error));
    assert_int_equal(at, NOW - 2);
    guint64 active = 0;
    assert_done(store_enrolments_count_active(store, &active, &error));
    assert_int_equal(active, 4);
    assert_done(store_enrolments_of(store, contact, &all, &error));
    assert_int_equal(all->len, 5);
    assert_string_equal(((Enrolment *)all->pdata[0])->rule, "a");
}

static void the_first_end_counts(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_enrolment(store, add_contact(store, "a@b.no"), "rule", NOW);
    assert_done(store_enrolment_end(store, id, "reply", NOW, &error));
    assert_done(store_enrolment_end(store, id, "bounce", NOW + 1, &error));
    g_autoptr(Enrolment) enrolment = get(store, id);
    assert_int_equal(enrolment->state, ENROLMENT_ENDED);
    assert_string_equal(enrolment->end_reason, "reply");
    assert_int_equal(enrolment->ended_ms, NOW);
    assert_int_equal(enrolment->due_ms, 0);
}

static gint64 next_due(Store *store)
{
    GError *error = NULL;
    gint64 at = 0;
    assert_done(store_enrolments_next_due(store, &at, &error));
    return at;
}

static void assert_waits(Store *store, gint64 id, gint64 due_ms)
{
    g_autoptr(Enrolment) enrolment = get(store, id);
    assert_int_equal(enrolment->due_ms, due_ms);
    assert_int_equal(next_due(store), due_ms);
    assert_int_equal(number_of(store, "SELECT count(*) FROM enrolment_due"), due_ms != 0 ? 1 : 0);
}

/* What waits is told in two places, which stay one. */
static void one_waits_for_its_time_alone(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no"), id = add_enrolment(store, contact, "rule", NOW);
    assert_waits(store, id, NOW);
    g_autoptr(Enrolment) enrolment = get(store, id);
    assert_done(store_enrolment_queued(store, enrolment, &error));
    assert_int_equal(enrolment->due_ms, 0);
    assert_waits(store, id, 0);
    enrolment->due_ms = NOW; /* the next step, at the same moment */
    assert_done(store_enrolment_update(store, enrolment, &error));
    assert_waits(store, id, NOW);
    enrolment->due_ms = NOW + DAY;
    assert_done(store_enrolment_update(store, enrolment, &error));
    assert_waits(store, id, NOW + DAY);
    enrolment->state = ENROLMENT_DONE; /* whatever due_ms says */
    assert_done(store_enrolment_update(store, enrolment, &error));
    assert_waits(store, id, 0);
    enrolment->state = ENROLMENT_ACTIVE;
    assert_done(store_enrolment_update(store, enrolment, &error));
    assert_waits(store, id, NOW + DAY);
    assert_done(store_enrolment_end(store, id, "reply", NOW, &error));
    assert_waits(store, id, 0);
    add_enrolment(store, contact, "another", NOW);
    assert_done(store_contact_forget(store, contact, &error));
    assert_int_equal(next_due(store), 0);
}

/* ---- suppressions ---- */

static gboolean is_suppressed(Store *store, const char *address, const char *want_reason)
{
    GError *error = NULL;
    gboolean suppressed = FALSE;
    g_autofree char *reason = NULL;
    assert_done(store_suppression_check(store, address, &suppressed, &reason, &error));
    assert_string_equal(reason, want_reason);
    g_autoptr(Contact) contact = NULL;
    g_autofree char *known = NULL;
    assert_done(store_contact_find(store, address, &contact, &error));
    if (contact != NULL) { /* the short way says the same */
        assert_done(store_suppression_check_contact(store, contact->id, contact->email, &known, &error));
        assert_string_equal(known, want_reason);
    }
    return suppressed;
}

static gboolean note_address(const Suppression *suppression, gpointer data)
{
    g_string_append_printf(data, "%s=%s/%s ", suppression->address, suppression->reason, suppression->detail);
    return TRUE;
}

static void a_suppression_covers_the_person(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 kari = add_contact(store, "kari@b.no");
    add_contact(store, "ola@c.no");
    add_contact(store, "per@c.no");
    assert_done(store_contact_alias_add(store, kari, "kari@d.no", &error));
    run(store, "DELETE FROM mark");
    assert_false(is_suppressed(store, "kari@b.no", ""));
    assert_done(store_suppression_add(
        store, &(Suppression){.address = "kari@d.no", .reason = "bounce", .detail = "5.1.1", .at_ms = 1}, &error));
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 1);
    assert_int_equal(number_of(store, "SELECT contact_id FROM mark"), kari);
    assert_true(is_suppressed(store, "kari@d.no", "bounce"));
    assert_true(is_suppressed(store, "kari@b.no", "bounce")); /* as the claim sees it */
    assert_done(
        store_suppression_add(store, &(Suppression){.address = "kari@d.no", .reason = "manual", .at_ms = 2}, &error));
    assert_true(is_suppressed(store, "kari@d.no", "bounce")); /* the first reason counts */

    run(store, "DELETE FROM mark");
    assert_done(store_suppression_add(store, &(Suppression){.address = "@c.no", .reason = "manual", .at_ms = 3}, &error));
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 2);
    assert_true(is_suppressed(store, "nobody@c.no", "manual"));
    assert_false(is_suppressed(store, "nobody@sub.c.no", ""));
    assert_false(is_suppressed(store, "nobody", ""));
    g_autoptr(GString) all = g_string_new(NULL);
    assert_done(store_suppression_each(store, note_address, all, &error));
    assert_string_equal(all->str, "@c.no=manual/ kari@d.no=bounce/5.1.1 ");
}

/* ---- cursors and accounts ---- */

static void a_cursor_is_kept_for_each_folder(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean found = TRUE;
    MailboxCursor cursor = {.uidvalidity = 7};
    assert_done(store_cursor_get(store, "anna", "INBOX", &found, &cursor, &error));
    assert_false(found);
    assert_int_equal(cursor.uidvalidity, 7); /* untouched */
    assert_done(store_cursor_set(store, "anna", "INBOX", &(MailboxCursor){4294967295U, 4294967294U, NOW}, &error));
    assert_done(store_cursor_set(store, "anna", "Sent", &(MailboxCursor){2, 3, 4}, &error));
    assert_done(store_cursor_set(store, "anna", "Sent", &(MailboxCursor){5, 0, 6}, &error));
    assert_done(store_cursor_get(store, "anna", "INBOX", &found, &cursor, &error));
    assert_true(found && cursor.uidvalidity == 4294967295U && cursor.last_uid == 4294967294U && cursor.updated_ms == NOW);
    assert_done(store_cursor_get(store, "anna", "Sent", &found, &cursor, &error));
    assert_true(found && cursor.uidvalidity == 5 && cursor.last_uid == 0 && cursor.updated_ms == 6);
}

static void an_inbound_message_is_taken_once(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean seen = TRUE;
    StoreTransaction *transaction = store_begin(store, &error);
    assert_done(store_inbound_seen(store, "anna", "abc", &seen, &error));
    assert_false(seen);
    assert_done(store_inbound_add(store, "anna", "abc", FALSE, NOW, &error));
    assert_done(store_inbound_seen(store, "anna", "abc", &seen, &error));
    assert_true(seen);
    store_transaction_free(transaction); /* its effects were not committed, so neither is this */
    assert_done(store_inbound_seen(store, "anna", "abc", &seen, &error));
    assert_false(seen);
    assert_refused(store_inbound_add(store, "anna", "", FALSE, NOW, &error), STORE_ERROR_FAILED);
}

/* What was filed for one account is not filed for another; what was not may be, since accounts and folders differ. */
static void an_inbound_message_is_filed_once_for_all_accounts(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean seen = TRUE;
    assert_done(store_inbound_add(store, "anna", "filed", TRUE, NOW, &error));
    assert_done(store_inbound_add(store, "anna", "filed", FALSE, NOW + 1, &error)); /* stays filed */
    assert_done(store_inbound_add(store, "anna", "ignored", FALSE, NOW, &error));
    assert_done(store_inbound_seen(store, "berit", "ignored", &seen, &error));
    assert_false(seen);
    assert_done(store_inbound_seen(store, "berit", "filed", &seen, &error));
    assert_true(seen);
}

static void a_pause_of_an_account_is_remembered(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    g_autofree char *none = NULL, *reason = NULL, *ended = NULL;
    assert_done(store_account_pause_get(fixture->store, "", &none, &error));
    assert_string_equal(none, "");
    assert_done(store_account_pause_set(fixture->store, "", "holidays", NOW, &error));
    store_close(fixture->store);
    fixture->store = store_open(fixture->url, 0, NULL);
    assert_done(store_account_pause_get(fixture->store, "", &reason, &error));
    assert_string_equal(reason, "holidays");
    assert_done(store_account_pause_set(fixture->store, "", "", NOW, &error));
    assert_done(store_account_pause_get(fixture->store, "", &ended, &error));
    assert_string_equal(ended, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(a_round_exists_once_and_is_read_as_written),
        with_store(due_ones_come_earliest_first),
        with_store(the_first_end_counts),
        with_store(one_waits_for_its_time_alone),
        with_store(a_suppression_covers_the_person),
        with_store(a_cursor_is_kept_for_each_folder),
        with_store(an_inbound_message_is_taken_once),
        with_store(an_inbound_message_is_filed_once_for_all_accounts),
        with_store(a_pause_of_an_account_is_remembered),
    };
    return cmocka_run_group_tests_name("enrolments", tests, NULL, NULL);
}
