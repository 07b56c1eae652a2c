/*
 * The outbox: rows decided, claimed and moved on. The states are told in include/store/outbox.h; which moves exist is said
 * here by bits of the states that a row may come from, and checked in the UPDATE itself, so that two processes cannot both
 * move a row. Reading is in outbox_read.c.
 *
 * contact.last_contacted_ms is kept here: after every move it is the newest sending_ms of what was, or may have been, sent to the
 * contact; tasks go to the owner.
 */
#include "store/outbox.h"

#include "store/internal.h"
#include "store/marks.h"
#include "store/outbox_words.h"

#define BIT(state) (1U << (state))

enum {
    /* what a result, or the daemon before it claims, may be about */
    FROM_ALL = BIT(OUTBOX_SKIPPED + 1) - 1,
    FROM_UNSENT = FROM_ALL & ~BIT(OUTBOX_SENT),
    FROM_IDLE = FROM_UNSENT & ~BIT(OUTBOX_SENDING)
};

static const char *const state_names[] = {
    [OUTBOX_QUEUED] = "queued",     [OUTBOX_SENDING] = "sending",     [OUTBOX_SENT] = "sent",
    [OUTBOX_DEFERRED] = "deferred", [OUTBOX_FAILED] = "failed",       [OUTBOX_UNCERTAIN] = "uncertain",
    [OUTBOX_HELD] = "held",         [OUTBOX_CANCELLED] = "cancelled", [OUTBOX_SKIPPED] = "skipped",
};

const char *outbox_state_name(OutboxState state)
{
    g_assert((guint)state < G_N_ELEMENTS(state_names));
    return state_names[state];
}

gboolean outbox_state_parse(const char *name, OutboxState *ret_state)
{
    for (guint i = 0; i < G_N_ELEMENTS(state_names); i++)
        if (g_strcmp0(name, state_names[i]) == 0) {
            *ret_state = (OutboxState)i;
            return TRUE;
        }
    return FALSE;
}

static const char *const approval_names[] = {
    [APPROVAL_NONE] = "none", [APPROVAL_AWAITED] = "awaited", [APPROVAL_GIVEN] = "given"};

const char *outbox_approval_name(Approval approval)
{
    g_assert((guint)approval < G_N_ELEMENTS(approval_names));
    return approval_names[approval];
}

Approval outbox_approval_parse(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(approval_names); i++)
        if (g_strcmp0(name, approval_names[i]) == 0)
            return (Approval)i;
    return APPROVAL_AWAITED;
}

/* ---- deciding --------------------------------------------------------------------------------------------------------- */

static gboolean insert_message(Store *store, const OutboxMessage *message, gboolean *ret_added, gint64 *ret_id,
                               GError **error)
{
    g_autofree char *message_key = store_message_key(message->message_id);
    gboolean waits = message->state == OUTBOX_QUEUED;
    gint64 due_ms = waits && message->due_ms == 0 ? message->planned_ms : message->due_ms;
    gint64 ended_ms = message->state == OUTBOX_SKIPPED && message->ended_ms == 0 ? message->created_ms : message->ended_ms;
    return db_insert(
        store->db,
        "INSERT INTO outbox (enrolment_id, contact_id, account, rule, step, round, state, planned_ms, due_ms, attempts,"
        " message_id, message_key, in_reply_to, reference_ids, subject, reason, created_ms, sending_ms, ended_ms,"
        " priority, is_task, approval, variant) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
        " $18, $19, $20, $21, $22, $23)"
        " ON CONFLICT (contact_id, rule, round, step) DO NOTHING",
        ret_added, ret_id, error, DB_INT(message->enrolment_id), DB_INT(message->contact_id), DB_TEXT(message->account),
        DB_TEXT(message->rule), DB_TEXT(message->step), DB_INT(message->round), DB_TEXT(outbox_state_name(message->state)),
        DB_INT(message->planned_ms), DB_INT(due_ms), DB_INT(message->attempts), DB_TEXT(message->message_id),
        DB_TEXT(message_key), DB_TEXT(message->in_reply_to), DB_TEXT(message->references), DB_TEXT(message->subject),
        DB_TEXT(message->reason), DB_INT(message->created_ms), DB_INT(message->sending_ms), DB_INT(ended_ms),
        DB_INT(message->priority), DB_INT(message->is_task ? 1 : 0), DB_TEXT(outbox_approval_name(message->approval)),
        DB_TEXT(message->variant));
}

