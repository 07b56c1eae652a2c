/*
 * nurture suppression import / export: lists of suppressions as CSV. What export writes, import reads: running it again changes
 * nothing. Rows are stored in batches, so that a running daemon is held up shortly at most.
 */
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/csv.h"
#include "cli/suppression_words.h"
#include "engine/control.h"

enum { BATCH_ROWS = 5000 };

typedef enum { COLUMN_ADDRESS, COLUMN_REASON, COLUMN_AT, COLUMN_DETAIL, N_COLUMNS } Column;

static const char *const column_names[] = {"address", "reason", "at", "detail", NULL};

typedef struct {
    Cli *cli;
    const char *file;
    CsvReader *csv;
    guint n_cells;     /* of the first row */
    int at[N_COLUMNS]; /* which cell has it; -1: none */
    GTimeZone *zone;
    gint64 now_ms;
    GPtrArray *rows; /* Suppression*: those that can be taken */
    guint64 counts[SUPPRESSION_UNCHANGED + 1], bad;
} Import;

/* ---- the first line -------------------------------------------------------------------------------------------------- */

static int column_of(const char *cell)
{
    if (g_ascii_strcasecmp(cell, "email") == 0)
        return COLUMN_ADDRESS;
    for (int i = 0; column_names[i] != NULL; i++)
        if (g_ascii_strcasecmp(cell, column_names[i]) == 0)
            return i;
    return -1;
}

static void tell_bad_row(Import *import, guint line, const char *what)
{
    import->bad++;
    fprintf(import->cli->err, "%s:%u: %s\n", import->file, line, what);
}

/* The first line names columns where one of them is that of the addresses; else it is a row, of an address alone. */
static gboolean read_header(Import *import, guint line, char *const *cells, gboolean *ret_is_header, GError **error)
{
    gboolean named = FALSE;
    import->n_cells = g_strv_length((char **)cells);
    for (int i = 0; i < N_COLUMNS; i++)
        import->at[i] = -1;
    for (guint i = 0; i < import->n_cells; i++)
        named = named || column_of(cells[i]) == COLUMN_ADDRESS;
    *ret_is_header = named;
    import->at[COLUMN_ADDRESS] = named ? -1 : 0;
    for (guint i = 0; named && i < import->n_cells; i++) {
        int column = column_of(cells[i]);
        g_autofree char *shown = text_quote(cells[i], 60);
        if (column < 0) {
            cli_note(import->cli, "%s: the column %s is passed over; known are address, reason, at and detail", import->file,
                     shown);
        } else if (import->at[column] >= 0) {
            g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s:%u: two columns mean \"%s\"; take one of them out",
                        import->file, line, column_names[column]);
            return FALSE;
        } else {
            import->at[column] = (int)i;
        }
    }
    if (named || import->n_cells == 1)
        return TRUE;
    g_set_error(
        error, CLI_ERROR, CLI_ERROR_INPUT,
        "%s:%u: the row has %u values, and no first line says what they are; write as the first line: address,reason",
        import->file, line, import->n_cells);
    return FALSE;
}

/* ---- a row ----------------------------------------------------------------------------------------------------------- */

/* "" where there is no such column. */
static const char *cell_of(const Import *import, char *const *cells, Column column)
{
    return import->at[column] >= 0 ? cells[import->at[column]] : "";
}

static gboolean read_time(const Import *import, const char *text, gint64 *ret_ms, GError **error)
{
    *ret_ms = import->now_ms;
    if (text[0] == '\0')
        return TRUE;
    if (!timestamp_parse(text, import->zone, ret_ms, error))
        return FALSE;
    if (*ret_ms > 0 && *ret_ms <= import->now_ms)
        return TRUE;
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is no time that has come; write one such as 2026-11-24", text);
    return FALSE;
}

/* *ret_wrong is the column that is wrong. */
static Suppression *read_cells(const Import *import, char *const *cells, Column *ret_wrong, GError **error)
{
    g_autoptr(Suppression) row = g_new0(Suppression, 1);
    const char *written = cell_of(import, cells, COLUMN_REASON);
    *ret_wrong = COLUMN_ADDRESS;
    row->address = suppression_address(cell_of(import, cells, COLUMN_ADDRESS), error);
    if (row->address == NULL)
        return NULL;
    *ret_wrong = COLUMN_REASON;
    row->reason = g_strdup(written[0] == '\0' ? "manual" : suppression_reason(written, error));
    if (row->reason == NULL)
        return NULL;
    *ret_wrong = COLUMN_AT;
    if (!read_time(import, cell_of(import, cells, COLUMN_AT), &row->at_ms, error))
        return NULL;
    *ret_wrong = COLUMN_DETAIL;
    row->detail = suppression_detail(cell_of(import, cells, COLUMN_DETAIL), error);
    return row->detail != NULL ? g_steal_pointer(&row) : NULL;
}

