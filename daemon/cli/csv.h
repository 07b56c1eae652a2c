/*
 * Comma-separated values (RFC 4180) as spreadsheets write them: quotes, line ends inside of quotes, CRLF, LF or CR, and comma,
 * semicolon or tab as the separator.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

enum {
    CSV_MAX_CELL = 64 * 1024, /* octets */
    CSV_MAX_CELLS = 500       /* of a row */
};

typedef struct CsvReader CsvReader;

/*
 * Reads text (NUL-terminated UTF-8, which must outlive the reader). The separator is the one that is most frequent in the
 * first line outside of quotes, or what a first line `sep=;` says.
 */
CsvReader *csv_reader_new(const char *text);
void csv_reader_free(CsvReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CsvReader, csv_reader_free)

/* Where a row begins: for faults, and for reading it again. */
typedef struct {
    gsize offset;
    guint line; /* physical, from 1 */
} CsvPlace;

typedef enum { CSV_ROW, CSV_FAULT, CSV_END } CsvResult;

/*
 * The next row; empty lines are passed over. CSV_ROW: *ret_cells (NULL-terminated, white space at the ends of a cell taken
 * off; they belong to the reader until it reads on). CSV_FAULT: *ret_fault is what is wrong and what to write (static text); reading goes on with
 * the line behind the row's first.
 */
CsvResult csv_reader_next(CsvReader *reader, CsvPlace *ret_place, char *const **ret_cells, const char **ret_fault);

/* Goes (back) to a place that csv_reader_next() gave. */
void csv_reader_seek(CsvReader *reader, CsvPlace place);

/* Octets read so far, for a progress bar. */
gsize csv_reader_position(const CsvReader *reader);

/*
 * The bytes of a file as UTF-8 without byte order mark; what is not UTF-8 is taken as Windows-1252 (*ret_converted). NULL for
 * what is no text of one of them: *ret_fault says what, and what to do (static text). Caller frees.
 */
char *csv_decode(const char *bytes, gsize len, gboolean *ret_converted, const char **ret_fault);

/* Valid UTF-8 as a cell in quotes, without control characters. What a spreadsheet would take for a formula gets a space before it, which reading
 * takes off. */
void csv_print_cell(FILE *out, const char *text);
