/* base/text.h, ids.h, duration.h and timestamp.h: tables of what goes in and what must come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"

static void test_remote_text_cannot_break_a_line(void **state)
{
    (void)state;
    const struct {
        const char *in;
        gsize max;
        const char *want;
    } cases[] = {
        {"plain æøå 中文 😀", 0, "plain æøå 中文 😀"},
        {"a\r\nevent=sent", 0, "a\\r\\nevent=sent"},
        {"\x1b[31mred", 0, "\\x1b[31mred"},
        {"bad\xff\xfe", 0, "bad\\xff\\xfe"},
        {"\xe2\x80\xae" "evil", 0, "\\u{202e}evil"},
        {"abcdef", 3, "abc…"},
        {"ææ", 3, "æ…"},
        {NULL, 0, ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *result = text_escape(cases[i].in, cases[i].max);
        assert_string_equal(result, cases[i].want);
    }
    g_autofree char *quoted = text_quote("a\"b\\c\nd", 0);
    assert_string_equal(quoted, "\"a\\\"b\\\\c\\nd\"");
}

static void test_nearest_is_a_slip_of_the_fingers(void **state)
{
    (void)state;
    const char *const names[] = {"templates", "store", "accounts", "rules", "sending", NULL};
    const struct {
        const char *word, *want;
    } cases[] = {{"tempaltes", "templates"}, {"Rules", "rules"}, {"rule", "rules"}, {"ruls", "rules"}, {"acounts", "accounts"}, {"banana", NULL}, {"", NULL}, {"xy", NULL}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *found = text_nearest(cases[i].word, names);
        if (cases[i].want)
            assert_string_equal(found, cases[i].want);
        else
            assert_null(found);
    }
}

static void test_columns_and_fitting(void **state)
{
    (void)state;
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("中文"), 4);
    assert_int_equal(text_columns("e\xcc\x81"), 1);
    for (guint width = 0; width < 12; width++) {
        g_autofree char *fitted = text_fit("中文 and more", width);
        assert_true(text_columns(fitted) <= width);
    }
    g_autofree char *line = text_one_line("  a \r\n\t b\xc2\xa0 c ");
    assert_string_equal(line, "a b c");
    g_auto(GStrv) list = text_split_list(" happy, gold;; | vip ");
    assert_int_equal(g_strv_length(list), 3);
    assert_string_equal(list[1], "gold");
    g_auto(GStrv) none = text_split_list(NULL);
    assert_int_equal(g_strv_length(none), 0);
}

static void test_ids(void **state)
{
    (void)state;
    g_autofree char *a = id_random(16);
    g_autofree char *b = id_random(16);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 26);
    /* RFC 4231, test case 2: HMAC-SHA256("Jefe", "what do ya want for nothing?") begins 5bdcc146bf60754e */
    g_autofree char *mac = id_hmac("Jefe", "what do ya want for nothing?", 5);
    assert_string_equal(mac, "lpomcrv7");
    assert_true(id_equal_secret("same", "same"));
    assert_false(id_equal_secret("same", "samf"));
    assert_false(id_equal_secret(NULL, NULL));
}

