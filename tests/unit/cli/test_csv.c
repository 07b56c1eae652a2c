/*
 * The CSV parser: what spreadsheets write is read as they meant it, and no byte of a hostile file does harm or lets a row be
 * lost unsaid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "cli/csv.h"

/* All that is read, as text: cells in [brackets], a row a line, with the line where it begins; faults as "!". */
static char *read_all(const char *text)
{
    GString *all = g_string_new(NULL);
    g_autoptr(CsvReader) reader = csv_reader_new(text);
    for (;;) {
        CsvPlace place;
        char *const *cells = NULL;
        const char *fault = NULL;
        CsvResult result = csv_reader_next(reader, &place, &cells, &fault);
        if (result == CSV_END)
            return g_string_free(all, FALSE);
        g_string_append_printf(all, "%u", place.line);
        if (result == CSV_FAULT) {
            assert_non_null(strstr(fault, ";")); /* what, and what to do */
            assert_null(cells);
            g_string_append_c(all, '!');
        }
        for (char *const *cell = cells; cell != NULL && *cell != NULL; cell++)
            g_string_append_printf(all, "[%s]", *cell);
        g_string_append_c(all, '\n');
    }
}

static void assert_reads(const char *text, const char *want)
{
    g_autofree char *got = read_all(text);
    assert_string_equal(got, want);
}

static void test_cells(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"\n\r\n\r", ""},
        {"a,b\n1,2\n", "1[a][b]\n2[1][2]\n"},
        {"a,b\r\n1,2", "1[a][b]\n2[1][2]\n"},
        {"a,b\r1,2\r", "1[a][b]\n2[1][2]\n"},
        {"a,b\n,\n", "1[a][b]\n2[][]\n"},
        {"a,b\n1\n", "1[a][b]\n2[1]\n"},
        {"a,b\n\n\n1,2\n", "1[a][b]\n4[1][2]\n"},
        {"a,b\n \"x\" ,  y  \n", "1[a][b]\n2[x][y]\n"},
        {"a,b\n\"x,y\",\"\"\n", "1[a][b]\n2[x,y][]\n"},
        {"a,b\n\"say \"\"hi\"\"\",1\n", "1[a][b]\n2[say \"hi\"][1]\n"},
        {"a,b\n\"one\r\ntwo\nthree\",1\n4,5\n", "1[a][b]\n2[one\ntwo\nthree][1]\n5[4][5]\n"},
        {"a,b\n\"\"\"\",1\n", "1[a][b]\n2[\"][1]\n"},
        /* separators */
        {"a;b\n1,5;2\n", "1[a][b]\n2[1,5][2]\n"},
        {"a\tb\n1;5\t2\n", "1[a][b]\n2[1;5][2]\n"},
        {"\"a,b,c\";d;e\n1;2;3\n", "1[a,b,c][d][e]\n2[1][2][3]\n"},
        {"sep=;\na,b;c\n1;2\n", "2[a,b][c]\n3[1][2]\n"},
        {"sep=x\n", "1[sep=x]\n"},
        {"email\na@b.no\n", "1[email]\n2[a@b.no]\n"},
        /* faults: one row each, and the rows behind are read */
        {"a,b\n\"x\"y,1\n2,3\n", "1[a][b]\n2!\n3[2][3]\n"},
        {"a,b\nx\"y,1\n2,3\n", "1[a][b]\n2!\n3[2][3]\n"},
        {"a,b\n\"open,1\n2,3\n", "1[a][b]\n2!\n3[2][3]\n"},
        {"a,b\n\"open,1\n2,3\n\"x\",4\n", "1[a][b]\n2!\n3[2][3]\n4[x][4]\n"},
        {"a,b\n\"", "1[a][b]\n2!\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_reads(cases[i].text, cases[i].want);
}

