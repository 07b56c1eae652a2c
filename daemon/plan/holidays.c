/*
 * Holidays from iCalendar files (RFC 5545) by libical. Read once for a configuration, at start and at reload, by the
 * thread that does so. A file that would be understood only in part is refused whole, since a holiday missed is a mail on
 * that day.
 *
 * The files are the administrator's, yet often fetched from elsewhere: size, repetitions and days are bounded.
 */
#include "plan/holidays.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libical/ical.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "plan/calendar.h"
#include "plan/local.h"

#define FILE_MAX_BYTES ((goffset)16 * 1024 * 1024)
#define DAYS_MAX 200000 /* of one file, each event's counted, also where they coincide */
#define QUOTE_MAX_BYTES 200
#define DEPTH_MAX 8

G_DEFINE_AUTOPTR_CLEANUP_FUNC(icalcomponent, icalcomponent_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(icalrecur_iterator, icalrecur_iterator_free)

typedef struct {
    const char *file;
    HolidaySet *set;
    guint days; /* so far */
    guint calendars;
} Reading;

void holidays_add(HolidaySet *set, gint64 day)
{
    if (day >= 0 && day < HOLIDAYS_END_DAY)
        set->bits[day / 8] = (guint8)(set->bits[day / 8] | 1 << (day % 8));
}

gboolean holidays_contain(const HolidaySet *set, gint64 day)
{
    return day >= 0 && day < HOLIDAYS_END_DAY && (set->bits[day / 8] >> (day % 8) & 1);
}

/* ---- faults ---- */

static gboolean refuse(const Reading *reading, const char *what, const char *quote, GError **error)
{
    g_autofree char *one_line = text_one_line(quote ? quote : "");
    g_autofree char *shown = text_escape(one_line, QUOTE_MAX_BYTES);
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_HOLIDAYS, "%s: %s%s%s", reading->file, what, *shown ? ": " : "", shown);
    return FALSE;
}

static gboolean refuse_event(const Reading *reading, icalcomponent *event, const char *what, GError **error)
{
    const char *summary = icalcomponent_get_summary(event);
    return refuse(reading, what, summary ? summary : icalcomponent_get_uid(event), error);
}

/* libical puts an X-LIC-ERROR in the place of each property that it cannot read. One without a value says nothing anyway,
 * unless it should say when. */
static gboolean error_matters(const char *text)
{
    static const char *const times[] = {" DTSTART ", " DTEND ", " DURATION ", " RRULE ", " RDATE ", " EXDATE ", " EXRULE "};
    g_autofree char *one_line = text_one_line(text);

    if (!g_str_has_prefix(one_line, "No value for "))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
        if (strstr(one_line, times[i]))
            return TRUE;
    return FALSE;
}

static gboolean check_errors(const Reading *reading, icalcomponent *component, GError **error)
{
    for (icalproperty *property = icalcomponent_get_first_property(component, ICAL_XLICERROR_PROPERTY); property;
         property = icalcomponent_get_next_property(component, ICAL_XLICERROR_PROPERTY)) {
        const char *text = icalproperty_get_xlicerror(property);
        if (text && error_matters(text))
            return refuse(reading, "not iCalendar as RFC 5545 has it", text, error);
    }
    return TRUE;
}

/* ---- days ---- */

/* The day of a date; a day of the 30th of February is none. */
static gboolean day_of(struct icaltimetype date, gint64 *ret_day)
{
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 ||
        !g_date_valid_dmy((GDateDay)date.day, (GDateMonth)date.month, (GDateYear)date.year))
        return FALSE;

    GDate civil;
    g_date_clear(&civil, 1);
    g_date_set_dmy(&civil, (GDateDay)date.day, (GDateMonth)date.month, (GDateYear)date.year);
    *ret_day = (gint64)g_date_get_julian(&civil) - 719163; /* GLib's day 1 is 0001-01-01 */
    return TRUE;
}

static gboolean add_days(Reading *reading, gint64 first_day, gint64 length, GError **error)
{
    gint64 end_day = MIN(first_day + length, HOLIDAYS_END_DAY);

    for (gint64 day = MAX(first_day, 0); day < end_day; day++) {
        if (++reading->days > DAYS_MAX)
            return refuse(reading, "more than " G_STRINGIFY(DAYS_MAX) " days of holidays; leave out what is not needed",
                          NULL, error);
        holidays_add(reading->set, day);
    }
    return TRUE;
}

static gboolean add_occurrence(Reading *reading, icalcomponent *event, struct icaltimetype start, gint64 length,
                               GError **error)
{
    struct icaltimetype first = icalcomponent_get_dtstart(event);
    gint64 day;

    if (icalproperty_recurrence_is_excluded(event, &first, &start))
        return TRUE;
    if (!day_of(start, &day))
        return refuse_event(reading, event, "an event on a day that does not exist", error);
    return add_days(reading, day, length, error);
}

static gboolean add_rule(Reading *reading, icalcomponent *event, icalproperty *property, gint64 length, GError **error)
{
    struct icalrecurrencetype rule = icalproperty_get_rrule(property);
    if (rule.freq < ICAL_DAILY_RECURRENCE || rule.freq > ICAL_YEARLY_RECURRENCE)
        return refuse_event(reading, event, "an all-day event that repeats more often than daily", error);

    g_autoptr(icalrecur_iterator) iterator = icalrecur_iterator_new(rule, icalcomponent_get_dtstart(event));
    if (!iterator)
        return refuse_event(reading, event, "an event with a rule of repetition (RRULE) that makes no sense", error);

    for (guint count = 0; count <= DAYS_MAX; count++) {
        struct icaltimetype start = icalrecur_iterator_next(iterator);
        if (icaltime_is_null_time(start) || start.year > 2100)
            return TRUE;
        if (!add_occurrence(reading, event, start, length, error))
            return FALSE;
    }
    return refuse_event(reading, event, "an event that repeats more than " G_STRINGIFY(DAYS_MAX) " times", error);
}

