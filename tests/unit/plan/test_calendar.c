/*
 * Protects the calendar: durations by the local calendar in the zones that make it hard, and local minutes.
 */
#include "plan_test.h"

static void test_add(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *at;
        Duration duration;
        const char *want;
    } table[] = {
        /* days keep the local time of day over both changes */
        {"Europe/Oslo", "2026-03-28T08:00:00Z", {.days = 1}, "2026-03-29T07:00:00Z"},
        {"Europe/Oslo", "2026-10-24T07:00:00Z", {.days = 1}, "2026-10-25T08:00:00Z"},
        /* hours do not */
        {"Europe/Oslo", "2026-03-28T08:00:00Z", {.ms = 24 * 3600 * 1000}, "2026-03-29T08:00:00Z"},
        /* 02:30 in the gap is as far from 02:00 as 03:30 from 03:00; in the overlap it is the first */
        {"Europe/Oslo", "2026-03-28T01:30:00Z", {.days = 1}, "2026-03-29T01:30:00Z"},
        {"Europe/Oslo", "2026-10-24T00:30:00Z", {.days = 1}, "2026-10-25T00:30:00Z"},
        /* nothing to add leaves the second 02:30 of two where it is */
        {"Europe/Oslo", "2026-10-25T01:30:00Z", {0}, "2026-10-25T01:30:00Z"},
        {"Europe/Oslo", "2026-10-25T01:30:00Z", {.ms = 1}, "2026-10-25T01:30:00.001Z"},
        /* a day after it there is one 02:30 only */
        {"Europe/Oslo", "2026-10-25T01:30:00Z", {.days = 1}, "2026-10-26T01:30:00Z"},
        /* half an hour of summer time */
        {"Australia/Lord_Howe", "2026-10-02T15:45:00Z", {.days = 1}, "2026-10-03T15:45:00Z"},
        {"Australia/Lord_Howe", "2026-10-03T00:00:00Z", {.days = 1}, "2026-10-03T23:30:00Z"},
        /* 30 December 2011 never was in Apia: its 09:00 is as long after the gap's start */
        {"Pacific/Apia", "2011-12-29T19:00:00Z", {.days = 1}, "2011-12-30T19:00:00Z"},
        {"Pacific/Apia", "2011-12-29T19:00:00Z", {.days = 2}, "2011-12-30T19:00:00Z"},
        {"Pacific/Apia", "2011-12-29T19:00:00Z", {.days = 3}, "2011-12-31T19:00:00Z"},
        {"Pacific/Kwajalein", "1993-08-20T20:00:00Z", {.days = 2}, "1993-08-21T20:00:00Z"},
        /* midnight that is not there */
        {"America/Sao_Paulo", "2018-11-03T03:00:00Z", {.days = 1}, "2018-11-04T03:00:00Z"},
        {"Asia/Beirut", "2021-03-26T22:00:00Z", {.days = 1}, "2021-03-27T22:00:00Z"},
        /* month ends and leap days */
        {"UTC", "2026-01-31T10:00:00Z", {.months = 1}, "2026-02-28T10:00:00Z"},
        {"UTC", "2028-01-31T10:00:00Z", {.months = 1}, "2028-02-29T10:00:00Z"},
        {"UTC", "2028-02-29T10:00:00Z", {.months = 12}, "2029-02-28T10:00:00Z"},
        {"UTC", "2028-02-29T10:00:00Z", {.months = 48}, "2032-02-29T10:00:00Z"},
        {"UTC", "2096-02-29T10:00:00Z", {.months = 48}, "2100-02-28T10:00:00Z"},
        {"UTC", "2026-08-31T10:00:00Z", {.months = 6}, "2027-02-28T10:00:00Z"},
        {"UTC", "2026-12-31T23:59:59Z", {.days = 1}, "2027-01-01T23:59:59Z"},
        {"UTC", "2026-11-30T00:00:00Z", {.months = 1, .days = 1}, "2026-12-31T00:00:00Z"},
        /* the local date counts: it is already 1 February in Auckland */
        {"Pacific/Auckland", "2026-01-31T20:00:00Z", {.months = 1}, "2026-02-28T20:00:00Z"},
        {"UTC", "1899-12-31T10:00:00Z", {.months = 2}, "1900-02-28T10:00:00Z"},
        /* business days: over a weekend, from within one; the months first, and the hours last */
        {"Europe/Oslo", "2026-11-24T08:00:00Z", {.business_days = 3}, "2026-11-27T08:00:00Z"},
        {"Europe/Oslo", "2026-11-24T08:00:00Z", {.business_days = 4}, "2026-11-30T08:00:00Z"},
        {"Europe/Oslo", "2026-11-28T08:00:00Z", {.business_days = 1}, "2026-11-30T08:00:00Z"},
        {"Europe/Oslo", "2026-11-29T08:00:00Z", {.business_days = 5}, "2026-12-04T08:00:00Z"},
        {"UTC", "2026-10-28T23:30:00Z", {.months = 1, .business_days = 1, .ms = 3600 * 1000}, "2026-12-01T00:30:00Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GTimeZone) zone = zone_named(table[i].zone);
        g_autofree char *what = g_strdup_printf("row %zu, %s", i, table[i].zone);
        assert_instant(calendar_add(NULL, zone, instant(table[i].at), &table[i].duration), table[i].want, what);
    }
}

