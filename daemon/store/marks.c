/*
 * Marks: contacts that a fact touched, in the order in which they were touched, until the daemon has decided for them. A contact
 * is marked once, however many facts changed. Changed rules mark set-wise (conditions_sql.c).
 */
#include "store/marks.h"

#include "store/company_events.h"
#include "store/conditions_sql.h"
#include "store/internal.h"
#include "store/outbox.h"

gboolean store_mark(Store *store, gint64 contact_id, GError **error)
{
    return store_write_run(store, "INSERT INTO mark (contact_id) VALUES ($1) ON CONFLICT (contact_id) DO NOTHING", error,
                           DB_INT(contact_id));
}

gboolean store_mark_exists(Store *store, gint64 contact_id, gboolean *ret_exists, GError **error)
{
    return db_run_int(store->db, "SELECT 1 FROM mark WHERE contact_id = $1", ret_exists, NULL, error, DB_INT(contact_id));
}

gboolean store_marks_exist(Store *store, gboolean *ret_exist, GError **error)
{
    return db_run_int(store->db, "SELECT 1 FROM mark LIMIT 1", ret_exist, NULL, error);
}

gboolean store_marks_clear_until(Store *store, gint64 last_mark, GError **error)
{
    return store_write_run(store, "DELETE FROM mark WHERE id <= $1", error, DB_INT(last_mark));
}

gboolean store_mark_clear(Store *store, gint64 contact_id, GError **error)
{
    return store_write_run(store, "DELETE FROM mark WHERE contact_id = $1", error, DB_INT(contact_id));
}

/* ---- by time ---------------------------------------------------------------------------------------------------------- */

gboolean store_marks_add_due(Store *store, gint64 now_ms, guint limit, guint *ret_marked, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "INSERT INTO mark (contact_id) SELECT id FROM contact WHERE reconsider_ms > 0 AND reconsider_ms <= $1"
                " ORDER BY reconsider_ms, id LIMIT $2 ON CONFLICT (contact_id) DO NOTHING",
                error, DB_INT(now_ms), DB_INT(limit)) ||
        !db_run(store->db,
                "UPDATE contact SET reconsider_ms = 0 WHERE id IN (SELECT id FROM contact WHERE reconsider_ms > 0 AND "
                "reconsider_ms <= $1"
                " ORDER BY reconsider_ms, id LIMIT $2)",
                error, DB_INT(now_ms), DB_INT(limit)))
        return FALSE;
    guint marked = (guint)db_changes(store->db);
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_marked = marked;
    return TRUE;
}

gboolean store_marks_next(Store *store, gint64 *ret_at_ms, GError **error)
{
    return db_run_int(store->db, "SELECT coalesce(min(reconsider_ms), 0) FROM contact WHERE reconsider_ms > 0", NULL,
                      ret_at_ms, error);
}

/* ---- by rules --------------------------------------------------------------------------------------------------------- */

/* The name under which rule_known has the digest of `sending`; no rule has it. */
#define SENDING_KNOWN_AS ""

/* Name -> digest of the rules that were last in force. */
static GHashTable *rules_known(Store *store, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, "SELECT name, digest FROM rule_known", error);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_hash_table_insert(known, g_strdup(db_text(rows, 0)), g_strdup(db_text(rows, 1)));
    return step != DB_FAILED ? g_steal_pointer(&known) : NULL;
}

static gboolean remember(Store *store, const char *name, const char *digest, gint64 now_ms, GError **error)
{
    return db_run(store->db,
                  "INSERT INTO rule_known (name, digest, changed_ms) VALUES ($1, $2, $3)"
                  " ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, changed_ms = excluded.changed_ms",
                  error, DB_TEXT(name), DB_TEXT(digest), DB_INT(now_ms));
}

static gboolean mark_enrolled_in(Store *store, const char *rule, guint64 *marked, GError **error)
{
    if (!db_run(store->db,
                "INSERT INTO mark (contact_id) SELECT contact_id FROM enrolment WHERE rule = $1 AND state = 'active'"
                " ON CONFLICT (contact_id) DO NOTHING",
                error, DB_TEXT(rule)))
        return FALSE;
    *marked += (guint64)db_changes(store->db);
    return TRUE;
}

static gboolean mark_selected(Store *store, const Rule *rule, guint64 *marked, GError **error)
{
    g_auto(ConditionsSql) conditions = {0};
    conditions_sql_init(&conditions, rule);
    g_autofree char *sql = g_strdup_printf("INSERT INTO mark (contact_id) SELECT c.id FROM contact c WHERE %s ORDER BY c.id"
                                           " ON CONFLICT (contact_id) DO NOTHING",
                                           conditions.sql->str);
    g_autoptr(DbStatement) insert = db_query_once(store->db, sql, (const DbValue *)(gpointer)conditions.values->data, error);
    if (insert == NULL || db_step(insert, error) == DB_FAILED)
        return FALSE;
    *marked += (guint64)db_changes(store->db);
    return TRUE;
}

/* As after a first import, where each new rule would look at each contact for nothing. */
static gboolean everybody_is_marked(Store *store, gboolean *ret_all, GError **error)
{
    gint64 marks = 0, contacts = 0;
    if (!db_run_int(store->db, "SELECT count(*) FROM mark", NULL, &marks, error) ||
        !db_run_int(store->db, "SELECT count(*) FROM contact", NULL, &contacts, error))
        return FALSE;
    *ret_all = marks == contacts;
    return TRUE;
}