gboolean store_outbox_add(Store *store, OutboxMessage *message, GError **error)
{
    g_assert(message->state == OUTBOX_QUEUED || message->state == OUTBOX_HELD || message->state == OUTBOX_SKIPPED);
    g_auto(StoreWrite) write = {0};
    gboolean added = FALSE;
    gint64 id = 0;
    if (!store_write_begin(store, &write, error) || !insert_message(store, message, &added, &id, error))
        return FALSE;
    if (!added) {
        store_write_void(&write);
        g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS, "step %s of rule %s, round %u, was decided before",
                    message->step, message->rule, message->round);
        return FALSE;
    }
    if (!store_write_end(&write, error))
        return FALSE;
    message->id = id;
    return TRUE;
}

/* ---- moving ----------------------------------------------------------------------------------------------------------- */

/* Of the contact whose row this is. */
static gboolean refresh_last_contacted(Store *store, gint64 id, GError **error)
{
    return db_run(store->db,
                  "UPDATE contact SET last_contacted_ms = coalesce((SELECT max(o.sending_ms) FROM outbox o"
                  " WHERE o.contact_id = contact.id AND " OUTBOX_REACHED "), 0)"
                  " WHERE id = (SELECT contact_id FROM outbox WHERE id = $1)",
                  error, DB_INT(id));
}

gboolean store_outbox_claim(Store *store, gint64 id, const char *message_id, gint64 now_ms, gboolean *ret_claimed,
                            GError **error)
{
    g_auto(StoreWrite) write = {0};
    g_autofree char *message_key = store_message_key(message_id);
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "UPDATE outbox AS o SET state = 'sending', sending_ms = $2, reason = '',"
                " message_id = CASE WHEN message_key <> '' THEN message_id ELSE $3 END,"
                " message_key = CASE WHEN message_key <> '' THEN message_key ELSE $4 END"
                " WHERE id = $1 AND state IN ('queued', 'deferred') AND due_ms > 0 AND due_ms <= $2 AND " OUTBOX_MAY_LEAVE,
                error, DB_INT(id), DB_INT(now_ms), DB_TEXT(message_id), DB_TEXT(message_key)))
        return FALSE;
    gboolean claimed = db_changes(store->db) > 0;
    if ((claimed && !refresh_last_contacted(store, id, error)) || !store_write_end(&write, error))
        return FALSE;
    *ret_claimed = claimed;
    return TRUE;
}

gboolean store_outbox_set_variant(Store *store, gint64 id, const char *variant, GError **error)
{
    return store_write_run(store, "UPDATE outbox SET variant = $2 WHERE id = $1 AND (state = 'queued' OR state = 'deferred' OR state = 'held')", error,
                           DB_INT(id), DB_TEXT(variant));
}

gboolean store_outbox_postpone(Store *store, gint64 id, gint64 due_ms, const char *reason, GError **error)
{
    return store_write_run(store,
                           "UPDATE outbox SET state = 'queued', due_ms = $2, reason = $3 WHERE id = $1"
                           " AND state IN ('queued', 'deferred')",
                           error, DB_INT(id), DB_INT(due_ms), DB_TEXT(reason));
}

gboolean store_outbox_note(Store *store, gint64 id, const char *reason, GError **error)
{
    return store_write_run(store, "UPDATE outbox SET reason = $2 WHERE id = $1 AND state = 'sending'", error, DB_INT(id),
                           DB_TEXT(reason));
}

gboolean store_outbox_await_approval(Store *store, gint64 id, const char *reason, GError **error)
{
    return store_write_run(store,
                           "UPDATE outbox SET state = 'held', approval = 'awaited', reason = $2 WHERE id = $1"
                           " AND state IN ('queued', 'deferred')",
                           error, DB_INT(id), DB_TEXT(reason));
}

gboolean store_outbox_spare_approval(Store *store, gint64 id, gint64 now_ms, GError **error)
{
    return store_write_run(store,
                           "UPDATE outbox SET state = 'queued', approval = 'none', due_ms = $2, reason = '',"
                           " planned_ms = CASE WHEN planned_ms < $2 THEN $2 ELSE planned_ms END"
                           " WHERE id = $1 AND state = 'held' AND approval = 'awaited'",
                           error, DB_INT(id), DB_INT(now_ms));
}

