/*
 * Durations as people write them: "90 seconds", "3 days", "2 weeks", "6 months", "1 year", "3 business days".
 * Months and years go by the calendar, days by the local day (a day across a change to summer time has 23 hours), so a
 * duration has no length of its own until it is added to a time in a zone: that is plan/calendar.h.
 */
#pragma once

#include <glib.h>

typedef struct {
    int months;        /* years count 12 */
    int days;          /* weeks count 7 */
    int business_days; /* days that are neither Saturday, Sunday nor a holiday */
    gint64 ms;         /* seconds, minutes and hours */
} Duration;

/* Parses a number and a unit (second minute hour day week month year, singular or plural, "business day"), and sums of them
 * joined by "and", a comma or nothing ("1 week 2 days"). Not negative; at most 100 years. BASE_ERROR_SYNTAX/RANGE. */
gboolean duration_parse(const char *text, Duration *ret_duration, GError **error);

/* As duration_parse() reads it, largest unit first; "0 seconds" for none. Caller frees. */
char *duration_format(const Duration *duration);

gboolean duration_is_zero(const Duration *duration);

/* About how long it is, for telling which of two is the longer: months have 30.4 days, business days 1.4. */
double duration_rough_days(const Duration *duration);

/* A length in ms for what is measured by machines (blind_after, every, jitter): day = 24 h. Months or business days give
 * BASE_ERROR_RANGE. */
gboolean duration_to_ms(const Duration *duration, gint64 *ret_ms, GError **error);
