/*
 * Suppressions: addresses and domains that are never mailed. The claim in outbox.c asks the same table by the same rule. Those of
 * people who were erased are in erased.c.
 */
#include "store/suppressions.h"

#include "store/contact_edit.h"
#include "store/erased.h"
#include "store/internal.h"

const char *const *suppression_reasons(void)
{
    static const char *const reasons[] = {"unsubscribe", "bounce", "complaint", "manual", NULL};
    return reasons;
}

/* ---- changing --------------------------------------------------------------------------------------------------------- */

static gboolean mark_whose(Store *store, const char *address, GError **error)
{
    const char *mark = address[0] == '@'
                           ? "INSERT INTO mark (contact_id) SELECT contact_id FROM contact_address WHERE domain = $1"
                             " ON CONFLICT (contact_id) DO NOTHING"
                           : "INSERT INTO mark (contact_id) SELECT contact_id FROM contact_address WHERE address = $1"
                             " ON CONFLICT (contact_id) DO NOTHING";
    return db_run(store->db, mark, error, DB_TEXT(address));
}

/* What somebody asked for themselves outranks what was found out, or written by hand. */
static gboolean insert(Store *store, const Suppression *suppression, GError **error)
{
    return db_run(store->db,
                  "INSERT INTO suppression (address, reason, detail, at_ms) VALUES ($1, $2, $3, $4)"
                  " ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, at_ms = "
                  "excluded.at_ms"
                  " WHERE excluded.reason IN ('unsubscribe', 'complaint')"
                  " AND suppression.reason NOT IN ('unsubscribe', 'complaint')",
                  error, DB_TEXT(suppression->address), DB_TEXT(suppression->reason), DB_TEXT(suppression->detail),
                  DB_INT(suppression->at_ms)) &&
           (db_changes(store->db) == 0 || mark_whose(store, suppression->address, error));
}

gboolean store_suppression_add(Store *store, const Suppression *suppression, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autofree char *reason = NULL;
    gint64 at_ms = 0;
    return store_write_begin(store, &write, error) && erased_find(store, suppression->address, &reason, &at_ms, error) &&
           (reason[0] != '\0' || insert(store, suppression, error)) && store_write_end(&write, error);
}

gboolean store_suppression_remove(Store *store, const char *address, gboolean *ret_removed, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gboolean removed = FALSE;
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db, "DELETE FROM suppression WHERE address = $1", error, DB_TEXT(address)))
        return FALSE;
    if (db_changes(store->db) == 0) {
        if (!erased_remove(store, address, &removed, error))
            return FALSE;
    } else {
        removed = TRUE;
        if (!mark_whose(store, address, error))
            return FALSE;
    }
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_removed = removed;
    return TRUE;
}

/* ---- looking up ------------------------------------------------------------------------------------------------------- */

static Suppression *suppression_new(const char *address, const char *reason, const char *detail, gint64 at_ms)
{
    Suppression *suppression = g_new0(Suppression, 1);
    suppression->address = g_strdup(address);
    suppression->reason = g_strdup(reason);
    suppression->detail = g_strdup(detail);
    suppression->at_ms = at_ms;
    return suppression;
}

void suppression_free(Suppression *suppression)
{
    if (suppression == NULL)
        return;
    g_free((char *)suppression->address);
    g_free((char *)suppression->reason);
    g_free((char *)suppression->detail);
    g_free(suppression);
}

gboolean store_suppression_find(Store *store, const char *address, Suppression **ret_suppression, GError **error)
{
    g_autofree char *reason = NULL;
    gint64 at_ms = 0;
    g_autoptr(DbStatement) row =
        db_query(store->db, "SELECT reason, detail, at_ms FROM suppression WHERE address = $1", error, DB_TEXT(address));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    if (step == DB_ROW) {
        *ret_suppression = suppression_new(address, db_text(row, 0), db_text(row, 1), db_int(row, 2));
        return TRUE;
    }
    if (!erased_find(store, address, &reason, &at_ms, error))
        return FALSE;
    *ret_suppression = reason[0] != '\0' ? suppression_new("", reason, "", at_ms) : NULL;
    if (*ret_suppression != NULL)
        (*ret_suppression)->is_erased = TRUE;
    return TRUE;
}

/* By name: "" in *ret_reason where there is none. */
static gboolean check_named(Store *store, const char *address, char **ret_reason, GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db,
                 "SELECT reason FROM suppression WHERE address = $1"
                 " UNION ALL SELECT reason FROM suppression WHERE address = $2"
                 " UNION ALL SELECT s.reason FROM contact_address a, suppression s WHERE a.contact_id = " CONTACT_ID_BY_ADDRESS
                 " AND s.address = a.address"
                 " UNION ALL SELECT s.reason FROM contact_address a, suppression s WHERE a.contact_id = " CONTACT_ID_BY_ADDRESS
                 " AND s.address = a.domain LIMIT 1",
                 error, DB_TEXT(address), DB_TEXT(store_domain_of(address)));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_reason = g_strdup(step == DB_ROW ? db_text(row, 0) : "");
    return TRUE;
}

gboolean store_suppression_check(Store *store, const char *address, gboolean *ret_suppressed, char **ret_reason,
                                 GError **error)
{
    g_autofree char *named = NULL;
    g_autofree char *erased = NULL;
    gint64 at_ms = 0;
    if (!check_named(store, address, &named, error) ||
        (named[0] == '\0' && !erased_find(store, address, &erased, &at_ms, error)))
        return FALSE;
    const char *reason = named[0] != '\0' ? named : erased;
    *ret_suppressed = reason[0] != '\0';
    if (ret_reason != NULL)
        *ret_reason = g_strdup(reason);
    return TRUE;
}

gboolean store_suppression_check_contact(Store *store, gint64 contact_id, const char *email, char **ret_reason, GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db,
                 "SELECT reason FROM suppression WHERE address = $2"
                 " UNION ALL SELECT reason FROM suppression WHERE address = $3"
                 " UNION ALL SELECT s.reason FROM alias a, suppression s WHERE a.contact_id = $1 AND s.address = a.address"
                 " UNION ALL SELECT s.reason FROM alias a, suppression s WHERE a.contact_id = $1 AND s.address = a.domain LIMIT 1",
                 error, DB_INT(contact_id), DB_TEXT(email), DB_TEXT(store_domain_of(email)));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_reason = g_strdup(step == DB_ROW ? db_text(row, 0) : "");
    return TRUE;
}

gboolean store_suppression_each(Store *store, gboolean (*func)(const Suppression *suppression, gpointer data), gpointer data,
                                GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db,
                                           "SELECT address, reason, detail, at_ms, 0 AS is_erased FROM suppression UNION ALL"
                                           " SELECT '', reason, '', at_ms, 1 FROM suppression_erased"
                                           " ORDER BY is_erased, address, at_ms",
                                           error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        Suppression suppression = {.address = db_text(rows, 0),
                                   .reason = db_text(rows, 1),
                                   .detail = db_text(rows, 2),
                                   .at_ms = db_int(rows, 3),
                                   .is_erased = db_int(rows, 4) != 0};
        go_on = func(&suppression, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}
