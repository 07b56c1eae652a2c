/*
 * What outlives the daemon of an account: that it is paused, and why.
 */
#include "store/accounts.h"

#include "store/internal.h"
#include "store/outbox.h"

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

static gboolean count_kind(Store *store, const char *account, gint64 since_ms, const char *kind, guint64 *ret_count, GError **error)
{
    gint64 count = 0;
    if (!db_run_int(store->db,
                    "SELECT count(*) FROM interaction WHERE account = $1 AND at_ms >= $2 AND kind IN ('bounce', 'complaint') AND kind = $3",
                    NULL, &count, error, DB_TEXT(account), DB_INT(since_ms), DB_TEXT(kind)))
        return FALSE;
    *ret_count = (guint64)count;
    return TRUE;
}

gboolean store_account_record(Store *store, const char *account, gint64 since_ms, AccountRecord *ret_record, GError **error)
{
    AccountRecord record = {0};
    gint64 changed_ms = 0;
    if (!db_run_int(store->db, "SELECT changed_ms FROM account WHERE name = $1", NULL, &changed_ms, error, DB_TEXT(account)))
        return FALSE;
    since_ms = MAX(since_ms, changed_ms);
    if (!store_outbox_count_between(store, account, since_ms, G_MAXINT64, &record.tried, error) ||
        !count_kind(store, account, since_ms, "bounce", &record.bounces, error) ||
        !count_kind(store, account, since_ms, "complaint", &record.complaints, error))
        return FALSE;
    *ret_record = record;
    return TRUE;
}
