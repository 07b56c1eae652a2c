/*
 * nurture import FILE.csv [--dry-run]: adds or updates contacts by address.
 *
 * Two passes over the text, both read and checked by a thread (import_reader.c): the first lists the bad rows and learns which row of
 * each address is the last; the second stores just those, laid over the earlier ones, so that running it twice changes nothing. They are stored in the order of
 * their addresses, so that the key of the table is written from one end to the other, and in batches: a transaction takes as many as
 * fit into less than half a second, so that a running daemon is held up shortly at most. SIGINT and SIGTERM are heeded between them.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/import_reader.h"
#include "cli/progress.h"
#include "engine/control.h"

enum { TRANSACTION_MS = 400, EMAILS_BYTES = 64 * 1024 /* a block of addresses */ };

/* A row that can be taken. */
typedef struct {
    CsvPlace place;
    guint64 order; /* by the address's beginning; 0: a later row has the same address */
} Row;

typedef struct {
    guint64 added, changed, unchanged;
} Counts;

typedef struct {
    Cli *cli;
    const char *file;
    gboolean dry_run;
    GTimeZone *zone;
    gint64 now_ms;
    CsvReader *csv;
    gsize size;
    ImportColumns *columns;
    GArray *rows;         /* Row: the good ones */
    GHashTable *by_email; /* char* -> index in rows */
    GHashTable *earlier;  /* see import_reader.h */
    GStringChunk *emails; /* the keys */
    Counts counts;
    guint64 bad;
    gboolean interrupted;
    sigset_t signals;
    Progress *progress; /* of the pass that runs */
} Import;

/* ---- telling --------------------------------------------------------------------------------------------------------- */

static void tell_bad_row(Import *import, guint line, const char *column, const char *what)
{
    import->bad++;
    if (import->progress != NULL)
        progress_clear(import->progress);
    if (column != NULL) {
        g_autofree char *shown = text_quote(column, 60);
        fprintf(import->cli->err, "%s:%u: column %s: %s\n", import->file, line, shown, what);
    } else {
        fprintf(import->cli->err, "%s:%u: %s\n", import->file, line, what);
    }
}

static void note_header(const char *text, gpointer data)
{
    Import *import = data;
    cli_note(import->cli, "%s: %s", import->file, text);
}

static int print_summary(const Import *import)
{
    Cli *cli = import->cli;
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "added", (gint64)import->counts.added);
        json_object_set_int_member(object, "changed", (gint64)import->counts.changed);
        json_object_set_int_member(object, "unchanged", (gint64)import->counts.unchanged);
        json_object_set_int_member(object, "bad", (gint64)import->bad);
        json_object_set_boolean_member(object, "dry_run", import->dry_run);
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out,
                "%" G_GUINT64_FORMAT " added, %" G_GUINT64_FORMAT " changed, %" G_GUINT64_FORMAT
                " unchanged, %" G_GUINT64_FORMAT " bad%s\n",
                import->counts.added, import->counts.changed, import->counts.unchanged, import->bad,
                import->dry_run ? " (dry run: nothing was stored)" : "");
    }
    if (import->interrupted)
        return cli_failed(cli, "interrupted: the rows counted above are stored; run it again for the others");
    return import->bad > 0 ? CLI_FAILED : CLI_DONE;
}

/* A signal to stop has come; it is taken once. */
static gboolean stop_is_asked(Import *import)
{
    const struct timespec at_once = {0};
    if (!import->interrupted && sigtimedwait(&import->signals, NULL, &at_once) > 0)
        import->interrupted = TRUE;
    return import->interrupted;
}

/* The rows at these places; NULL: all. */
static ImportReader *read_rows(Import *import, const GArray *places)
{
    const ImportSource source = {.csv = import->csv,
                                 .places = places,
                                 .earlier = import->earlier,
                                 .columns = import->columns,
                                 .config = import->cli->config,
                                 .zone = import->zone,
                                 .now_ms = import->now_ms};
    return import_reader_new(&source);
}

/* ---- the first pass: checking ---------------------------------------------------------------------------------------- */

/* Its first eight octets, to be compared as a number; never 0. */
static guint64 order_of(const char *email)
{
    guint64 order = 0;
    for (guint i = 0; i < sizeof(order); i++) {
        order = order << 8 | (guchar)*email;
        email += *email != '\0';
    }
    return order;
}

