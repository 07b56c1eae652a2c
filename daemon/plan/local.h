/*
 * Local time as a number, for plan/ alone: ms since 1970-01-01 00:00 of the clock on the wall ("local_ms"), and days since
 * 1970-01-01 of the calendar on the wall ("day"). GTimeZone says what a zone's offset is; GDateTime is not used, since it
 * allocates at each step.
 *
 * GLib keeps a zone as a row of intervals of constant offset, told apart by a number that grows with time. That number is
 * all that its public calls give, and enough: where an interval ends is found by bisection. A look-up goes through the row from
 * its beginning, and is by far the dearest thing that plan/ does; so a LocalZone remembers what the ones before have told.
 */
#pragma once

#include <glib.h>

#define LOCAL_SECOND_MS ((gint64)1000)
#define LOCAL_MINUTE_MS ((gint64)60 * 1000)
#define LOCAL_HOUR_MS ((gint64)3600 * 1000)
#define LOCAL_DAY_MS ((gint64)24 * 3600 * 1000)

/* Instants outside of these (years 1600 and 6000) are no times that people mean: plan/ moves none of them, and no window
 * holds one. */
#define LOCAL_FIRST_MS ((gint64)-11676096000 * 1000)
#define LOCAL_LAST_MS ((gint64)127174492800 * 1000)

gboolean local_is_meant(gint64 at_ms);

/* A zone, for the length of one question, with what is known of it: from first_ms to last_ms all is one interval. */
typedef struct {
    GTimeZone *zone;
    int interval;
    gint64 first_ms, last_ms;
} LocalZone;

LocalZone local_zone(GTimeZone *zone);

/* The number of the interval of constant offset that holds the instant, and that offset. */
int local_interval(LocalZone *zone, gint64 at_ms);
gint64 local_interval_offset_ms(LocalZone *zone, int interval);

/* The first instant after the interval. inside_ms lies in it, beyond_ms in a later one. */
gint64 local_interval_end_ms(LocalZone *zone, int interval, gint64 inside_ms, gint64 beyond_ms);

/* What the clock on the wall shows at the instant. */
gint64 local_from_instant(LocalZone *zone, gint64 at_ms);

/* When the clock on the wall shows local_ms: the first time, where it does so twice; where it never does (a gap), as long
 * after the gap's start as local_ms is after the last time shown before it. */
gint64 local_to_instant(LocalZone *zone, gint64 local_ms);

/* Floor division, for times before 1970 as well. */
gint64 local_day(gint64 local_ms);

/* 0 is Monday. */
int local_weekday(gint64 day);

/* A date of the proleptic Gregorian calendar: month 1 … 12, day 1 … 31. */
typedef struct {
    gint64 year;
    int month, day;
} LocalDate;

LocalDate local_date(gint64 day);

/* The day of that date; a day that the month does not have becomes its last (29 February in a year without one is the 28th). */
gint64 local_day_of(gint64 year, int month, int day_of_month);

/* When that day begins on the clock on the wall; one that begins in a gap begins after it. It ends where the next begins. */
gint64 local_day_start(LocalZone *zone, gint64 day);

/* The day months later (earlier, if negative), in the proleptic Gregorian calendar; a day that its month does not have
 * becomes the month's last. */
gint64 local_day_add_months(gint64 day, int months);
