/*
 * Notices to the accounts' owners. No state of its own; runs in the thread of its Store.
 */
#include "store/notices.h"

#include "store/internal.h"

#define KEPT_MS ((gint64)30 * 24 * 3600 * 1000)

void notice_free(Notice *notice)
{
    if (notice == NULL)
        return;
    g_free(notice->account);
    g_free(notice->subject);
    g_free(notice->text);
    g_free(notice->message_id);
    g_free(notice);
}

gboolean store_notice_add(Store *store, const Notice *notice, gint64 history_mark, GError **error)
{
    return store_write_run(store,
                           "INSERT INTO notice (account, is_digest, subject, text, message_id, state, created_ms, history_mark)"
                           " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                           error, DB_TEXT(notice->account), DB_INT(notice->is_digest ? 1 : 0), DB_TEXT(notice->subject), DB_TEXT(notice->text),
                           DB_TEXT(notice->message_id), DB_TEXT(notice->text != NULL ? "queued" : "empty"), DB_INT(notice->created_ms),
                           DB_INT(history_mark));
}

gboolean store_notice_last_digest(Store *store, const char *account, gint64 *ret_at_ms, gint64 *ret_history_mark, GError **error)
{
    g_autoptr(DbStatement) row =
        db_query(store->db, "SELECT created_ms, history_mark FROM notice WHERE account = $1 AND is_digest = 1 ORDER BY id DESC LIMIT 1", error,
                 DB_TEXT(account));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_at_ms = step == DB_ROW ? db_int(row, 0) : 0;
    *ret_history_mark = step == DB_ROW ? db_int(row, 1) : 0;
    return TRUE;
}

gboolean store_notice_count(Store *store, const char *account, gint64 since_ms, guint *ret_count, GError **error)
{
    gint64 count = 0;
    if (!db_run_int(store->db, "SELECT count(*) FROM notice WHERE account = $1 AND is_digest = 0 AND created_ms >= $2", NULL, &count, error,
                    DB_TEXT(account), DB_INT(since_ms)))
        return FALSE;
    *ret_count = (guint)count;
    return TRUE;
}

static Notice *notice_of(DbStatement *row)
{
    Notice *notice = g_new0(Notice, 1);
    notice->id = db_int(row, 0);
    notice->account = g_strdup(db_text(row, 1));
    notice->is_digest = db_int(row, 2) != 0;
    notice->subject = g_strdup(db_text(row, 3));
    notice->text = g_strdup(db_text(row, 4));
    notice->message_id = g_strdup(db_text(row, 5));
    notice->tries = (guint)db_int(row, 6);
    notice->created_ms = db_int(row, 7);
    return notice;
}

static gboolean read_oldest(Store *store, const char *account, Notice **ret_notice, GError **error)
{
    g_autoptr(DbStatement) row = db_query(store->db,
                                          "SELECT id, account, is_digest, subject, text, message_id, tries, created_ms FROM notice"
                                          " WHERE state = 'queued' AND account = $1 ORDER BY id LIMIT 1",
                                          error, DB_TEXT(account));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_notice = step == DB_ROW ? notice_of(row) : NULL;
    return TRUE;
}

gboolean store_notice_take(Store *store, const char *account, Notice **ret_notice, GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autoptr(Notice) notice = NULL;
    if (!store_write_begin(store, &write, error) || !read_oldest(store, account, &notice, error) ||
        (notice != NULL && !db_run(store->db, "UPDATE notice SET state = 'sending' WHERE id = $1", error, DB_INT(notice->id))) ||
        !store_write_end(&write, error))
        return FALSE;
    *ret_notice = g_steal_pointer(&notice);
    return TRUE;
}

gboolean store_notice_end(Store *store, gint64 id, gboolean sent, gboolean failed, gint64 now_ms, GError **error)
{
    g_auto(StoreWrite) write = {0};
    const char *state = sent ? "sent" : failed ? "failed" : "queued";
    return store_write_begin(store, &write, error) &&
           db_run(store->db, "UPDATE notice SET state = $2, tries = tries + 1, text = CASE WHEN $2 = 'queued' THEN text ELSE '' END WHERE id = $1",
                  error, DB_INT(id), DB_TEXT(state)) &&
           db_run(store->db, "DELETE FROM notice WHERE created_ms < $1 AND state <> 'queued' AND state <> 'sending'", error,
                  DB_INT(now_ms - KEPT_MS)) &&
           store_write_end(&write, error);
}

gboolean store_notice_recover(Store *store, GError **error)
{
    return store_write_run(store, "UPDATE notice SET state = 'queued' WHERE state = 'sending'", error);
}
