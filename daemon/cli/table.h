/*
 * Tables that fit the terminal. The first rows (TABLE_LOOK_AHEAD of them) decide how wide the columns are; from then on rows go
 * out as they come, so that a table of any length takes little memory.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

enum { TABLE_LOOK_AHEAD = 1000 };

typedef struct {
    const char *heading;
    gboolean is_number; /* aligned to the right */
    gboolean is_rigid;  /* never cut: an address or an id that is to be copied */
} TableColumn;

typedef struct Table Table;

/* columns is a static list ended by a NULL heading. terminal_columns 0: nothing is cut. Free with table_finish(). */
Table *table_new(FILE *out, const TableColumn *columns, guint terminal_columns, gboolean colour);

/* One row: a text a column (NULL is ""), copied and escaped. */
void table_add(Table *table, const char *const *cells);

/* Prints what is not yet printed and frees. Without any row only `when_empty` is printed, unless NULL. */
void table_finish(Table *table, const char *when_empty);
