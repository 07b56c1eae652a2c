/*
 * Enrolments: rows of a contact's passage through a rule, unique by contact, rule and round. The states are told in
 * include/store/enrolments.h. Those that wait for the time of their step stand in enrolment_due, too, and are written there with each call.
 * No state of its own; runs in the thread of its Store.
 */
#include "store/enrolments.h"

#include "store/internal.h"

/* due_ms: what the row says is the time of the step that is next, or was until it came to the outbox; enrolment_due has those that still
 * wait for theirs. */
#define ENROLMENT_SELECT                                                                                                    \
    "SELECT e.id, e.contact_id, e.rule, e.round, e.state, e.stage, e.anchor_ms, e.next_step,"                               \
    " CASE WHEN EXISTS (SELECT 1 FROM enrolment_due d WHERE d.due_ms = e.due_ms AND d.enrolment_id = e.id)"                 \
    " THEN e.due_ms ELSE 0 END,"                                                                                            \
    " e.last_step_ms, e.history_mark, e.enrolled_ms, e.ended_ms, e.end_reason FROM "

static const char *const state_names[] = {
    [ENROLMENT_ACTIVE] = "active", [ENROLMENT_DONE] = "done", [ENROLMENT_ENDED] = "ended"};

static const char *state_name(EnrolmentState state)
{
    g_assert((guint)state < G_N_ELEMENTS(state_names));
    return state_names[state];
}

static EnrolmentState state_of(const char *name)
{
    return name[0] == 'a' ? ENROLMENT_ACTIVE : name[0] == 'd' ? ENROLMENT_DONE : ENROLMENT_ENDED;
}

void enrolment_free(Enrolment *enrolment)
{
    if (enrolment == NULL)
        return;
    g_free(enrolment->rule);
    g_free(enrolment->stage);
    g_free(enrolment->next_step);
    g_free(enrolment->end_reason);
    g_free(enrolment);
}

static Enrolment *enrolment_of(DbStatement *row)
{
    Enrolment *enrolment = g_new0(Enrolment, 1);
    enrolment->id = db_int(row, 0);
    enrolment->contact_id = db_int(row, 1);
    enrolment->rule = g_strdup(db_text(row, 2));
    enrolment->round = (guint)db_int(row, 3);
    enrolment->state = state_of(db_text(row, 4));
    enrolment->stage = g_strdup(db_text(row, 5));
    enrolment->anchor_ms = db_int(row, 6);
    enrolment->next_step = g_strdup(db_text(row, 7));
    enrolment->due_ms = db_int(row, 8);
    enrolment->last_step_ms = db_int(row, 9);
    enrolment->history_mark = db_int(row, 10);
    enrolment->enrolled_ms = db_int(row, 11);
    enrolment->ended_ms = db_int(row, 12);
    enrolment->end_reason = g_strdup(db_text(row, 13));
    return enrolment;
}

static gboolean read_all(DbStatement *rows, GPtrArray **ret_enrolments, GError **error)
{
    g_autoptr(GPtrArray) enrolments = g_ptr_array_new_with_free_func((GDestroyNotify)enrolment_free);
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_ptr_array_add(enrolments, enrolment_of(rows));
    if (step == DB_FAILED)
        return FALSE;
    *ret_enrolments = g_steal_pointer(&enrolments);
    return TRUE;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static gboolean add_due(Store *store, const Enrolment *enrolment, GError **error)
{
    return enrolment->state != ENROLMENT_ACTIVE || enrolment->due_ms <= 0 ||
           db_run(store->db, "INSERT INTO enrolment_due (due_ms, enrolment_id) VALUES ($1, $2)", error, DB_INT(enrolment->due_ms),
                  DB_INT(enrolment->id));
}

/* Before the row is written, which says where to look. */
static gboolean remove_due(Store *store, gint64 id, GError **error)
{
    return db_run(store->db,
                  "DELETE FROM enrolment_due WHERE due_ms = (SELECT due_ms FROM enrolment WHERE id = $1) AND enrolment_id = $1", error,
                  DB_INT(id));
}

gboolean store_enrolment_add(Store *store, Enrolment *enrolment, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gboolean added = FALSE;
    gint64 id = 0;
    if (!store_write_begin(store, &write, error) ||
        !db_insert(store->db,
                   "INSERT INTO enrolment (contact_id, rule, round, state, stage, anchor_ms, next_step, due_ms, "
                   "last_step_ms, history_mark,"
                   " enrolled_ms, ended_ms, end_reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
                   " ON CONFLICT (contact_id, rule, round) DO NOTHING",
                   &added, &id, error, DB_INT(enrolment->contact_id), DB_TEXT(enrolment->rule), DB_INT(enrolment->round),
                   DB_TEXT(state_name(enrolment->state)), DB_TEXT(enrolment->stage), DB_INT(enrolment->anchor_ms),
                   DB_TEXT(enrolment->next_step), DB_INT(enrolment->due_ms), DB_INT(enrolment->last_step_ms),
                   DB_INT(enrolment->history_mark), DB_INT(enrolment->enrolled_ms), DB_INT(enrolment->ended_ms),
                   DB_TEXT(enrolment->end_reason)))
        return FALSE;
    if (!added) {
        store_write_void(&write);
        g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS, "round %u of rule %s is there already", enrolment->round,
                    enrolment->rule);
        return FALSE;
    }
    Enrolment stored = *enrolment;
    stored.id = id;
    if (!add_due(store, &stored, error) || !store_write_end(&write, error))
        return FALSE;
    enrolment->id = id;
    return TRUE;
}

