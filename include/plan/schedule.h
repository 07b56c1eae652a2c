/*
 * The next step of an enrolment and its time.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "plan/calendar.h"
#include "plan/conditions.h"

#define SCHEDULE_PASSED ((gint64)0) /* the step's date lies behind: there is nothing to send */
#define SCHEDULE_NEVER G_MAXINT64   /* no date is known, or no window opens within 400 days */

/* The anchor's time for these facts (the newest, of one that comes again); 0 where there is none (no enrolment then). */
gint64 schedule_anchor(const Rule *rule, const PlanFacts *facts);

/* The first round behind that one (0: of all) of a rule whose anchor comes again (anchor_is_repeated()); 0: there is none. */
guint schedule_round_after(const Rule *rule, const PlanFacts *facts, guint round);

/* The anchor of round (1, 2 …): of that number, where the anchor comes again, 0 where that is not known (any more); of a repeating rule: anchor + (round-1) x repeat_every, so that the 31st comes back after a short
 * month. 0: no anchor; G_MAXINT64: a round beyond all time. */
gint64 schedule_round_anchor(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, guint round);

/*
 * When the step is due, or SCHEDULE_PASSED or SCHEDULE_NEVER.
 *
 *   wanted   AGE: anchor + delay; AFTER: last_step_ms (0: the anchor) + delay; never before the anchor. Where the step has a time of
 *            day and the delay is of whole days, months or years: from the first moment of that local day
 *   date     less `before` (its business days are counted back), from that day's first moment; but never before wanted. A yearly
 *            one: the first whose day, so moved, is that of wanted or a later one (an anniversary: from the first year on). One
 *            that is once: PASSED where its day, so moved, is an earlier one than that of wanted
 *   then     forward to the first moment that has the step's weekday and time of day, lies in window, and on no holiday.
 *            A time of day that a day does not have (clocks went forward) leaves that day out; of one that it has twice, the
 *            first counts. A time of day outside of the window never comes.
 */
gint64 schedule_due(const Rule *rule, const Step *step, const PlanFacts *facts, gint64 anchor_ms, gint64 last_step_ms,
                    const Window *window, const Calendar *calendar);

/* The part of the window in which mail of this step may leave: on its weekdays, not before its time of day. */
Window schedule_window(const Step *step, const Window *window);

/* The last moment at which a step of the rule may leave (`until`), for the enrolment of that anchor; G_MAXINT64: no end. */
gint64 schedule_until(const Rule *rule, const Calendar *calendar, GTimeZone *zone, gint64 anchor_ms);

/* The step behind the one of that template name (NULL or "": the first); NULL: there is none. A name that the rule no longer
 * has gives the first step. Steps in decided (NULL-terminated template names of this round, or NULL) are passed over, so
 * that no edit of the rule repeats one. */
const Step *schedule_next_step(const Rule *rule, const char *template_name, const char *const *decided);
