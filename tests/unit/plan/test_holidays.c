/*
 * Protects what counts as a holiday: all-day events of iCalendar files with their repetitions, and that a file that would be
 * understood in part is refused with its name and the reason.
 */
#include "plan_test.h"

#include <string.h>
#include <time.h>

static gboolean holiday_on(const Calendar *calendar, const char *date)
{
    g_autofree char *noon = g_strdup_printf("%sT12:00:00Z", date);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    return calendar_is_holiday(calendar, utc, instant(noon));
}

static void test_events(void **state)
{
    (void)state;
    static const struct {
        const char *what, *lines;
        const char *holidays[6], *others[6];
    } table[] = {
        {"one day without an end", ALL_DAY("20260501", ""), {"2026-05-01"}, {"2026-04-30", "2026-05-02", "2027-05-01"}},
        {"DTEND is exclusive",
         ALL_DAY("20261224", "DTEND;VALUE=DATE:20261227\r\n"),
         {"2026-12-24", "2026-12-25", "2026-12-26"},
         {"2026-12-23", "2026-12-27"}},
        {"DTEND on DTSTART means the day",
         ALL_DAY("20260517", "DTEND;VALUE=DATE:20260517\r\n"),
         {"2026-05-17"},
         {"2026-05-16", "2026-05-18"}},
        {"DTEND before DTSTART means the day",
         ALL_DAY("20260517", "DTEND;VALUE=DATE:20260510\r\n"),
         {"2026-05-17"},
         {"2026-05-10", "2026-05-16"}},
        {"DURATION", ALL_DAY("20260517", "DURATION:P2D\r\n"), {"2026-05-17", "2026-05-18"}, {"2026-05-19"}},
        {"every year to the end of the range",
         ALL_DAY("19700517", "RRULE:FREQ=YEARLY\r\n"),
         {"1970-05-17", "1971-05-17", "2026-05-17", "2038-05-17", "2100-05-17"},
         {"1969-05-17", "2026-05-16", "2101-05-17"}},
        {"every year, from before the range",
         ALL_DAY("18140517", "RRULE:FREQ=YEARLY\r\n"),
         {"1970-05-17", "2026-05-17"},
         {"2026-05-18"}},
        {"several days every year",
         ALL_DAY("20201231", "DTEND;VALUE=DATE:20210102\r\nRRULE:FREQ=YEARLY\r\n"),
         {"2020-12-31", "2021-01-01", "2027-12-31", "2028-01-01"},
         {"2027-12-30", "2028-01-02"}},
        {"leap days only where there are some",
         ALL_DAY("20200229", "RRULE:FREQ=YEARLY\r\n"),
         {"2020-02-29", "2024-02-29", "2028-02-29"},
         {"2021-02-28", "2021-03-01"}},
        {"the fourth Thursday of November",
         ALL_DAY("20241128", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\n"),
         {"2024-11-28", "2025-11-27", "2026-11-26"},
         {"2026-11-27", "2026-11-28"}},
        {"COUNT, UNTIL's cousin",
         ALL_DAY("20260101", "RRULE:FREQ=YEARLY;COUNT=2\r\n"),
         {"2026-01-01", "2027-01-01"},
         {"2028-01-01"}},
        {"UNTIL is inclusive",
         ALL_DAY("20260101", "RRULE:FREQ=YEARLY;UNTIL=20280101\r\n"),
         {"2027-01-01", "2028-01-01"},
         {"2029-01-01"}},
        {"EXDATE",
         ALL_DAY("20260101", "RRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20270101,20280101\r\n"),
         {"2026-01-01", "2029-01-01"},
         {"2027-01-01", "2028-01-01"}},
        {"RDATE",
         ALL_DAY("20260402", "RDATE;VALUE=DATE:20270325\r\nRDATE;VALUE=DATE:20280413\r\n"),
         {"2026-04-02", "2027-03-25", "2028-04-13"},
         {"2027-04-02"}},
        {"RDATE with a rule",
         ALL_DAY("20260402", "RRULE:FREQ=YEARLY;COUNT=2\r\nRDATE;VALUE=DATE:20300413\r\n"),
         {"2026-04-02", "2027-04-02", "2030-04-13"},
         {"2028-04-02"}},
        {"a time of day is an appointment",
         "BEGIN:VEVENT\r\nDTSTART:20260501T080000Z\r\nDTEND:20260502T080000Z\r\nEND:VEVENT\r\n",
         {NULL},
         {"2026-05-01", "2026-05-02"}},
        {"cancelled", ALL_DAY("20260501", "STATUS:CANCELLED\r\n"), {NULL}, {"2026-05-01"}},
        {"transparent, as calendars of holidays have it",
         ALL_DAY("20260501", "TRANSP:TRANSPARENT\r\nDESCRIPTION:\r\nX-OWN:1\r\n"),
         {"2026-05-01"},
         {NULL}},
        {"a date without VALUE=DATE", "BEGIN:VEVENT\r\nDTSTART:20260501\r\nEND:VEVENT\r\n", {"2026-05-01"}, {NULL}},
        {"a task is no event", "BEGIN:VTODO\r\nDTSTART;VALUE=DATE:20260501\r\nEND:VTODO\r\n", {NULL}, {"2026-05-01"}},
        {"of two events both",
         ALL_DAY("20260501", "") ALL_DAY("20260517", ""),
         {"2026-05-01", "2026-05-17"},
         {"2026-05-02"}},
        {"the last day of the range",
         ALL_DAY("21001231", "DTEND;VALUE=DATE:21010105\r\n"),
         {"2100-12-31"},
         {"2101-01-01", "2101-01-04"}},
        {"the first day of the range",
         ALL_DAY("19691230", "DTEND;VALUE=DATE:19700102\r\n"),
         {"1970-01-01"},
         {"1969-12-31", "1970-01-02"}},
        {"no event", "", {NULL}, {"2026-05-01"}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Calendar) calendar = calendar_of(table[i].lines, &error);
        if (!calendar)
            fail_msg("%s: refused: %s", table[i].what, error->message);
        for (const char *const *date = table[i].holidays; *date; date++)
            if (!holiday_on(calendar, *date))
                fail_msg("%s: %s should be a holiday", table[i].what, *date);
        for (const char *const *date = table[i].others; *date; date++)
            if (holiday_on(calendar, *date))
                fail_msg("%s: %s should be no holiday", table[i].what, *date);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *reason;
    } table[] = {
        {"BEGIN:VEVENT\r\nSUMMARY:When\r\nEND:VEVENT\r\n", "without DTSTART: When"},
        {ALL_DAY("hello", "SUMMARY:May day\r\n"), "DTSTART"},
        {ALL_DAY("20260230", "SUMMARY:No day\r\n"), "does not exist: No day"},
        {ALL_DAY("20260501", "DTEND;VALUE=DATE:20260532\r\n"), "does not exist"},
        {ALL_DAY("20260501", "DTEND;VALUE=DATE:soon\r\n"), "DTEND"},
        {ALL_DAY("20260501", "RRULE:FREQ=YEARLEY\r\n"), "RRULE"},
        {ALL_DAY("20260501", "RRULE:\r\n"), "RRULE"},
        {ALL_DAY("20260501", "RRULE:FREQ=HOURLY\r\n"), "more often than daily"},
        {ALL_DAY("20260501", "EXDATE;VALUE=DATE:nonsense\r\n"), "EXDATE"},
        {ALL_DAY("20260501", "RRULE FREQ=YEARLY\r\n"), "RRULE FREQ=YEARLY"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Calendar) calendar = calendar_of(table[i].lines, &error);
        assert_null(calendar);
        assert_true(g_error_matches(error, PLAN_ERROR, PLAN_ERROR_HOLIDAYS));
        if (!strstr(error->message, table[i].reason) || !strstr(error->message, ".ics: ") || strchr(error->message, '\n'))
            fail_msg("row %zu: the message should name file and \"%s\": %s", i, table[i].reason, error->message);
    }
}

static void test_files_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "hello\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260501\r\n",
        "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260501\r\nEND:VEVENT\r\n",
        "BEGIN:VCALENDAR\r\nX:\xFF\xFE\r\nEND:VCALENDAR\r\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *file = temporary_file(texts[i]);
        g_autoptr(GError) error = NULL;
        char *files[] = {file, NULL};
        assert_null(calendar_load(files, &error));
        assert_true(g_error_matches(error, PLAN_ERROR, PLAN_ERROR_HOLIDAYS));
        assert_true(g_str_has_prefix(error->message, file));
        g_unlink(file);
    }
    static const char *const names[] = {"/nonexistent/holidays.ics", "/", "/dev/zero"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_strdup(names[i]);
        g_autoptr(GError) error = NULL;
        char *files[] = {name, NULL};
        assert_null(calendar_load(files, &error));
        assert_true(g_error_matches(error, PLAN_ERROR, PLAN_ERROR_HOLIDAYS));
    }
}

