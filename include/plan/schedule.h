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

/* The anchor of round (1, 2 …) of a repeating rule: anchor + (round-1) x repeat_every. */
gint64 schedule_round_anchor(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, guint round);

/*
 * When `step` of the rule is due: AGE: anchor + delay. AFTER: last_step_ms (0: the anchor) + delay, never before the anchor. Then moved
 * forward into the window. zone: the contact's.
 */
gint64 schedule_due(const Rule *rule, const Step *step, gint64 anchor_ms, gint64 last_step_ms, const Window *window,
                    const Calendar *calendar, GTimeZone *zone);

/* The step behind the one of that template name (NULL or "": the first); NULL: there is none. A name that the rule no longer
 * has gives the first step that is not in decided (NULL-terminated template names, or NULL). */
const Step *schedule_next_step(const Rule *rule, const char *template_name, const char *const *decided);