static void remember_row(Import *import, const char *email, CsvPlace place)
{
    gpointer key = NULL, before = NULL;
    if (g_hash_table_lookup_extended(import->by_email, email, &key, &before)) {
        Row *earlier = &g_array_index(import->rows, Row, GPOINTER_TO_UINT(before));
        earlier->order = 0;
        g_hash_table_insert(import->earlier, GSIZE_TO_POINTER(place.offset), g_memdup2(&earlier->place, sizeof(CsvPlace)));
        progress_clear(import->progress);
        cli_note(import->cli, "%s:%u: %s stands on line %u as well; where both say something, the later row counts",
                 import->file, place.line, email, earlier->place.line);
    } else {
        key = g_string_chunk_insert(import->emails, email);
    }
    const Row row = {.place = place, .order = order_of(email)};
    g_hash_table_insert(import->by_email, key, GUINT_TO_POINTER(import->rows->len));
    g_array_append_val(import->rows, row);
}

static void check_rows(Import *import)
{
    g_autoptr(Progress) progress = progress_new(import->cli->err, "checking");
    g_autoptr(ImportReader) reader = read_rows(import, NULL);
    const ImportBatch *batch;
    import->progress = progress;
    while (!stop_is_asked(import) && (batch = import_reader_next(reader)) != NULL) {
        for (guint i = 0; i < batch->len; i++) {
            const ImportRow *row = &batch->rows[i];
            if (row->edit != NULL)
                remember_row(import, row->edit->email, row->place);
            else
                tell_bad_row(import, row->place.line, row->column, row->fault);
        }
        progress_update(progress, batch->position, import->size);
    }
    import->progress = NULL;
}

static gint compare_order(gconstpointer a, gconstpointer b)
{
    const Row *row_a = a, *row_b = b;
    return row_a->order < row_b->order ? -1 : row_a->order > row_b->order;
}

/* The places (CsvPlace) of the rows to be stored, in the order in which they are stored. */
static GArray *places_in_order(Import *import)
{
    g_array_sort(import->rows, compare_order);
    GArray *places = g_array_sized_new(FALSE, FALSE, sizeof(CsvPlace), import->rows->len);
    for (guint i = 0; i < import->rows->len; i++) {
        const Row *row = &g_array_index(import->rows, Row, i);
        if (row->order != 0)
            g_array_append_val(places, row->place);
    }
    return places;
}

/* ---- the second pass: storing ---------------------------------------------------------------------------------------- */

static void count_results(Counts *counts, const ContactSaveResult *results, guint len)
{
    for (guint i = 0; i < len; i++) {
        counts->added += results[i] == CONTACT_CREATED || results[i] == CONTACT_CAME_BACK;
        counts->changed += results[i] == CONTACT_CHANGED;
        counts->unchanged += results[i] == CONTACT_UNCHANGED;
    }
}

static void note_returned(Import *import, const ContactEdits *edits, const ContactSaveResult *results)
{
    for (guint i = 0; i < edits->len; i++)
        if (results[i] == CONTACT_CAME_BACK) {
            progress_clear(import->progress);
            cli_note(import->cli, CLI_CAME_BACK, edits->edits[i]->email);
        }
}

static gboolean store_batch(Import *import, const ImportBatch *batch, GError **error)
{
    const Pipeline *pipeline = &import->cli->config->pipeline;
    const ContactEdit *wanted[IMPORT_BATCH_ROWS];
    ContactSaveResult results[IMPORT_BATCH_ROWS];
    const ContactEdits edits = {.edits = wanted, .len = batch->len};
    if (import->cli->store == NULL) {
        /* a dry run before there is a store: everybody is new */
        import->counts.added += batch->len;
        return TRUE;
    }
    for (guint i = 0; i < batch->len; i++) {
        wanted[i] = batch->rows[i].edit;
        g_assert(wanted[i] != NULL); /* it passed the first pass, and so does it now */
    }
    if (!store_contacts_save(import->cli->store, &edits, pipeline->customer_stage, pipeline->stages[0], import->now_ms,
                             results, error)) {
        g_prefix_error(error, "%s: ", import->file);
        return FALSE;
    }
    count_results(&import->counts, results, edits.len);
    note_returned(import, &edits, results);
    return TRUE;
}

/* As many batches as fit into one transaction, which a dry run rolls back. *ret_done: how many rows. */
static gboolean store_some(Import *import, ImportReader *reader, guint *ret_done, GError **error)
{
    g_autoptr(StoreTransaction) transaction = NULL;
    const gint64 end_ms = clock_monotonic_ms() + TRANSACTION_MS;
    const ImportBatch *batch;
    *ret_done = 0;
    if (import->cli->store != NULL && (transaction = store_begin(import->cli->store, error)) == NULL)
        return FALSE;
    while (clock_monotonic_ms() < end_ms && (batch = import_reader_next(reader)) != NULL) {
        if (!store_batch(import, batch, error))
            return FALSE;
        *ret_done += batch->len;
    }
    return transaction == NULL || import->dry_run || store_commit(g_steal_pointer(&transaction), error);
}

