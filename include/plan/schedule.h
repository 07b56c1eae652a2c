/*
 * The next step of an enrolment and its time.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "plan/calendar.h"
#include "plan/conditions.h"

/* The anchor's time for these facts: stage_since or customer_since; 0 where there is none (no enrolment then). */
gint64 schedule_anchor(const Rule *rule, const PlanFacts *facts);

/* The anchor of round (1, 2 …) of a repeating rule: anchor + (round-1) x repeat_every, so that the 31st comes back after a short
 * month. 0: no anchor; G_MAXINT64: a round beyond all time. */
gint64 schedule_round_anchor(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, guint round);

/*
 * When `step` of the rule is due: AGE: anchor + delay. AFTER: last_step_ms (0: the anchor) + delay, never before the anchor.
 * Then moved forward into the window. G_MAXINT64: never (no window opens within 400 days). zone: the contact's.
 */
gint64 schedule_due(const Rule *rule, const Step *step, gint64 anchor_ms, gint64 last_step_ms, const Window *window,
                    const Calendar *calendar, GTimeZone *zone);

/* The step behind the one of that template name (NULL or "": the first); NULL: there is none. A name that the rule no longer
 * has gives the first step. Steps in decided (NULL-terminated template names of this round, or NULL) are passed over, so
 * that no edit of the rule repeats one. */
const Step *schedule_next_step(const Rule *rule, const char *template_name, const char *const *decided);
