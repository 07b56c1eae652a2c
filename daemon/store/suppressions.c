/*
 * Suppressions: addresses and domains that are never mailed. The claim in outbox.c asks the same table by the same rule.
 */
#include "store/suppressions.h"

#include "store/contact_edit.h"
#include "store/internal.h"

gboolean store_suppression_add(Store *store, const Suppression *suppression, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "INSERT INTO suppression (address, reason, detail, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (address) DO "
                "NOTHING",
                error, DB_TEXT(suppression->address), DB_TEXT(suppression->reason), DB_TEXT(suppression->detail),
                DB_INT(suppression->at_ms)))
        return FALSE;
    gboolean added = db_changes(store->db) > 0;
    const char *mark = suppression->address[0] == '@'
                           ? "INSERT INTO mark (contact_id) SELECT contact_id FROM contact_address WHERE domain = $1"
                             " ON CONFLICT (contact_id) DO NOTHING"
                           : "INSERT INTO mark (contact_id) SELECT contact_id FROM contact_address WHERE address = $1"
                             " ON CONFLICT (contact_id) DO NOTHING";
    if (added && !db_run(store->db, mark, error, DB_TEXT(suppression->address)))
        return FALSE;
    return store_write_end(&write, error);
}

gboolean store_suppression_check(Store *store, const char *address, gboolean *ret_suppressed, char **ret_reason,
                                 GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db,
                 "SELECT reason FROM suppression WHERE address IN ($1, $2) UNION ALL"
                 " SELECT s.reason FROM contact_address a, suppression s WHERE a.contact_id = " CONTACT_ID_BY_ADDRESS
                 " AND s.address IN (a.address, a.domain) LIMIT 1",
                 error, DB_TEXT(address), DB_TEXT(store_domain_of(address)));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_suppressed = step == DB_ROW;
    if (ret_reason != NULL)
        *ret_reason = g_strdup(step == DB_ROW ? db_text(row, 0) : "");
    return TRUE;
}

gboolean store_suppression_each(Store *store, gboolean (*func)(const Suppression *suppression, gpointer data), gpointer data,
                                GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT address, reason, detail, at_ms FROM suppression ORDER BY address", error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        Suppression suppression = {
            .address = db_text(rows, 0), .reason = db_text(rows, 1), .detail = db_text(rows, 2), .at_ms = db_int(rows, 3)};
        go_on = func(&suppression, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}
