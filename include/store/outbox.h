/*
 * The outbox: one row a step decided for an enrolment. Unique by contact, rule, round and step, so that nothing is decided
 * twice. The states, and who moves a row on:
 *
 *   (decision) -> queued -> sending -> sent | failed | uncertain | deferred -> sending …
 *                  |  ^------ postponed (a gate holds), released
 *                  +-> held (a person or a missing value), cancelled, skipped
 *   sending, found at start -> uncertain.  uncertain -> sent (evidence), queued (policy or a person's retry), cancelled
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef enum {
    OUTBOX_QUEUED, OUTBOX_SENDING, OUTBOX_SENT, OUTBOX_DEFERRED, OUTBOX_FAILED, OUTBOX_UNCERTAIN, OUTBOX_HELD,
    OUTBOX_CANCELLED, OUTBOX_SKIPPED
} OutboxState;

const char *outbox_state_name(OutboxState state);
gboolean outbox_state_parse(const char *name, OutboxState *ret_state);

/* Whether a person must let the message go (`approve`). */
typedef enum { APPROVAL_NONE, APPROVAL_AWAITED, APPROVAL_GIVEN } Approval;

typedef struct {
    gint64 id, enrolment_id, contact_id;
    char *email; /* the contact's, now */
    char *account, *rule, *step;
    char *variant;     /* the template, where the step tries several; "" else. NULL in store_outbox_add(): "" */
    guint round;
    OutboxState state;
    gint64 planned_ms; /* when the step was due; max_late counts from here */
    gint64 due_ms;     /* earliest next try */
    int priority;      /* the rule's */
    gboolean is_task;  /* to the owner, about the contact: counts for none of the contact's limits */
    Approval approval;
    guint attempts;    /* tries that reached a server */
    char *message_id;  /* without angle brackets; "" until first claimed, kept over tries */
    char *in_reply_to, *references; /* of the conversation, for same_thread; "" else */
    char *subject;     /* once sent */
    char *reason;      /* why it stands where it stands */
    gint64 created_ms, sending_ms, ended_ms;
} OutboxMessage;

void outbox_message_free(OutboxMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutboxMessage, outbox_message_free)

/* Stores a decided step (state QUEUED, HELD or SKIPPED; due_ms 0: planned_ms) and sets its id. STORE_ERROR_EXISTS where it was decided before. */
gboolean store_outbox_add(Store *store, OutboxMessage *message, GError **error);

gboolean store_outbox_get(Store *store, gint64 id, OutboxMessage **ret_message, GError **error);

/* Queued or deferred ones of the account, due, at most limit (OutboxMessage*, freed with the array): the higher priority first, then
 * the earlier due_ms, then id. The cost goes with limit and the number of priorities, not with what waits for later. */
gboolean store_outbox_due(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages, GError **error);

/* The same, earliest due_ms first, whatever the priority. */
gboolean store_outbox_due_oldest(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages, GError **error);

/* The priorities of the account's newest tries, newest first, at most n; *ret_count: how many there are. */
gboolean store_outbox_last_priorities(Store *store, const char *account, guint n, int *priorities, guint *ret_count, GError **error);

/* Another priority for what waits of the rule, held rows included. Looks at all that waits: for a rule that changed. */
gboolean store_outbox_set_priority(Store *store, const char *rule, int priority, GError **error);

/* A queued or deferred row is held, and awaits approval; one in another state stays as it is. */
gboolean store_outbox_await_approval(Store *store, gint64 id, const char *reason, GError **error);

/* Its rule no longer wants approval: a row that is held for it is queued, due at now_ms and not late. Nobody has approved it: should the
 * rule want approval again, it is held again. One that does not await approval stays as it is. */
gboolean store_outbox_spare_approval(Store *store, gint64 id, gint64 now_ms, GError **error);

/* Their rule goes on that ended for that reason: what waited then, and was cancelled with that reason before any try, is decided anew. */
gboolean store_outbox_forget_cancelled(Store *store, gint64 enrolment_id, const char *reason, GError **error);

/* Earliest due_ms of the account's queued or deferred; 0: none. */
gboolean store_outbox_next_due(Store *store, const char *account, gint64 *ret_at_ms, GError **error);

/*
 * The claim: moves a queued or deferred, due row to SENDING under message_id (kept where it has one) in one statement that
 * checks again what must never be passed: the enrolment is active, the contact neither paused nor suppressed (address,
 * alias and domain). *ret_claimed FALSE: it was not taken. The caller commits before a byte leaves.
 */
gboolean store_outbox_claim(Store *store, gint64 id, const char *message_id, gint64 now_ms, gboolean *ret_claimed, GError **error);

/* What the claim checked, asked again of a row that was claimed. FALSE for one that is gone. */
gboolean store_outbox_may_leave(Store *store, gint64 id, gint64 now_ms, gboolean *ret_may_leave, GError **error);

/* A gate holds a queued or deferred row: due_ms and reason change, and it is queued, since it waits for the gate now and not for
 * the server; a row in another state stays as it is. due_ms 0: no time is known; the row is neither due nor claimed until it is
 * touched, postponed to a time or moved again. */
gboolean store_outbox_postpone(Store *store, gint64 id, gint64 due_ms, const char *reason, GError **error);

/* Another variant for a row that is not on its way. */
gboolean store_outbox_set_variant(Store *store, gint64 id, const char *variant, GError **error);

