/*
 * The sending window. Pure functions, called from any thread.
 *
 * The search goes by the zone's intervals of constant offset: inside one, local time runs evenly, and the next moment in the
 * window is plain arithmetic. If it lies beyond the interval's end, nothing more of the interval is inside the window, and
 * the search goes on from there. So gaps, overlaps and skipped days need no case of their own, and the usual call costs
 * two look-ups in the zone.
 */
#include "plan/window.h"

#include "plan/days.h"

#define SEARCH_DAYS 400

#define NEVER G_MAXINT64

static gboolean day_is_open(const Window *window, const Calendar *calendar, gint64 day)
{
    return (window->days >> local_weekday(day) & 1) && !calendar_day_is_holiday(calendar, day);
}

/* The earliest local time in the window at or after local_ms, on a day up to last_day. */
static gint64 next_local(const Window *window, const Calendar *calendar, gint64 local_ms, gint64 last_day)
{
    gint64 from_ms = window->from_min * LOCAL_MINUTE_MS;
    gint64 to_ms = window->to_min * LOCAL_MINUTE_MS;
    gint64 day = local_day(local_ms);

    if (local_ms - day * LOCAL_DAY_MS >= to_ms)
        day++;
    while (day <= last_day && !day_is_open(window, calendar, day))
        day++;
    return day <= last_day ? MAX(local_ms, day * LOCAL_DAY_MS + from_ms) : NEVER;
}

gint64 window_next_local(const Window *window, const Calendar *calendar, LocalZone *zone, gint64 at_ms)
{
    if (!local_is_meant(at_ms) || !(window->days & DAY_ALL) || window->from_min >= window->to_min)
        return NEVER;

    gint64 limit_ms = at_ms + SEARCH_DAYS * LOCAL_DAY_MS;
    gint64 from_ms = at_ms;
    while (from_ms <= limit_ms) {
        int interval = local_interval(zone, from_ms);
        gint64 offset_ms = local_interval_offset_ms(zone, interval);
        gint64 local_ms = next_local(window, calendar, from_ms + offset_ms, local_day(limit_ms + offset_ms));
        if (local_ms == NEVER)
            return NEVER;

        gint64 next_ms = local_ms - offset_ms;
        if (next_ms == from_ms || local_interval(zone, next_ms) == interval)
            return next_ms;
        from_ms = local_interval_end_ms(zone, interval, from_ms, next_ms);
    }
    return NEVER;
}

gint64 window_next_at_local(const Window *window, const Calendar *calendar, LocalZone *zone, gint64 at_ms, int minute)
{
    if (!local_is_meant(at_ms) || minute < window->from_min || minute >= window->to_min || !(window->days & DAY_ALL))
        return NEVER;

    gint64 first_day = local_day(local_from_instant(zone, at_ms));
    for (gint64 day = first_day; day <= first_day + SEARCH_DAYS; day++) {
        if (!day_is_open(window, calendar, day))
            continue;
        gint64 local_ms = day * LOCAL_DAY_MS + minute * LOCAL_MINUTE_MS;
        gint64 next_ms = local_to_instant(zone, local_ms);
        if (next_ms >= at_ms && local_from_instant(zone, next_ms) == local_ms) /* not where clocks skip it */
            return next_ms;
    }
    return NEVER;
}

gint64 window_next(const Window *window, const Calendar *calendar, GTimeZone *zone, gint64 at_ms)
{
    LocalZone local = local_zone(zone);
    return window_next_local(window, calendar, &local, at_ms);
}

gboolean window_contains(const Window *window, const Calendar *calendar, GTimeZone *zone, gint64 at_ms)
{
    if (!local_is_meant(at_ms))
        return FALSE;

    LocalZone local = local_zone(zone);
    gint64 local_ms = local_from_instant(&local, at_ms);
    gint64 day = local_day(local_ms);
    gint64 minute = (local_ms - day * LOCAL_DAY_MS) / LOCAL_MINUTE_MS;
    return minute >= window->from_min && minute < window->to_min && day_is_open(window, calendar, day);
}