static gboolean store_rows(Import *import, GError **error)
{
    g_autoptr(GArray) places = places_in_order(import);
    g_autoptr(Progress) progress = progress_new(import->cli->err, import->dry_run ? "comparing" : "storing");
    g_autoptr(ImportReader) reader = read_rows(import, places);
    gboolean ok = TRUE;
    guint stored = 0, done = 0;
    import->progress = progress;
    while (ok && stored < places->len && !stop_is_asked(import)) {
        const Counts before = import->counts;
        ok = store_some(import, reader, &done, error);
        if (!ok)
            import->counts = before; /* rolled back */
        stored += done;
        progress_update(progress, stored, places->len);
    }
    import->progress = NULL;
    return ok;
}

static gboolean store_in_bulk(Import *import, GError **error)
{
    if (import->cli->store == NULL)
        return store_rows(import, error);
    gboolean ok = store_set_bulk(import->cli->store, TRUE, error) && store_rows(import, error);
    return store_set_bulk(import->cli->store, FALSE, ok ? error : NULL) && ok;
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static char *load_text(Import *import, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length = 0;
    gboolean converted = FALSE;
    const char *fault = NULL;
    if (!g_file_get_contents(import->file, &bytes, &length, error))
        return NULL;
    char *text = csv_decode(bytes, length, &converted, &fault);
    if (text == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s: %s", import->file, fault);
    else if (converted)
        cli_note(import->cli, "%s is not UTF-8; it is read as Windows-1252", import->file);
    return text;
}

static gboolean read_header(Import *import, GError **error)
{
    CsvPlace place;
    char *const *cells = NULL;
    const char *fault = NULL;
    CsvResult result = csv_reader_next(import->csv, &place, &cells, &fault);
    if (result == CSV_FAULT) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s:%u: %s", import->file, place.line, fault);
        return FALSE;
    }
    static char *const nothing[] = {NULL};
    import->columns = import_columns_new(result == CSV_ROW ? cells : nothing, note_header, import, error);
    if (import->columns == NULL)
        g_prefix_error(error, "%s:%u: ", import->file, place.line);
    return import->columns != NULL;
}

/* A file that cannot be read, or has no row that can be taken, makes no store; a dry run never does. */
static gboolean open_store(Import *import, GError **error)
{
    gboolean is_needed = import->dry_run ? cli_store_exists(import->cli) : import->rows->len > 0;
    return !is_needed || cli_open_store(import->cli, import->dry_run ? CLI_STORE_TRY : CLI_STORE_MAKE, error);
}

static int import_text(Import *import, const char *text)
{
    g_autoptr(GError) error = NULL;
    import->size = strlen(text);
    import->csv = csv_reader_new(text);
    if (!read_header(import, &error))
        return cli_failed_by(import->cli, g_steal_pointer(&error));
    check_rows(import);
    gboolean ok = open_store(import, &error) && store_in_bulk(import, &error);
    if (!import->dry_run && import->counts.added + import->counts.changed > 0)
        control_knock(import->cli->config);
    int status = print_summary(import);
    return ok ? status : cli_failed_by(import->cli, g_steal_pointer(&error));
}

static void import_clear(Import *import)
{
    g_clear_pointer(&import->csv, csv_reader_free);
    g_clear_pointer(&import->columns, import_columns_free);
    g_clear_pointer(&import->by_email, g_hash_table_unref);
    g_clear_pointer(&import->earlier, g_hash_table_unref);
    g_clear_pointer(&import->emails, g_string_chunk_free);
    g_clear_pointer(&import->zone, g_time_zone_unref);
    if (import->rows != NULL)
        g_array_unref(import->rows);
}

static int import_file(Cli *cli, const char *file, gboolean dry_run)
{
    GError *error = NULL;
    sigset_t before;
    Import import = {.cli = cli, .file = file, .dry_run = dry_run};
    g_autofree char *text = load_text(&import, &error);
    if (text == NULL)
        return cli_failed_by(cli, error);
    import.zone = cli_default_zone(cli);
    import.now_ms = control_now_ms(cli->config);
    import.rows = g_array_new(FALSE, FALSE, sizeof(Row));
    import.by_email = g_hash_table_new(g_str_hash, g_str_equal);
    import.earlier = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    import.emails = g_string_chunk_new(EMAILS_BYTES);
    sigemptyset(&import.signals);
    sigaddset(&import.signals, SIGINT);
    sigaddset(&import.signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &import.signals, &before);
    int status = import_text(&import, text);
    sigprocmask(SIG_SETMASK, &before, NULL);
    import_clear(&import);
    return status;
}

int command_import(Cli *cli, char **words)
{
    gboolean dry_run = FALSE;
    const GOptionEntry entries[] = {
        {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Say what would happen, and store nothing", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    return import_file(cli, rest[0], dry_run);
}
