/*
 * nurture suppression [list]: whom nothing is ever sent to, since when and why. Changes are in suppression_edit.c, files in
 * suppression_file.c.
 */
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/suppression_words.h"
#include "cli/table.h"

const Command suppression_subcommands[] = {
    {"list", "", "Addresses and domains that are never mailed, since when and why", suppression_command_list, NULL, NULL},
    {"add", "ADDRESS|@DOMAIN… [--reason REASON] [--detail TEXT]", "Never mails these addresses or domains again",
     suppression_command_add, NULL, NULL},
    {"remove", "ADDRESS|@DOMAIN… [--force]", "Lets these be mailed again", suppression_command_remove, NULL, NULL},
    {"import", "FILE.csv", "Adds those of a file: an address a line, or columns address,reason", suppression_command_import,
     NULL, NULL},
    {"export", "", "All of them as CSV that import reads", suppression_command_export, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
} Listing;

static gboolean on_suppression(const Suppression *suppression, gpointer data)
{
    const Listing *listing = data;
    if (listing->table == NULL) {
        cli_print_json(listing->cli, suppression_object(suppression));
        return TRUE;
    }
    g_autofree char *since = timestamp_format_local(suppression->at_ms, listing->zone);
    const char *cells[] = {suppression->is_erased ? "(erased)" : suppression->address, suppression->reason, since,
                           suppression->detail};
    table_add(listing->table, cells);
    return TRUE;
}

static int list(Cli *cli)
{
    static const TableColumn columns[] = {
        {"ADDRESS", FALSE, TRUE}, {"REASON", FALSE, TRUE}, {"SINCE", FALSE, TRUE},
        {"DETAIL", FALSE, FALSE}, {NULL, FALSE, FALSE},
    };
    GError *error = NULL;
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    Listing listing = {
        .cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour), .zone = zone};
    gboolean ok = store_suppression_each(cli->store, on_suppression, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "nobody is suppressed" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

int suppression_command_list(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean is_empty = FALSE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    return is_empty ? CLI_DONE : list(cli);
}