/* By RRULE, of which an event has one at most, and by RDATE. */
static gboolean add_repetitions(Reading *reading, icalcomponent *event, gint64 length, GError **error)
{
    icalproperty *rule = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
    if (rule && !add_rule(reading, event, rule, length, error))
        return FALSE;

    /* collected first: add_occurrence() moves the event's only cursor over its properties */
    g_autoptr(GArray) extra = g_array_new(FALSE, FALSE, sizeof(struct icaltimetype));
    for (icalproperty *property = icalcomponent_get_first_property(event, ICAL_RDATE_PROPERTY); property;
         property = icalcomponent_get_next_property(event, ICAL_RDATE_PROPERTY)) {
        struct icaltimetype start = icalproperty_get_rdate(property).time;
        if (icaltime_is_date(start) && !icaltime_is_null_time(start))
            g_array_append_val(extra, start);
    }
    for (guint i = 0; i < extra->len; i++)
        if (!add_occurrence(reading, event, g_array_index(extra, struct icaltimetype, i), length, error))
            return FALSE;
    return TRUE;
}

/* ---- events ---- */

/* Days from DTSTART to DTEND (exclusive), or by DURATION; one where neither is given, or they say none. */
static gboolean event_length(const Reading *reading, icalcomponent *event, gint64 first_day, gint64 *ret_length,
                             GError **error)
{
    struct icaltimetype end = icalcomponent_get_dtend(event);
    gint64 end_day = first_day + 1;

    if (!icaltime_is_null_time(end) && !day_of(end, &end_day))
        return refuse_event(reading, event, "an event that ends on a day that does not exist", error);
    *ret_length = MAX(end_day - first_day, 1);
    return TRUE;
}

static gboolean read_event(Reading *reading, icalcomponent *event, GError **error)
{
    if (!check_errors(reading, event, error))
        return FALSE;
    if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED)
        return TRUE;

    struct icaltimetype start = icalcomponent_get_dtstart(event);
    gint64 first_day = 0, length = 1;
    if (icaltime_is_null_time(start))
        return refuse_event(reading, event, "an event without DTSTART", error);
    if (!icaltime_is_date(start))
        return TRUE;
    if (!day_of(start, &first_day))
        return refuse_event(reading, event, "an event on a day that does not exist", error);
    return event_length(reading, event, first_day, &length, error) && add_occurrence(reading, event, start, length, error) &&
           add_repetitions(reading, event, length, error);
}

/* A file holds one VCALENDAR, or several, which libical then puts into an XROOT. */
static gboolean read_component(Reading *reading, icalcomponent *component, guint depth, GError **error)
{
    icalcomponent_kind kind = icalcomponent_isa(component);
    if (kind == ICAL_VEVENT_COMPONENT)
        return read_event(reading, component, error);
    if ((kind != ICAL_VCALENDAR_COMPONENT && kind != ICAL_XROOT_COMPONENT) || depth >= DEPTH_MAX)
        return TRUE;
    if (kind == ICAL_VCALENDAR_COMPONENT)
        reading->calendars++;
    if (!check_errors(reading, component, error))
        return FALSE;

    for (icalcomponent *inner = icalcomponent_get_first_component(component, ICAL_ANY_COMPONENT); inner;
         inner = icalcomponent_get_next_component(component, ICAL_ANY_COMPONENT))
        if (!read_component(reading, inner, depth + 1, error))
            return FALSE;
    return TRUE;
}

/* ---- file ---- */

static char *read_text(const Reading *reading, GError **error)
{
    GStatBuf status;
    g_autofree char *text = NULL;
    gsize length = 0;

    if (g_stat(reading->file, &status) != 0) {
        refuse(reading, "cannot be read", g_strerror(errno), error);
        return NULL;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX_BYTES) {
        refuse(reading, S_ISREG(status.st_mode) ? "is larger than 16 MB" : "is no regular file", NULL, error);
        return NULL;
    }
    g_autoptr(GError) reason = NULL;
    if (!g_file_get_contents(reading->file, &text, &length, &reason)) {
        refuse(reading, "cannot be read", reason->message, error);
        return NULL;
    }
    if (strlen(text) != length || !g_utf8_validate(text, (gssize)length, NULL)) {
        refuse(reading, "is no text in UTF-8", NULL, error);
        return NULL;
    }
    return g_steal_pointer(&text);
}

gboolean holidays_read(const char *file, HolidaySet *set, GError **error)
{
    Reading reading = {.file = file, .set = set};
    g_autofree char *text = read_text(&reading, error);
    if (!text)
        return FALSE;

    const char *start = g_str_has_prefix(text, "\xEF\xBB\xBF") ? text + 3 : text;
    g_autoptr(icalcomponent) root = icalparser_parse_string(start);
    if (!root)
        return refuse(&reading, "not an iCalendar file (BEGIN:VCALENDAR … END:VCALENDAR)", NULL, error);
    if (!read_component(&reading, root, 0, error))
        return FALSE;
    if (reading.calendars == 0)
        return refuse(&reading, "has no VCALENDAR", NULL, error);
    return TRUE;
}
