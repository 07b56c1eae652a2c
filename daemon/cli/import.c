/*
 * nurture import FILE.csv [--dry-run]: adds or updates contacts by address.
 *
 * Two passes: the first checks every row, lists the bad ones, and learns which row of each address is the last; the second
 * stores just those, so that running it twice changes nothing. Rows are stored in batches, a transaction each, so that a
 * running daemon is held up shortly at most. SIGINT and SIGTERM are heeded between the batches.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/csv.h"
#include "cli/import_columns.h"
#include "cli/progress.h"
#include "engine/control.h"

enum { BATCH_ROWS = 5000 };

typedef struct {
    CsvPlace place;
    gboolean superseded; /* a later row has the same address */
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
    CsvReader *reader;
    gsize size;
    ImportColumns *columns;
    GArray *rows;         /* Row: the good ones */
    GHashTable *by_email; /* char* -> index in rows */
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

/* ---- the first pass: checking ---------------------------------------------------------------------------------------- */

static void remember_row(Import *import, const char *email, CsvPlace place)
{
    gpointer before = NULL;
    if (g_hash_table_lookup_extended(import->by_email, email, NULL, &before)) {
        Row *earlier = &g_array_index(import->rows, Row, GPOINTER_TO_UINT(before));
        earlier->superseded = TRUE;
        progress_clear(import->progress);
        cli_note(import->cli, "%s:%u: %s stands on line %u as well; the later row counts", import->file, place.line, email,
                 earlier->place.line);
    }
    const Row row = {.place = place};
    g_hash_table_replace(import->by_email, g_strdup(email), GUINT_TO_POINTER(import->rows->len));
    g_array_append_val(import->rows, row);
}

static void check_row(Import *import, char *const *cells, CsvPlace place)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ContactFields) fields = contact_fields_new(import->cli->config, import->now_ms);
    const char *column = NULL;
    const ContactEdit *edit = import_columns_read(import->columns, cells, import->zone, fields, &column, &error);
    if (edit != NULL)
        remember_row(import, edit->email, place);
    else
        tell_bad_row(import, place.line, column, error->message);
}

static void check_rows(Import *import)
{
    g_autoptr(Progress) progress = progress_new(import->cli->err, "checking");
    import->progress = progress;
    for (guint count = 1;; count++) {
        CsvPlace place;
        g_auto(GStrv) cells = NULL;
        const char *fault = NULL;
        CsvResult result = csv_reader_next(import->reader, &place, &cells, &fault);
        if (result == CSV_END || (count % BATCH_ROWS == 0 && stop_is_asked(import)))
            break;
        if (result == CSV_FAULT)
            tell_bad_row(import, place.line, NULL, fault);
        else
            check_row(import, cells, place);
        progress_update(progress, csv_reader_position(import->reader), import->size);
    }
    import->progress = NULL;
}

/* ---- the second pass: storing ---------------------------------------------------------------------------------------- */

static gboolean save(Import *import, const ContactEdit *edit, ContactSaveResult *ret_result, GError **error)
{
    if (import->cli->store != NULL)
        return contact_edit_save(import->cli, edit, import->now_ms, ret_result, error);
    /* a dry run before there is a store: everybody is new */
    *ret_result = CONTACT_CREATED;
    return TRUE;
}

/* The row passed the first pass, and so does it now. */
static gboolean store_row(Import *import, CsvPlace place, GError **error)
{
    g_auto(GStrv) cells = NULL;
    const char *fault = NULL, *column = NULL;
    ContactSaveResult result;
    g_autoptr(ContactFields) fields = contact_fields_new(import->cli->config, import->now_ms);
    csv_reader_seek(import->reader, place);
    if (csv_reader_next(import->reader, &place, &cells, &fault) != CSV_ROW)
        g_assert_not_reached();
    const ContactEdit *edit = import_columns_read(import->columns, cells, import->zone, fields, &column, error);
    if (edit == NULL || !save(import, edit, &result, error)) {
        g_prefix_error(error, "%s:%u: ", import->file, place.line);
        return FALSE;
    }
    import->counts.added += result == CONTACT_CREATED;
    import->counts.changed += result == CONTACT_CHANGED;
    import->counts.unchanged += result == CONTACT_UNCHANGED;
    return TRUE;
}

/* Rows first … end-1 in one transaction, which a dry run rolls back. */
static gboolean store_batch(Import *import, guint first, guint end, GError **error)
{
    g_autoptr(StoreTransaction) transaction = NULL;
    if (import->cli->store != NULL && (transaction = store_begin(import->cli->store, error)) == NULL)
        return FALSE;
    for (guint i = first; i < end; i++) {
        const Row *row = &g_array_index(import->rows, Row, i);
        if (!row->superseded && !store_row(import, row->place, error))
            return FALSE;
    }
    return transaction == NULL || import->dry_run || store_commit(g_steal_pointer(&transaction), error);
}

static gboolean store_rows(Import *import, GError **error)
{
    g_autoptr(Progress) progress = progress_new(import->cli->err, import->dry_run ? "comparing" : "storing");
    for (guint first = 0; first < import->rows->len && !stop_is_asked(import); first += BATCH_ROWS) {
        const Counts before = import->counts;
        if (!store_batch(import, first, MIN(first + BATCH_ROWS, import->rows->len), error)) {
            import->counts = before; /* rolled back */
            return FALSE;
        }
        progress_update(progress, first + BATCH_ROWS, import->rows->len);
    }
    return TRUE;
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
    g_auto(GStrv) cells = NULL;
    const char *fault = NULL;
    CsvResult result = csv_reader_next(import->reader, &place, &cells, &fault);
    if (result == CSV_FAULT) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s:%u: %s", import->file, place.line, fault);
        return FALSE;
    }
    char *const nothing[] = {NULL};
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
    import->reader = csv_reader_new(text);
    if (!read_header(import, &error))
        return cli_failed_by(import->cli, g_steal_pointer(&error));
    check_rows(import);
    gboolean ok = open_store(import, &error) && store_rows(import, &error);
    if (!import->dry_run && import->counts.added + import->counts.changed > 0)
        control_knock(import->cli->config);
    int status = print_summary(import);
    return ok ? status : cli_failed_by(import->cli, g_steal_pointer(&error));
}

static void import_clear(Import *import)
{
    g_clear_pointer(&import->reader, csv_reader_free);
    g_clear_pointer(&import->columns, import_columns_free);
    g_clear_pointer(&import->by_email, g_hash_table_unref);
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
    import.by_email = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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