/* The state on its own, since it seldom changes: a statement that names it writes the index enrolment_active anew, a page far from all others. */
gboolean store_enrolment_update(Store *store, const Enrolment *enrolment, GError **error)
{
    g_auto(StoreWrite) write = {0};
    return store_write_begin(store, &write, error) && remove_due(store, enrolment->id, error) &&
           db_run(store->db,
                  "UPDATE enrolment SET stage = $2, anchor_ms = $3, next_step = $4, due_ms = $5, last_step_ms = $6,"
                  " history_mark = $7, enrolled_ms = $8, ended_ms = $9, end_reason = $10 WHERE id = $1",
                  error, DB_INT(enrolment->id), DB_TEXT(enrolment->stage), DB_INT(enrolment->anchor_ms),
                  DB_TEXT(enrolment->next_step), DB_INT(enrolment->due_ms), DB_INT(enrolment->last_step_ms),
                  DB_INT(enrolment->history_mark), DB_INT(enrolment->enrolled_ms), DB_INT(enrolment->ended_ms),
                  DB_TEXT(enrolment->end_reason)) &&
           db_run(store->db, "UPDATE enrolment SET state = $2 WHERE id = $1 AND state <> $2", error, DB_INT(enrolment->id),
                  DB_TEXT(state_name(enrolment->state))) &&
           add_due(store, enrolment, error) && store_write_end(&write, error);
}

gboolean store_enrolment_queued(Store *store, Enrolment *enrolment, GError **error)
{
    if (!store_write_run(store, "DELETE FROM enrolment_due WHERE due_ms = $1 AND enrolment_id = $2", error, DB_INT(enrolment->due_ms),
                         DB_INT(enrolment->id)))
        return FALSE;
    enrolment->due_ms = 0;
    return TRUE;
}

gboolean store_enrolment_end(Store *store, gint64 id, const char *reason, gint64 now_ms, GError **error)
{
    g_auto(StoreWrite) write = {0};
    return store_write_begin(store, &write, error) && remove_due(store, id, error) &&
           db_run(store->db,
                  "UPDATE enrolment SET state = 'ended', due_ms = 0, ended_ms = $3, end_reason = $2 WHERE id = $1 AND state "
                  "= 'active'",
                  error, DB_INT(id), DB_TEXT(reason), DB_INT(now_ms)) &&
           db_run(store->db,
                  "UPDATE outbox SET state = 'cancelled', ended_ms = $3, reason = $2"
                  " WHERE enrolment_id = $1 AND state IN ('queued', 'deferred', 'held')",
                  error, DB_INT(id), DB_TEXT(reason), DB_INT(now_ms)) &&
           store_write_end(&write, error);
}

gboolean enrolments_forget_due(Store *store, gint64 contact_id, GError **error)
{
    return db_run(store->db,
                  "DELETE FROM enrolment_due WHERE (due_ms, enrolment_id) IN (SELECT due_ms, id FROM enrolment WHERE contact_id = $1)", error,
                  DB_INT(contact_id));
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

gboolean store_enrolment_get(Store *store, gint64 id, Enrolment **ret_enrolment, GError **error)
{
    g_autoptr(DbStatement) row = db_query(store->db, ENROLMENT_SELECT "enrolment e WHERE e.id = $1", error, DB_INT(id));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_enrolment = step == DB_ROW ? enrolment_of(row) : NULL;
    return TRUE;
}

gboolean store_enrolments_of(Store *store, gint64 contact_id, GPtrArray **ret_enrolments, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, ENROLMENT_SELECT "enrolment e WHERE e.contact_id = $1 ORDER BY e.rule, e.round", error, DB_INT(contact_id));
    return read_all(rows, ret_enrolments, error);
}

gboolean store_enrolments_marked(Store *store, gint64 last_mark, GPtrArray **ret_enrolments, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db,
                                           ENROLMENT_SELECT "mark m JOIN enrolment e ON e.contact_id = m.contact_id"
                                                            " WHERE m.id > 0 AND m.id <= $1 ORDER BY m.id, e.rule, e.round",
                                           error, DB_INT(last_mark));
    return read_all(rows, ret_enrolments, error);
}

gboolean store_enrolments_due(Store *store, gint64 now_ms, guint limit, GPtrArray **ret_enrolments, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db,
                                           ENROLMENT_SELECT "enrolment_due n JOIN enrolment e ON e.id = n.enrolment_id"
                                                            " WHERE n.due_ms <= $1 ORDER BY n.due_ms, n.enrolment_id LIMIT $2",
                                           error, DB_INT(now_ms), DB_INT(limit));
    return read_all(rows, ret_enrolments, error);
}

gboolean store_enrolments_next_due(Store *store, gint64 *ret_at_ms, GError **error)
{
    return db_run_int(store->db, "SELECT coalesce(min(due_ms), 0) FROM enrolment_due", NULL, ret_at_ms, error);
}

gboolean store_enrolments_count_active(Store *store, guint64 *ret_count, GError **error)
{
    gint64 count = 0;
    if (!db_run_int(store->db, "SELECT count(*) FROM enrolment WHERE state = 'active'", NULL, &count, error))
        return FALSE;
    *ret_count = (guint64)count;
    return TRUE;
}
