/*
 * Calendar arithmetic in a contact's zone. A Calendar is the set of holidays of one configuration, immutable once loaded and
 * counted by reference; all else is pure functions, called from any thread.
 */
#include "plan/calendar.h"

#include "plan/days.h"
#include "plan/holidays.h"
#include "plan/local.h"

G_DEFINE_QUARK(nurture - plan - error - quark, plan_error)

struct Calendar {
    HolidaySet holidays;
};

Calendar *calendar_load(char **files, GError **error)
{
    g_autoptr(Calendar) calendar = g_new0(Calendar, 1);

    for (char **file = files; file && *file; file++)
        if (!holidays_read(*file, &calendar->holidays, error))
            return NULL;
    return g_steal_pointer(&calendar);
}

void calendar_free(Calendar *calendar)
{
    g_free(calendar);
}

gboolean calendar_day_is_holiday(const Calendar *calendar, gint64 day)
{
    return calendar && holidays_contain(&calendar->holidays, day);
}

gboolean calendar_is_holiday(const Calendar *calendar, GTimeZone *zone, gint64 at_ms)
{
    LocalZone local = local_zone(zone);
    return local_is_meant(at_ms) && calendar_day_is_holiday(calendar, local_day(local_from_instant(&local, at_ms)));
}

static gint64 add_business_days(const Calendar *calendar, gint64 day, int count)
{
    while (count > 0) {
        day++;
        if (local_weekday(day) < 5 && !calendar_day_is_holiday(calendar, day))
            count--;
    }
    return day;
}

static gint64 add_ms(gint64 at_ms, gint64 ms)
{
    gint64 sum_ms;
    if (__builtin_add_overflow(at_ms, ms, &sum_ms))
        return ms > 0 ? G_MAXINT64 : G_MININT64;
    return sum_ms;
}

/* The instant on another local day at the same time of day; at_ms itself where the day is the same, lest the second of two
 * equal local times become the first. */
static gint64 on_day(LocalZone *zone, gint64 at_ms, gint64 local_ms, gint64 day)
{
    gint64 old_day = local_day(local_ms);
    return day == old_day ? at_ms : local_to_instant(zone, local_ms + (day - old_day) * LOCAL_DAY_MS);
}

gint64 calendar_add_local(const Calendar *calendar, LocalZone *zone, gint64 at_ms, const Duration *duration)
{
    if (!local_is_meant(at_ms))
        return at_ms;
    if (!duration->months && !duration->days && !duration->business_days)
        return add_ms(at_ms, duration->ms);

    gint64 local_ms = local_from_instant(zone, at_ms);
    gint64 day = local_day_add_months(local_day(local_ms), duration->months) + duration->days;
    day = add_business_days(calendar, day, duration->business_days);
    return add_ms(MAX(at_ms, on_day(zone, at_ms, local_ms, day)), duration->ms);
}

gint64 calendar_add(const Calendar *calendar, GTimeZone *zone, gint64 at_ms, const Duration *duration)
{
    LocalZone local = local_zone(zone);
    return calendar_add_local(calendar, &local, at_ms, duration);
}

gint64 calendar_local_minute(GTimeZone *zone, gint64 at_ms, int days, int minute)
{
    if (!local_is_meant(at_ms))
        return at_ms;
    LocalZone local = local_zone(zone);
    gint64 day = local_day(local_from_instant(&local, at_ms)) + days;
    return local_to_instant(&local, day * LOCAL_DAY_MS + minute * LOCAL_MINUTE_MS);
}
