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
    "FROM suppression UNION ALL",   /* the list of suppressions */
    "ORDER BY k.name_key",          /* company list */
    "contact_address WHERE domain", /* suppressing a whole domain, rare and by hand */
    "FROM alias LIMIT 1",           /* whether there is any: one row */
    "suppression_erased LIMIT 1",   /* whether there is any: one row */
    "FROM rule_known",              /* a row a rule */
    "DELETE FROM proposal WHERE",   /* the same */
    "UPDATE notice SET subject",    /* the same */
    "instr(lower(",                 /* erasing a person, rare and by hand */
};

/* Indexes and tables that hold only what is wanted: walking them is the answer. */
static const char *const small_by_nature[] = {"enrolment_active", "outbox_open", "SCAN mark"};

/* All of one person, asked for whole, may be sorted; so may one enrolment's steps. */
static const char *const one_persons[] = {"FROM interaction WHERE contact_id = $1", "WHERE o.contact_id = $1 ORDER BY o.id",
                                          "WHERE o.enrolment_id = $1 AND o.state IN ('sent', 'uncertain')",
                                          "INSERT INTO suppression_erased", /* by what any of their addresses has */
                                          "FROM contact k CROSS JOIN interaction i"}; /* of one company, once */

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

static gboolean any_company(const Company *company, gpointer data)
{
    (void)company;
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
    g_autoptr(GPtrArray) contacts = NULL;
    g_autoptr(GPtrArray) enrolments = NULL;
    assert_done(store_contact_find(store, "a@b.no", &by_address, &error));
    assert_int_equal(last_contacted(store, 1), 0);
    assert_done(store_contact_each(store, NULL, any_contact, NULL, &error));
    assert_done(store_contact_count(store, &count, &error));
    assert_done(store_contact_alias_add(store, 1, "z@b.no", &error));
    assert_done(store_contact_aliases(store, 1, &aliases, &error));
    assert_done(store_contact_alias_remove(store, 1, "z@b.no", &error));
    g_autoptr(Company) company = NULL;
    assert_done(store_company_save(store, "X", "UTC", attributes, NULL, &error));
    assert_done(store_company_find(store, "X", &company, &error));
    assert_done(store_company_each(store, any_company, NULL, &error));
    assert_done(store_contact_pause(store, 1, NOW + 1, NOW, &error));
    assert_done(store_contact_pause(store, 1, 0, NOW, &error));
    assert_done(store_contact_hold(store, 1, NOW, "away", &error));
    assert_done(store_contact_set_reconsider(store, 1, NOW, &error));
    assert_done(store_marks_next(store, &at, &error));
    assert_done(store_marks_add_due(store, NOW, 10, &marked, &error));
    assert_done(store_marks_exist(store, &yes, &error));
    assert_done(store_contacts_marked(store, 10, &contacts, &at, &error));
    assert_done(store_enrolments_marked(store, at, &enrolments, &error));
    assert_done(store_marks_clear_until(store, 0, &error));
    assert_done(store_mark_exists(store, 1, &yes, &error));
    assert_done(store_mark_clear(store, 1, &error));
    assert_done(store_suppression_add(store, &(Suppression){.address = "q@q.no", .reason = "manual"}, &error));
    assert_done(store_suppression_add(store, &(Suppression){.address = "@q.no", .reason = "manual"}, &error));
    assert_done(store_suppression_check(store, "a@b.no", &yes, NULL, &error));
    g_autofree char *reason = NULL;
    assert_done(store_suppression_check_contact(store, 1, "a@b.no", &reason, &error));
    assert_done(store_suppression_each(store, any_suppression, NULL, &error));
    Suppression *found = NULL;
    assert_done(store_suppression_find(store, "q@q.no", &found, &error));
    suppression_free(found);
    assert_done(store_suppression_remove(store, "q@q.no", &yes, &error));
    assert_done(store_suppression_remove(store, "nobody@q.no", &yes, &error));
    gint64 gone = add_contact(store, "gone@q.no");
    assert_done(store_suppression_add(store, &(Suppression){.address = "gone@q.no", .reason = "manual"}, &error));
    assert_done(store_contact_forget(store, gone, &error));
    assert_done(store_suppression_check(store, "gone@q.no", &yes, NULL, &error));
    save_edit(store, &(ContactEdit){.email = "gone@q.no"}, CONTACT_CAME_BACK);
}

