/*
 * What the tests of plan/ share: instants as text, in UTC, by GDateTime and so by other code than that under test.
 */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/calendar.h"

/* "2026-03-29T01:00:00Z" -> ms */
static inline gint64 instant(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    if (!time)
        fail_msg("the test's own time is wrong: %s", text);
    return g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
}

/* Fails with both times shown; want is an instant's text, "never" or "0". */
static inline void assert_instant(gint64 got_ms, const char *want, const char *what)
{
    g_autofree char *got = NULL;
    if (got_ms == G_MAXINT64) {
        got = g_strdup("never");
    } else if (got_ms == 0) {
        got = g_strdup("0");
    } else {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(got_ms / 1000);
        g_autofree char *second = g_date_time_format(time, "%FT%T");
        got = got_ms % 1000 ? g_strdup_printf("%s.%03dZ", second, (int)(got_ms % 1000)) : g_strdup_printf("%sZ", second);
    }
    if (!g_str_equal(got, want))
        fail_msg("%s: got %s, want %s", what, got, want);
}

static inline GTimeZone *zone_named(const char *name)
{
    GTimeZone *zone = g_time_zone_new_identifier(name);
    if (!zone)
        fail_msg("the system has no time zone %s", name);
    return zone;
}

/* A file of its own in the temporary folder. Remove it with g_unlink(); caller frees. */
static inline char *temporary_file(const char *text)
{
    char *name = NULL;
    int descriptor = g_file_open_tmp("plan-test-XXXXXX.ics", &name, NULL);
    assert_true(descriptor >= 0);
    g_close(descriptor, NULL);
    assert_true(g_file_set_contents(name, text, -1, NULL));
    return name;
}

/* The calendar of an iCalendar file with these lines in its VCALENDAR; NULL and error where it is refused. */
static inline Calendar *calendar_of(const char *lines, GError **error)
{
    g_autofree char *text =
        g_strdup_printf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//\r\n%sEND:VCALENDAR\r\n", lines);
    g_autofree char *file = temporary_file(text);
    char *files[] = {file, NULL};
    Calendar *calendar = calendar_load(files, error);
    g_unlink(file);
    return calendar;
}

#define ALL_DAY(date, more) "BEGIN:VEVENT\r\nUID:" date "\r\nDTSTART;VALUE=DATE:" date "\r\n" more "END:VEVENT\r\n"
