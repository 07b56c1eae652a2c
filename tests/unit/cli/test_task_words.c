/* Protects: the days that people write for a task, over the change to winter time, and how they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "base/timestamp.h"
#include "cli/task_words.h"

/* A Friday; the clocks go back on Sunday. */
static const char NOW[] = "2026-10-23 15:30";

static void days_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } table[] = {
        {"2026-11-24", "2026-11-24 Tue"},
        {"2026-11-24 09:15", "2026-11-24 Tue 09:15"},
        {"today", "2026-10-23 Fri"},
        {" Tomorrow ", "2026-10-24 Sat"},
        {"friday", "2026-10-30 Fri"},
        {"SAT", "2026-10-24 Sat"},
        {"thursday", "2026-10-29 Thu"},
        {"3 days", "2026-10-26 Mon"},
        {"2 weeks", "2026-11-06 Fri"},
        {"1 month", "2026-11-23 Mon"},
        {"1 business day", "2026-10-26 Mon"},
        {"6 business days", "2026-11-02 Mon"},
        {"2 hours", "2026-10-23 Fri 17:30"},
        {"none", ""},
    };
    g_autoptr(GTimeZone) zone = timestamp_zone("Europe/Oslo", NULL);
    gint64 now_ms = 0;
    assert_true(timestamp_parse(NOW, zone, &now_ms, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        GError *error = NULL;
        gint64 due_ms = -1;
        if (!task_due_parse(table[i].text, now_ms, zone, &due_ms, &error))
            fail_msg("%s: %s", table[i].text, error->message);
        g_autofree char *text = task_due_text(due_ms, zone);
        assert_string_equal(text, table[i].want);
    }
}

static void what_is_no_day_is_told(void **state)
{
    (void)state;
    static const char *const table[] = {"", "soon", "fr", "2026-02-30", "1 day 2 hours", "-3 days", "fridayy"};
    g_autoptr(GTimeZone) zone = timestamp_zone("Europe/Oslo", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GError) error = NULL;
        gint64 due_ms = 0;
        if (task_due_parse(table[i], G_GINT64_CONSTANT(1760000000000), zone, &due_ms, &error))
            fail_msg("%s was taken", table[i]);
        assert_non_null(strstr(error->message, "tomorrow"));
    }
}

static void a_day_has_its_own_length(void **state)
{
    (void)state;
    g_autoptr(GTimeZone) zone = timestamp_zone("Europe/Oslo", NULL);
    gint64 at_ms = 0, from_ms = 0, to_ms = 0;
    assert_true(timestamp_parse("2026-10-25 12:00", zone, &at_ms, NULL));
    assert_true(task_day(at_ms, zone, &from_ms, &to_ms));
    assert_int_equal(to_ms - from_ms, 25 * 3600 * 1000);
    assert_true(from_ms < at_ms && at_ms < to_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_read),
        cmocka_unit_test(what_is_no_day_is_told),
        cmocka_unit_test(a_day_has_its_own_length),
    };
    return cmocka_run_group_tests_name("task words", tests, NULL, NULL);
}
