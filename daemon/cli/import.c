/*
 * nurture import FILE.csv [--dry-run]: adds or updates contacts by address.
 *
 * Rows are stored in batches, a transaction each, so that a running daemon is held up shortly at most; a row that is bad is listed
 * with its line and left out. Running it twice changes nothing.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/csv.h"
#include "cli/edit.h"
#include "engine/control.h"

enum { BATCH_ROWS = 5000, PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 100, BAR_COLUMNS = 40 };

typedef struct {
    Cli *cli;
    const char *file;
    gboolean dry_run;
    char **columns; /* lower case */
    guint column_count;
    GTimeZone *zone;
    gint64 now_ms;
    guint64 added, changed, unchanged, bad;
    GHashTable *seen; /* address -> line */
    gint64 started_ms, drawn_ms;
    gsize size;
} Import;

static void bad_row(Import *import, guint line, const char *column, const char *what)
{
    import->bad++;
    if (column)
        fprintf(import->cli->err, "%s:%u: column \"%s\": %s\n", import->file, line, column, what);
    else
        fprintf(import->cli->err, "%s:%u: %s\n", import->file, line, what);
}

/* ---- progress -------------------------------------------------------------------------------------------------------- */

static void draw_progress(Import *import, gsize position)
{
    gint64 now_ms = clock_monotonic_ms();
    if (!isatty(fileno(import->cli->err)) || now_ms - import->started_ms < PROGRESS_AFTER_MS ||
        now_ms - import->drawn_ms < PROGRESS_EVERY_MS)
        return;
    import->drawn_ms = now_ms;
    guint filled = import->size ? (guint)(position * BAR_COLUMNS / import->size) : BAR_COLUMNS;
    fprintf(import->cli->err, "\r[%-*.*s] %3u %%  %" G_GUINT64_FORMAT " rows", BAR_COLUMNS, (int)filled,
            "########################################", import->size ? (guint)(position * 100 / import->size) : 100,
            import->added + import->changed + import->unchanged + import->bad);
    fflush(import->cli->err);
}

