/*
 * Local time as a number: see local.h. Pure functions, called from any thread; GTimeZone is immutable.
 *
 * Known limit: GLib 2.74 misreads rules whose "daylight-saving time" lies in winter (in today's zone database Europe/Dublin
 * alone) for years after 2037, by one hour. tests/property compares all else with Python's zoneinfo.
 */
#include "plan/local.h"

/* No zone is further than this from UTC. */
#define OFFSET_MAX_MS (LOCAL_HOUR_MS * 26)

static gint64 floor_div(gint64 dividend, gint64 divisor)
{
    gint64 quotient = dividend / divisor;
    return dividend % divisor < 0 ? quotient - 1 : quotient;
}

gboolean local_is_meant(gint64 at_ms)
{
    return at_ms >= LOCAL_FIRST_MS && at_ms <= LOCAL_LAST_MS;
}

static int interval_at_s(GTimeZone *zone, gint64 at_s)
{
    return g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, at_s);
}

LocalZone local_zone(GTimeZone *zone)
{
    return (LocalZone){.zone = zone, .first_ms = G_MAXINT64, .last_ms = G_MININT64};
}

int local_interval(LocalZone *zone, gint64 at_ms)
{
    if (at_ms >= zone->first_ms && at_ms <= zone->last_ms)
        return zone->interval;

    int interval = interval_at_s(zone->zone, floor_div(at_ms, LOCAL_SECOND_MS));
    if (zone->first_ms > zone->last_ms || interval != zone->interval) {
        zone->interval = interval;
        zone->first_ms = zone->last_ms = at_ms;
    } else { /* numbers grow with time: what lies between is of the same interval */
        zone->first_ms = MIN(zone->first_ms, at_ms);
        zone->last_ms = MAX(zone->last_ms, at_ms);
    }
    return interval;
}

gint64 local_interval_offset_ms(LocalZone *zone, int interval)
{
    return g_time_zone_get_offset(zone->zone, interval) * LOCAL_SECOND_MS;
}

gint64 local_interval_end_ms(LocalZone *zone, int interval, gint64 inside_ms, gint64 beyond_ms)
{
    gint64 inside_s = floor_div(inside_ms, LOCAL_SECOND_MS);
    gint64 beyond_s = floor_div(beyond_ms, LOCAL_SECOND_MS);

    while (beyond_s - inside_s > 1) {
        gint64 middle_s = inside_s + (beyond_s - inside_s) / 2;
        if (interval_at_s(zone->zone, middle_s) == interval)
            inside_s = middle_s;
        else
            beyond_s = middle_s;
    }
    return beyond_s * LOCAL_SECOND_MS;
}

gint64 local_from_instant(LocalZone *zone, gint64 at_ms)
{
    return at_ms + local_interval_offset_ms(zone, local_interval(zone, at_ms));
}

gint64 local_to_instant(LocalZone *zone, gint64 local_ms)
{
    int last = local_interval(zone, local_ms + OFFSET_MAX_MS); /* first, since most come from an earlier time */
    int first = local_interval(zone, local_ms - OFFSET_MAX_MS);
    gint64 at_ms = local_ms - local_interval_offset_ms(zone, first);
    if (first == last)
        return at_ms;

    /* Read with its offset, the time lies before, inside or behind an interval. The first interval that it is not behind is
     * the one, unless it lies before that: then it falls into the gap between two, and the earlier offset counts. */
    for (int interval = first; interval <= last; interval++) {
        gint64 candidate_ms = local_ms - local_interval_offset_ms(zone, interval);
        int holder = local_interval(zone, candidate_ms);
        if (holder < interval)
            return at_ms;
        at_ms = candidate_ms;
        if (holder == interval)
            return at_ms;
    }
    return at_ms;
}

gint64 local_day(gint64 local_ms)
{
    return floor_div(local_ms, LOCAL_DAY_MS);
}

int local_weekday(gint64 day)
{
    gint64 since_monday = (day + 3) % 7; /* day 0 was a Thursday */
    return (int)(since_monday < 0 ? since_monday + 7 : since_monday);
}

/*
 * Days to dates and back by eras of 400 years (146,097 days), with years that begin in March, so that the leap day comes
 * last and the lengths of months follow one linear formula.
 */
LocalDate local_date(gint64 day)
{
    gint64 shifted = day + 719468; /* since 0000-03-01 */
    gint64 era = floor_div(shifted, 146097);
    gint64 day_of_era = shifted - era * 146097;
    gint64 year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    gint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    gint64 march_month = (5 * day_of_year + 2) / 153; /* 0 is March */
    int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);

    return (LocalDate){.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
                       .month = month,
                       .day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

static gint64 day_from_date(gint64 year, int month, int day_of_month)
{
    gint64 march_year = month <= 2 ? year - 1 : year;
    gint64 era = floor_div(march_year, 400);
    gint64 year_of_era = march_year - era * 400;
    gint64 day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day_of_month - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

gint64 local_day_of(gint64 year, int month, int day_of_month)
{
    gint64 month_start = day_from_date(year, month, 1);
    gint64 month_end = (month == 12 ? day_from_date(year + 1, 1, 1) : day_from_date(year, month + 1, 1)) - 1;

    return MIN(month_start + day_of_month - 1, month_end);
}

gint64 local_day_start(LocalZone *zone, gint64 day)
{
    return local_to_instant(zone, day * LOCAL_DAY_MS);
}

gint64 local_day_add_months(gint64 day, int months)
{
    if (months == 0)
        return day;

    LocalDate date = local_date(day);
    gint64 month_index = date.year * 12 + (date.month - 1) + months;
    gint64 year = floor_div(month_index, 12);
    return local_day_of(year, (int)(month_index - year * 12) + 1, date.day);
}
