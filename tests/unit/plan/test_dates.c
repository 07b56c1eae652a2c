/*
 * Protects the steps that wait for a weekday, a time of day or a date: where the calendar is awkward (gaps and overlaps of the clock,
 * month ends, leap days, year ends), and with what people write into attributes.
 */
#include "plan_test.h"

#include "plan/schedule.h"

#define OFFICE                                                                                                              \
    {                                                                                                                       \
        DAY_MON | DAY_TUE | DAY_WED | DAY_THU | DAY_FRI, 9 * 60, 16 * 60 + 30                                               \
    }
#define ALL                                                                                                                 \
    {                                                                                                                       \
        DAY_ALL, 0, 1440                                                                                                    \
    }
#define ANY_TIME .at_min = -1

typedef struct {
    const char *zone;
    Step step;
    Window window;
    const char *anchor, *want;
} Row;

static void assert_row(const Row *row, const Calendar *calendar, gsize number)
{
    g_autoptr(GTimeZone) zone = zone_named(row->zone);
    const PlanFacts facts = {.zone = zone};
    const Rule rule = {.name = (char *)"r"};
    g_autofree char *what = g_strdup_printf("row %zu, from %s", number, row->anchor);
    assert_instant(schedule_due(&rule, &row->step, &facts, instant(row->anchor), 0, &row->window, calendar), row->want,
                   what);
}

