/*
 * The date that a step waits for, for plan/ alone.
 */
#pragma once

#include "plan/local.h"
#include "plan/schedule.h"

/*
 * From when on the step may leave by its date (none: wanted_ms): never before wanted_ms, and from the first moment of the day
 * that lies `before` the date. A date counts where that day is no earlier one, in the contact's calendar, than that of wanted_ms;
 * a yearly one, in the first year in which it does. SCHEDULE_PASSED where a date that is once does not; SCHEDULE_NEVER where
 * there is none.
 */
gint64 dates_earliest(const Step *step, const PlanFacts *facts, const Calendar *calendar, LocalZone *zone, gint64 anchor_ms,
                      gint64 wanted_ms);