static void test_durations(void **state)
{
    (void)state;
    const struct {
        const char *text;
        Duration want;
    } good[] = {
        {"90 seconds", {.ms = 90000}},       {"3 days", {.days = 3}},          {"2 weeks", {.days = 14}},
        {"6 months", {.months = 6}},         {"1 year", {.months = 12}},       {"3 business days", {.business_days = 3}},
        {"1 week 2 days", {.days = 9}},      {"1 hour and 30 minutes", {.ms = 5400000}}, {"0 seconds", {0}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        Duration duration;
        assert_true(duration_parse(good[i].text, &duration, NULL));
        assert_memory_equal(&duration, &good[i].want, sizeof(duration));
        g_autofree char *text = duration_format(&duration);
        Duration again;
        assert_true(duration_parse(text, &again, NULL));
        assert_memory_equal(&duration, &again, sizeof(duration));
    }
    const char *bad[] = {"", "3", "days", "-3 days", "3 dayz", "3.5 days", "101 years", "99999999999999999999 days", "3 days x", "three days"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        Duration duration = {.days = 7};
        g_autoptr(GError) error = NULL;
        assert_false(duration_parse(bad[i], &duration, &error));
        assert_non_null(error);
        assert_int_equal(duration.days, 7); /* untouched on failure */
    }
    gint64 ms;
    assert_true(duration_to_ms(&(Duration){.days = 2, .ms = 5}, &ms, NULL));
    assert_int_equal(ms, 2 * 86400000 + 5);
    assert_false(duration_to_ms(&(Duration){.months = 1}, &ms, NULL));
}

static void test_time_stamps(void **state)
{
    (void)state;
    g_autoptr(GTimeZone) oslo = timestamp_zone("Europe/Oslo", NULL);
    const struct {
        const char *text, *want;
    } good[] = {
        {"2026-11-24", "2026-11-23T23:00:00Z"},          {"2026-07-01 09:15", "2026-07-01T07:15:00Z"},
        {"2026-11-24T08:15:00Z", "2026-11-24T08:15:00Z"}, {"2026-11-24 08:15:30.25+01:00", "2026-11-24T07:15:30.250Z"},
        {" 2024-02-29 ", "2024-02-28T23:00:00Z"},        {"1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        gint64 ms;
        assert_true(timestamp_parse(good[i].text, oslo, &ms, NULL));
        g_autofree char *text = timestamp_format(ms);
        assert_string_equal(text, good[i].want);
    }
    const char *bad[] = {"", "yesterday", "2026-13-01", "2026-02-30", "24.11.2026", "2026-11-24 25:00", "2026-11-24 09:15 x", "1800-01-01", "2026-11-24T09:15:00+99:00"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        gint64 ms = 42;
        g_autoptr(GError) error = NULL;
        assert_false(timestamp_parse(bad[i], oslo, &ms, &error));
        assert_true(g_error_matches(error, BASE_ERROR, BASE_ERROR_SYNTAX));
        assert_int_equal(ms, 42);
    }
    g_autofree char *far = timestamp_format(G_MAXINT64);
    assert_non_null(far);
}

/* GLib reads more than names of zones: rules as in POSIX, offsets, the machine's own setting. None of these is a person's zone. */
static void test_a_time_zone_is_a_name_of_the_database(void **state)
{
    (void)state;
    const char *bad[] = {"",      "Oslo",   "Europe/Osl", "europe/oslo", "Europe", "Europe/",   "../../etc/passwd", "Europe/../UTC", "/etc/localtime",
                         "+01:00", "CET-1", "Foo5",       "Z",           "GMT+1",  "localtime", "posixrules",       "Factory",       "right/Europe/Oslo",
                         "leapseconds", "zone.tab", "EST5EDT,M3.2.0,M11.1.0"};
    GLogLevelFlags before = g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* no file but a zone's reaches GLib */
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GTimeZone) zone = timestamp_zone(bad[i], &error);
        if (zone)
            fail_msg("\"%s\" was taken for a time zone", bad[i]);
        assert_true(g_error_matches(error, BASE_ERROR, BASE_ERROR_SYNTAX));
    }
    g_log_set_always_fatal(before);
    const char *good[] = {"UTC", "Europe/Oslo", "America/Argentina/Buenos_Aires", "Etc/GMT+1", "Asia/Kolkata"};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GTimeZone) zone = timestamp_zone(good[i], NULL);
        assert_string_equal(g_time_zone_get_identifier(zone), good[i]);
    }
    g_autoptr(GError) error = NULL;
    assert_null(timestamp_zone("Europe/Osol", &error));
    assert_non_null(strstr(error->message, "did you mean \"Europe/Oslo\"?"));
}

static void test_json(void **state)
{
    (void)state;
    g_autoptr(JsonObject) empty = json_parse_object("", NULL);
    assert_int_equal(json_object_get_size(empty), 0);
    assert_null(json_parse_object("[1]", NULL));
    assert_null(json_parse_object("{", NULL));
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "x", "a\x1f\n\"b");
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    g_autofree char *line = json_line(node);
    assert_string_equal(line, "{\"x\":\"a\\u001f\\n\\\"b\"}");
}

static void names_are_split_as_people_write_them(void **state)
{
    static const struct {
        const char *name, *first, *last;
    } cases[] = {{"Kari Nordmann", "Kari", "Nordmann"}, {"Nordmann, Kari", "Kari", "Nordmann"}, {"Per Arne Moe", "Per Arne", "Moe"},
                 {"Kari", "Kari", ""}, {"Moe,", "", "Moe"}, {"", "", ""}};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *first = NULL, *last = NULL;
        text_split_name(cases[i].name, &first, &last);
        assert_string_equal(first, cases[i].first);
        assert_string_equal(last, cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_split_as_people_write_them),
        cmocka_unit_test(test_remote_text_cannot_break_a_line),
        cmocka_unit_test(test_nearest_is_a_slip_of_the_fingers),
        cmocka_unit_test(test_columns_and_fitting),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_time_stamps),
        cmocka_unit_test(test_a_time_zone_is_a_name_of_the_database),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
