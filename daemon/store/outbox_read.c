/*
 * Reading the outbox: what is due, tries made (for the limits), the conversation, lists and counts. Moving rows is in outbox.c.
 */
#include "store/internal.h"
#include "store/outbox.h"
#include "store/outbox_words.h"

/* What waits and has a time: the condition of the indexes outbox_due and outbox_oldest. */
#define WAITS "o.state IN ('queued', 'deferred') AND o.due_ms > 0"

#define OUTBOX_SELECT                                                                                                       \
    "SELECT o.id, o.enrolment_id, o.contact_id, c.email, o.account, o.rule, o.step, o.round, o.state, o.planned_ms, "       \
    "o.due_ms, o.attempts,"                                                                                                 \
    " o.message_id, o.in_reply_to, o.reference_ids, o.subject, o.reason, o.created_ms, o.sending_ms, o.ended_ms,"           \
    " o.priority, o.is_task, o.approval, o.variant"                                                                                    \
    " FROM outbox o JOIN contact c ON c.id = o.contact_id "

void outbox_message_free(OutboxMessage *message)
{
    if (message == NULL)
        return;
    g_free(message->email);
    g_free(message->account);
    g_free(message->rule);
    g_free(message->step);
    g_free(message->variant);
    g_free(message->message_id);
    g_free(message->in_reply_to);
    g_free(message->references);
    g_free(message->subject);
    g_free(message->reason);
    g_free(message);
}

static OutboxMessage *message_of(DbStatement *row)
{
    OutboxMessage *message = g_new0(OutboxMessage, 1);
    message->id = db_int(row, 0);
    message->enrolment_id = db_int(row, 1);
    message->contact_id = db_int(row, 2);
    message->email = g_strdup(db_text(row, 3));
    message->account = g_strdup(db_text(row, 4));
    message->rule = g_strdup(db_text(row, 5));
    message->step = g_strdup(db_text(row, 6));
    message->round = (guint)db_int(row, 7);
    message->state = OUTBOX_HELD;
    outbox_state_parse(db_text(row, 8), &message->state);
    message->planned_ms = db_int(row, 9);
    message->due_ms = db_int(row, 10);
    message->attempts = (guint)db_int(row, 11);
    message->message_id = g_strdup(db_text(row, 12));
    message->in_reply_to = g_strdup(db_text(row, 13));
    message->references = g_strdup(db_text(row, 14));
    message->subject = g_strdup(db_text(row, 15));
    message->reason = g_strdup(db_text(row, 16));
    message->created_ms = db_int(row, 17);
    message->sending_ms = db_int(row, 18);
    message->ended_ms = db_int(row, 19);
    message->priority = (int)db_int(row, 20);
    message->is_task = db_int(row, 21) != 0;
    message->approval = outbox_approval_parse(db_text(row, 22));
    message->variant = g_strdup(db_text(row, 23));
    return message;
}

static gboolean read_one(DbStatement *rows, OutboxMessage **ret_message, GError **error)
{
    DbStep step = rows != NULL ? db_step(rows, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_message = step == DB_ROW ? message_of(rows) : NULL;
    return TRUE;
}

static GPtrArray *messages_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)outbox_message_free);
}

static gboolean append_all(DbStatement *rows, GPtrArray *messages, GError **error)
{
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_ptr_array_add(messages, message_of(rows));
    return step != DB_FAILED;
}

static gboolean read_all(DbStatement *rows, GPtrArray **ret_messages, GError **error)
{
    g_autoptr(GPtrArray) messages = messages_new();
    if (!append_all(rows, messages, error))
        return FALSE;
    *ret_messages = g_steal_pointer(&messages);
    return TRUE;
}

gboolean store_outbox_get(Store *store, gint64 id, OutboxMessage **ret_message, GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, OUTBOX_SELECT "WHERE o.id = $1", error, DB_INT(id));
    return read_one(rows, ret_message, error);
}

/* ---- what is due ------------------------------------------------------------------------------------------------------ */

/* The highest priority below another that something of the account waits with: one step along outbox_due. */
static gboolean next_priority(Store *store, const char *account, gint64 below, gboolean *ret_found, gint64 *ret_priority,
                              GError **error)
{
    return db_run_int(store->db,
                      "SELECT o.priority FROM outbox o WHERE o.account = $1 AND o.priority < $2 AND " WAITS
                      " ORDER BY o.priority DESC LIMIT 1",
                      ret_found, ret_priority, error, DB_TEXT(account), DB_INT(below));
}

/*
 * Priority by priority, each a stretch of outbox_due that ends at now_ms: one ORDER BY over all would have to read and sort all
 * that is due, and step over what waits for later.
 */