static void read_row(Import *import, guint line, char *const *cells)
{
    Column wrong = COLUMN_ADDRESS;
    g_autoptr(GError) fault = NULL;
    g_autofree char *what = NULL;
    guint n_cells = g_strv_length((char **)cells);
    Suppression *row = n_cells == import->n_cells ? read_cells(import, cells, &wrong, &fault) : NULL;
    if (row != NULL) {
        g_ptr_array_add(import->rows, row);
        return;
    }
    if (fault != NULL)
        what = g_strdup_printf("column \"%s\": %s", column_names[wrong], fault->message);
    else
        what = g_strdup_printf("the row has %u values, and the first line has %u; %s", n_cells, import->n_cells,
                               n_cells > import->n_cells ? "put a value that holds the separator in quotation marks"
                                                         : "write a separator for each empty value");
    tell_bad_row(import, line, what);
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

/* Goes behind the first line where it names columns. */
static gboolean begin(Import *import, GError **error)
{
    CsvPlace place;
    char *const *cells = NULL;
    const char *fault = NULL;
    gboolean is_header = FALSE;
    switch (csv_reader_next(import->csv, &place, &cells, &fault)) {
    case CSV_END:
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is empty; write an address a line", import->file);
        return FALSE;
    case CSV_FAULT:
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s:%u: %s", import->file, place.line, fault);
        return FALSE;
    case CSV_ROW:
    default:
        break;
    }
    if (!read_header(import, place.line, cells, &is_header, error))
        return FALSE;
    if (!is_header)
        csv_reader_seek(import->csv, place);
    return TRUE;
}

static void read_rows(Import *import)
{
    CsvPlace place;
    char *const *cells = NULL;
    const char *fault = NULL;
    CsvResult result;
    while ((result = csv_reader_next(import->csv, &place, &cells, &fault)) != CSV_END)
        if (result == CSV_FAULT)
            tell_bad_row(import, place.line, fault);
        else
            read_row(import, place.line, cells);
}

static gboolean store_batch(Import *import, guint first, GError **error)
{
    const guint end = MIN(first + BATCH_ROWS, import->rows->len);
    g_autoptr(StoreTransaction) transaction = store_begin(import->cli->store, error);
    if (transaction == NULL)
        return FALSE;
    for (guint i = first; i < end; i++) {
        SuppressionResult result;
        if (!suppression_put(import->cli->store, g_ptr_array_index(import->rows, i), &result, error))
            return FALSE;
        import->counts[result]++;
    }
    return store_commit(g_steal_pointer(&transaction), error);
}

/* A file without a row that can be taken makes no store. */
static gboolean import_all(Import *import, GError **error)
{
    if (!begin(import, error))
        return FALSE;
    read_rows(import);
    if (import->rows->len > 0 && !cli_open_store(import->cli, CLI_STORE_MAKE, error))
        return FALSE;
    for (guint first = 0; first < import->rows->len; first += BATCH_ROWS)
        if (!store_batch(import, first, error))
            return FALSE;
    return TRUE;
}

static char *load_text(Cli *cli, const char *file, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length = 0;
    gboolean converted = FALSE;
    const char *fault = NULL;
    if (!g_file_get_contents(file, &bytes, &length, error))
        return NULL;
    char *text = csv_decode(bytes, length, &converted, &fault);
    if (text == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s: %s", file, fault);
    else if (converted)
        cli_note(cli, "%s is not UTF-8; it is read as Windows-1252", file);
    return text;
}

static int print_summary(const Import *import)
{
    Cli *cli = import->cli;
    const guint64 added = import->counts[SUPPRESSION_ADDED], changed = import->counts[SUPPRESSION_CHANGED],
                  unchanged = import->counts[SUPPRESSION_UNCHANGED];
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "added", (gint64)added);
        json_object_set_int_member(object, "changed", (gint64)changed);
        json_object_set_int_member(object, "unchanged", (gint64)unchanged);
        json_object_set_int_member(object, "bad", (gint64)import->bad);
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out,
                "%" G_GUINT64_FORMAT " added, %" G_GUINT64_FORMAT " changed, %" G_GUINT64_FORMAT
                " unchanged, %" G_GUINT64_FORMAT " bad\n",
                added, changed, unchanged, import->bad);
    }
    if (added + changed > 0)
        control_knock(cli->config);
    return import->bad > 0 ? CLI_FAILED : CLI_DONE;
}

int suppression_command_import(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    g_autofree char *text = load_text(cli, rest[0], &error);
    if (text == NULL)
        return cli_failed_by(cli, error);
    g_autoptr(CsvReader) csv = csv_reader_new(text);
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)suppression_free);
    Import import = {
        .cli = cli, .file = rest[0], .csv = csv, .zone = zone, .rows = rows, .now_ms = control_now_ms(cli->config)};
    return import_all(&import, &error) ? print_summary(&import) : cli_failed_by(cli, error);
}

/* ---- export ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    Cli *cli;
    guint64 erased;
} Export;

static gboolean export_one(const Suppression *suppression, gpointer data)
{
    Export *export = data;
    if (suppression->is_erased) {
        export->erased++;
        return TRUE;
    }
    if (export->cli->json) {
        cli_print_json(export->cli, suppression_object(suppression));
        return TRUE;
    }
    g_autofree char *at = timestamp_format(suppression->at_ms);
    g_autofree char *valid = text_make_valid(suppression->detail, -1);
    g_autofree char *detail = text_one_line(valid);
    FILE *out = export->cli->out;
    csv_print_cell(out, suppression->address);
    fprintf(out, ",%s,%s,", suppression->reason, at);
    csv_print_cell(out, detail);
    fputc('\n', out);
    return TRUE;
}

int suppression_command_export(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean is_empty = FALSE;
    Export export = {.cli = cli};
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    if (!cli->json)
        fprintf(cli->out, "address,reason,at,detail\n");
    if (!is_empty && !store_suppression_each(cli->store, export_one, &export, &error))
        return cli_failed_by(cli, error);
    if (export.erased > 0)
        cli_note(cli, "%" G_GUINT64_FORMAT " of people who were erased are left out: their addresses are not known any more",
                 export.erased);
    return CLI_DONE;
}
