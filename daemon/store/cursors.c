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

gboolean store_cursors_clear(Store *store, const char *account, GError **error)
{
    return store_write_run(store, "DELETE FROM mailbox_cursor WHERE account = $1", error, DB_TEXT(account));
}

gboolean store_inbound_seen(Store *store, const char *account, const char *fingerprint, gboolean *ret_seen, GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db, "SELECT 1 FROM inbound WHERE fingerprint = $1 AND (account = $2 OR filed = 1) LIMIT 1", error,
                 DB_TEXT(fingerprint), DB_TEXT(account));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step != DB_FAILED)
        *ret_seen = step == DB_ROW;
    return step != DB_FAILED;
}

gboolean store_inbound_add(Store *store, const char *account, const char *fingerprint, gboolean filed, gint64 now_ms, GError **error)
{
    return store_write_run(store,
                           "INSERT INTO inbound (fingerprint, account, filed, at_ms) VALUES ($1, $2, $3, $4)"
                           " ON CONFLICT (fingerprint, account) DO NOTHING",
                           error, DB_TEXT(fingerprint), DB_TEXT(account), DB_INT(filed ? 1 : 0), DB_INT(now_ms));
}
