/*
 * How far each mailbox was read, and the keys of inbound messages that had their effects: an invariant that the primary key
 * of inbound holds. Both are written inside the transaction of those effects.
 */
#include "store/cursors.h"

#include "store/internal.h"

gboolean store_cursor_get(Store *store, const char *account, const char *folder, gboolean *ret_found,
                          MailboxCursor *ret_cursor, GError **error)
{
    g_autoptr(DbStatement) row = db_query(
        store->db, "SELECT uidvalidity, last_uid, updated_ms FROM mailbox_cursor WHERE account = $1 AND folder = $2", error,
        DB_TEXT(account), DB_TEXT(folder));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_found = step == DB_ROW;
    if (step == DB_ROW)
        *ret_cursor = (MailboxCursor){
            .uidvalidity = (guint32)db_int(row, 0), .last_uid = (guint32)db_int(row, 1), .updated_ms = db_int(row, 2)};
    return TRUE;
}

gboolean store_cursor_set(Store *store, const char *account, const char *folder, const MailboxCursor *cursor, GError **error)
{
    return store_write_run(
        store,
        "INSERT INTO mailbox_cursor (account, folder, uidvalidity, last_uid, updated_ms) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (account, folder) DO UPDATE SET uidvalidity = excluded.uidvalidity, last_uid = excluded.last_uid,"
        " updated_ms = excluded.updated_ms",
        error, DB_TEXT(account), DB_TEXT(folder), DB_INT(cursor->uidvalidity), DB_INT(cursor->last_uid),
        DB_INT(cursor->updated_ms));
}

gboolean store_inbound_take(Store *store, const char *account, const char *fingerprint, gint64 now_ms, gboolean *ret_new,
                            GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) || !db_run(store->db,
                                                            "INSERT INTO inbound (account, fingerprint, at_ms) VALUES ($1, "
                                                            "$2, $3) ON CONFLICT (account, fingerprint) DO NOTHING",
                                                            error, DB_TEXT(account), DB_TEXT(fingerprint), DB_INT(now_ms)))
        return FALSE;
    gboolean is_new = db_changes(store->db) > 0;
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_new = is_new;
    return TRUE;
}