static void call_reading_of_work(Store *store, gint64 enrolment, gint64 message)
{
    GError *error = NULL;
    gint64 at = 0;
    guint64 count = 0, counts[OUTBOX_SKIPPED + 1];
    guint tries = 0;
    int priority = 0;
    gboolean yes = FALSE;
    g_autoptr(GPtrArray) due = NULL, oldest = NULL, of = NULL, enrolments = NULL, enrolments_due = NULL;
    g_autoptr(OutboxMessage) by_id = NULL, last = NULL, step = NULL;
    g_autoptr(Enrolment) found = NULL;
    assert_int_equal(state_now(store, message), OUTBOX_QUEUED);
    assert_done(store_outbox_due(store, "anna", NOW, 10, &due, &error));
    assert_done(store_outbox_due_oldest(store, "anna", NOW, 10, &oldest, &error));
    assert_done(store_outbox_next_due(store, "anna", &at, &error));
    assert_done(store_outbox_last_priorities(store, "anna", 1, &priority, &tries, &error));
    assert_done(store_outbox_first_try(store, "anna", &at, &error));
    assert_done(store_outbox_nth_contacted(store, 1, 3, &at, &error));
    assert_done(store_outbox_may_leave(store, message, NOW, &yes, &error));
    assert_done(store_outbox_find_by_message_id(store, "x@y", &by_id, &error));
    assert_done(store_outbox_last_sent(store, enrolment, &last, &error));
    assert_done(store_outbox_find_step(store, enrolment, "one", &step, &error));
    assert_done(store_outbox_count_between(store, "anna", NOW, NOW + 30 * DAY, &count, &error));
    assert_done(store_outbox_nth_newest(store, "anna", 60, NOW + 30 * DAY, &at, &error));
    assert_done(store_outbox_of(store, 1, &of, &error));
    assert_done(store_outbox_each(store, FALSE, any_message, NULL, &error));
    assert_done(store_outbox_each(store, TRUE, any_message, NULL, &error));
    assert_done(store_outbox_each_left_out(store, 0, any_message, NULL, &error));
    assert_done(store_outbox_counts(store, NULL, counts, &error));
    assert_done(store_outbox_counts(store, "anna", counts, &error));
    assert_done(store_enrolment_get(store, enrolment, &found, &error));
    assert_done(store_enrolment_update(store, found, &error));
    assert_done(store_enrolment_queued(store, found, &error));
    assert_done(store_enrolments_of(store, 1, &enrolments, &error));
    assert_done(store_enrolments_due(store, NOW, 10, &enrolments_due, &error));
    assert_done(store_enrolments_next_due(store, &at, &error));
    assert_done(store_enrolments_count_active(store, &count, &error));
}

static void call_history(Store *store)
{
    GError *error = NULL;
    guint kinds = 0;
    gint64 newest = 0;
    gboolean yes = FALSE;
    const char *const words[] = {"rule", NULL};
    static const InteractionKind kinds_added[] = {INTERACTION_REPLY, INTERACTION_CALL};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds_added); i++)
        assert_done(store_history_add(store, &(Interaction){.contact_id = 1, .kind = kinds_added[i]}, NULL, &error));
    assert_done(store_history_each(store, 1, any_interaction, NULL, &error));
    assert_done(store_history_kinds_after(store, 1, 0, &kinds, &newest, &error));
    assert_done(store_history_newest(store, &newest, &error));
    assert_done(store_history_colleagues_kinds_after(store, 1, 0, &kinds, &error));
    assert_done(store_history_colleagues_tagged_after(store, 1, 0, words, &yes, &error));
    assert_done(store_history_tagged_after(store, 1, 0, words, &yes, &error));
    assert_done(store_mark_colleagues(store, 1, words, &error));
}

