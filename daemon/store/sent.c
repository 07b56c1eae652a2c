/*
 * Copies to be filed and messages to be searched for, beside the outbox rows that they are about. Whether a copy may be filed, and a
 * search is still wanted, is told by the row's own state at the time of asking.
 */
#include "store/sent.h"

#include <string.h>

#include "store/internal.h"

/* ---- copies ---------------------------------------------------------------------------------------------------------- */

void sent_copy_free(SentCopy *copy)
{
    if (copy == NULL)
        return;
    g_free(copy->message_id);
    g_free(copy);
}

gboolean store_copy_keep(Store *store, gint64 outbox_id, const char *account, gint64 at_ms, const char *content,
                         gboolean *ret_kept, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "INSERT INTO sent_copy (outbox_id, account, at_ms, octets, content)"
                " SELECT $1, $2, $3, $4, $5 WHERE"
                "     (SELECT coalesce(sum(octets), 0) FROM sent_copy WHERE account = $2) + $4 <= $6"
                " ON CONFLICT (outbox_id) DO UPDATE SET account = excluded.account, at_ms = excluded.at_ms,"
                "     octets = excluded.octets, content = excluded.content",
                error, DB_INT(outbox_id), DB_TEXT(account), DB_INT(at_ms), DB_INT((gint64)strlen(content)), DB_TEXT(content),
                DB_INT(SENT_COPIES_OCTETS)))
        return FALSE;
    gboolean kept = db_changes(store->db) > 0;
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_kept = kept;
    return TRUE;
}

gboolean store_copies_next(Store *store, const char *account, guint limit, GPtrArray **ret_copies, GError **error)
{
    g_autoptr(GPtrArray) copies = g_ptr_array_new_with_free_func((GDestroyNotify)sent_copy_free);
    g_autoptr(DbStatement) rows = db_query(
        store->db,
        "SELECT s.id, s.outbox_id, o.message_id, s.at_ms, s.tries FROM sent_copy s JOIN outbox o ON o.id = s.outbox_id"
        " WHERE s.account = $1 AND o.state = 'sent' ORDER BY s.tries, s.id LIMIT $2",
        error, DB_TEXT(account), DB_INT(limit));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW) {
        SentCopy *copy = g_new0(SentCopy, 1);
        copy->id = db_int(rows, 0);
        copy->outbox_id = db_int(rows, 1);
        copy->message_id = g_strdup(db_text(rows, 2));
        copy->at_ms = db_int(rows, 3);
        copy->tries = (guint)db_int(rows, 4);
        g_ptr_array_add(copies, copy);
    }
    if (step == DB_FAILED)
        return FALSE;
    *ret_copies = g_steal_pointer(&copies);
    return TRUE;
}

gboolean store_copy_content(Store *store, gint64 id, char **ret_content, GError **error)
{
    g_autoptr(DbStatement) row = db_query(store->db, "SELECT content FROM sent_copy WHERE id = $1", error, DB_INT(id));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_content = step == DB_ROW ? g_strdup(db_text(row, 0)) : NULL;
    return TRUE;
}

gboolean store_copy_tried(Store *store, gint64 id, GError **error)
{
    return store_write_run(store, "UPDATE sent_copy SET tries = tries + 1 WHERE id = $1", error, DB_INT(id));
}

gboolean store_copy_done(Store *store, gint64 outbox_id, GError **error)
{
    return store_write_run(store, "DELETE FROM sent_copy WHERE outbox_id = $1", error, DB_INT(outbox_id));
}

gboolean store_copies_drop(Store *store, const char *account, gint64 before_ms, guint64 *ret_dropped, GError **error)
{
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(
            store->db,
            "DELETE FROM sent_copy WHERE ($1 = '' OR account = $1) AND EXISTS (SELECT 1 FROM outbox o WHERE o.id = sent_copy.outbox_id"
            " AND o.state IN ('failed', 'cancelled', 'skipped'))",
            error, DB_TEXT(account)) ||
        !db_run(store->db, "DELETE FROM sent_copy WHERE ($1 = '' OR account = $1) AND at_ms < $2", error, DB_TEXT(account),
                DB_INT(before_ms)))
        return FALSE;
    guint64 dropped = (guint64)db_changes(store->db);
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_dropped = dropped;
    return TRUE;
}

