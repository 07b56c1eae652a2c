/*
 * Comma-separated values (RFC 4180), as spreadsheets write them.
 */
#pragma once

#include <glib.h>

typedef struct CsvReader CsvReader;

/* Reads text (NUL-terminated UTF-8, which must outlive the reader). The separator is the one of , ; and tab that is most frequent in the first line. */
CsvReader *csv_reader_new(const char *text);
void csv_reader_free(CsvReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CsvReader, csv_reader_free)

/*
 * The next row's fields (NULL-terminated; empty lines are passed over); NULL at the end, or with a fault: *ret_fault is then what is wrong
 * (static text). *ret_line is the line on which the row begins. Free with g_strfreev().
 */
char **csv_reader_next(CsvReader *reader, guint *ret_line, const char **ret_fault);

/* Octets read so far, for a progress bar. */
gsize csv_reader_position(const CsvReader *reader);

/* The bytes of a file as UTF-8: without byte order mark; what is not UTF-8 is taken as Windows-1252 (*ret_converted). NULL where they hold
 * NUL. Caller frees. */
char *csv_decode(const char *bytes, gsize len, gboolean *ret_converted);
