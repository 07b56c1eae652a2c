/*
 * Protects: work is proportional to what is asked for. Every call of the room is made once; every statement that it kept is then
 * explained, and none may walk a whole table or sort without bounds, but those named here with their reason.
 */
#include "fixture.h"

#include "store/accounts.h"
#include "store/conditions_sql.h"
#include "store/cursors.h"

/* Statements that are asked for whole lists or counts by a person, not in the daemon's daily round. */
static const char *const whole_by_nature[] = {
    "ORDER BY c.email",             /* contact list */
    "SELECT count(*) FROM contact", /* status: a count of an index */
    "ORDER BY o.due_ms, o.id",      /* queue list --all */
    "FROM suppression ORDER BY",    /* the list of suppressions */
    "contact_address WHERE domain", /* suppressing a whole domain, rare and by hand */
    "FROM rule_known",              /* a row a rule */
};

/* Indexes and tables that hold only what is wanted: walking them is the answer. */
static const char *const small_by_nature[] = {"enrolment_active", "outbox_open", "SCAN mark"};

/* All of one person, asked for whole, may be sorted. */
static const char *const one_persons[] = {"FROM interaction WHERE contact_id = $1", "WHERE o.contact_id = $1 ORDER BY o.id"};

static gboolean any_in(const char *text, const char *const *parts, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (strstr(text, parts[i]) != NULL)
            return TRUE;
    return FALSE;
}

static gboolean any_contact(const Contact *contact, gpointer data)
{
    (void)contact;
    (void)data;
    return TRUE;
}

static gboolean any_message(const OutboxMessage *message, gpointer data)
{
    (void)message;
    (void)data;
    return TRUE;
}

static gboolean any_interaction(const Interaction *interaction, gpointer data)
{
    (void)interaction;
    (void)data;
    return TRUE;
}

static gboolean any_suppression(const Suppression *suppression, gpointer data)
{
    (void)suppression;
    (void)data;
    return TRUE;
}

static void call_people(Store *store)
{
    GError *error = NULL;
    const char *tags[] = {"x", NULL};
    g_autoptr(GHashTable) attributes = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(attributes, (gpointer) "size", (gpointer) "4");
    save_edit(store, &(ContactEdit){.email = "a@b.no", .company = "X", .add_tags = tags, .attributes = attributes},
              CONTACT_CREATED);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .stage = "pitching", .remove_tags = tags}, CONTACT_CHANGED);
    g_autoptr(Contact) by_address = NULL;
    g_auto(GStrv) aliases = NULL;
    gboolean yes = FALSE;
    guint64 count = 0;
    guint marked = 0;
    gint64 at = 0;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    assert_done(store_contact_find(store, "a@b.no", &by_address, &error));
    assert_int_equal(last_contacted(store, 1), 0);
    assert_done(store_contact_each(store, NULL, any_contact, NULL, &error));
    assert_done(store_contact_count(store, &count, &error));
    assert_done(store_contact_alias_add(store, 1, "z@b.no", &error));
    assert_done(store_contact_aliases(store, 1, &aliases, &error));
    assert_done(store_contact_alias_remove(store, 1, "z@b.no", &error));
    assert_done(store_company_save(store, "X", "UTC", attributes, &error));
    assert_done(store_contact_pause(store, 1, NOW + 1, NOW, &error));
    assert_done(store_contact_pause(store, 1, 0, NOW, &error));
    assert_done(store_contact_set_reconsider(store, 1, NOW, &error));
    assert_done(store_marks_next(store, &at, &error));
    assert_done(store_marks_add_due(store, NOW, 10, &marked, &error));
    assert_done(store_marks_peek(store, 10, ids, &error));
    assert_done(store_mark_exists(store, 1, &yes, &error));
    assert_done(store_mark_clear(store, 1, &error));
    assert_done(store_suppression_add(store, &(Suppression){.address = "q@q.no", .reason = "manual"}, &error));
    assert_done(store_suppression_add(store, &(Suppression){.address = "@q.no", .reason = "manual"}, &error));
    assert_done(store_suppression_check(store, "a@b.no", &yes, NULL, &error));
    assert_done(store_suppression_each(store, any_suppression, NULL, &error));
}

static void call_reading_of_work(Store *store, gint64 enrolment, gint64 message)
{
    GError *error = NULL;
    gint64 at = 0;
    guint64 count = 0, counts[OUTBOX_SKIPPED + 1];
    g_autoptr(GPtrArray) due = NULL, of = NULL, enrolments = NULL, enrolments_due = NULL;
    g_autoptr(OutboxMessage) by_id = NULL, last = NULL, step = NULL;
    g_autoptr(Enrolment) found = NULL;
    assert_int_equal(state_now(store, message), OUTBOX_QUEUED);
    assert_done(store_outbox_due(store, "anna", NOW, 10, &due, &error));
    assert_done(store_outbox_next_due(store, "anna", &at, &error));
    assert_done(store_outbox_find_by_message_id(store, "x@y", &by_id, &error));
    assert_done(store_outbox_last_sent(store, enrolment, &last, &error));
    assert_done(store_outbox_find_step(store, enrolment, "one", &step, &error));
    assert_done(store_outbox_count_between(store, "anna", NOW, NOW + 30 * DAY, &count, &error));
    assert_done(store_outbox_nth_newest(store, "anna", 60, NOW + 30 * DAY, &at, &error));
    assert_done(store_outbox_of(store, 1, &of, &error));
    assert_done(store_outbox_each(store, FALSE, any_message, NULL, &error));
    assert_done(store_outbox_each(store, TRUE, any_message, NULL, &error));
    assert_done(store_outbox_counts(store, NULL, counts, &error));
    assert_done(store_outbox_counts(store, "anna", counts, &error));
    assert_done(store_enrolment_get(store, enrolment, &found, &error));
    assert_done(store_enrolment_update(store, found, &error));
    assert_done(store_enrolments_of(store, 1, &enrolments, &error));
    assert_done(store_enrolments_due(store, NOW, 10, &enrolments_due, &error));
    assert_done(store_enrolments_next_due(store, &at, &error));
    assert_done(store_enrolments_count_active(store, &count, &error));
}

