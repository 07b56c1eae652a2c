/*
 * Protects the sending window: the next moment inside it is the earliest there is, in every kind of zone, and never on a
 * holiday.
 */
#include "plan_test.h"

#include "plan/window.h"

#define WORKDAYS (DAY_MON | DAY_TUE | DAY_WED | DAY_THU | DAY_FRI)
#define OFFICE                                                                                                              \
    {                                                                                                                       \
        WORKDAYS, 9 * 60, 16 * 60 + 30                                                                                      \
    }

static void test_next(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        Window window;
        const char *at, *want;
    } table[] = {
        /* inside, before, at its end (exclusive), after it, over a weekend */
        {"Europe/Oslo", OFFICE, "2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"},
        {"Europe/Oslo", OFFICE, "2026-11-24T15:29:59.999Z", "2026-11-24T15:29:59.999Z"},
        {"Europe/Oslo", OFFICE, "2026-11-24T07:59:59.999Z", "2026-11-24T08:00:00Z"},
        {"Europe/Oslo", OFFICE, "2026-11-24T15:30:00Z", "2026-11-25T08:00:00Z"},
        {"Europe/Oslo", OFFICE, "2026-11-27T15:30:00Z", "2026-11-30T08:00:00Z"},
        {"Europe/Oslo", OFFICE, "2026-11-28T12:00:00Z", "2026-11-30T08:00:00Z"},
        /* over the changes of the clock, and over the year's end */
        {"Europe/Oslo", OFFICE, "2026-03-27T16:00:00Z", "2026-03-30T07:00:00Z"},
        {"Europe/Oslo", OFFICE, "2026-10-23T15:00:00Z", "2026-10-26T08:00:00Z"},
        {"Asia/Tokyo", OFFICE, "2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z"},
        /* a window to 24:00, all day, of one minute, on one day of the week */
        {"Europe/Oslo", {DAY_ALL, 1380, 1440}, "2026-11-24T22:59:59Z", "2026-11-24T22:59:59Z"},
        {"Europe/Oslo", {DAY_ALL, 1380, 1440}, "2026-11-24T23:00:00Z", "2026-11-25T22:00:00Z"},
        {"Europe/Oslo", {DAY_ALL, 0, 1440}, "2026-11-24T23:00:00Z", "2026-11-24T23:00:00Z"},
        {"Europe/Oslo", {DAY_ALL, 540, 541}, "2026-11-24T08:00:59Z", "2026-11-24T08:00:59Z"},
        {"Europe/Oslo", {DAY_ALL, 540, 541}, "2026-11-24T08:01:00Z", "2026-11-25T08:00:00Z"},
        {"Europe/Oslo", {DAY_MON, 540, 600}, "2026-11-23T09:00:00Z", "2026-11-30T08:00:00Z"},
        {"Europe/Oslo", {DAY_SUN, 540, 600}, "2026-11-23T09:00:00Z", "2026-11-29T08:00:00Z"},
        /* opens in the gap: the earliest moment inside is the first after it */
        {"Europe/Oslo", {DAY_ALL, 150, 300}, "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z"},
        /* lies in the gap whole: not on that day */
        {"Europe/Oslo", {DAY_ALL, 135, 165}, "2026-03-28T23:00:00Z", "2026-03-30T00:15:00Z"},
        /* in the overlap it opens twice */
        {"Europe/Oslo", {DAY_ALL, 60, 150}, "2026-10-25T00:29:59Z", "2026-10-25T00:29:59Z"},
        {"Europe/Oslo", {DAY_ALL, 60, 150}, "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
        {"Europe/Oslo", {DAY_ALL, 60, 150}, "2026-10-25T01:30:00Z", "2026-10-26T00:00:00Z"},
        /* half an hour of summer time */
        {"Australia/Lord_Howe", {DAY_ALL, 120, 125}, "2026-10-03T12:00:00Z", "2026-10-04T15:00:00Z"},
        /* the day that never was, a Friday, and the one after it */
        {"Pacific/Apia", {DAY_FRI, 540, 600}, "2011-12-29T19:00:00Z", "2012-01-05T19:00:00Z"},
        {"Pacific/Apia", OFFICE, "2011-12-30T05:00:00Z", "2012-01-01T19:00:00Z"},
        {"Pacific/Kwajalein", {DAY_SAT, 540, 600}, "1993-08-20T22:00:00Z", "1993-08-27T21:00:00Z"},
        /* midnight in the gap */
        {"America/Sao_Paulo", {DAY_SUN, 0, 1440}, "2018-11-03T20:00:00Z", "2018-11-04T03:00:00Z"},
        {"Asia/Beirut", {DAY_SUN, 0, 30}, "2021-03-27T20:00:00Z", "2021-04-03T21:00:00Z"},
        {"Africa/Cairo", {DAY_FRI, 0, 30}, "2026-04-23T12:00:00Z", "2026-04-30T21:00:00Z"},
        /* 29 February */
        {"UTC", {DAY_TUE, 540, 600}, "2028-02-28T23:00:00Z", "2028-02-29T09:00:00Z"},
        /* windows that are none */
        {"UTC", {0, 540, 600}, "2026-11-24T08:00:00Z", "never"},
        {"UTC", {DAY_ALL, 600, 600}, "2026-11-24T08:00:00Z", "never"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GTimeZone) zone = zone_named(table[i].zone);
        g_autofree char *what = g_strdup_printf("row %zu, %s from %s", i, table[i].zone, table[i].at);
        gint64 at_ms = instant(table[i].at);
        gint64 next_ms = window_next(&table[i].window, NULL, zone, at_ms);
        assert_instant(next_ms, table[i].want, what);
        assert_int_equal(window_contains(&table[i].window, NULL, zone, at_ms), next_ms == at_ms);
        if (next_ms != G_MAXINT64) {
            assert_true(window_contains(&table[i].window, NULL, zone, next_ms));
            assert_true(next_ms == at_ms || !window_contains(&table[i].window, NULL, zone, next_ms - 1));
        }
    }
}

