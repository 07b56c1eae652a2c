/*
 * Tasks of the contacts' owners. No state of its own; runs in the thread of its Store.
 *
 *     open --done--> done --reopened--> open
 */
#include "store/tasks.h"

#include "store/internal.h"

#define TASK_SELECT                                                                                                         \
    "SELECT t.id, t.contact_id, c.email, trim(c.first_name || ' ' || c.last_name), t.owner, t.text, t.source, t.rule, t.step," \
    " t.due_ms, t.created_ms, t.done_ms FROM task t JOIN contact c ON c.id = t.contact_id "

void owner_task_free(OwnerTask *task)
{
    if (task == NULL)
        return;
    g_free(task->email);
    g_free(task->name);
    g_free(task->owner);
    g_free(task->text);
    g_free(task->source);
    g_free(task->rule);
    g_free(task->step);
    g_free(task);
}

static OwnerTask *task_of(DbStatement *row)
{
    OwnerTask *task = g_new0(OwnerTask, 1);
    task->id = db_int(row, 0);
    task->contact_id = db_int(row, 1);
    task->email = g_strdup(db_text(row, 2));
    task->name = g_strdup(db_text(row, 3));
    task->owner = g_strdup(db_text(row, 4));
    task->text = g_strdup(db_text(row, 5));
    task->source = g_strdup(db_text(row, 6));
    task->rule = g_strdup(db_text(row, 7));
    task->step = g_strdup(db_text(row, 8));
    task->due_ms = db_int(row, 9);
    task->created_ms = db_int(row, 10);
    task->done_ms = db_int(row, 11);
    return task;
}

/* ---- changing --------------------------------------------------------------------------------------------------------- */

static gboolean tell(Store *store, const OwnerTask *task, const char *detail, const char *text, gint64 at_ms, GError **error)
{
    const Interaction interaction = {
        .contact_id = task->contact_id,
        .at_ms = at_ms,
        .kind = INTERACTION_TASK,
        .account = task->owner,
        .rule = task->rule,
        .step = task->step,
        .subject = task->text,
        .text = text,
        .detail = detail,
    };
    return store_history_add(store, &interaction, NULL, error);
}

gboolean store_task_add(Store *store, const OwnerTask *task, const Interaction *told, gint64 *ret_id, GError **error)
{
    g_autofree char *owner_key = store_key(task->owner);
    g_auto(StoreWrite) write = {0};
    gint64 id = 0;
    gboolean added = FALSE;
    if (!store_write_begin(store, &write, error) ||
        !db_insert(store->db,
                   "INSERT INTO task (contact_id, owner, owner_key, text, source, rule, step, due_ms, created_ms, outbox_id)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (outbox_id) DO NOTHING",
                   &added, &id, error, DB_INT(task->contact_id), DB_TEXT(task->owner), DB_TEXT(owner_key), DB_TEXT(task->text),
                   DB_TEXT(task->source), DB_TEXT(task->rule), DB_TEXT(task->step), DB_INT(task->due_ms),
                   DB_INT(task->created_ms), task->outbox_id != 0 ? DB_INT(task->outbox_id) : DB_NULL) ||
        !(told != NULL ? store_history_add(store, told, NULL, error) : tell(store, task, "to do", "", task->created_ms, error)) ||
        !store_write_end(&write, error))
        return FALSE;
    if (ret_id != NULL && added)
        *ret_id = id;
    return TRUE;
}

gboolean store_task_set_done(Store *store, gint64 id, gint64 done_ms, const char *note, gint64 now_ms, gboolean *ret_changed, GError **error)
{
    g_autoptr(OwnerTask) task = NULL;
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) || !store_task_get(store, id, &task, error))
        return FALSE;
    gboolean changes = task != NULL && (task->done_ms == 0) != (done_ms == 0);
    if (changes && (!db_run(store->db, "UPDATE task SET done_ms = $2 WHERE id = $1", error, DB_INT(id), DB_INT(done_ms)) ||
                    !tell(store, task, done_ms != 0 ? "done" : "to be done again", note, now_ms, error)))
        return FALSE;
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_changed = changes;
    return TRUE;
}

gboolean store_task_update(Store *store, const OwnerTask *task, GError **error)
{
    g_autofree char *owner_key = store_key(task->owner);
    return store_write_run(store, "UPDATE task SET owner = $2, owner_key = $3, text = $4, due_ms = $5 WHERE id = $1", error,
                           DB_INT(task->id), DB_TEXT(task->owner), DB_TEXT(owner_key), DB_TEXT(task->text), DB_INT(task->due_ms));
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

gboolean store_task_get(Store *store, gint64 id, OwnerTask **ret_task, GError **error)
{
    g_autoptr(DbStatement) row = db_query(store->db, TASK_SELECT "WHERE t.id = $1", error, DB_INT(id));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_task = step == DB_ROW ? task_of(row) : NULL;
    return TRUE;
}

/* Of one contact by its index, else by due time, so that the open ones alone are looked at. */
static DbStatement *query(Store *store, const TaskFilter *filter, const char *owner_key, GError **error)
{
    gint64 before_ms = filter->due_before_ms;
#define FILTER " ($1 = '' OR t.owner_key = $1) AND ($2 = 0 OR (t.due_ms > 0 AND t.due_ms < $2))"
#define ORDER " ORDER BY t.done_ms > 0, CASE WHEN t.done_ms > 0 THEN -t.done_ms ELSE t.due_ms = 0 END, t.due_ms, t.id"
    if (filter->contact_id != 0)
        return db_query(store->db, TASK_SELECT "WHERE t.contact_id = $3 AND ($4 OR t.done_ms = 0) AND" FILTER ORDER, error,
                        DB_TEXT(owner_key), DB_INT(before_ms), DB_INT(filter->contact_id), DB_INT(filter->with_done ? 1 : 0));
    return filter->with_done ? db_query(store->db, TASK_SELECT "WHERE" FILTER ORDER, error, DB_TEXT(owner_key), DB_INT(before_ms))
                             : db_query(store->db, TASK_SELECT "WHERE t.done_ms = 0 AND" FILTER ORDER, error, DB_TEXT(owner_key),
                                        DB_INT(before_ms));
#undef FILTER
#undef ORDER
}

gboolean store_task_each(Store *store, const TaskFilter *filter, gboolean (*func)(const OwnerTask *task, gpointer data), gpointer data, GError **error)
{
    g_autofree char *owner_key = store_key(filter->owner);
    g_autoptr(DbStatement) rows = query(store, filter, owner_key, error);
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        g_autoptr(OwnerTask) task = task_of(rows);
        go_on = func(task, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}
