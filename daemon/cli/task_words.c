/*
 * Due days of tasks as people write and read them. Pure.
 */
#include "cli/task_words.h"

#include <string.h>

#include "base/duration.h"
#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"

static const char *const day_names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

/* The beginning of a day of the calendar, n days from the local one of now_ms. */
static gint64 day_after(gint64 now_ms, GTimeZone *zone, int months, int days)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
    g_autoptr(GDateTime) midnight =
        g_date_time_new(zone, g_date_time_get_year(local), g_date_time_get_month(local), g_date_time_get_day_of_month(local), 0, 0, 0);
    g_autoptr(GDateTime) later = g_date_time_add_months(midnight, months);
    g_autoptr(GDateTime) day = g_date_time_add_days(later, days);
    return g_date_time_to_unix(day) * 1000;
}

/* 1 … 7 days ahead; 0: no name of a day. Three letters are enough. */
static int days_to(const char *word, gint64 now_ms, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
    for (guint i = 0; i < G_N_ELEMENTS(day_names); i++)
        if (g_ascii_strcasecmp(word, day_names[i]) == 0 || (strlen(word) == 3 && g_ascii_strncasecmp(word, day_names[i], 3) == 0))
            return ((int)i + 1 - g_date_time_get_day_of_week(local) + 6) % 7 + 1;
    return 0;
}

/* Business days are counted without holidays, which are the contacts' matter. */
static int with_weekends(int business_days, gint64 now_ms, GTimeZone *zone)
{
    int days = 0;
    while (business_days > 0) {
        gint64 day_ms = day_after(now_ms, zone, 0, ++days);
        g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(day_ms / 1000);
        g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
        if (g_date_time_get_day_of_week(local) < 6)
            business_days--;
    }
    return days;
}

static gboolean parse_ahead(const char *text, gint64 now_ms, GTimeZone *zone, gint64 *ret_due_ms)
{
    Duration ahead;
    if (!duration_parse(text, &ahead, NULL))
        return FALSE;
    gboolean by_days = ahead.months != 0 || ahead.days != 0 || ahead.business_days != 0;
    if (by_days && ahead.ms != 0)
        return FALSE;
    int days = ahead.days + with_weekends(ahead.business_days, now_ms, zone);
    *ret_due_ms = by_days ? day_after(now_ms, zone, ahead.months, days) : now_ms + ahead.ms;
    return TRUE;
}

gboolean task_due_parse(const char *text, gint64 now_ms, GTimeZone *zone, gint64 *ret_due_ms, GError **error)
{
    g_autofree char *word = g_strstrip(g_strdup(text));
    if (g_ascii_strcasecmp(word, "none") == 0) {
        *ret_due_ms = 0;
        return TRUE;
    }
    int days = days_to(word, now_ms, zone);
    gboolean today = g_ascii_strcasecmp(word, "today") == 0;
    if (today || days > 0 || g_ascii_strcasecmp(word, "tomorrow") == 0) {
        *ret_due_ms = day_after(now_ms, zone, 0, today ? 0 : MAX(days, 1));
        return TRUE;
    }
    if (timestamp_parse(word, zone, ret_due_ms, NULL) || parse_ahead(word, now_ms, zone, ret_due_ms))
        return TRUE;
    g_autofree char *shown = text_quote(text, 60);
    g_set_error(error, BASE_ERROR, BASE_ERROR_SYNTAX,
                "%s is no day; write \"2026-11-24\", \"2026-11-24 09:15\", \"today\", \"tomorrow\", \"friday\", \"3 days\" or \"2 weeks\"",
                shown);
    return FALSE;
}

char *task_due_text(gint64 due_ms, GTimeZone *zone)
{
    if (due_ms == 0)
        return g_strdup("");
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(due_ms / 1000);
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
    gboolean is_midnight = g_date_time_get_hour(local) == 0 && g_date_time_get_minute(local) == 0;
    int day = g_date_time_get_day_of_week(local);
    g_autofree char *date = g_date_time_format(local, "%Y-%m-%d");
    g_autofree char *hour = is_midnight ? g_strdup("") : g_date_time_format(local, " %H:%M");
    return g_strdup_printf("%s %c%.2s%s", date, g_ascii_toupper(day_names[day - 1][0]), day_names[day - 1] + 1, hour);
}

gboolean task_day(gint64 at_ms, GTimeZone *zone, gint64 *ret_from_ms, gint64 *ret_to_ms)
{
    if (ret_from_ms != NULL)
        *ret_from_ms = day_after(at_ms, zone, 0, 0);
    if (ret_to_ms != NULL)
        *ret_to_ms = day_after(at_ms, zone, 0, 1);
    return TRUE;
}
