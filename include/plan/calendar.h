/*
 * Calendar arithmetic in a contact's zone: durations, local days, holidays. Pure; holidays are given, not read, but for
 * calendar_load(), which is called once for a configuration.
 *
 * Defined for the awkward cases: a local time in a gap (clocks go forward) means the moment after the gap that is as far from
 * its start as the time was; one in an overlap means the first of the two. 31 January + 1 month is the last of February.
 * Adding days or months keeps the local time of day.
 */
#pragma once

#include <glib.h>

#include "base/duration.h"

#define PLAN_ERROR (plan_error_quark())
GQuark plan_error_quark(void);
typedef enum { PLAN_ERROR_HOLIDAYS } PlanError;

typedef struct Calendar Calendar;

/* A calendar with the holidays of these iCalendar files (RFC 5545; all-day events, with RRULE, RDATE and EXDATE, expanded
 * 1970 … 2100; events with a time of day and cancelled ones do not count). NULL and PLAN_ERROR_HOLIDAYS, "file: what", for one
 * that cannot be read or would be understood only in part. An empty list is a calendar without holidays; so is a NULL
 * calendar in all calls below. */
Calendar *calendar_load(char **files, GError **error);
void calendar_free(Calendar *calendar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Calendar, calendar_free)

/* The local date of at_ms in zone is a holiday. */
gboolean calendar_is_holiday(const Calendar *calendar, GTimeZone *zone, gint64 at_ms);

/* at_ms + duration by the local calendar of zone: months, then days, then business days (the next ones that are neither
 * Saturday, Sunday nor a holiday), then ms. Never earlier than at_ms. G_MAXINT64 ("never") stays so. */
gint64 calendar_add(const Calendar *calendar, GTimeZone *zone, gint64 at_ms, const Duration *duration);

/* The instant of local minute-of-day `minute` (0 … 1440) on the local date of at_ms + days. */
gint64 calendar_local_minute(GTimeZone *zone, gint64 at_ms, int days, int minute);
