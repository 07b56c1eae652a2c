/*
 * Deciding: what the rules mean for one contact, now. Enrols, resumes, moves and ends; the call belongs in a transaction that the
 * caller has opened. What becomes of a step that is due is engine/step.h.
 */
#pragma once

#include "engine/core.h"

/* Counts for a summary and the log. */
typedef struct {
    guint contacts; /* decided on by decide_marked() */
    guint enrolled, ended, resumed;
    guint moved;   /* another next step, or another time for it */
    guint queued, skipped;
} DecideSummary;

/*
 * Evaluates every rule for the contact, moves its enrolments, clears its mark, and notes when time alone will change the answer.
 * A contact that is gone is no error.
 *
 *   conditions come to hold                    -> enrolled, round 1 (a repeating rule: the first round that is not over)
 *   a stop event since the enrolment           -> ended, with that event as the reason; never resumed, not repeated. In a rule of
 *                                                 scope "company" a colleague's event counts, too
 *   conditions no longer hold, stage changed   -> ended; resumed with the steps not yet decided when they hold again in the
 *                                                 same stage
 *   anchor or rule changed                     -> the next step, and its time, are found anew: none that was decided comes again, and one
 *                                                 that was put in behind the last decided one is not passed over
 */
gboolean decide_contact(EngineCore *core, gint64 contact_id, DecideSummary *summary, GError **error);

/* The same for up to limit contacts that are marked; *ret_count: how many there were. */
gboolean decide_marked(EngineCore *core, guint limit, DecideSummary *summary, guint *ret_count, GError **error);
