/*
 * When mail may leave: the sending window in the contact's zone, holidays left out.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "plan/calendar.h"

/* The earliest instant at or after at_ms that lies inside the window and on no holiday; at_ms itself where it does. At most 400 days
 * ahead; G_MAXINT64 where there is none (a window of holidays only). */
gint64 window_next(const Window *window, const Calendar *calendar, GTimeZone *zone, gint64 at_ms);

gboolean window_contains(const Window *window, const Calendar *calendar, GTimeZone *zone, gint64 at_ms);
