/*
 * Reads the rows of a CSV on a thread of its own, so that one batch is stored while the next is read.
 */
#pragma once

#include "cli/csv.h"
#include "cli/import_columns.h"

enum { IMPORT_BATCH_ROWS = 5000 };

/* A row as it was read. */
typedef struct {
    CsvPlace place;
    const ContactEdit *edit; /* NULL: it cannot be taken … */
    const char *column;      /* … because of this column (as the file has it; NULL: of the whole row) … */
    char *fault;             /* … and what is wrong, and what to write */
} ImportRow;

typedef struct {
    ImportRow *rows;
    guint len;
    gsize position; /* octets of the text read so far */
} ImportBatch;

typedef struct {
    CsvReader *csv;       /* used by the thread alone until the reader is freed */
    const GArray *places; /* CsvPlace: the rows to be read, in this order; NULL: all from where csv stands */
    GHashTable *earlier;  /* offset of a row -> CsvPlace* of the one before it with the same address: both are read as one */
    const ImportColumns *columns;
    const Config *config;
    GTimeZone *zone; /* of dates in rows without one */
    gint64 now_ms;
} ImportSource;

typedef struct ImportReader ImportReader;

/* What source names must outlive the reader, and does not change while it reads. */
ImportReader *import_reader_new(const ImportSource *source);

/* The next batch, IMPORT_BATCH_ROWS of them but for the last; NULL: there is none. It belongs to the reader, until the next call. */
const ImportBatch *import_reader_next(ImportReader *reader);

/* Stops reading. Accepts NULL. */
void import_reader_free(ImportReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImportReader, import_reader_free)
