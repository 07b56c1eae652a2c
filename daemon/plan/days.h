/*
 * What the rest of plan/ asks a calendar about a local day (days since 1970-01-01).
 */
#pragma once

#include "plan/calendar.h"

/* A NULL calendar has no holidays. */
gboolean calendar_day_is_holiday(const Calendar *calendar, gint64 day);