static void call_work(Store *store)
{
    GError *error = NULL;
    gint64 enrolment = add_enrolment(store, 1, "rule", NOW), newest = 0;
    gint64 message = add_message(store, 1, enrolment, "one", NOW);
    gboolean yes = FALSE;
    guint kinds = 0, count = 0;
    guint64 marked = 0;
    MailboxCursor cursor = {1, 2, 3};
    g_autofree char *reason = NULL;
    call_reading_of_work(store, enrolment, message);
    assert_done(store_outbox_postpone(store, message, NOW, "", &error));
    assert_done(store_outbox_touch(store, 1, NOW, &error));
    assert_done(store_outbox_touch(store, 0, NOW, &error));
    assert_done(store_outbox_assign(store, 1, "anna", &error));
    assert_true(claim_at(store, message, NOW));
    assert_done(store_outbox_recover(store, NOW, &count, &error));
    assert_done(store_outbox_finish(store, message, &(OutboxOutcome){.state = OUTBOX_SENT}, NOW, &error));
    assert_done(
        store_outbox_move(store, message, 1U << OUTBOX_HELD, &(OutboxOutcome){.state = OUTBOX_QUEUED}, NOW, &yes, &error));
    assert_done(store_enrolment_end(store, enrolment, "reply", NOW, &error));
    assert_done(store_history_each(store, 1, any_interaction, NULL, &error));
    assert_done(store_history_kinds_after(store, 1, 0, &kinds, &newest, &error));
    assert_done(store_cursor_set(store, "anna", "INBOX", &cursor, &error));
    assert_done(store_cursor_get(store, "anna", "INBOX", &yes, &cursor, &error));
    assert_done(store_inbound_take(store, "anna", "f", NOW, &yes, &error));
    assert_done(store_account_pause_set(store, "anna", "x", NOW, &error));
    assert_done(store_account_pause_get(store, "anna", &reason, &error));
    Rule rule = {
        .name = (char *)"rule", .digest = (char *)"1", .when = (Condition *[]){NULL}, .unless = (Condition *[]){NULL}};
    Config with = {.rules = (Rule *[]){&rule, NULL}}, without = {.rules = (Rule *[]){NULL}};
    assert_done(store_marks_add_for_rules(store, &with, NOW, &marked, &error));
    assert_done(store_marks_add_for_rules(store, &without, NOW, &marked, &error));
    assert_done(store_contact_forget(store, 1, &error));
}

static char *plan_of(Db *db, const char *sql)
{
    GError *error = NULL;
    g_autofree char *explain = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
    g_autoptr(DbStatement) rows = db_query_once(db, explain, DB_VALUES(), &error);
    GString *plan = g_string_new(NULL);
    while (rows != NULL && db_step(rows, &error) == DB_ROW)
        g_string_append_printf(plan, "%s\n", db_text(rows, 3));
    if (error != NULL)
        fail_msg("%s: %s", sql, error->message);
    return g_string_free(plan, FALSE);
}

static void check_plan(const char *sql, const char *plan)
{
    g_auto(GStrv) lines = g_strsplit(plan, "\n", -1);
    gboolean one_person = any_in(sql, one_persons, G_N_ELEMENTS(one_persons));
    for (char **line = lines; *line != NULL; line++) {
        gboolean scans = g_str_has_prefix(*line, "SCAN ") && strstr(*line, "CONSTANT ROW") == NULL;
        gboolean sorts = strstr(*line, "TEMP B-TREE") != NULL && !one_person;
        if ((scans && !any_in(*line, small_by_nature, G_N_ELEMENTS(small_by_nature))) || sorts)
            fail_msg("not proportional:\n%s\n%s", sql, plan);
    }
}

static void no_statement_walks_a_table(void **state)
{
    Store *store = store_of(state);
    call_people(store);
    call_work(store);
    guint checked = 0;
    g_autoptr(GList) kept = g_hash_table_get_keys(store->db->statements);
    for (GList *l = kept; l != NULL; l = l->next) {
        const char *sql = l->data;
        if (any_in(sql, whole_by_nature, G_N_ELEMENTS(whole_by_nature)) &&
            strstr(sql, "NOT IN ('sent', 'cancelled', 'skipped')") == NULL)
            continue;
        g_autofree char *plan = plan_of(store->db, sql);
        check_plan(sql, plan);
        checked++;
    }
    assert_true(checked > 60);
}

static void a_changed_rule_selects_by_its_stage(void **state)
{
    Store *store = store_of(state);
    Condition when = {.kind = CONDITION_STAGE, .any_of = (char *[]){(char *)"pitching", (char *)"qualifying", NULL}};
    Rule rule = {.name = (char *)"r", .when = (Condition *[]){&when, NULL}, .unless = (Condition *[]){NULL}};
    g_auto(ConditionsSql) conditions = {0};
    conditions_sql_init(&conditions, &rule);
    g_autofree char *sql = g_strdup_printf("SELECT c.id FROM contact c WHERE %s", conditions.sql->str);
    g_autofree char *plan = plan_of(store->db, sql);
    assert_non_null(strstr(plan, "contact_stage"));
    check_plan(sql, plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(no_statement_walks_a_table),
        with_store(a_changed_rule_selects_by_its_stage),
    };
    return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
