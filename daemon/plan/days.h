/*
 * The calendar and the window as the rest of plan/ asks them: about local days (since 1970-01-01), and with a LocalZone, so that
 * a question of several parts looks up each interval of the zone once. The contracts are those of calendar.h and window.h.
 */
#pragma once

#include "plan/calendar.h"
#include "plan/local.h"
#include "plan/window.h"

/* A NULL calendar has no holidays. */
gboolean calendar_day_is_holiday(const Calendar *calendar, gint64 day);

/* calendar_add() and window_next() with a zone whose look-ups are remembered. */
gint64 calendar_add_local(const Calendar *calendar, LocalZone *zone, gint64 at_ms, const Duration *duration);
gint64 window_next_local(const Window *window, const Calendar *calendar, LocalZone *zone, gint64 at_ms);

/* window_next_local(), with the clock on the wall at that minute of the day (0 … 1439); at its first occurrence on a day that has it
 * twice, and not on a day that lacks it. G_MAXINT64 for a minute outside of the window. */
gint64 window_next_at_local(const Window *window, const Calendar *calendar, LocalZone *zone, gint64 at_ms, int minute);
