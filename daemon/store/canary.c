/*
 * One row an account.
 */
#include "store/canary.h"

#include "store/internal.h"

void canary_record_clear(CanaryRecord *record)
{
    g_clear_pointer(&record->message_id, g_free);
    g_clear_pointer(&record->reason, g_free);
    g_clear_pointer(&record->results, g_free);
}

gboolean canary_record_is_under_way(const CanaryRecord *record)
{
    return *record->message_id != '\0' && record->ended_ms < record->sent_ms;
}

gboolean store_canary_get(Store *store, const char *account, CanaryRecord *ret_record, GError **error)
{
    g_autoptr(DbStatement) row = db_query(
        store->db, "SELECT message_id, sent_ms, ended_ms, failed, reason, results FROM canary WHERE account = $1", error, DB_TEXT(account));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    gboolean found = step == DB_ROW;
    *ret_record = (CanaryRecord){
        .message_id = g_strdup(found ? db_text(row, 0) : ""),
        .sent_ms = found ? db_int(row, 1) : 0,
        .ended_ms = found ? db_int(row, 2) : 0,
        .failed = found && db_int(row, 3) != 0,
        .reason = g_strdup(found ? db_text(row, 4) : ""),
        .results = g_strdup(found ? db_text(row, 5) : ""),
    };
    return TRUE;
}

gboolean store_canary_begin(Store *store, const char *account, const char *message_id, gint64 sent_ms, GError **error)
{
    return store_write_run(store,
                           "INSERT INTO canary (account, message_id, sent_ms) VALUES ($1, $2, $3)"
                           " ON CONFLICT (account) DO UPDATE SET message_id = excluded.message_id, sent_ms = excluded.sent_ms",
                           error, DB_TEXT(account), DB_TEXT(message_id), DB_INT(sent_ms));
}

gboolean store_canary_withdraw(Store *store, const char *account, GError **error)
{
    return store_write_run(store, "UPDATE canary SET message_id = '' WHERE account = $1", error, DB_TEXT(account));
}

gboolean store_canary_end(Store *store, const char *account, gint64 ended_ms, gboolean failed, const char *reason, const char *results,
                          GError **error)
{
    return store_write_run(store, "UPDATE canary SET ended_ms = $2, failed = $3, reason = $4, results = $5 WHERE account = $1", error,
                           DB_TEXT(account), DB_INT(ended_ms), DB_INT(failed ? 1 : 0), DB_TEXT(reason), DB_TEXT(results));
}
