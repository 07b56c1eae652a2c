/*
 * A report's rows, which go out as a table with bars, as CSV, or as JSON.
 */
#pragma once

#include "cli/context.h"

typedef enum {
    SHEET_TEXT,
    SHEET_COUNT,  /* a whole number */
    SHEET_SHARE,  /* 0 … 1, shown in percent */
    SHEET_TIME,   /* ms, shown in days or hours; in JSON and CSV in days */
    SHEET_NUMBER, /* any number */
    SHEET_BAR     /* of the number before it, as long as that is of the column's highest; only in tables */
} SheetKind;

typedef struct {
    const char *key;     /* in JSON and CSV */
    const char *heading;
    SheetKind kind;
} SheetColumn;

/* One cell: text, or a number; unknown is null in JSON and empty elsewhere. */
typedef struct {
    char *text;
    double number;
    gboolean is_known;
} SheetCell;

typedef enum { SHEET_AS_TABLE, SHEET_AS_CSV, SHEET_AS_JSON } SheetForm;

typedef struct Sheet Sheet;

/* columns is a static list ended by a NULL key; it outlives the sheet. */
Sheet *sheet_new(const SheetColumn *columns);
void sheet_free(Sheet *sheet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sheet, sheet_free)

/* A new last row; its cells, one a column, unknown until they are set. They belong to the sheet, until the next row. */
SheetCell *sheet_add(Sheet *sheet);

void sheet_cell_set_text(SheetCell *cell, const char *text);
void sheet_cell_set(SheetCell *cell, double number);

/* part / whole; unknown where whole is 0. */
void sheet_cell_set_share(SheetCell *cell, guint64 part, guint64 whole);

/* Writes all rows. when_empty: what a table without rows says. */
void sheet_print(const Sheet *sheet, Cli *cli, SheetForm form, const char *when_empty);

/* ---- what is shown of many times ---- */

/* The nearest-rank percentile: the smallest of the times (gint64 ms) that percent of them do not exceed. Sorts them. -1: there are none. */
gint64 times_percentile(GArray *times, guint percent);
