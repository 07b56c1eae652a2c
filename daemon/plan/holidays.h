/*
 * The holidays of iCalendar files as a set of local days, for plan/calendar.c alone.
 *
 * Only all-day events count (DTSTART is a date): each day from DTSTART to the one before DTEND, and so for every repetition
 * by RRULE and RDATE but those in EXDATE. An event with a time of day is an appointment, not a holiday; a cancelled one is
 * none either.
 */
#pragma once

#include <glib.h>

/* 1970-01-01 … 2100-12-31, as days since 1970-01-01. */
#define HOLIDAYS_END_DAY 47847

typedef struct {
    guint8 bits[(HOLIDAYS_END_DAY + 7) / 8];
} HolidaySet;

/* Adds those of the file. PLAN_ERROR_HOLIDAYS, "file: what", where it cannot be read; the set may then hold a part of
 * them. */
gboolean holidays_read(const char *file, HolidaySet *set, GError **error);

void holidays_add(HolidaySet *set, gint64 day);
gboolean holidays_contain(const HolidaySet *set, gint64 day);
