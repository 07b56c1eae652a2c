/*
 * What outlives the daemon of an account: that it is paused, and why.
 */
#include "store/accounts.h"

#include "store/internal.h"

gboolean store_account_pause_get(Store *store, const char *account, char **ret_reason, GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db, "SELECT pause_reason FROM account WHERE name = $1", error, DB_TEXT(account));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_reason = g_strdup(step == DB_ROW ? db_text(row, 0) : "");
    return TRUE;
}

gboolean store_account_pause_set(Store *store, const char *account, const char *reason, gint64 now_ms, GError **error)
{
    return store_write_run(
        store,
        "INSERT INTO account (name, pause_reason, changed_ms) VALUES ($1, $2, $3)"
        " ON CONFLICT (name) DO UPDATE SET pause_reason = excluded.pause_reason, changed_ms = excluded.changed_ms",
        error, DB_TEXT(account), DB_TEXT(reason), DB_INT(now_ms));
}