static void call_work(Store *store)
{
    GError *error = NULL;
    gint64 enrolment = add_enrolment(store, 1, "rule", NOW);
    gint64 message = add_message(store, 1, enrolment, "one", NOW);
    gboolean yes = FALSE;
    guint count = 0;
    guint64 marked = 0;
    MailboxCursor cursor = {1, 2, 3};
    g_autofree char *reason = NULL;
    call_reading_of_work(store, enrolment, message);
    assert_done(store_outbox_postpone(store, message, NOW, "", &error));
    assert_done(store_outbox_set_priority(store, "rule", 3, &error));
    assert_done(store_outbox_await_approval(store, message, "", &error));
    assert_done(
        store_outbox_move(store, message, 1U << OUTBOX_HELD, &(OutboxOutcome){.state = OUTBOX_QUEUED}, NOW, &yes, &error));
    assert_done(store_outbox_touch(store, 1, NOW, &error));
    assert_done(store_outbox_touch(store, 0, NOW, &error));
    assert_done(store_outbox_assign(store, 1, "anna", &error));
    assert_true(claim_at(store, message, NOW));
    assert_done(store_outbox_recover(store, NOW, &count, &error));
    assert_done(store_outbox_finish(store, message, &(OutboxOutcome){.state = OUTBOX_SENT}, NOW, &error));
    assert_done(
        store_outbox_move(store, message, 1U << OUTBOX_HELD, &(OutboxOutcome){.state = OUTBOX_QUEUED}, NOW, &yes, &error));
    assert_done(store_enrolment_end(store, enrolment, "reply", NOW, &error));
    call_history(store);
    assert_done(store_cursor_set(store, "anna", "INBOX", &cursor, &error));
    assert_done(store_cursor_get(store, "anna", "INBOX", &yes, &cursor, &error));
    assert_done(store_inbound_seen(store, "anna", "f", &yes, &error));
    assert_done(store_inbound_add(store, "anna", "f", TRUE, NOW, &error));
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
            strstr(sql, "o.state <> 'sent' AND o.state <> 'cancelled'") == NULL)
            continue;
        g_autofree char *plan = plan_of(store->db, sql);
        check_plan(sql, plan);
        checked++;
    }
    assert_true(checked > 75);
}