/* Sets the reason of a row that is SENDING, from which it is empty on; one in another state stays as it is. */
gboolean store_outbox_note(Store *store, gint64 id, const char *reason, GError **error);

typedef struct {
    OutboxState state;   /* what it becomes */
    gint64 due_ms;       /* for QUEUED and DEFERRED; 0: at once */
    const char *reason;  /* NULL: "" */
    const char *subject; /* NULL: unchanged */
    gboolean count_attempt;
    gboolean approved;   /* a person said yes to it, whether its rule wanted that already or comes to want it */
} OutboxOutcome;

/*
 * Moves a row on, and sets the contact's last_contacted_ms to what is true then. ended_ms is set for the states that end it
 * (sent, failed, cancelled, skipped). What was sent stays sent, and what is being sent cannot become cancelled or skipped, since it
 * may have left: STORE_ERROR_BUSY, the row stays. A row that is gone (its contact was forgotten) is no error.
 */
gboolean store_outbox_finish(Store *store, gint64 id, const OutboxOutcome *outcome, gint64 now_ms, GError **error);

/*
 * The same for people (approve, hold, cancel, retry): moves the row only where it stands in one of the states from (bits
 * 1 << OutboxState) at that moment, so that nothing is taken from the daemon's hands, and marks the contact. *ret_moved FALSE: it
 * did not stand there (any more). To QUEUED, a row that awaited approval has it, and planned_ms becomes now_ms where it was earlier,
 * lest it be too late the moment it is let go.
 */
gboolean store_outbox_move(Store *store, gint64 id, guint from, const OutboxOutcome *outcome, gint64 now_ms, gboolean *ret_moved,
                           GError **error);

/* At start: SENDING -> UNCERTAIN with this reason, where none was noted; *ret_count: how many. */
#define OUTBOX_RECOVERED "the daemon ended while this was being sent"
gboolean store_outbox_recover(Store *store, gint64 now_ms, guint *ret_count, GError **error);

/* By Message-ID (any case, without brackets); *ret_message NULL where none has it. */
gboolean store_outbox_find_by_message_id(Store *store, const char *message_id, OutboxMessage **ret_message, GError **error);

/* The same by what stands before the "@", which no other message has: gateways put their own name behind it. */
gboolean store_outbox_find_by_left_part(Store *store, const char *left_part, OutboxMessage **ret_message, GError **error);

/* The last message of this enrolment that was sent (or maybe); NULL: none. For same_thread. */
gboolean store_outbox_last_sent(Store *store, gint64 enrolment_id, OutboxMessage **ret_message, GError **error);

/* Tries of the account from since_ms to until_ms (rows by sending_ms, whatever became of them), and the time at which the
 * nth-newest until until_ms was made (0: fewer). For the limits. */
gboolean store_outbox_count_between(Store *store, const char *account, gint64 since_ms, gint64 until_ms, guint64 *ret_count, GError **error);
gboolean store_outbox_nth_newest(Store *store, const char *account, guint nth, gint64 until_ms, gint64 *ret_at_ms, GError **error);

/* When the account made its first try; 0: none. */
gboolean store_outbox_first_try(Store *store, const char *account, gint64 *ret_at_ms, GError **error);

/* When the nth-newest message (no task) went, or may have gone, to the contact; 0: fewer. */
gboolean store_outbox_nth_contacted(Store *store, gint64 contact_id, guint nth, gint64 *ret_at_ms, GError **error);

/* All of a contact (OutboxMessage*, freed with the array), oldest first. */
gboolean store_outbox_of(Store *store, gint64 contact_id, GPtrArray **ret_messages, GError **error);

/* Calls func for each, by due time: those that may still need somebody (all states but sent, cancelled and skipped), or all;
 * until it returns FALSE. */
gboolean store_outbox_each(Store *store, gboolean all, gboolean (*func)(const OutboxMessage *message, gpointer data),
                           gpointer data, GError **error);

/* Calls func for each that was left out behind since_ms after it had been queued, by account; until it returns FALSE. */
gboolean store_outbox_each_left_out(Store *store, gint64 since_ms, gboolean (*func)(const OutboxMessage *message, gpointer data), gpointer data,
                                    GError **error);

/* How many rows stand in each state; counts has OUTBOX_SKIPPED + 1 elements. account NULL: all. */
gboolean store_outbox_counts(Store *store, const char *account, guint64 *counts, GError **error);

/* The row of this step of the enrolment; *ret_message NULL where it was not decided yet. */
gboolean store_outbox_find_step(Store *store, gint64 enrolment_id, const char *step, OutboxMessage **ret_message, GError **error);

/* The steps of the enrolment that were decided, in that order (char**, NULL-terminated; free with g_strfreev()). */
gboolean store_outbox_steps(Store *store, gint64 enrolment_id, char ***ret_steps, GError **error);

/* What a gate may have postponed is looked at again: queued rows (not deferred ones) of the contact, or of everybody where
 * contact_id is 0, become due at now_ms where they would be due later. */
gboolean store_outbox_touch(Store *store, gint64 contact_id, gint64 now_ms, GError **error);

/* Gives the contact's messages that are not under way and not ended to another account. */
gboolean store_outbox_assign(Store *store, gint64 contact_id, const char *account, GError **error);