static void test_several_files_and_calendars(void **state)
{
    (void)state;
    g_autofree char *one = temporary_file("\xEF\xBB\xBF"
                                          "BEGIN:VCALENDAR\n" ALL_DAY("20260501", "") "END:VCALENDAR\n");
    g_autofree char *two = temporary_file(
        "BEGIN:VCALENDAR\r\n" ALL_DAY("20260517", "") "END:VCALENDAR\r\n"
                                                      "BEGIN:VCALENDAR\r\n" ALL_DAY("20261225", "") "END:VCALENDAR\r\n");
    char *files[] = {one, two, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Calendar) calendar = calendar_load(files, &error);

    assert_non_null(calendar);
    assert_true(holiday_on(calendar, "2026-05-01"));
    assert_true(holiday_on(calendar, "2026-05-17"));
    assert_true(holiday_on(calendar, "2026-12-25"));
    assert_false(holiday_on(calendar, "2026-12-24"));

    char *none[] = {NULL};
    g_autoptr(Calendar) empty = calendar_load(none, &error);
    assert_non_null(empty);
    assert_false(holiday_on(empty, "2026-05-01"));
    g_unlink(one);
    g_unlink(two);
}

/* The holiday is the contact's: it begins and ends at their midnight. */
static void test_local_date_counts(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Calendar) calendar = calendar_of(ALL_DAY("20260517", ""), &error);
    g_autoptr(GTimeZone) auckland = zone_named("Pacific/Auckland");
    g_autoptr(GTimeZone) honolulu = zone_named("Pacific/Honolulu");

    assert_false(calendar_is_holiday(calendar, auckland, instant("2026-05-16T11:59:59Z")));
    assert_true(calendar_is_holiday(calendar, auckland, instant("2026-05-16T12:00:00Z")));
    assert_false(calendar_is_holiday(calendar, auckland, instant("2026-05-17T12:00:00Z")));
    assert_false(calendar_is_holiday(calendar, honolulu, instant("2026-05-17T09:59:59Z")));
    assert_true(calendar_is_holiday(calendar, honolulu, instant("2026-05-18T09:59:59Z")));
}