static void test_holidays(void **state)
{
    (void)state;
    static const Window office = OFFICE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    g_autoptr(Calendar) calendar = calendar_of(
        ALL_DAY("20261224", "DTEND;VALUE=DATE:20261227\r\n") ALL_DAY("20270101", "RRULE:FREQ=YEARLY\r\n"), &error);

    assert_non_null(calendar);
    assert_instant(window_next(&office, calendar, zone, instant("2026-12-23T16:00:00Z")), "2026-12-28T08:00:00Z",
                   "Christmas");
    assert_instant(window_next(&office, calendar, zone, instant("2026-12-24T09:00:00Z")), "2026-12-28T08:00:00Z",
                   "in the middle");
    assert_instant(window_next(&office, calendar, zone, instant("2027-12-31T16:00:00Z")), "2028-01-03T08:00:00Z",
                   "new year");
    assert_false(window_contains(&office, calendar, zone, instant("2026-12-24T09:00:00Z")));
    assert_true(window_contains(&office, NULL, zone, instant("2026-12-24T09:00:00Z")));
}

static void test_never(void **state)
{
    (void)state;
    static const Window office = OFFICE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    g_autoptr(Calendar) calendar = calendar_of(ALL_DAY("20260101", "DTEND;VALUE=DATE:20290101\r\n"), &error);

    assert_non_null(calendar);
    assert_instant(window_next(&office, calendar, zone, instant("2026-06-01T00:00:00Z")), "never", "holidays for years");
    assert_instant(window_next(&office, calendar, zone, instant("2028-12-01T00:00:00Z")), "2029-01-01T08:00:00Z",
                   "the last month");
    assert_instant(window_next(&office, NULL, zone, G_MAXINT64), "never", "beyond time");
    assert_instant(window_next(&office, NULL, zone, G_MININT64), "never", "before time");
    assert_false(window_contains(&office, NULL, zone, G_MAXINT64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_holidays),
        cmocka_unit_test(test_never),
    };
    return cmocka_run_group_tests_name("plan/window", tests, NULL, NULL);
}
