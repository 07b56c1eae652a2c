/*
 * Months as cal(1) draws them, Monday first, each day with a number under its date; several side by side where there is room.
 *
 * A month becomes a list of lines of one width, a row of months is those lists joined.
 */
#include "cli/month_grid.h"

#include <string.h>

enum { WEEK = 7, DIGITS_MAX = 9, USUAL_COLUMNS = 80, BETWEEN = 3, DIGITS_MIN = 2, AROUND_NUMBER = 2, MUCH_MIN = 10 };

static const char DIM[] = "\033[2m", PLAIN[] = "\033[0m";
/* of the lower, the middle and the upper third of the numbers */
static const char *const STRENGTHS[] = {"\033[32m", "\033[1;32m", "\033[7;32m"};

typedef struct {
    const GDate *first;
    const GridDay *days;
    guint n_days;
    guint highest;    /* of the numbers */
    guint cell_width; /* a space, the number, a place for the mark */
    gboolean colour;
} Grid;

static const char *const MONTHS[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

/* NULL where the date is not among the grid's days. */
static const GridDay *day_of(const Grid *grid, const GDate *date)
{
    int index = g_date_days_between(grid->first, date);
    return index >= 0 && (guint)index < grid->n_days ? &grid->days[index] : NULL;
}

/* NULL: not a day of the grid. */
static gboolean is_open(const GridDay *day)
{
    return day && !day->is_closed && !day->is_holiday;
}

static void append_styled(GString *line, const char *style, const char *text)
{
    g_string_append_printf(line, "%s%s%s", style, text, *style ? PLAIN : "");
}

static void append_blank(const Grid *grid, GString *line)
{
    g_string_append_printf(line, "%*s", (int)grid->cell_width, "");
}

static void append_date(const Grid *grid, GString *line, const GDate *date)
{
    const GridDay *day = day_of(grid, date);
    g_autofree char *text =
        g_strdup_printf("%*u%c", (int)grid->cell_width - 1, g_date_get_day(date), day && day->is_holiday ? '*' : ' ');
    append_styled(line, grid->colour && !is_open(day) ? DIM : "", text);
}

static const char *strength_of(const Grid *grid, guint count)
{
    guint third = (count * (guint)G_N_ELEMENTS(STRENGTHS) - 1) / MAX(grid->highest, (guint)MUCH_MIN);
    return STRENGTHS[MIN(third, (guint)G_N_ELEMENTS(STRENGTHS) - 1)];
}

static void append_count(const Grid *grid, GString *line, const GDate *date)
{
    const GridDay *day = day_of(grid, date);
    if (!day) {
        append_blank(grid, line);
        return;
    }
    g_autofree char *text = day->count ? g_strdup_printf("%u", day->count) : g_strdup(is_open(day) ? "." : "-");
    g_string_append_printf(line, "%*s", (int)(grid->cell_width - 1 - strlen(text)), "");
    append_styled(line, !grid->colour ? "" : day->count ? strength_of(grid, day->count) : DIM, text);
    g_string_append_c(line, ' ');
}

/* ---- a month --------------------------------------------------------------------------------------------------------- */

static char *heading(const Grid *grid, const GDate *first_of_month)
{
    guint total = 0, days = g_date_get_days_in_month(g_date_get_month(first_of_month), g_date_get_year(first_of_month));
    GDate date = *first_of_month;
    for (guint i = 0; i < days; i++) {
        const GridDay *day = day_of(grid, &date);
        total += day ? day->count : 0;
        g_date_add_days(&date, 1);
    }
    g_autofree char *name =
        g_strdup_printf(" %s %u: %u", MONTHS[g_date_get_month(first_of_month) - 1], g_date_get_year(first_of_month), total);
    g_autofree char *padded = g_strdup_printf("%-*s", (int)(WEEK * grid->cell_width), name);
    return grid->colour ? g_strdup_printf("\033[1m%s%s", padded, PLAIN) : g_steal_pointer(&padded);
}

static char *weekdays(const Grid *grid)
{
    static const char *const names[WEEK] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
    GString *line = g_string_new(NULL);
    for (guint i = 0; i < WEEK; i++)
        g_string_append_printf(line, "%*s ", (int)grid->cell_width - 1, names[i]);
    return g_string_free(line, FALSE);
}

/* The lines of the week that begins on monday: dates, numbers, and an empty one; dates alone where none is a day of the grid. Days outside
 * the month stay blank. */
static void add_week(const Grid *grid, GPtrArray *lines, const GDate *monday, GDateMonth month)
{
    GString *dates = g_string_new(NULL), *counts = g_string_new(NULL);
    gboolean has_days = FALSE;
    GDate date = *monday;
    for (guint i = 0; i < WEEK; i++) {
        if (g_date_get_month(&date) == month) {
            append_date(grid, dates, &date);
            append_count(grid, counts, &date);
            has_days = has_days || day_of(grid, &date);
        } else {
            append_blank(grid, dates);
            append_blank(grid, counts);
        }
        g_date_add_days(&date, 1);
    }
    g_ptr_array_add(lines, g_string_free(dates, FALSE));
    char *numbers = g_string_free(counts, FALSE);
    if (has_days) {
        g_ptr_array_add(lines, numbers);
        g_ptr_array_add(lines, g_strnfill(WEEK * grid->cell_width, ' '));
    } else {
        g_free(numbers);
    }
}

/* char*, all of one width in a terminal. */
static GPtrArray *month_lines(const Grid *grid, const GDate *first_of_month)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    GDateMonth month = g_date_get_month(first_of_month);
    GDate monday = *first_of_month, last = *first_of_month;
    g_date_add_days(&last, g_date_get_days_in_month(month, g_date_get_year(first_of_month)) - 1u);
    g_date_subtract_days(&monday, (guint)g_date_get_weekday(&monday) - G_DATE_MONDAY);
    g_ptr_array_add(lines, heading(grid, first_of_month));
    g_ptr_array_add(lines, weekdays(grid));
    for (; g_date_compare(&monday, &last) <= 0; g_date_add_days(&monday, WEEK))
        add_week(grid, lines, &monday, month);
    return lines;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

/* months: GPtrArray* of lines, side by side. */
static void print_row(const Grid *grid, FILE *out, const GPtrArray *months)
{
    guint height = 0;
    for (guint i = 0; i < months->len; i++)
        height = MAX(height, ((GPtrArray *)months->pdata[i])->len);
    for (guint n = 0; n < height; n++) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (guint i = 0; i < months->len; i++) {
            const GPtrArray *lines = months->pdata[i];
            g_string_append_printf(line, "%*s%*s", i ? BETWEEN : 0, "", n < lines->len ? 0 : (int)(WEEK * grid->cell_width),
                                   "");
            g_string_append(line, n < lines->len ? lines->pdata[n] : "");
        }
        g_strchomp(line->str);
        /* the line behind the last week, or its lack, becomes the one empty line behind the row */
        if (n + 1 < height || line->str[0])
            fprintf(out, "%s\n", line->str);
    }
    fputc('\n', out);
}

