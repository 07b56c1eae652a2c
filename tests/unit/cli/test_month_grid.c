/*
 * Months drawn for people: every day under its weekday, every number under its day, within the terminal's width.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "base/text.h"
#include "cli/month_grid.h"

enum { DAYS_MAX = 400 };

/* The grid of these days from the date on. Caller frees. */
static char *grid_text(GDateYear year, GDateMonth month, GDateDay day, const GridDay *days, guint n_days, guint columns,
                       gboolean colour)
{
    char *text = NULL;
    size_t size = 0;
    GDate first;
    g_date_clear(&first, 1);
    g_date_set_dmy(&first, day, month, year);
    FILE *out = open_memstream(&text, &size);
    month_grid_print(out, &first, days, n_days, columns, colour);
    fclose(out);
    return text;
}

static void test_layout(void **state)
{
    (void)state;
    GridDay days[10] = {
        {.count = 7}, {.count = 12},        {.count = 0}, {.is_closed = TRUE}, {.count = 3, .is_closed = TRUE},
        {.count = 1}, {.is_holiday = TRUE}, {.count = 0}, {.count = 2},        {.count = 99}};
    g_autofree char *text = grid_text(2026, G_DATE_NOVEMBER, 26, days, 10, 80, FALSE);
    assert_string_equal(text, " November 2026: 22              December 2026: 102\n"
                              " Mo  Tu  We  Th  Fr  Sa  Su     Mo  Tu  We  Th  Fr  Sa  Su\n"
                              "                          1          1   2*  3   4   5   6\n"
                              "  2   3   4   5   6   7   8          1   -   .   2  99\n"
                              "  9  10  11  12  13  14  15\n"
                              " 16  17  18  19  20  21  22      7   8   9  10  11  12  13\n"
                              " 23  24  25  26  27  28  29     14  15  16  17  18  19  20\n"
                              "              7  12   .   -     21  22  23  24  25  26  27\n"
                              "                                28  29  30  31\n"
                              " 30\n"
                              "  3\n"
                              "\n"
                              " under each date, its messages   . none   - none, and no window   * holiday\n");
}

static void test_as_many_months_abreast_as_fit(void **state)
{
    (void)state;
    static const struct {
        guint columns, abreast;
    } table[] = {{0, 2}, {20, 1}, {58, 1}, {59, 2}, {80, 2}, {89, 2}, {90, 3}, {200, 6}, {2000, 12}};
    GridDay days[365] = {0};
    for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = grid_text(2027, G_DATE_JANUARY, 1, days, 365, table[i].columns, FALSE);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        guint abreast = 0;
        for (const char *p = lines[1]; (p = strstr(p, "Mo")); p++)
            abreast++;
        assert_int_equal(abreast, table[i].abreast);
        /* one month at least, however narrow */
        for (char **line = lines; table[i].columns >= 28 && *line[0]; line++)
            assert_true(text_columns(*line) <= table[i].columns);
    }
}

/* The number in the columns before end; -1 where there is none. */
static int number_at(const char *line, guint end)
{
    gsize length = strlen(line);
    guint begin = end >= 8 ? end - 8 : 0;
    if (length < end)
        return -1;
    g_autofree char *cell = g_strndup(line + begin, end - begin);
    const char *digits = strrchr(cell, ' ') ? strrchr(cell, ' ') + 1 : cell;
    return g_ascii_isdigit(digits[0]) ? (int)g_ascii_strtoll(digits, NULL, 10) : -1;
}

/* Every month of many years, with numbers of one to five digits: read back from the drawing, day by day. */
static void test_every_number_stands_under_its_date_and_weekday(void **state)
{
    (void)state;
    static const guint highest[] = {9, 99, 100, 99999};
    for (guint n = 0; n < 12 * 30; n++) {
        GDate date;
        g_date_clear(&date, 1);
        g_date_set_dmy(&date, 1, (GDateMonth)(G_DATE_JANUARY + n % 12), (GDateYear)(2024 + n / 12));
        guint n_days = g_date_get_days_in_month(g_date_get_month(&date), g_date_get_year(&date));
        GridDay days[31] = {0};
        for (guint i = 0; i < n_days; i++)
            days[i].count = 1 + (i * 7919 + n) % highest[n % 4];
        days[0].count = highest[n % 4];
        g_autofree char *text = grid_text(g_date_get_year(&date), g_date_get_month(&date), 1, days, n_days, 80, FALSE);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        guint monday = (guint)(strstr(lines[1], "Mo") - lines[1]) + 2,
              cell = (guint)(strstr(lines[1], "Tu") - strstr(lines[1], "Mo")), seen = 0;
        for (char **line = lines + 2; !strstr(line[0], "under"); line += 3) {
            for (guint weekday = 0; weekday < 7; weekday++) {
                int day = number_at(line[0], monday + weekday * cell);
                if (day < 0)
                    continue;
                g_date_set_day(&date, (GDateDay)day);
                assert_int_equal(day, ++seen);
                assert_int_equal(g_date_get_weekday(&date), weekday + 1);
                assert_int_equal(number_at(line[1], monday + weekday * cell), days[day - 1].count);
            }
        }
        assert_int_equal(seen, n_days);
    }
}

/* Colour adds escapes and changes nothing else; without it there is none. */
static void test_colour_is_only_colour(void **state)
{
    (void)state;
    GridDay days[DAYS_MAX] = {0};
    for (guint i = 0; i < DAYS_MAX; i++)
        days[i] = (GridDay){.count = i % 5 ? i : 0, .is_closed = i % 7 > 4, .is_holiday = i % 50 == 0};
    g_autofree char *plain = grid_text(2026, G_DATE_NOVEMBER, 24, days, DAYS_MAX, 120, FALSE);
    g_autofree char *coloured = grid_text(2026, G_DATE_NOVEMBER, 24, days, DAYS_MAX, 120, TRUE);
    g_autoptr(GRegex) escapes = g_regex_new("\033\\[[0-9;]*m", 0, 0, NULL);
    g_autoptr(GRegex) ends = g_regex_new(" +$", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *bare = g_regex_replace_literal(escapes, coloured, -1, 0, "", 0, NULL);
    g_autofree char *trimmed = g_regex_replace_literal(ends, bare, -1, 0, "", 0, NULL);
    assert_null(strchr(plain, '\033'));
    assert_string_not_equal(coloured, bare);
    assert_string_equal(trimmed, plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_as_many_months_abreast_as_fit),
        cmocka_unit_test(test_every_number_stands_under_its_date_and_weekday),
        cmocka_unit_test(test_colour_is_only_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
