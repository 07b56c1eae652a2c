/*
 * Deciding: what the rules mean for one contact, now. Enrols, moves on, resumes and ends; all calls belong in a transaction
 * that the caller has opened.
 */
#pragma once

#include "engine/core.h"
#include "store/outbox.h"

/* Counts for a summary and the log. */
typedef struct {
    guint enrolled, ended, resumed, queued, skipped;
} DecideSummary;

/*
 * Evaluates every rule for the contact, moves its enrolments, clears its mark, and notes when time alone will change the answer.
 * A contact that is gone is no error.
 *
 *   conditions come to hold                    -> enrolled, round 1 (a repeating rule: the first round that is not over)
 *   a stop event since the enrolment           -> ended, with that event as the reason; never resumed, not repeated
 *   conditions no longer hold, stage changed   -> ended; resumed with the steps not yet decided when they hold again in the
 *                                                 same stage
 *   anchor or rule changed                     -> the next step's time is computed anew
 */
gboolean decide_contact(EngineCore *core, gint64 contact_id, DecideSummary *summary, GError **error);

/* A due enrolment: its next step becomes a row of the outbox, or is skipped as too late (and the next looked at). Nothing happens while
 * the contact is marked: decide_contact() comes first. */
gboolean decide_step(EngineCore *core, Enrolment *enrolment, DecideSummary *summary, GError **error);

/* A step has its outcome at step_ms: the enrolment waits for the next one, is done, or begins the next round. */
gboolean decide_next(EngineCore *core, const Contact *contact, Enrolment *enrolment, gint64 step_ms, GError **error);