gboolean store_outbox_forget_cancelled(Store *store, gint64 enrolment_id, const char *reason, GError **error)
{
    return store_write_run(store,
                           "DELETE FROM outbox WHERE enrolment_id = $1 AND state = 'cancelled' AND reason = $2 AND message_key = ''"
                           " AND sending_ms = 0",
                           error, DB_INT(enrolment_id), DB_TEXT(reason));
}

gboolean store_outbox_set_priority(Store *store, const char *rule, int priority, GError **error)
{
    return store_write_run(store,
                           "UPDATE outbox SET priority = $2 WHERE rule = $1 AND priority <> $2"
                           " AND state IN ('queued', 'deferred', 'held')",
                           error, DB_TEXT(rule), DB_INT(priority));
}

/* What waits of one person is theirs by the unique key: || '' keeps the index of states, which has all that waits of everybody, out of it. */
#define STATE_OF_THEIRS "state || ''"

gboolean store_outbox_touch(Store *store, gint64 contact_id, gint64 now_ms, GError **error)
{
    if (contact_id != 0)
        return store_write_run(
            store,
            "UPDATE outbox SET due_ms = $2 WHERE contact_id = $1 AND " STATE_OF_THEIRS " = 'queued' AND (due_ms > $2 OR due_ms = 0)",
            error, DB_INT(contact_id), DB_INT(now_ms));
    return store_write_run(store, "UPDATE outbox SET due_ms = $1 WHERE state = 'queued' AND (due_ms > $1 OR due_ms = 0)",
                           error, DB_INT(now_ms));
}

gboolean store_outbox_assign(Store *store, gint64 contact_id, const char *account, GError **error)
{
    return store_write_run(
        store,
        "UPDATE outbox SET account = $2 WHERE contact_id = $1 AND account <> $2 AND " STATE_OF_THEIRS " IN ('queued', 'deferred', 'held')",
        error, DB_INT(contact_id), DB_TEXT(account));
}

/* The state's name where from has it, else "", which no row has: for the list in the statement below. */
static DbValue allowed(guint from, OutboxState state)
{
    return DB_TEXT((from & BIT(state)) != 0 ? outbox_state_name(state) : "");
}

static gint64 ended_at(OutboxState state, gint64 now_ms)
{
    gboolean ends = state == OUTBOX_SENT || state == OUTBOX_FAILED || state == OUTBOX_CANCELLED || state == OUTBOX_SKIPPED;
    return ends ? now_ms : 0;
}

/* What is no longer in doubt is not searched for any more (store/sent.h). */
static gboolean end_search(Store *store, gint64 id, OutboxState state, GError **error)
{
    return state == OUTBOX_UNCERTAIN || db_run(store->db, "DELETE FROM sent_search WHERE outbox_id = $1", error, DB_INT(id));
}

/* let_go_ms: when a person let the row go, which approves it and starts its lateness anew; 0 where nobody did. */
static gboolean move(Store *store, gint64 id, guint from, const OutboxOutcome *outcome, gint64 now_ms, gint64 let_go_ms,
                     gboolean *ret_moved, GError **error)
{
    OutboxState state = outcome->state;
    gboolean waits = state == OUTBOX_QUEUED || state == OUTBOX_DEFERRED;
    gint64 due_ms = !waits ? 0 : outcome->due_ms != 0 ? outcome->due_ms : now_ms;
    if (!db_run(store->db,
                "UPDATE outbox SET state = $2, due_ms = CASE WHEN $3 > 0 THEN $3 ELSE due_ms END, reason = $4,"
                " subject = CASE WHEN $5 <> '' THEN $5 ELSE subject END, attempts = attempts + $6, ended_ms = $7,"
                " planned_ms = CASE WHEN planned_ms < $17 THEN $17 ELSE planned_ms END,"
                " approval = CASE WHEN $18 = 1 OR ($17 > 0 AND approval = 'awaited') THEN 'given' ELSE approval END WHERE id = $1"
                " AND state IN ($8, $9, $10, $11, $12, $13, $14, $15, $16)",
                error, DB_INT(id), DB_TEXT(outbox_state_name(state)), DB_INT(due_ms), DB_TEXT(outcome->reason),
                DB_TEXT(outcome->subject), DB_INT(outcome->count_attempt ? 1 : 0), DB_INT(ended_at(state, now_ms)),
                allowed(from, OUTBOX_QUEUED), allowed(from, OUTBOX_SENDING), allowed(from, OUTBOX_SENT),
                allowed(from, OUTBOX_DEFERRED), allowed(from, OUTBOX_FAILED), allowed(from, OUTBOX_UNCERTAIN),
                allowed(from, OUTBOX_HELD), allowed(from, OUTBOX_CANCELLED), allowed(from, OUTBOX_SKIPPED),
                DB_INT(let_go_ms), DB_INT(outcome->approved ? 1 : 0)))
        return FALSE;
    *ret_moved = db_changes(store->db) > 0;
    return !*ret_moved || (end_search(store, id, state, error) && refresh_last_contacted(store, id, error));
}

