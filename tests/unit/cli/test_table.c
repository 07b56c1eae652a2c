/*
 * Tables and texts fit the terminal, and nothing that a remote wrote acts on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/table.h"
#include "cli/terminal.h"

static const TableColumn columns[] = {
    {"ID", TRUE, TRUE}, {"EMAIL", FALSE, TRUE}, {"NAME", FALSE, FALSE}, {"REASON", FALSE, FALSE}, {NULL, FALSE, FALSE},
};

/* The table of the rows (4 cells each, ended by NULL). Caller frees. */
static char *table_text(const char *const *cells, guint terminal_columns, gboolean colour, const char *when_empty)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    Table *table = table_new(out, columns, terminal_columns, colour);
    for (; *cells != NULL; cells += 4)
        table_add(table, cells);
    table_finish(table, when_empty);
    fclose(out);
    return text;
}

static guint widest_line(const char *text)
{
    guint widest = 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        widest = MAX(widest, text_columns(*line));
    return widest;
}

static void test_layout(void **state)
{
    (void)state;
    const char *cells[] = {"7", "kari@example.no", "Kari Nordmann", "", "12", "li@example.cn", "李明", "late", NULL};
    g_autofree char *text = table_text(cells, 0, FALSE, NULL);
    assert_string_equal(text, "ID  EMAIL            NAME           REASON\n"
                              " 7  kari@example.no  Kari Nordmann  \n"
                              "12  li@example.cn    李明           late\n");
}

static void test_cells_are_cut_to_the_terminal_but_not_what_is_copied(void **state)
{
    (void)state;
    const char *cells[] = {"123456", "someone.with.a.long.name@example.no", "Kari Anne Nordmann-Hansen",
                           "451 4.7.1 greylisted, please try again in fifteen minutes", NULL};
    for (guint width = 70; width <= 140; width += 7) {
        g_autofree char *text = table_text(cells, width, FALSE, NULL);
        assert_true(widest_line(text) <= width);
        assert_non_null(strstr(text, "123456"));
        assert_non_null(strstr(text, "someone.with.a.long.name@example.no"));
    }
    g_autofree char *narrow = table_text(cells, 70, FALSE, NULL);
    assert_non_null(strstr(narrow, "…"));
    g_autofree char *unlimited = table_text(cells, 0, FALSE, NULL);
    assert_non_null(strstr(unlimited, "in fifteen minutes"));
}

static void test_remote_text_is_harmless(void **state)
{
    (void)state;
    const char *cells[] = {"1", "a@b.no", "\033[31mred\a", "line\r\nforged  row\xE2\x80\xAE", NULL};
    g_autofree char *text = table_text(cells, 0, FALSE, NULL);
    for (const char *p = text; *p != '\0'; p++)
        assert_true((guchar)*p >= 0x20 || *p == '\n');
    assert_null(strstr(text, "\xE2\x80\xAE"));
    guint lines = 0;
    for (const char *p = text; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 2);
}

static void test_colour_and_emptiness(void **state)
{
    (void)state;
    const char *row[] = {"1", "a@b.no", "", "", NULL}, *none[] = {NULL};
    g_autofree char *plain = table_text(row, 0, FALSE, "nobody");
    g_autofree char *coloured = table_text(row, 0, TRUE, "nobody");
    g_autofree char *empty = table_text(none, 0, TRUE, "nobody");
    g_autofree char *silent = table_text(none, 0, FALSE, NULL);
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(coloured, "\033[1m"));
    assert_string_equal(empty, "nobody\n");
    assert_string_equal(silent, "");
}

static void test_many_rows_go_out_as_they_come(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    const char *row[] = {"1", "a@b.no", "x", "y"};
    for (guint i = 0; i < 3 * TABLE_LOOK_AHEAD * 4; i++)
        g_ptr_array_add(cells, (gpointer)row[i % 4]);
    g_ptr_array_add(cells, NULL);
    g_autofree char *text = table_text((const char *const *)cells->pdata, 80, FALSE, NULL);
    guint lines = 0;
    for (const char *p = text; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 3 * TABLE_LOOK_AHEAD + 1);
}

static char *wrapped(const char *text, guint indent, guint width)
{
    char *result = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&result, &size);
    terminal_print_text(out, text, indent, width);
    fclose(out);
    return result;
}

static void test_text_is_wrapped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        guint indent, width;
        const char *want;
    } cases[] = {
        {"", 4, 80, ""},
        {"\n\n one\n\ntwo\n\n", 2, 80, "   one\n\n  two\n"},
        {"a b c", 4, 0, "    a b c\n"},
        {"the quick brown fox jumps over", 4, 24, "    the quick brown fox\n    jumps over\n"},
        {"Donaudampfschifffahrtsgesellschaft", 0, 20, "Donaudampfschifffahr\ntsgesellschaft\n"},
        {"李明李明李明李明李明李明", 0, 20, "李明李明李明李明李明\n李明\n"},
        {"x\033[2Jy", 0, 80, "x\\x1b[2Jy\n"},
        {"a\tb\n\tc\n12345678\td", 2, 0, "  a       b\n          c\n  12345678        d\n"},
        {"李\tb", 0, 0, "李      b\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = wrapped(cases[i].text, cases[i].indent, cases[i].width);
        assert_string_equal(got, cases[i].want);
    }
}

static void test_width_of_what_is_no_terminal(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    g_unsetenv("COLUMNS");
    assert_int_equal(terminal_columns(out), 0);
    g_setenv("COLUMNS", "97", TRUE);
    assert_int_equal(terminal_columns(out), 97);
    g_setenv("COLUMNS", "-5", TRUE);
    assert_int_equal(terminal_columns(out), 0);
    assert_false(terminal_has_colour(out));
    g_unsetenv("COLUMNS");
    fclose(out);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_cells_are_cut_to_the_terminal_but_not_what_is_copied),
        cmocka_unit_test(test_remote_text_is_harmless),
        cmocka_unit_test(test_colour_and_emptiness),
        cmocka_unit_test(test_many_rows_go_out_as_they_come),
        cmocka_unit_test(test_text_is_wrapped),
        cmocka_unit_test(test_width_of_what_is_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