static void test_limits(void **state)
{
    (void)state;
    g_autofree char *cell = g_strnfill(CSV_MAX_CELL, 'x');
    g_autofree char *fits = g_strdup_printf("a\n%s\n\"%s\"\n", cell, cell);
    g_autofree char *over = g_strdup_printf("a\n%sy\n\"%sy\"\n1\n", cell, cell);
    g_autofree char *got_fits = read_all(fits);
    g_autofree char *want_fits = g_strdup_printf("1[a]\n2[%s]\n3[%s]\n", cell, cell);
    assert_string_equal(got_fits, want_fits);
    assert_reads(over, "1[a]\n2!\n3!\n4[1]\n");

    g_autofree char *commas = g_strnfill(CSV_MAX_CELLS - 1, ',');
    g_autofree char *widest = g_strdup_printf("%s\n1\n", commas);
    g_autofree char *too_wide = g_strdup_printf("%s,\n1\n", commas);
    g_autofree char *got_widest = read_all(widest);
    g_autofree char *got_too_wide = read_all(too_wide);
    assert_non_null(strstr(got_widest, "\n2[1]\n"));
    assert_string_equal(got_too_wide, "1!\n2[1]\n");
}

static void test_seek_reads_the_same_row(void **state)
{
    (void)state;
    g_autoptr(CsvReader) reader = csv_reader_new("a,b\n\"1\n1\",2\n3,4\n");
    CsvPlace places[3], again;
    const char *fault = NULL;
    for (guint i = 0; i < 3; i++) {
        char *const *cells = NULL;
        assert_int_equal(csv_reader_next(reader, &places[i], &cells, &fault), CSV_ROW);
    }
    char *const *cells = NULL;
    csv_reader_seek(reader, places[1]);
    assert_int_equal(csv_reader_next(reader, &again, &cells, &fault), CSV_ROW);
    assert_int_equal(again.line, 2);
    assert_string_equal(cells[0], "1\n1");
    char *const *behind = NULL;
    assert_int_equal(csv_reader_next(reader, &again, &behind, &fault), CSV_ROW);
    assert_int_equal(again.line, 4);
    assert_string_equal(behind[0], "3");
}

static void test_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        gsize len;
        const char *want; /* NULL: refused */
        gboolean converted;
    } cases[] = {
        {"", 0, "", FALSE},
        {"\xEF\xBB\xBF"
         "email",
         8, "email", FALSE},
        {"bj\xC3\xB8rn", 6, "bjørn", FALSE},
        {"bj\xF8rn", 5, "bjørn", TRUE},
        {"\x80 \x93q\x94 \x81", 7, "€ “q” \xEF\xBF\xBD", TRUE},
        {"a\0b", 3, NULL, FALSE},
        {"\xFF\xFE"
         "e\0",
         4, NULL, FALSE},
        {"\xFE\xFF"
         "\0e",
         4, NULL, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean converted = FALSE;
        const char *fault = NULL;
        g_autofree char *text = csv_decode(cases[i].bytes, cases[i].len, &converted, &fault);
        if (cases[i].want == NULL) {
            assert_null(text);
            assert_non_null(strstr(fault, "save it as"));
            continue;
        }
        assert_string_equal(text, cases[i].want);
        assert_int_equal(converted, cases[i].converted);
    }
}

/* Any bytes end in rows and faults, with places that go forward only; ASan and UBSan watch. */
static void test_any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "\"\"\",,;\t\r\n\n =ab\xC3\xF8\x80";
    g_autoptr(GRand) random = g_rand_new_with_seed(20261124);
    for (guint round = 0; round < 20000; round++) {
        char bytes[64];
        gsize len = (gsize)g_rand_int_range(random, 0, sizeof(bytes));
        for (gsize i = 0; i < len; i++)
            bytes[i] = alphabet[g_rand_int_range(random, 0, sizeof(alphabet) - 1)];
        gboolean converted = FALSE;
        const char *fault = NULL;
        g_autofree char *text = csv_decode(bytes, len, &converted, &fault);
        if (text == NULL)
            continue;
        assert_true(g_utf8_validate(text, -1, NULL));
        g_autoptr(CsvReader) reader = csv_reader_new(text);
        CsvPlace place = {0};
        gsize before = 0;
        CsvResult result = CSV_ROW;
        while (result != CSV_END) {
            char *const *cells = NULL;
            result = csv_reader_next(reader, &place, &cells, &fault);
            assert_true(place.offset >= before && csv_reader_position(reader) >= place.offset);
            assert_true(result == CSV_END || csv_reader_position(reader) > place.offset);
            before = place.offset;
        }
        assert_int_equal(csv_reader_position(reader), strlen(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),     cmocka_unit_test(test_limits),    cmocka_unit_test(test_seek_reads_the_same_row),
        cmocka_unit_test(test_encodings), cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