/* What becomes of nearly every message. It counted as having reached the contact before, so that last_contacted_ms stays;
 * and it was not in doubt. */
static gboolean move_to_sent(Store *store, gint64 id, const OutboxOutcome *outcome, gint64 now_ms, gboolean *ret_moved, GError **error)
{
    if (!db_run(store->db,
                "UPDATE outbox SET state = 'sent', reason = $2, subject = CASE WHEN $3 <> '' THEN $3 ELSE subject END,"
                " attempts = attempts + $4, ended_ms = $5 WHERE id = $1 AND state = 'sending'",
                error, DB_INT(id), DB_TEXT(outcome->reason), DB_TEXT(outcome->subject), DB_INT(outcome->count_attempt ? 1 : 0),
                DB_INT(now_ms)))
        return FALSE;
    *ret_moved = db_changes(store->db) > 0;
    return TRUE;
}

static gboolean refuse_move(Store *store, StoreWrite *write, gint64 id, OutboxState wanted, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    if (!store_outbox_get(store, id, &message, error))
        return FALSE;
    store_write_void(write);
    if (message == NULL)
        return TRUE;
    g_set_error(error, STORE_ERROR, STORE_ERROR_BUSY, "message %" G_GINT64_FORMAT " is %s, so that it cannot become %s", id,
                outbox_state_name(message->state), outbox_state_name(wanted));
    return FALSE;
}

gboolean store_outbox_finish(Store *store, gint64 id, const OutboxOutcome *outcome, gint64 now_ms, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gboolean moved = FALSE;
    gboolean drops = outcome->state == OUTBOX_CANCELLED || outcome->state == OUTBOX_SKIPPED;
    if (!store_write_begin(store, &write, error) ||
        (outcome->state == OUTBOX_SENT && !move_to_sent(store, id, outcome, now_ms, &moved, error)) ||
        (!moved && !move(store, id, drops ? FROM_IDLE : FROM_UNSENT, outcome, now_ms, 0, &moved, error)))
        return FALSE;
    return moved ? store_write_end(&write, error) : refuse_move(store, &write, id, outcome->state, error);
}

static gboolean mark_owner_of(Store *store, gint64 id, GError **error)
{
    gint64 contact_id = 0;
    return db_run_int(store->db, "SELECT contact_id FROM outbox WHERE id = $1", NULL, &contact_id, error, DB_INT(id)) &&
           store_mark(store, contact_id, error);
}

gboolean store_outbox_move(Store *store, gint64 id, guint from, const OutboxOutcome *outcome, gint64 now_ms,
                           gboolean *ret_moved, GError **error)
{
    g_auto(StoreWrite) write = {0};
    gboolean moved = FALSE;
    gint64 let_go_ms = outcome->state == OUTBOX_QUEUED ? now_ms : 0;
    if (!store_write_begin(store, &write, error) ||
        !move(store, id, from & FROM_ALL, outcome, now_ms, let_go_ms, &moved, error) ||
        (moved && !mark_owner_of(store, id, error)) || !store_write_end(&write, error))
        return FALSE;
    *ret_moved = moved;
    return TRUE;
}

gboolean store_outbox_recover(Store *store, gint64 now_ms, guint *ret_count, GError **error)
{
    (void)now_ms; /* sending_ms stays: it is when the try was made */
    g_auto(StoreWrite) write = {0};
    if (!store_write_begin(store, &write, error) ||
        !db_run(store->db,
                "UPDATE outbox SET state = 'uncertain', reason = CASE WHEN reason = '' THEN $1 ELSE reason END"
                " WHERE state = 'sending'",
                error, DB_TEXT(OUTBOX_RECOVERED)))
        return FALSE;
    guint count = (guint)db_changes(store->db);
    if (!store_write_end(&write, error))
        return FALSE;
    *ret_count = count;
    return TRUE;
}
