/*
 * What the first line of a CSV means, and a row under it as a contact's fields.
 */
#pragma once

#include "cli/edit.h"

typedef struct ImportColumns ImportColumns;

/* A line about the header that is no fault: "column "Plan (2026)" becomes the attribute "plan_2026"". */
typedef void (*ImportNote)(const char *text, gpointer data);

/* Reads the header's cells. NULL and CLI_ERROR_INPUT, "what; write …", where none is `email`, or two mean the same. */
ImportColumns *import_columns_new(char *const *header, ImportNote note, gpointer data, GError **error);
void import_columns_free(ImportColumns *columns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImportColumns, import_columns_free)

/*
 * Fills fields from a row and gives the edit, which belongs to fields; empty cells leave what is there. Dates are in the row's
 * time zone, else in zone. NULL with an error; *ret_column is then the column's name as the file has it (belongs to columns),
 * or NULL for a fault of the whole row.
 */
const ContactEdit *import_columns_read(const ImportColumns *columns, char *const *row, GTimeZone *zone,
                                       ContactFields *fields, const char **ret_column, GError **error);