/* Rules that never come, or come too often, end soon all the same. */
static void test_rules_are_bounded(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n",
        "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31\r\n",
        "RRULE:FREQ=DAILY\r\n",
        "RRULE:FREQ=WEEKLY;INTERVAL=32767\r\n",
        "RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366\r\n",
        "DTEND;VALUE=DATE:21000101\r\nRRULE:FREQ=DAILY\r\n",
        "DTEND;VALUE=DATE:99991231\r\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autofree char *lines =
            g_strconcat("BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:19700102\r\n", rules[i], "END:VEVENT\r\n", NULL);
        g_autoptr(GError) error = NULL;
        gint64 start_us = g_get_monotonic_time();
        g_autoptr(Calendar) calendar = calendar_of(lines, &error);
        gint64 taken_us = g_get_monotonic_time() - start_us;
        assert_true(calendar || g_error_matches(error, PLAN_ERROR, PLAN_ERROR_HOLIDAYS));
        if (taken_us > 5 * G_USEC_PER_SEC)
            fail_msg("%s took %" G_GINT64_FORMAT " ms", rules[i], taken_us / 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_files_refused),
        cmocka_unit_test(test_several_files_and_calendars),
        cmocka_unit_test(test_local_date_counts),
        cmocka_unit_test(test_rules_are_bounded),
    };
    return cmocka_run_group_tests_name("plan/holidays", tests, NULL, NULL);
}
