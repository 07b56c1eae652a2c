/*
 * A report's rows as a table with bars, as CSV, or as JSON. Owns its cells.
 */
#include "cli/report_sheet.h"

#include <math.h>

#include "cli/csv.h"
#include "cli/table.h"

enum { BAR_COLUMNS = 20, BAR_EIGHTHS = 8, DAY_MS = 24 * 60 * 60 * 1000, HOUR_MS = 60 * 60 * 1000 };

struct Sheet {
    const SheetColumn *columns;
    guint n_columns;
    GPtrArray *rows; /* SheetCell[n_columns] */
};

Sheet *sheet_new(const SheetColumn *columns)
{
    Sheet *sheet = g_new0(Sheet, 1);
    sheet->columns = columns;
    while (columns[sheet->n_columns].key != NULL)
        sheet->n_columns++;
    sheet->rows = g_ptr_array_new();
    return sheet;
}

void sheet_free(Sheet *sheet)
{
    if (sheet == NULL)
        return;
    for (guint row = 0; row < sheet->rows->len; row++) {
        SheetCell *cells = g_ptr_array_index(sheet->rows, row);
        for (guint i = 0; i < sheet->n_columns; i++)
            g_free(cells[i].text);
        g_free(cells);
    }
    g_ptr_array_unref(sheet->rows);
    g_free(sheet);
}

SheetCell *sheet_add(Sheet *sheet)
{
    SheetCell *cells = g_new0(SheetCell, sheet->n_columns);
    g_ptr_array_add(sheet->rows, cells);
    return cells;
}

void sheet_cell_set_text(SheetCell *cell, const char *text)
{
    g_free(cell->text);
    cell->text = g_strdup(text);
    cell->is_known = TRUE;
}

void sheet_cell_set(SheetCell *cell, double number)
{
    cell->number = number;
    cell->is_known = TRUE;
}

void sheet_cell_set_share(SheetCell *cell, guint64 part, guint64 whole)
{
    if (whole > 0)
        sheet_cell_set(cell, (double)part / (double)whole);
}

/* ---- texts ------------------------------------------------------------------------------------------------------------ */

static char *time_text(double ms)
{
    if (ms >= 10.0 * DAY_MS)
        return g_strdup_printf("%.0f d", ms / DAY_MS);
    if (ms >= (double)DAY_MS)
        return g_strdup_printf("%.1f d", ms / DAY_MS);
    return ms >= (double)HOUR_MS ? g_strdup_printf("%.0f h", ms / HOUR_MS) : g_strdup_printf("%.0f min", ms / 60000.0);
}

/* The number without trailing zeros, the same in every locale. */
static char *number_text(double number)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    return g_strdup(g_ascii_formatd(buffer, sizeof buffer, fabs(number) < 1e15 ? "%.15g" : "%.17g", number));
}

