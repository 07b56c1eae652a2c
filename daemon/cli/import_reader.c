/*
 * Rows of a CSV, read and checked on a thread.
 *
 * Three batches go round: the thread fills one, one waits, one is with the caller. They pass through two queues, so that each is
 * touched by one thread at a time, and memory stays the same however long the file is. Owns the batches and the thread.
 */
#include "cli/import_reader.h"

enum { BATCHES = 3 };

typedef struct {
    ImportBatch batch;
    ImportRow rows[IMPORT_BATCH_ROWS];
    ContactFields *fields; /* what the rows' edits belong to */
} Slot;

struct ImportReader {
    ImportSource source;
    GThread *thread;
    GAsyncQueue *empty,
        *full; /* Slot*; in empty, the reader itself asks the thread to stop; a batch of no rows is the last */
    Slot *slots[BATCHES];
    Slot *taken; /* with the caller; NULL: none */
    gboolean at_end;
    guint next_place; /* the thread's */
};

static void slot_clear(Slot *slot)
{
    for (guint i = 0; i < slot->batch.len; i++)
        g_free(slot->rows[i].fault);
    slot->batch.len = 0;
}

/* ---- the thread ------------------------------------------------------------------------------------------------------ */

static void read_cells(const ImportSource *source, ContactFields *fields, char *const *cells, ImportRow *row)
{
    g_autoptr(GError) error = NULL;
    row->edit = import_columns_read(source->columns, cells, source->zone, fields, &row->column, &error);
    if (row->edit == NULL)
        row->fault = g_strdup(error->message);
}

/* The row that csv stands at. FALSE where there is none. */
static gboolean read_one(const ImportSource *source, ContactFields *fields, ImportRow *row)
{
    CsvPlace place;
    char *const *cells = NULL;
    const char *fault = NULL;
    CsvResult result = csv_reader_next(source->csv, &place, &cells, &fault);
    if (result == CSV_END)
        return FALSE;
    *row = (ImportRow){.place = place};
    if (result == CSV_FAULT)
        row->fault = g_strdup(fault);
    else
        read_cells(source, fields, cells, row);
    return TRUE;
}

/* The row at place, laid over those before it with the same address; each of them was read before, and found good. */
static gboolean read_person(const ImportSource *source, const CsvPlace *last, ContactFields *fields, ImportRow *row)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new();
    for (const CsvPlace *place = last; place != NULL;
         place = g_hash_table_lookup(source->earlier, GSIZE_TO_POINTER(place->offset)))
        g_ptr_array_add(places, (gpointer)place);
    for (guint i = places->len; i-- > 0;) {
        const CsvPlace *place = g_ptr_array_index(places, i);
        csv_reader_seek(source->csv, *place);
        if (!read_one(source, fields, row))
            return FALSE;
        if (i > 0)
            contact_fields_continue(fields);
    }
    return TRUE;
}

/* FALSE where there is no further row. */
static gboolean read_row(ImportReader *reader, ContactFields *fields, ImportRow *row)
{
    const ImportSource *source = &reader->source;
    contact_fields_begin(fields);
    if (source->places == NULL)
        return read_one(source, fields, row);
    return reader->next_place < source->places->len &&
           read_person(source, &g_array_index(source->places, CsvPlace, reader->next_place++), fields, row);
}

static void fill(ImportReader *reader, Slot *slot)
{
    slot_clear(slot);
    contact_fields_reset(slot->fields);
    while (slot->batch.len < IMPORT_BATCH_ROWS && read_row(reader, slot->fields, &slot->rows[slot->batch.len]))
        slot->batch.len++;
    slot->batch.position = csv_reader_position(reader->source.csv);
}

static gpointer read_all(gpointer data)
{
    ImportReader *reader = data;
    gpointer next;
    while ((next = g_async_queue_pop(reader->empty)) != reader) {
        Slot *slot = next;
        fill(reader, slot);
        gboolean last = slot->batch.len == 0;
        g_async_queue_push(reader->full, slot);
        if (last)
            break;
    }
    return NULL;
}

/* ---- the caller's side ----------------------------------------------------------------------------------------------- */

ImportReader *import_reader_new(const ImportSource *source)
{
    ImportReader *reader = g_new0(ImportReader, 1);
    reader->source = *source;
    reader->empty = g_async_queue_new();
    reader->full = g_async_queue_new();
    for (guint i = 0; i < BATCHES; i++) {
        Slot *slot = g_new0(Slot, 1);
        slot->batch.rows = slot->rows;
        slot->fields = contact_fields_new(source->config, source->now_ms);
        reader->slots[i] = slot;
        g_async_queue_push(reader->empty, slot);
    }
    reader->thread = g_thread_new("import-reader", read_all, reader);
    return reader;
}

const ImportBatch *import_reader_next(ImportReader *reader)
{
    if (reader->taken != NULL)
        g_async_queue_push(reader->empty, g_steal_pointer(&reader->taken));
    if (reader->at_end)
        return NULL;
    Slot *slot = g_async_queue_pop(reader->full);
    reader->at_end = slot->batch.len == 0;
    reader->taken = slot;
    return reader->at_end ? NULL : &slot->batch;
}

void import_reader_free(ImportReader *reader)
{
    if (reader == NULL)
        return;
    g_async_queue_push_front(reader->empty, reader);
    g_thread_join(reader->thread);
    g_async_queue_unref(reader->empty);
    g_async_queue_unref(reader->full);
    for (guint i = 0; i < BATCHES; i++) {
        slot_clear(reader->slots[i]);
        contact_fields_free(reader->slots[i]->fields);
        g_free(reader->slots[i]);
    }
    g_free(reader);
}