gboolean store_outbox_due(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages,
                          GError **error)
{
    g_autoptr(GPtrArray) messages = messages_new();
    gint64 priority = G_MAXINT64;
    gboolean found = TRUE;
    while (messages->len < limit && found) {
        if (!next_priority(store, account, priority, &found, &priority, error))
            return FALSE;
        if (!found)
            break;
        g_autoptr(DbStatement) rows =
            db_query(store->db,
                     OUTBOX_SELECT "WHERE o.account = $1 AND o.priority = $2 AND " WAITS " AND o.due_ms <= $3"
                                   " ORDER BY o.due_ms, o.id LIMIT $4",
                     error, DB_TEXT(account), DB_INT(priority), DB_INT(now_ms), DB_INT((gint64)limit - messages->len));
        if (!append_all(rows, messages, error))
            return FALSE;
    }
    *ret_messages = g_steal_pointer(&messages);
    return TRUE;
}

gboolean store_outbox_due_oldest(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages,
                                 GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db,
                                           OUTBOX_SELECT "WHERE o.account = $1 AND " WAITS " AND o.due_ms <= $2"
                                                         " ORDER BY o.due_ms, o.id LIMIT $3",
                                           error, DB_TEXT(account), DB_INT(now_ms), DB_INT(limit));
    return read_all(rows, ret_messages, error);
}

gboolean store_outbox_next_due(Store *store, const char *account, gint64 *ret_at_ms, GError **error)
{
    return db_run_int(store->db, "SELECT coalesce(min(o.due_ms), 0) FROM outbox o WHERE o.account = $1 AND " WAITS, NULL,
                      ret_at_ms, error, DB_TEXT(account));
}

/* ---- the conversation ------------------------------------------------------------------------------------------------- */

gboolean store_outbox_find_by_message_id(Store *store, const char *message_id, OutboxMessage **ret_message, GError **error)
{
    g_autofree char *key = store_message_key(message_id);
    g_autoptr(DbStatement) rows =
        db_query(store->db, OUTBOX_SELECT "WHERE o.message_key = $1 AND o.message_key <> ''", error, DB_TEXT(key));
    return read_one(rows, ret_message, error);
}

/* A stretch of the index: "A" comes right behind "@". */
gboolean store_outbox_find_by_left_part(Store *store, const char *left_part, OutboxMessage **ret_message, GError **error)
{
    g_autofree char *key = store_message_key(left_part);
    g_autofree char *from = g_strconcat(key, "@", NULL);
    g_autofree char *until = g_strconcat(key, "A", NULL);
    g_autoptr(DbStatement) rows = db_query(
        store->db, OUTBOX_SELECT "WHERE o.message_key >= $1 AND o.message_key < $2 AND o.message_key <> '' ORDER BY o.message_key LIMIT 1",
        error, DB_TEXT(from), DB_TEXT(until));
    return read_one(rows, ret_message, error);
}

gboolean store_outbox_last_sent(Store *store, gint64 enrolment_id, OutboxMessage **ret_message, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db,
                 OUTBOX_SELECT "WHERE o.enrolment_id = $1 AND o.state IN ('sent', 'uncertain') AND o.is_task = 0"
                               " ORDER BY o.sending_ms DESC, o.id DESC LIMIT 1",
                 error, DB_INT(enrolment_id));
    return read_one(rows, ret_message, error);
}

gboolean store_outbox_find_step(Store *store, gint64 enrolment_id, const char *step, OutboxMessage **ret_message,
                                GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db, OUTBOX_SELECT "WHERE o.enrolment_id = $1 AND o.step = $2", error,
                                           DB_INT(enrolment_id), DB_TEXT(step));
    return read_one(rows, ret_message, error);
}

/* ---- tries, for the limits -------------------------------------------------------------------------------------------- */

gboolean store_outbox_count_between(Store *store, const char *account, gint64 since_ms, gint64 until_ms, guint64 *ret_count,
                                    GError **error)
{
    gint64 count = 0;
    if (!db_run_int(
            store->db,
            "SELECT count(*) FROM outbox WHERE account = $1 AND sending_ms > 0 AND sending_ms >= $2 AND sending_ms <= $3",
            NULL, &count, error, DB_TEXT(account), DB_INT(since_ms), DB_INT(until_ms)))
        return FALSE;
    *ret_count = (guint64)count;
    return TRUE;
}

gboolean store_outbox_nth_newest(Store *store, const char *account, guint nth, gint64 until_ms, gint64 *ret_at_ms,
                                 GError **error)
{
    g_assert(nth >= 1);
    return db_run_int(store->db,
                      "SELECT sending_ms FROM outbox WHERE account = $1 AND sending_ms > 0 AND sending_ms <= $3"
                      " ORDER BY sending_ms DESC LIMIT 1 OFFSET $2",
                      NULL, ret_at_ms, error, DB_TEXT(account), DB_INT((gint64)nth - 1), DB_INT(until_ms));
}

gboolean store_outbox_first_try(Store *store, const char *account, gint64 *ret_at_ms, GError **error)
{
    return db_run_int(store->db, "SELECT coalesce(min(sending_ms), 0) FROM outbox WHERE account = $1 AND sending_ms > 0",
                      NULL, ret_at_ms, error, DB_TEXT(account));
}