static void print_legend(const Grid *grid, FILE *out)
{
    gboolean idle = FALSE, closed = FALSE, holiday = FALSE;
    for (guint i = 0; i < grid->n_days; i++) {
        const GridDay *day = &grid->days[i];
        idle = idle || (!day->count && is_open(day));
        closed = closed || (!day->count && !is_open(day));
        holiday = holiday || day->is_holiday;
    }
    fprintf(out, " under each date, its messages%s%s%s\n", idle ? "   . none" : "", closed ? "   - none, and no window" : "",
            holiday ? "   * holiday" : "");
}

static void measure(Grid *grid)
{
    guint digits = DIGITS_MIN;
    for (guint i = 0; i < grid->n_days; i++)
        grid->highest = MAX(grid->highest, grid->days[i].count);
    for (guint limit = 100; grid->highest >= limit && digits < DIGITS_MAX; limit *= 10)
        digits++;
    grid->cell_width = digits + AROUND_NUMBER;
}

void month_grid_print(FILE *out, const GDate *first, const GridDay *days, guint n_days, guint terminal_columns,
                      gboolean colour)
{
    Grid grid = {.first = first, .days = days, .n_days = n_days, .colour = colour};
    measure(&grid);
    guint columns = terminal_columns ? terminal_columns : USUAL_COLUMNS;
    guint abreast = MAX((columns + BETWEEN) / (WEEK * grid.cell_width + BETWEEN), 1u);
    GDate month = *first, last = *first;
    g_date_set_day(&month, 1);
    g_date_add_days(&last, n_days - 1);
    while (g_date_compare(&month, &last) <= 0) {
        g_autoptr(GPtrArray) row = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
        for (; row->len < abreast && g_date_compare(&month, &last) <= 0; g_date_add_months(&month, 1))
            g_ptr_array_add(row, month_lines(&grid, &month));
        print_row(&grid, out, row);
    }
    print_legend(&grid, out);
}