/* In eighths of a column, so that small differences are seen. */
static char *bar_text(double part)
{
    static const char *const ends[BAR_EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    GString *bar = g_string_new(NULL);
    guint eighths = (guint)lround(CLAMP(part, 0.0, 1.0) * BAR_COLUMNS * BAR_EIGHTHS);
    if (eighths == 0 && part > 0)
        eighths = 1;
    for (guint i = 0; i < eighths / BAR_EIGHTHS; i++)
        g_string_append(bar, "█");
    g_string_append(bar, ends[eighths % BAR_EIGHTHS]);
    return g_string_free(bar, FALSE);
}

/* The highest number of the column, for bars. */
static double highest(const Sheet *sheet, guint column)
{
    double most = 0;
    for (guint row = 0; row < sheet->rows->len; row++) {
        const SheetCell *cells = g_ptr_array_index(sheet->rows, row);
        most = cells[column].is_known ? MAX(most, cells[column].number) : most;
    }
    return most;
}

static char *cell_text(const Sheet *sheet, const SheetCell *cells, guint column)
{
    const SheetCell *cell = &cells[column];
    const SheetKind kind = sheet->columns[column].kind;
    if (kind == SHEET_BAR) { /* of the number before it */
        double most = highest(sheet, column - 1);
        return bar_text(most > 0 ? cells[column - 1].number / most : 0);
    }
    if (!cell->is_known)
        return g_strdup("");
    switch (kind) {
    case SHEET_TEXT:
        return g_strdup(cell->text);
    case SHEET_SHARE:
        return g_strdup_printf("%.0f %%", cell->number * 100);
    case SHEET_TIME:
        return time_text(cell->number);
    default:
        return number_text(cell->number);
    }
}

/* ---- forms ------------------------------------------------------------------------------------------------------------ */

static void print_table(const Sheet *sheet, Cli *cli, const char *when_empty)
{
    g_autofree TableColumn *columns = g_new0(TableColumn, sheet->n_columns + 1);
    for (guint i = 0; i < sheet->n_columns; i++) {
        const SheetKind kind = sheet->columns[i].kind;
        gboolean is_number = kind != SHEET_TEXT && kind != SHEET_BAR;
        columns[i] = (TableColumn){sheet->columns[i].heading, is_number, is_number};
    }
    Table *table = table_new(cli->out, columns, cli->columns, cli->colour);
    for (guint row = 0; row < sheet->rows->len; row++) {
        g_auto(GStrv) cells = g_new0(char *, sheet->n_columns + 1);
        for (guint i = 0; i < sheet->n_columns; i++)
            cells[i] = cell_text(sheet, g_ptr_array_index(sheet->rows, row), i);
        table_add(table, (const char *const *)cells);
    }
    table_finish(table, when_empty);
}

/* As programs read it: shares as fractions, times in days. */
static double plain_number(const SheetCell *cell, SheetKind kind)
{
    double number = kind == SHEET_TIME ? cell->number / DAY_MS : cell->number;
    return kind == SHEET_SHARE || kind == SHEET_TIME ? round(number * 1e4) / 1e4 : number;
}

static void print_csv(const Sheet *sheet, FILE *out)
{
    for (guint row = 0; row <= sheet->rows->len; row++) {
        const SheetCell *cells = row > 0 ? g_ptr_array_index(sheet->rows, row - 1) : NULL;
        for (guint i = 0; i < sheet->n_columns; i++) {
            const SheetKind kind = sheet->columns[i].kind;
            if (kind == SHEET_BAR)
                continue;
            fputs(i > 0 ? "," : "", out);
            g_autofree char *number = cells != NULL && cells[i].is_known ? number_text(plain_number(&cells[i], kind)) : g_strdup("");
            if (cells == NULL)
                fputs(sheet->columns[i].key, out);
            else if (kind == SHEET_TEXT)
                csv_print_cell(out, cells[i].text != NULL ? cells[i].text : "");
            else
                fputs(number, out);
        }
        fputc('\n', out);
    }
}

static void add_member(JsonObject *object, const SheetColumn *column, const SheetCell *cell)
{
    if (!cell->is_known)
        json_object_set_null_member(object, column->key);
    else if (column->kind == SHEET_TEXT)
        json_object_set_string_member(object, column->key, cell->text);
    else if (column->kind == SHEET_COUNT)
        json_object_set_int_member(object, column->key, (gint64)cell->number);
    else
        json_object_set_double_member(object, column->key, plain_number(cell, column->kind));
}

static void print_json(const Sheet *sheet, Cli *cli)
{
    for (guint row = 0; row < sheet->rows->len; row++) {
        const SheetCell *cells = g_ptr_array_index(sheet->rows, row);
        JsonObject *object = json_object_new();
        for (guint i = 0; i < sheet->n_columns; i++)
            if (sheet->columns[i].kind != SHEET_BAR)
                add_member(object, &sheet->columns[i], &cells[i]);
        cli_print_json(cli, object);
    }
}

void sheet_print(const Sheet *sheet, Cli *cli, SheetForm form, const char *when_empty)
{
    if (form == SHEET_AS_JSON)
        print_json(sheet, cli);
    else if (form == SHEET_AS_CSV)
        print_csv(sheet, cli->out);
    else
        print_table(sheet, cli, when_empty);
}

/* ---- many times ------------------------------------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    const gint64 *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

gint64 times_percentile(GArray *times, guint percent)
{
    if (times->len == 0)
        return -1;
    g_array_sort(times, compare_times);
    guint64 rank = ((guint64)times->len * percent + 99) / 100;
    return g_array_index(times, gint64, MAX(rank, 1) - 1);
}