/* was_known: it is not new here, so that messages of it may wait with another priority. */
static gboolean mark_changed(Store *store, const Rule *rule, gboolean was_known, gint64 now_ms, guint64 *marked, GError **error)
{
    gboolean all = FALSE;
    if (!everybody_is_marked(store, &all, error) ||
        (was_known && !store_outbox_set_priority(store, rule->name, rule->priority, error)))
        return FALSE;
    if (!all && (!mark_selected(store, rule, marked, error) || !mark_enrolled_in(store, rule->name, marked, error)))
        return FALSE;
    return remember(store, rule->name, rule->digest, now_ms, error);
}

static gboolean mark_removed(Store *store, const char *rule, guint64 *marked, GError **error)
{
    if (!mark_enrolled_in(store, rule, marked, error))
        return FALSE;
    return db_run(store->db, "DELETE FROM rule_known WHERE name = $1", error, DB_TEXT(rule));
}

/* Windows, holidays or the default zone changed: all times still to come may. */
static gboolean mark_enrolled(Store *store, const Sending *sending, gint64 now_ms, guint64 *marked, GError **error)
{
    if (!db_run(store->db,
                "INSERT INTO mark (contact_id) SELECT contact_id FROM enrolment WHERE state = 'active'"
                " ON CONFLICT (contact_id) DO NOTHING",
                error))
        return FALSE;
    *marked += (guint64)db_changes(store->db);
    return remember(store, SENDING_KNOWN_AS, sending->digest, now_ms, error);
}

gboolean store_marks_add_for_rules(Store *store, const Config *config, gint64 now_ms, guint64 *ret_marked, GError **error)
{
    g_auto(StoreWrite) write = {0};
    guint64 marked = 0;
    if (!store_write_begin(store, &write, error))
        return FALSE;
    g_autoptr(GHashTable) known = rules_known(store, error);
    if (known == NULL)
        return FALSE;
    for (Rule **rule = config->rules; *rule != NULL; rule++) {
        const char *digest = g_hash_table_lookup(known, (*rule)->name);
        if (g_strcmp0(digest, (*rule)->digest) != 0 && !mark_changed(store, *rule, digest != NULL, now_ms, &marked, error))
            return FALSE;
        g_hash_table_remove(known, (*rule)->name);
    }
    const char *sending = g_hash_table_lookup(known, SENDING_KNOWN_AS);
    if (g_strcmp0(sending, config->sending.digest) != 0 && !mark_enrolled(store, &config->sending, now_ms, &marked, error))
        return FALSE;
    g_hash_table_remove(known, SENDING_KNOWN_AS);
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, known);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!mark_removed(store, name, &marked, error))
            return FALSE;
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_marked = marked;
    return TRUE;
}

/* ---- by colleagues ---------------------------------------------------------------------------------------------------- */

static gboolean mark_colleagues_in(Store *store, gint64 contact_id, const char *rule, GError **error)
{
    return db_run(store->db,
                  "INSERT INTO mark (contact_id) SELECT k.id FROM contact k"
                  " WHERE " IS_COLLEAGUE
                  " AND EXISTS (SELECT 1 FROM enrolment e WHERE e.contact_id = k.id AND e.rule = $2 AND e.state = 'active')"
                  " ON CONFLICT (contact_id) DO NOTHING",
                  error, DB_INT(contact_id), DB_TEXT(rule));
}

gboolean store_mark_colleagues(Store *store, gint64 contact_id, const char *const *rules, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "UPDATE contact SET told_mark = (SELECT max(i.id) FROM interaction i WHERE i.contact_id = $1) WHERE id = $1"
                " AND EXISTS (SELECT 1 FROM interaction i WHERE i.contact_id = $1 AND i.id > contact.told_mark AND " IS_NEWS ")",
                error, DB_INT(contact_id)))
        return FALSE;
    gboolean news = db_changes(store->db) > 0;
    for (gsize i = 0; news && rules[i] != NULL; i++)
        if (!mark_colleagues_in(store, contact_id, rules[i], error))
            return FALSE;
    return store_write_end(&write, error);
}

/* ---- by accounts ------------------------------------------------------------------------------------------------------ */

static gboolean is_account(const Config *config, const char *name)
{
    for (Account **account = config->accounts; *account != NULL; account++)
        if (g_str_equal((*account)->name, name))
            return TRUE;
    return FALSE;
}

/* The names that messages wait under and no account has. */
static GPtrArray *accounts_gone(Store *store, const Config *config, GError **error)
{
    g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT DISTINCT account FROM outbox WHERE state IN ('queued', 'deferred', 'held')", error);
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        if (!is_account(config, db_text(rows, 0)))
            g_ptr_array_add(gone, g_strdup(db_text(rows, 0)));
    return step != DB_FAILED ? g_steal_pointer(&gone) : NULL;
}

gboolean store_marks_add_for_accounts(Store *store, const Config *config, guint64 *ret_marked, GError **error)
{
    g_auto(StoreWrite) write = {0};
    guint64 marked = 0;
    if (!store_write_begin(store, &write, error))
        return FALSE;
    g_autoptr(GPtrArray) gone = accounts_gone(store, config, error);
    if (gone == NULL)
        return FALSE;
    for (guint i = 0; i < gone->len; i++) {
        if (!db_run(store->db,
                    "INSERT INTO mark (contact_id) SELECT DISTINCT contact_id FROM outbox WHERE account = $1"
                    " AND state IN ('queued', 'deferred', 'held') ON CONFLICT (contact_id) DO NOTHING",
                    error, DB_TEXT(gone->pdata[i])))
            return FALSE;
        marked += (guint64)db_changes(store->db);
    }
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_marked = marked;
    return TRUE;
}
