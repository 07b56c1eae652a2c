/*
 * Tables that fit the terminal: wide characters counted, remote text escaped, the widest columns cut first.
 *
 * Owns the rows until the widths are settled (after TABLE_LOOK_AHEAD rows or at the end).
 */
#include "cli/table.h"

#include "base/text.h"

enum { GAP = 2, CELL_MAX_BYTES = 2000, FLEXIBLE_MIN = 6 };

struct Table {
    FILE *out;
    const TableColumn *columns;
    guint n_columns;
    guint terminal_columns;
    gboolean colour;
    guint *widths;
    GPtrArray *rows; /* char**; NULL once the widths are settled */
};

Table *table_new(FILE *out, const TableColumn *columns, guint terminal_columns, gboolean colour)
{
    Table *table = g_new0(Table, 1);
    table->out = out;
    table->columns = columns;
    table->terminal_columns = terminal_columns;
    table->colour = colour;
    while (columns[table->n_columns].heading != NULL)
        table->n_columns++;
    table->widths = g_new0(guint, table->n_columns);
    for (guint i = 0; i < table->n_columns; i++)
        table->widths[i] = text_columns(columns[i].heading);
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    return table;
}

static guint total_width(const Table *table)
{
    guint total = GAP * (table->n_columns - 1);
    for (guint i = 0; i < table->n_columns; i++)
        total += table->widths[i];
    return total;
}

/* The widest column that may be cut further; -1: none. */
static int widest_flexible(const Table *table)
{
    int widest = -1;
    for (guint i = 0; i < table->n_columns; i++)
        if (!table->columns[i].is_rigid && table->widths[i] > FLEXIBLE_MIN &&
            (widest < 0 || table->widths[i] > table->widths[widest]))
            widest = (int)i;
    return widest;
}

static void settle_widths(Table *table)
{
    int widest = 0;
    while (table->terminal_columns > 0 && total_width(table) > table->terminal_columns &&
           (widest = widest_flexible(table)) >= 0)
        table->widths[widest]--;
}

static void print_row(const Table *table, char **cells)
{
    for (guint i = 0; i < table->n_columns; i++) {
        const TableColumn *column = &table->columns[i];
        gboolean last = i + 1 == table->n_columns;
        g_autofree char *cut = NULL;
        if (table->terminal_columns > 0 && !column->is_rigid)
            cut = text_fit(cells[i], table->widths[i]);
        const char *text = cut != NULL ? cut : cells[i];
        guint used = text_columns(text);
        guint padding = used < table->widths[i] ? table->widths[i] - used : 0;
        if (column->is_number)
            fprintf(table->out, "%*s%s", (int)padding, "", text);
        else
            fprintf(table->out, "%s%*s", text, last ? 0 : (int)padding, "");
        fprintf(table->out, "%*s", last ? 0 : GAP, "");
    }
    fputc('\n', table->out);
}

static void print_heading(const Table *table)
{
    g_autofree char **headings = g_new0(char *, table->n_columns + 1);
    for (guint i = 0; i < table->n_columns; i++)
        headings[i] = (char *)table->columns[i].heading;
    fputs(table->colour ? "\033[1m" : "", table->out);
    print_row(table, headings);
    fputs(table->colour ? "\033[0m" : "", table->out);
}

static void flush_rows(Table *table)
{
    settle_widths(table);
    print_heading(table);
    for (guint i = 0; i < table->rows->len; i++)
        print_row(table, g_ptr_array_index(table->rows, i));
    g_clear_pointer(&table->rows, g_ptr_array_unref);
}

void table_add(Table *table, const char *const *cells)
{
    g_auto(GStrv) row = g_new0(char *, table->n_columns + 1);
    for (guint i = 0; i < table->n_columns; i++) {
        g_autofree char *line = text_one_line(cells[i] != NULL ? cells[i] : "");
        row[i] = text_escape(line, CELL_MAX_BYTES);
    }
    if (table->rows == NULL) {
        print_row(table, row);
        return;
    }
    for (guint i = 0; i < table->n_columns; i++)
        table->widths[i] = MAX(table->widths[i], text_columns(row[i]));
    g_ptr_array_add(table->rows, g_steal_pointer(&row));
    if (table->rows->len >= TABLE_LOOK_AHEAD)
        flush_rows(table);
}

void table_finish(Table *table, const char *when_empty)
{
    if (table->rows != NULL && table->rows->len > 0)
        flush_rows(table);
    else if (table->rows != NULL && when_empty != NULL)
        fprintf(table->out, "%s\n", when_empty);
    g_clear_pointer(&table->rows, g_ptr_array_unref);
    g_free(table->widths);
    g_free(table);
}