gboolean store_copies_count(Store *store, const char *account, guint64 *ret_count, gint64 *ret_newest_id, GError **error)
{
    gint64 count = 0, newest = 0;
    if (!db_run_int(store->db,
                    "SELECT count(*) FROM sent_copy s JOIN outbox o ON o.id = s.outbox_id WHERE s.account = $1"
                    " AND o.state = 'sent'",
                    NULL, &count, error, DB_TEXT(account)) ||
        !db_run_int(store->db, "SELECT coalesce(max(id), 0) FROM sent_copy WHERE account = $1", NULL, &newest, error,
                    DB_TEXT(account)))
        return FALSE;
    if (ret_count != NULL)
        *ret_count = (guint64)count;
    if (ret_newest_id != NULL)
        *ret_newest_id = newest;
    return TRUE;
}

/* ---- searches -------------------------------------------------------------------------------------------------------- */

#define SEARCH_SELECT                                                                                                       \
    "SELECT s.outbox_id, o.message_id, o.sending_ms, s.tries, s.due_ms FROM sent_search s JOIN outbox o ON o.id = "         \
    "s.outbox_id "

void sent_search_free(SentSearch *search)
{
    if (search == NULL)
        return;
    g_free(search->message_id);
    g_free(search);
}

static SentSearch *search_of(DbStatement *row)
{
    SentSearch *search = g_new0(SentSearch, 1);
    search->outbox_id = db_int(row, 0);
    search->message_id = g_strdup(db_text(row, 1));
    search->sending_ms = db_int(row, 2);
    search->tries = (guint)db_int(row, 3);
    search->due_ms = db_int(row, 4);
    return search;
}

gboolean store_search_begin(Store *store, gint64 outbox_id, gint64 due_ms, GError **error)
{
    return store_write_run(store,
                           "INSERT INTO sent_search (outbox_id, tries, due_ms) VALUES ($1, 0, $2)"
                           " ON CONFLICT (outbox_id) DO UPDATE SET tries = 0, due_ms = excluded.due_ms",
                           error, DB_INT(outbox_id), DB_INT(due_ms));
}

gboolean store_searches_due(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_searches,
                            GError **error)
{
    g_autoptr(GPtrArray) searches = g_ptr_array_new_with_free_func((GDestroyNotify)sent_search_free);
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 SEARCH_SELECT "WHERE s.due_ms > 0 AND s.due_ms <= $2 AND o.account = $1 AND o.state = 'uncertain'"
                               " ORDER BY s.due_ms, s.outbox_id LIMIT $3",
                 error, DB_TEXT(account), DB_INT(now_ms), DB_INT(limit));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_ptr_array_add(searches, search_of(rows));
    if (step == DB_FAILED)
        return FALSE;
    *ret_searches = g_steal_pointer(&searches);
    return TRUE;
}

gboolean store_search_next_due(Store *store, const char *account, gint64 *ret_at_ms, GError **error)
{
    return db_run_int(store->db,
                      "SELECT s.due_ms FROM sent_search s JOIN outbox o ON o.id = s.outbox_id WHERE s.due_ms > 0"
                      " AND o.account = $1 AND o.state = 'uncertain' ORDER BY s.due_ms LIMIT 1",
                      NULL, ret_at_ms, error, DB_TEXT(account));
}

gboolean store_search_tried(Store *store, gint64 outbox_id, gint64 due_ms, GError **error)
{
    return store_write_run(store, "UPDATE sent_search SET tries = tries + 1, due_ms = $2 WHERE outbox_id = $1", error,
                           DB_INT(outbox_id), DB_INT(due_ms));
}

gboolean store_search_get(Store *store, gint64 outbox_id, SentSearch **ret_search, GError **error)
{
    g_autoptr(DbStatement) row = db_query(store->db, SEARCH_SELECT "WHERE s.outbox_id = $1", error, DB_INT(outbox_id));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_search = step == DB_ROW ? search_of(row) : NULL;
    return TRUE;
}