static void test_local_minute(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *at;
        int days, minute;
        const char *want;
    } table[] = {
        {"Europe/Oslo", "2026-11-24T22:59:59Z", 0, 540, "2026-11-24T08:00:00Z"},
        {"Europe/Oslo", "2026-11-24T23:00:00Z", 0, 540, "2026-11-25T08:00:00Z"},
        {"Europe/Oslo", "2026-11-24T12:00:00Z", 0, 1440, "2026-11-24T23:00:00Z"},
        {"Europe/Oslo", "2026-11-24T12:00:00Z", -1, 0, "2026-11-22T23:00:00Z"},
        {"Europe/Oslo", "2026-03-28T12:00:00Z", 1, 150, "2026-03-29T01:30:00Z"},
        {"Europe/Oslo", "2026-10-24T12:00:00Z", 1, 150, "2026-10-25T00:30:00Z"},
        {"America/Sao_Paulo", "2018-11-03T12:00:00Z", 1, 0, "2018-11-04T03:00:00Z"},
        {"Pacific/Apia", "2011-12-29T20:00:00Z", 1, 540, "2011-12-30T19:00:00Z"},
        {"Asia/Kathmandu", "2026-11-24T18:14:59Z", 0, 0, "2026-11-23T18:15:00Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GTimeZone) zone = zone_named(table[i].zone);
        g_autofree char *what = g_strdup_printf("row %zu, %s", i, table[i].zone);
        assert_instant(calendar_local_minute(zone, instant(table[i].at), table[i].days, table[i].minute), table[i].want,
                       what);
    }
}

/* No time that a stored row could hold may overflow, and "never" stays so. */
static void test_times_beyond_meaning(void **state)
{
    (void)state;
    static const gint64 extremes[] = {G_MININT64, G_MININT64 + 1, -G_GINT64_CONSTANT(100000000000000), G_MAXINT64 - 1,
                                      G_MAXINT64};
    static const Duration long_one = {.months = 1200, .days = 36600, .business_days = 3, .ms = G_MAXINT64};
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");

    for (gsize i = 0; i < G_N_ELEMENTS(extremes); i++) {
        assert_int_equal(calendar_add(NULL, zone, extremes[i], &long_one), extremes[i]);
        assert_int_equal(calendar_local_minute(zone, extremes[i], 1, 540), extremes[i]);
        assert_false(calendar_is_holiday(NULL, zone, extremes[i]));
    }
    assert_int_equal(calendar_add(NULL, zone, instant("2026-01-01T00:00:00Z"), &long_one), G_MAXINT64);
}

static void test_business_days_skip_holidays(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Calendar) calendar = calendar_of(ALL_DAY("20261224", "DTEND;VALUE=DATE:20261227\r\n"), &error);
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const Duration one = {.business_days = 1}, two = {.business_days = 2};

    assert_non_null(calendar);
    assert_instant(calendar_add(calendar, zone, instant("2026-12-23T08:00:00Z"), &one), "2026-12-28T08:00:00Z",
                   "over Christmas");
    assert_instant(calendar_add(calendar, zone, instant("2026-12-22T08:00:00Z"), &two), "2026-12-28T08:00:00Z",
                   "over Christmas");
    assert_instant(calendar_add(calendar, zone, instant("2026-12-24T08:00:00Z"), &one), "2026-12-28T08:00:00Z",
                   "from a holiday");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_local_minute),
        cmocka_unit_test(test_times_beyond_meaning),
        cmocka_unit_test(test_business_days_skip_holidays),
    };
    return cmocka_run_group_tests_name("plan/calendar", tests, NULL, NULL);
}