/* What the daemon asks at each wake goes to the first row and reads on from there. */
static void a_wake_reads_a_stretch_of_one_index(void **state)
{
    static const struct {
        const char *part, *want;
    } statements[] = {
        {"o.priority = $2 AND", "outbox_due (account=? AND priority=? AND due_ms>? AND due_ms<?)"},
        {"ORDER BY o.priority DESC LIMIT 1", "outbox_due (account=? AND priority<?)"},
        {"AND o.due_ms <= $2 ORDER BY o.due_ms, o.id LIMIT $3", "outbox_oldest (account=? AND due_ms>? AND due_ms<?)"},
        {"SELECT coalesce(min(o.due_ms), 0)", "outbox_oldest (account=? AND due_ms>?)"},
        {"SELECT priority FROM outbox", "outbox_tried (account=? AND sending_ms>?)"},
        {"SELECT coalesce(min(sending_ms), 0)", "outbox_tried (account=? AND sending_ms>?)"},
        {"SELECT o.sending_ms FROM outbox o", "outbox_contacted (contact_id=? AND sending_ms>?)"},
        {"UPDATE contact SET last_contacted_ms", "outbox_contacted (contact_id=? AND sending_ms>?)"},
        {"UPDATE outbox SET due_ms = $2 WHERE contact_id = $1", "(contact_id=?)"},
        {"UPDATE outbox SET account = $2 WHERE contact_id = $1", "(contact_id=?)"},
        {"SELECT event FROM company_event", "company_event USING PRIMARY KEY (company_id=?)"},
        {"SELECT 1 FROM company_event", "company_event USING PRIMARY KEY (company_id=? AND event=?)"},
        {"FROM contact k CROSS JOIN interaction i", "contact_company (company_id=?)"},
        {"FROM contact k CROSS JOIN interaction i", "interaction_contact (contact_id=?)"},
        {"SELECT i.detail FROM interaction i WHERE", "interaction_contact (contact_id=? AND id>?)"},
        {"enrolment_due n JOIN", "SEARCH n USING PRIMARY KEY (due_ms<?)"},
        {"enrolment_due n JOIN", "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"},
        {"enrolment_due n JOIN", "SEARCH d USING PRIMARY KEY (due_ms=? AND enrolment_id=?)"},
        {"DELETE FROM enrolment_due WHERE due_ms = (", "enrolment_due USING PRIMARY KEY (due_ms=? AND enrolment_id=?)"},
        {"DELETE FROM enrolment_due WHERE (", "enrolment_due USING PRIMARY KEY (due_ms=? AND enrolment_id=?)"},
        {"INSERT INTO mark (contact_id) SELECT k.id", "enrolment_active (rule=? AND contact_id=?)"},
        {"UPDATE contact SET told_mark", "interaction_contact (contact_id=? AND id>?)"},
    };
    Store *store = store_of(state);
    call_people(store);
    call_work(store);
    g_autoptr(GList) kept = g_hash_table_get_keys(store->db->statements);
    for (gsize i = 0; i < G_N_ELEMENTS(statements); i++) {
        const char *sql = NULL;
        for (GList *l = kept; l != NULL; l = l->next)
            if (strstr(l->data, statements[i].part) != NULL)
                sql = l->data;
        if (sql == NULL)
            fail_msg("no statement has %s", statements[i].part);
        g_autofree char *plan = plan_of(store->db, sql);
        if (strstr(plan, statements[i].want) == NULL)
            fail_msg("not by %s:\n%s\n%s", statements[i].want, sql, plan);
    }
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

/* Each such list is a table made anew for every row that is written: more than all else that writing it costs. */
static void what_is_written_for_each_message_makes_no_table_of_a_list(void **state)
{
    static const char *const written[] = {"INSERT INTO outbox", "UPDATE outbox AS o SET state = 'sending'", "INSERT INTO enrolment",
                                          "UPDATE outbox SET state = 'sent'", "INSERT INTO interaction", "UPDATE enrolment SET state = $2",
                                          "UPDATE contact SET last_contacted_ms", "UNION ALL SELECT reason FROM suppression"};
    Store *store = store_of(state);
    call_people(store);
    call_work(store);
    guint checked = 0;
    g_autoptr(GList) kept = g_hash_table_get_keys(store->db->statements);
    for (GList *l = kept; l != NULL; l = l->next) {
        if (!any_in(l->data, written, G_N_ELEMENTS(written)))
            continue;
        g_autofree char *explain = g_strconcat("EXPLAIN ", (const char *)l->data, NULL);
        g_autoptr(DbStatement) rows = db_query_once(store->db, explain, DB_VALUES(), NULL);
        while (db_step(rows, NULL) == DB_ROW)
            if (g_str_equal(db_text(rows, 1), "OpenEphemeral"))
                fail_msg("makes a table: %s", (const char *)l->data);
        checked++;
    }
    assert_true(checked >= G_N_ELEMENTS(written));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(no_statement_walks_a_table),
        with_store(a_wake_reads_a_stretch_of_one_index),
        with_store(a_changed_rule_selects_by_its_stage),
        with_store(what_is_written_for_each_message_makes_no_table_of_a_list),
    };
    return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
