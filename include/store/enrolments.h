/*
 * Enrolments: a contact's passage through a rule. Unique by contact, rule and round.
 *
 *     active (due_ms > 0)  --scheduler, step decided-->  active (due_ms = 0, a message is in the outbox)
 *          ^------------------------- outcome: next step -------------------------/
 *     active --last step--> done        active --stop event, conditions no longer hold--> ended (end_reason)
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef enum { ENROLMENT_ACTIVE, ENROLMENT_DONE, ENROLMENT_ENDED } EnrolmentState;

typedef struct {
    gint64 id, contact_id;
    char *rule;
    guint round; /* from 1 */
    EnrolmentState state;
    char *stage;          /* the contact's when enrolled */
    gint64 anchor_ms;
    char *next_step;      /* template name; "" when done */
    gint64 due_ms;        /* of next_step; 0: waits for an outcome, or nothing is next */
    gint64 last_step_ms;  /* when the step before was sent (or was due, where it was skipped); 0: none yet */
    gint64 history_mark;  /* id of the contact's newest interaction when enrolled (or resumed): stop events are those after it */
    gint64 enrolled_ms, ended_ms;
    char *end_reason;     /* "reply", "stage-change", "conditions", "bounce", "unsubscribe", "complaint", "rule removed", "failed", … */
} Enrolment;

void enrolment_free(Enrolment *enrolment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Enrolment, enrolment_free)

/* Stores a new one and sets its id. STORE_ERROR_EXISTS where that round is there. */
gboolean store_enrolment_add(Store *store, Enrolment *enrolment, GError **error);

/* Writes all fields but id, contact_id, rule and round. */
gboolean store_enrolment_update(Store *store, const Enrolment *enrolment, GError **error);

/* What it waited for is in the outbox: due_ms becomes 0, here and there. Writes nothing else of it. */
gboolean store_enrolment_queued(Store *store, Enrolment *enrolment, GError **error);

gboolean store_enrolment_get(Store *store, gint64 id, Enrolment **ret_enrolment, GError **error);

/* All of a contact (Enrolment*, freed with the array), by rule, then round. */
gboolean store_enrolments_of(Store *store, gint64 contact_id, GPtrArray **ret_enrolments, GError **error);

/* All of the contacts that are marked, up to that mark (store/contacts.h: store_contacts_marked()), in the order of the marks, then by rule
 * and round (Enrolment*, freed with the array). */
gboolean store_enrolments_marked(Store *store, gint64 last_mark, GPtrArray **ret_enrolments, GError **error);

/* Active ones with due_ms in 1 … now_ms, earliest first, at most limit (Enrolment*, freed with the array). */
gboolean store_enrolments_due(Store *store, gint64 now_ms, guint limit, GPtrArray **ret_enrolments, GError **error);

/* Earliest due_ms of all active; 0: none. */
gboolean store_enrolments_next_due(Store *store, gint64 *ret_at_ms, GError **error);

/* Ends the enrolment, and cancels what is queued, deferred or held of it in the outbox, with the reason. */
gboolean store_enrolment_end(Store *store, gint64 id, const char *reason, gint64 now_ms, GError **error);

/* How many are active. */
gboolean store_enrolments_count_active(Store *store, guint64 *ret_count, GError **error);