static void clear_progress(const Import *import)
{
    if (import->drawn_ms)
        fputs("\r\033[K", import->cli->err);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

/* Fills fields from the row; FALSE where a value cannot be (it was told). Empty cells leave what is there. */
static gboolean take_row(Import *import, char **row, guint line, ContactFields *fields)
{
    guint count = g_strv_length(row);
    if (count > import->column_count) {
        bad_row(import, line, NULL, "more values than there are columns; look for a comma that should stand in quotes");
        return FALSE;
    }
    for (guint i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;
        if (!*row[i] || contact_fields_set(fields, import->columns[i], row[i], &error))
            continue;
        bad_row(import, line, import->columns[i], error->message);
        return FALSE;
    }
    return TRUE;
}

static void note_repeated(Import *import, const char *email, guint line)
{
    gpointer before = g_hash_table_lookup(import->seen, email);
    if (before)
        cli_note(import->cli, "%s:%u: %s stood on line %u already; the later row counts", import->file, line, email, GPOINTER_TO_UINT(before));
    g_hash_table_replace(import->seen, g_strdup(email), GUINT_TO_POINTER(line));
}

/* FALSE for a fault of the store; what is wrong with the row is told and left out. */
static gboolean import_row(Import *import, char **row, guint line, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(ContactFields) fields = contact_fields_new(import->cli->config, import->now_ms);
    ContactSaveResult result;
    gint64 id;
    if (!take_row(import, row, line, fields))
        return TRUE;
    const ContactEdit *edit = contact_fields_finish(fields, import->zone, &cause);
    if (!edit) {
        bad_row(import, line, NULL, cause->message);
        return TRUE;
    }
    note_repeated(import, edit->email, line);
    if (!contact_edit_save(import->cli, edit, import->now_ms, &result, &id, error))
        return FALSE;
    import->added += result == CONTACT_CREATED;
    import->changed += result == CONTACT_CHANGED;
    import->unchanged += result == CONTACT_UNCHANGED;
    return TRUE;
}

/* Up to BATCH_ROWS rows in one transaction; *ret_more: there are more. */
static gboolean import_batch(Import *import, CsvReader *reader, gboolean *ret_more, GError **error)
{
    guint rows = 0;
    g_autoptr(StoreTransaction) transaction = store_begin(import->cli->store, error);
    if (!transaction)
        return FALSE;
    for (; import->dry_run || rows < BATCH_ROWS; rows++) {
        guint line = 0;
        const char *fault = NULL;
        g_auto(GStrv) row = csv_reader_next(reader, &line, &fault);
        if (!row && !fault) {
            *ret_more = FALSE;
            break;
        }
        if (fault)
            bad_row(import, line, NULL, fault);
        else if (!import_row(import, row, line, error))
            return FALSE;
        draw_progress(import, csv_reader_position(reader));
    }
    return import->dry_run || store_commit(g_steal_pointer(&transaction), error);
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static gboolean read_columns(Import *import, CsvReader *reader, GError **error)
{
    guint line = 0;
    gboolean has_email = FALSE;
    const char *fault = NULL;
    char **row = csv_reader_next(reader, &line, &fault);
    for (guint i = 0; row && row[i]; i++) {
        char *lower = g_utf8_strdown(row[i], -1);
        g_free(row[i]);
        row[i] = lower;
        has_email = has_email || g_str_equal(lower, "email");
    }
    import->columns = row;
    import->column_count = row ? g_strv_length(row) : 0;
    if (has_email)
        return TRUE;
    g_autofree char *near = NULL;
    const char *email[] = {"email", NULL};
    for (guint i = 0; i < import->column_count && !near; i++)
        near = text_nearest(import->columns[i], email) || strstr(import->columns[i], "mail") ? g_strdup(import->columns[i]) : NULL;
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s:%u: the first line must name the columns, and one of them must be email%s%s%s", import->file,
                line ? line : 1, near ? "; rename \"" : "; write for example: email,first_name,last_name,company,stage", near ? near : "", near ? "\"" : "");
    return FALSE;
}

static gboolean run_import(Import *import, const char *text, GError **error)
{
    gboolean more = TRUE;
    g_autoptr(CsvReader) reader = csv_reader_new(text);
    import->size = strlen(text);
    if (!read_columns(import, reader, error))
        return FALSE;
    while (more)
        if (!import_batch(import, reader, &more, error))
            return FALSE;
    clear_progress(import);
    return TRUE;
}

static void print_summary(const Import *import)
{
    Cli *cli = import->cli;
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "added", (gint64)import->added);
        json_object_set_int_member(object, "changed", (gint64)import->changed);
        json_object_set_int_member(object, "unchanged", (gint64)import->unchanged);
        json_object_set_int_member(object, "bad", (gint64)import->bad);
        json_object_set_boolean_member(object, "dry_run", import->dry_run);
        cli_print_json(cli, object);
        return;
    }
    fprintf(cli->out, "%s%" G_GUINT64_FORMAT " added, %" G_GUINT64_FORMAT " changed, %" G_GUINT64_FORMAT " unchanged, %" G_GUINT64_FORMAT " bad\n",
            import->dry_run ? "(nothing was stored) " : "", import->added, import->changed, import->unchanged, import->bad);
}

static char *load_text(Import *import, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length = 0;
    gboolean converted = FALSE;
    if (!g_file_get_contents(import->file, &bytes, &length, error))
        return NULL;
    char *text = csv_decode(bytes, length, &converted);
    if (!text)
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is no text (it holds zero bytes); save it as CSV with the encoding UTF-8", import->file);
    if (converted)
        cli_note(import->cli, "%s is not UTF-8; read as Windows-1252", import->file);
    return text;
}

static int import_file(Import *import)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = load_text(import, &error);
    gboolean ok = text && run_import(import, text, &error);
    if (!ok) {
        clear_progress(import);
        return cli_failed_by(import->cli, g_steal_pointer(&error));
    }
    if (!import->dry_run)
        control_knock(import->cli->config);
    print_summary(import);
    return import->bad ? CLI_FAILED : CLI_DONE;
}

int command_import(Cli *cli, char **words)
{
    gboolean dry_run = FALSE;
    const GOptionEntry entries[] = {
        {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, "Say what would happen, and store nothing", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = CLI_DONE;
    GError *error = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (!rest)
        return status;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    Import import = {.cli = cli, .file = rest[0], .dry_run = dry_run, .zone = cli_default_zone(cli), .now_ms = control_now_ms(cli->config),
                     .started_ms = clock_monotonic_ms()};
    import.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    status = import_file(&import);
    g_hash_table_unref(import.seen);
    g_strfreev(import.columns);
    g_time_zone_unref(import.zone);
    return status;
}