gboolean store_outbox_last_priorities(Store *store, const char *account, guint n, int *priorities, guint *ret_count,
                                      GError **error)
{
    g_autoptr(DbStatement) rows = db_query(store->db,
                                           "SELECT priority FROM outbox WHERE account = $1 AND sending_ms > 0"
                                           " ORDER BY sending_ms DESC, id DESC LIMIT $2",
                                           error, DB_TEXT(account), DB_INT(n));
    g_autofree int *found = g_new(int, n);
    guint count = 0;
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        found[count++] = (int)db_int(rows, 0);
    if (step == DB_FAILED)
        return FALSE;
    for (guint i = 0; i < count; i++)
        priorities[i] = found[i];
    *ret_count = count;
    return TRUE;
}

gboolean store_outbox_nth_contacted(Store *store, gint64 contact_id, guint nth, gint64 *ret_at_ms, GError **error)
{
    g_assert(nth >= 1);
    return db_run_int(store->db,
                      "SELECT o.sending_ms FROM outbox o WHERE o.contact_id = $1 AND " OUTBOX_REACHED
                      " ORDER BY o.sending_ms DESC LIMIT 1 OFFSET $2",
                      NULL, ret_at_ms, error, DB_INT(contact_id), DB_INT((gint64)nth - 1));
}

/* ---- lists and counts ------------------------------------------------------------------------------------------------- */

gboolean store_outbox_steps(Store *store, gint64 enrolment_id, char ***ret_steps, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT step FROM outbox WHERE enrolment_id = $1 ORDER BY id", error, DB_INT(enrolment_id));
    g_autoptr(GStrvBuilder) steps = g_strv_builder_new();
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_strv_builder_add(steps, db_text(rows, 0));
    if (step == DB_FAILED)
        return FALSE;
    *ret_steps = g_strv_builder_end(steps);
    return TRUE;
}

gboolean store_outbox_of(Store *store, gint64 contact_id, GPtrArray **ret_messages, GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, OUTBOX_SELECT "WHERE o.contact_id = $1 ORDER BY o.id", error, DB_INT(contact_id));
    return read_all(rows, ret_messages, error);
}

static gboolean each_row(Store *store, DbStatement *rows, gboolean (*func)(const OutboxMessage *message, gpointer data), gpointer data,
                         GError **error)
{
    if (rows == NULL)
        return FALSE;
    DbStep step = DB_DONE;
    gboolean go_on = TRUE;
    store->callbacks++;
    while (go_on && (step = db_step(rows, error)) == DB_ROW) {
        g_autoptr(OutboxMessage) message = message_of(rows);
        go_on = func(message, data);
    }
    store->callbacks--;
    return step != DB_FAILED;
}

gboolean store_outbox_each(Store *store, gboolean all, gboolean (*func)(const OutboxMessage *message, gpointer data),
                           gpointer data, GError **error)
{
    g_autoptr(DbStatement) rows =
        all ? db_query(store->db, OUTBOX_SELECT "ORDER BY o.due_ms, o.id", error)
            : db_query(store->db,
                       OUTBOX_SELECT "WHERE o.state <> 'sent' AND o.state <> 'cancelled' AND o.state <> 'skipped' ORDER BY o.due_ms, o.id", error);
    return each_row(store, rows, func, data, error);
}

gboolean store_outbox_each_left_out(Store *store, gint64 since_ms, gboolean (*func)(const OutboxMessage *message, gpointer data), gpointer data,
                                    GError **error)
{
    g_autoptr(DbStatement) rows =
        db_query(store->db, OUTBOX_SELECT "WHERE o.state = 'skipped' AND o.ended_ms > $1 AND o.ended_ms > o.created_ms ORDER BY o.account, o.id",
                 error, DB_INT(since_ms));
    return each_row(store, rows, func, data, error);
}

/* State by state: each is a stretch of the index. */
gboolean store_outbox_counts(Store *store, const char *account, guint64 *counts, GError **error)
{
    guint64 found[OUTBOX_SKIPPED + 1] = {0};
    for (guint i = 0; i < G_N_ELEMENTS(found); i++) {
        const char *state = outbox_state_name((OutboxState)i);
        gint64 count = 0;
        gboolean done =
            account != NULL
                ? db_run_int(store->db, "SELECT count(*) FROM outbox WHERE state = $1 AND account = $2", NULL, &count, error,
                             DB_TEXT(state), DB_TEXT(account))
                : db_run_int(store->db, "SELECT count(*) FROM outbox WHERE state = $1", NULL, &count, error, DB_TEXT(state));
        if (!done)
            return FALSE;
        found[i] = (guint64)count;
    }
    for (guint i = 0; i < G_N_ELEMENTS(found); i++)
        counts[i] = found[i];
    return TRUE;
}

gboolean store_outbox_may_leave(Store *store, gint64 id, gint64 now_ms, gboolean *ret_may_leave, GError **error)
{
    return db_run_int(store->db, "SELECT 1 FROM outbox o WHERE o.id = $1 AND " OUTBOX_MAY_LEAVE, ret_may_leave, NULL, error,
                      DB_INT(id), DB_INT(now_ms));
}