/* 2026-11-24 is a Tuesday. */
static void test_weekday_and_time(void **state)
{
    (void)state;
    static const Row table[] = {
        {"Europe/Oslo", {.on_days = DAY_THU, ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2026-11-26T08:00:00Z"},
        {"Europe/Oslo", {.on_days = DAY_TUE, ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2026-11-24T09:15:00Z"},
        {"Europe/Oslo", {.on_days = DAY_TUE, ANY_TIME}, OFFICE, "2026-11-24T15:30:00Z", "2026-12-01T08:00:00Z"},
        {"Europe/Oslo", {.on_days = DAY_SAT, ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "never"},
        {"Europe/Oslo", {.at_min = 600}, OFFICE, "2026-11-24T09:15:00Z", "2026-11-25T09:00:00Z"},
        {"Europe/Oslo", {.at_min = 600}, OFFICE, "2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"},
        {"Europe/Oslo", {.at_min = 600}, OFFICE, "2026-11-24T09:00:00.001Z", "2026-11-25T09:00:00Z"},
        {"Europe/Oslo", {.at_min = 600}, OFFICE, "2026-11-27T09:15:00Z", "2026-11-30T09:00:00Z"},
        {"Europe/Oslo", {.at_min = 479}, OFFICE, "2026-11-24T09:15:00Z", "never"},
        {"Europe/Oslo", {.at_min = 990}, OFFICE, "2026-11-24T09:15:00Z", "never"},
        {"Europe/Oslo", {.at_min = 989}, OFFICE, "2026-11-24T09:15:00Z", "2026-11-24T15:29:00Z"},
        {"Europe/Oslo",
         {.delay = {.days = 3}, .on_days = DAY_FRI | DAY_MON, .at_min = 600},
         OFFICE,
         "2026-11-25T09:15:00Z",
         "2026-11-30T09:00:00Z"},
        /* whole days and a time of day: that day at that time, though the anchor's hour is a later one; hours are counted as hours */
        {"Europe/Oslo", {.delay = {.days = 1}, .at_min = 600}, OFFICE, "2026-11-24T09:00:05Z", "2026-11-25T09:00:00Z"},
        {"Europe/Oslo", {.delay = {.ms = 86400000}, .at_min = 600}, OFFICE, "2026-11-24T09:00:05Z", "2026-11-26T09:00:00Z"},
        {"Europe/Oslo", {.delay = {.months = 1}, .at_min = 600}, OFFICE, "2026-11-24T15:00:00Z", "2026-12-24T09:00:00Z"},
        /* clocks go forward from 02:00 to 03:00 on 29 March 2026, a Sunday: that day has no 02:30, and is left out */
        {"Europe/Oslo", {.at_min = 150}, ALL, "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
        {"Europe/Oslo", {.on_days = DAY_SUN, .at_min = 150}, ALL, "2026-03-28T12:00:00Z", "2026-04-05T00:30:00Z"},
        {"Europe/Oslo", {.at_min = 180}, ALL, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
        /* and back from 03:00 to 02:00 on 25 October: the first 02:30 counts, and no other */
        {"Europe/Oslo", {.at_min = 150}, ALL, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"},
        {"Europe/Oslo", {.at_min = 150}, ALL, "2026-10-25T00:45:00Z", "2026-10-26T01:30:00Z"},
        /* a midnight that was left out */
        {"America/Sao_Paulo", {.at_min = 0}, ALL, "2018-11-03T12:00:00Z", "2018-11-05T02:00:00Z"},
        /* half an hour of summer time */
        {"Australia/Lord_Howe", {.at_min = 135}, ALL, "2026-10-03T12:00:00Z", "2026-10-04T15:15:00Z"},
        /* a day that was left out: there is no Friday in that week */
        {"Pacific/Apia", {.on_days = DAY_FRI, ANY_TIME}, ALL, "2011-12-29T12:00:00Z", "2012-01-05T10:00:00Z"},
        {"Pacific/Apia", {.at_min = 600}, ALL, "2011-12-30T09:00:00Z", "2011-12-30T20:00:00Z"},
        /* the country moved its clock half an hour for good: still 10:00 */
        {"America/Caracas", {.delay = {.days = 3}, .at_min = 600}, OFFICE, "2016-04-29T14:30:00Z", "2016-05-02T14:00:00Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_row(&table[i], NULL, i);
}

static void test_anniversaries(void **state)
{
    (void)state;
#define ANNIVERSARY .date = STEP_DATE_ANNIVERSARY
    static const Row table[] = {
        {"Europe/Oslo", {ANNIVERSARY, ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2027-11-24T08:00:00Z"},
        {"Europe/Oslo", {ANNIVERSARY, ANY_TIME}, ALL, "2026-11-24T09:15:00Z", "2027-11-23T23:00:00Z"},
        {"Europe/Oslo",
         {ANNIVERSARY, .delay = {.days = 400}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2028-11-24T08:00:00Z"},
        /* wanted since an hour of that very day */
        {"Europe/Oslo",
         {ANNIVERSARY, .delay = {.months = 12}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2027-11-24T09:15:00Z"},
        {"Europe/Oslo",
         {ANNIVERSARY, .delay = {.months = 12, .days = 1}, ANY_TIME},
         ALL,
         "2026-11-24T09:15:00Z",
         "2028-11-23T23:00:00Z"},
        {"Europe/Oslo", {ANNIVERSARY, .at_min = 600}, OFFICE, "2026-11-24T09:15:00Z", "2027-11-24T09:00:00Z"},
        /* 29 February */
        {"Europe/Oslo", {ANNIVERSARY, ANY_TIME}, ALL, "2024-02-29T09:00:00Z", "2025-02-27T23:00:00Z"},
        {"Europe/Oslo",
         {ANNIVERSARY, .delay = {.months = 47}, ANY_TIME},
         ALL,
         "2024-02-29T09:00:00Z",
         "2028-02-28T23:00:00Z"},
        {"Europe/Oslo", {ANNIVERSARY, ANY_TIME}, ALL, "2027-02-28T09:00:00Z", "2028-02-27T23:00:00Z"},
        /* the anchor's date is that of the contact's zone */
        {"Pacific/Auckland", {ANNIVERSARY, ANY_TIME}, ALL, "2026-12-31T12:00:00Z", "2027-12-31T11:00:00Z"},
        /* before it: 25 October 2027 is still summer time */
        {"Europe/Oslo",
         {ANNIVERSARY, .before = {.days = 30}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2027-10-25T07:00:00Z"},
        {"Europe/Oslo",
         {ANNIVERSARY, .before = {.months = 1}, ANY_TIME},
         ALL,
         "2026-03-31T09:15:00Z",
         "2027-02-27T23:00:00Z"},
        /* two years before the first anniversary there was no anchor; before the second, it is today */
        {"Europe/Oslo",
         {ANNIVERSARY, .before = {.months = 24}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2026-11-24T09:15:00Z"},
        {"Europe/Oslo",
         {ANNIVERSARY, .before = {.months = 24, .days = 1}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2027-11-23T08:00:00Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_row(&table[i], NULL, i);
}

static void test_days_of_the_year(void **state)
{
    (void)state;
#define YEARLY(month, day) .date = STEP_DATE_YEARLY, .on_month = month, .on_day = day
#define ONCE(year, month, day) .date = STEP_DATE_ONCE, .on_year = year, .on_month = month, .on_day = day
    static const Row table[] = {
        {"Europe/Oslo", {YEARLY(12, 24), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2026-12-24T08:00:00Z"},
        {"Europe/Oslo", {YEARLY(12, 24), ANY_TIME}, OFFICE, "2026-12-24T09:15:00Z", "2026-12-24T09:15:00Z"},
        {"Europe/Oslo", {YEARLY(12, 24), ANY_TIME}, OFFICE, "2026-12-24T20:00:00Z", "2026-12-25T08:00:00Z"},
        {"Europe/Oslo", {YEARLY(12, 24), ANY_TIME}, OFFICE, "2026-12-24T23:00:00Z", "2027-12-24T08:00:00Z"},
        {"Europe/Oslo",
         {YEARLY(12, 24), .on_days = DAY_MON, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2026-12-28T08:00:00Z"},
        {"Europe/Oslo", {YEARLY(2, 29), ANY_TIME}, ALL, "2026-11-24T09:15:00Z", "2027-02-27T23:00:00Z"},
        {"Europe/Oslo", {YEARLY(2, 29), ANY_TIME}, ALL, "2027-11-24T09:15:00Z", "2028-02-28T23:00:00Z"},
        {"Europe/Oslo", {YEARLY(2, 29), ANY_TIME}, ALL, "2099-11-24T09:15:00Z", "2100-02-27T23:00:00Z"},
        {"Europe/Oslo", {YEARLY(2, 29), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2027-03-01T08:00:00Z"},
        /* across the end of the year */
        {"Europe/Oslo",
         {YEARLY(1, 1), .before = {.days = 10}, ANY_TIME},
         OFFICE,
         "2026-12-20T09:15:00Z",
         "2026-12-22T08:00:00Z"},
        {"Europe/Oslo",
         {YEARLY(1, 1), .before = {.days = 10}, ANY_TIME},
         OFFICE,
         "2026-12-23T09:15:00Z",
         "2027-12-22T08:00:00Z"},
        {"Europe/Oslo",
         {YEARLY(1, 1), .before = {.ms = 1}, ANY_TIME},
         ALL,
         "2026-12-20T09:15:00Z",
         "2026-12-31T22:59:59.999Z"},
        {"Europe/Oslo", {YEARLY(12, 31), ANY_TIME}, ALL, "2026-12-31T22:59:59.999Z", "2026-12-31T22:59:59.999Z"},
        {"Europe/Oslo", {YEARLY(12, 31), ANY_TIME}, ALL, "2026-12-31T23:00:00Z", "2027-12-30T23:00:00Z"},
        /* once */
        {"Europe/Oslo", {ONCE(2027, 1, 15), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2027-01-15T08:00:00Z"},
        {"Europe/Oslo", {ONCE(2027, 1, 16), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2027-01-18T08:00:00Z"},
        {"Europe/Oslo", {ONCE(2026, 11, 24), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2026-11-24T09:15:00Z"},
        {"Europe/Oslo", {ONCE(2026, 11, 24), ANY_TIME}, OFFICE, "2026-11-24T22:59:59Z", "2026-11-25T08:00:00Z"},
        {"Europe/Oslo", {ONCE(2026, 11, 24), ANY_TIME}, OFFICE, "2026-11-24T23:00:00Z", "0"},
        {"Europe/Oslo", {ONCE(2026, 11, 23), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "0"},
        {"Europe/Oslo", {ONCE(2026, 12, 1), .before = {.days = 14}, ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "0"},
        {"Europe/Oslo",
         {ONCE(2026, 12, 1), .before = {.business_days = 3}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2026-11-26T08:00:00Z"},
        {"Europe/Oslo",
         {ONCE(2026, 11, 28), .before = {.ms = 43200000}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2026-11-27T11:00:00Z"},
        /* the day's first moment, where midnight was left out, and the day itself */
        {"America/Sao_Paulo", {ONCE(2018, 11, 4), ANY_TIME}, ALL, "2018-10-01T12:00:00Z", "2018-11-04T03:00:00Z"},
        {"Pacific/Apia", {ONCE(2011, 12, 30), ANY_TIME}, ALL, "2011-12-01T12:00:00Z", "2011-12-30T10:00:00Z"},
        {"Pacific/Apia", {ONCE(2011, 12, 30), ANY_TIME}, ALL, "2011-12-30T12:00:00Z", "0"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_row(&table[i], NULL, i);
}

static void test_holidays(void **state)
{
    (void)state;
    g_autoptr(Calendar) calendar = calendar_of(ALL_DAY("20261224", "DTEND;VALUE=DATE:20261227\r\n"), NULL);
    assert_non_null(calendar);
    static const Row table[] = {
        {"Europe/Oslo", {YEARLY(12, 24), ANY_TIME}, OFFICE, "2026-11-24T09:15:00Z", "2026-12-28T08:00:00Z"},
        {"Europe/Oslo", {YEARLY(12, 24), .at_min = 600}, OFFICE, "2026-11-24T09:15:00Z", "2026-12-28T09:00:00Z"},
        {"Europe/Oslo", {.on_days = DAY_THU, .at_min = 600}, OFFICE, "2026-12-22T09:15:00Z", "2026-12-31T09:00:00Z"},
        {"Europe/Oslo", {.on_days = DAY_THU, ANY_TIME}, OFFICE, "2026-12-22T09:15:00Z", "2026-12-31T08:00:00Z"},
        /* three days that are worked before 29 December: the 28th, the 23rd, the 22nd */
        {"Europe/Oslo",
         {ONCE(2026, 12, 29), .before = {.business_days = 3}, ANY_TIME},
         OFFICE,
         "2026-11-24T09:15:00Z",
         "2026-12-22T08:00:00Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_row(&table[i], calendar, i);
}

static JsonObject *object_with(const char *json_value)
{
    g_autofree char *text = json_value ? g_strdup_printf("{\"day\":%s}", json_value) : g_strdup("{}");
    g_autoptr(JsonParser) parser = json_parser_new();
    assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

static void test_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *value, *company; /* JSON; NULL: absent */
        gboolean yearly;
        const char *want;
    } table[] = {
        {"\"2027-03-01\"", NULL, FALSE, "2027-03-01T08:00:00Z"},
        {"\" 2027-03-01\\t\"", NULL, FALSE, "2027-03-01T08:00:00Z"},
        {"\"2020-03-01\"", NULL, FALSE, "0"},
        {"\"2020-03-01\"", NULL, TRUE, "2027-03-01T08:00:00Z"},
        {"\"1980-05-17\"", NULL, TRUE, "2027-05-17T07:00:00Z"},
        {"\"03-01\"", NULL, FALSE, "2027-03-01T08:00:00Z"},
        {"\"03-01\"", NULL, TRUE, "2027-03-01T08:00:00Z"},
        {"\"02-29\"", NULL, FALSE, "2027-03-01T08:00:00Z"}, /* 28 February is a Sunday */
        {"\"2024-02-29\"", NULL, TRUE, "2027-03-01T08:00:00Z"},
        /* their company's, where they have none */
        {NULL, "\"2027-03-01\"", FALSE, "2027-03-01T08:00:00Z"},
        {"\"\"", "\"2027-03-01\"", FALSE, "2027-03-01T08:00:00Z"},
        {"\"2027-03-02\"", "\"2027-03-01\"", FALSE, "2027-03-02T08:00:00Z"},
        /* no dates */
        {NULL, NULL, FALSE, "never"},
        {"\"\"", NULL, TRUE, "never"},
        {"\"soon\"", NULL, TRUE, "never"},
        {"\"soon\"", "\"2027-03-01\"", FALSE, "never"},
        {"\"01.03.2027\"", NULL, FALSE, "never"},
        {"\"2027-02-29\"", NULL, FALSE, "never"},
        {"\"2027-02-29\"", NULL, TRUE, "never"},
        {"\"2027-3-1\"", NULL, FALSE, "never"},
        {"\"2027-03-1x\"", NULL, FALSE, "never"},
        {"\"2027-03-01T10:00\"", NULL, FALSE, "never"},
        {"\"2027-03-01 \\u00a0\"", NULL, FALSE, "never"},
        {"\"02-30\"", NULL, TRUE, "never"},
        {"\"13-01\"", NULL, TRUE, "never"},
        {"\"00-10\"", NULL, TRUE, "never"},
        {"\"10-00\"", NULL, TRUE, "never"},
        {"\"10-\"", NULL, TRUE, "never"},
        {"\"0000-03-01\"", NULL, FALSE, "never"},
        {"\"-2027-03-01\"", NULL, FALSE, "never"},
        {"\"+027-03-01\"", NULL, FALSE, "never"},
        {"\"9999-03-01\"", NULL, FALSE, "never"},
        {"20270301", NULL, FALSE, "never"},
        {"null", NULL, FALSE, "never"},
        {"[1]", NULL, FALSE, "never"},
    };
    static const Window office = OFFICE;
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(JsonObject) attributes = object_with(table[i].value), company = object_with(table[i].company);
        const PlanFacts facts = {.attributes = attributes, .company_attributes = company, .zone = zone};
        const Step step = {
            .date = STEP_DATE_ATTRIBUTE, .on_attribute = (char *)"day", .yearly = table[i].yearly, .at_min = -1};
        const Rule rule = {.name = (char *)"r"};
        g_autofree char *what = g_strdup_printf("row %zu: %s", i, table[i].value ? table[i].value : "absent");
        assert_instant(schedule_due(&rule, &step, &facts, instant("2026-11-24T09:15:00Z"), 0, &office, NULL), table[i].want,
                       what);
    }
    const PlanFacts bare = {.zone = zone};
    const Step step = {.date = STEP_DATE_ATTRIBUTE, .on_attribute = (char *)"day", .at_min = -1};
    assert_instant(schedule_due(NULL, &step, &bare, instant("2026-11-24T09:15:00Z"), 0, &office, NULL), "never",
                   "no attributes");
}

/* A date beyond all time, an anchor that is none: no loop without end, and no date. */
static void test_beyond_time(void **state)
{
    (void)state;
    static const Window all = ALL;
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const PlanFacts facts = {.zone = zone};
    const Step yearly = {YEARLY(12, 24), .delay = {.ms = G_MAXINT64}, .at_min = -1};
    const Step anniversary = {ANNIVERSARY, .at_min = 600};
    const Step century = {ANNIVERSARY, .before = {.months = 1200}, .at_min = -1};

    assert_instant(schedule_due(NULL, &yearly, &facts, instant("2026-11-24T09:15:00Z"), 0, &all, NULL), "never", "delay");
    assert_instant(schedule_due(NULL, &anniversary, &facts, G_MAXINT64, 0, &all, NULL), "never", "anchor");
    assert_instant(schedule_due(NULL, &century, &facts, instant("2026-11-24T09:15:00Z"), 0, &all, NULL),
                   "2026-11-24T09:15:00Z", "a hundred years before that of 2126");
}

static void test_window_of_step(void **state)
{
    (void)state;
    static const Window office = OFFICE;
    const Step plain = {.at_min = -1}, thursdays = {.on_days = DAY_THU | DAY_SAT, .at_min = 600}, early = {.at_min = 60},
               late = {.at_min = 1200};

    Window window = schedule_window(&plain, &office);
    assert_int_equal(window.days, office.days);
    assert_int_equal(window.from_min, 540);
    assert_int_equal(window.to_min, 990);
    window = schedule_window(&thursdays, &office);
    assert_int_equal(window.days, DAY_THU);
    assert_int_equal(window.from_min, 600);
    assert_int_equal(window.to_min, 990);
    window = schedule_window(&early, &office);
    assert_int_equal(window.from_min, 540);
    window = schedule_window(&late, &office);
    assert_true(window.from_min >= window.to_min); /* nothing is in it */
}

static void test_until(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        Rule rule;
        const char *anchor, *want;
    } table[] = {
        {"Europe/Oslo", {.name = NULL}, "2026-11-24T09:15:00Z", "never"},
        {"Europe/Oslo", {.until_age = {.months = 1}}, "2027-01-31T09:00:00Z", "2027-02-28T09:00:00Z"},
        {"Europe/Oslo", {.until_age = {.months = 24}}, "2024-02-29T09:00:00Z", "2026-02-28T09:00:00Z"},
        /* the whole of the last day, in the contact's zone */
        {"Europe/Oslo",
         {.until_year = 2026, .until_month = 12, .until_day = 31},
         "2026-11-24T09:15:00Z",
         "2026-12-31T22:59:59.999Z"},
        {"America/New_York",
         {.until_year = 2026, .until_month = 12, .until_day = 31},
         "2026-11-24T09:15:00Z",
         "2027-01-01T04:59:59.999Z"},
        {"America/Sao_Paulo",
         {.until_year = 2018, .until_month = 11, .until_day = 3},
         "2018-01-01T00:00:00Z",
         "2018-11-04T02:59:59.999Z"},
        /* both: the earlier */
        {"Europe/Oslo",
         {.until_age = {.days = 3}, .until_year = 2026, .until_month = 12, .until_day = 31},
         "2026-11-24T09:15:00Z",
         "2026-11-27T09:15:00Z"},
        {"Europe/Oslo",
         {.until_age = {.days = 300}, .until_year = 2026, .until_month = 12, .until_day = 31},
         "2026-11-24T09:15:00Z",
         "2026-12-31T22:59:59.999Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GTimeZone) zone = zone_named(table[i].zone);
        g_autofree char *what = g_strdup_printf("row %zu", i);
        assert_instant(schedule_until(&table[i].rule, NULL, zone, instant(table[i].anchor)), table[i].want, what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weekday_and_time), cmocka_unit_test(test_anniversaries),
        cmocka_unit_test(test_days_of_the_year), cmocka_unit_test(test_holidays),
        cmocka_unit_test(test_attributes),       cmocka_unit_test(test_beyond_time),
        cmocka_unit_test(test_window_of_step),   cmocka_unit_test(test_until),
    };
    return cmocka_run_group_tests_name("plan/dates", tests, NULL, NULL);
}
