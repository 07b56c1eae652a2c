/*
 * nurture contact list: people by address, filtered.
 */
#include "cli/command.h"
#include "cli/edit.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "engine/control.h"

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    gint64 now_ms;
} Listing;

static gboolean list_contact(const Contact *contact, gpointer data)
{
    Listing *listing = data;
    if (listing->table == NULL) {
        cli_print_json(listing->cli, contact_object(contact, listing->now_ms));
        return TRUE;
    }
    g_autofree char *name = contact_name(contact);
    g_autofree char *tags = g_strjoinv(", ", contact->tags);
    const char *cells[] = {contact->email, name, contact->company, contact->stage, contact->owner, tags};
    table_add(listing->table, cells);
    return TRUE;
}

static int list(Cli *cli, const ContactFilter *filter)
{
    static const TableColumn columns[] = {
        {"EMAIL", FALSE, TRUE},  {"NAME", FALSE, FALSE}, {"COMPANY", FALSE, FALSE}, {"STAGE", FALSE, FALSE},
        {"OWNER", FALSE, FALSE}, {"TAGS", FALSE, FALSE}, {NULL, FALSE, FALSE},
    };
    GError *error = NULL;
    Listing listing = {.cli = cli,
                       .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour),
                       .now_ms = control_now_ms(cli->config)};
    gboolean ok = store_contact_each(cli->store, filter, list_contact, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "nobody" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

/* A stage or owner that does not exist is a slip of the fingers, not a question with the answer "nobody". */
static gboolean check_filter(const Cli *cli, ContactFilter *filter, GError **error)
{
    if (filter->stage != NULL && (filter->stage = contact_stage_named(cli->config, filter->stage, error)) == NULL) {
        g_prefix_error(error, "--stage: ");
        return FALSE;
    }
    if (filter->owner != NULL && filter->owner[0] != '\0' &&
        (filter->owner = contact_owner_named(cli->config, filter->owner, error)) == NULL) {
        g_prefix_error(error, "--owner: ");
        return FALSE;
    }
    return TRUE;
}

int contact_command_list(Cli *cli, char **words)
{
    g_autofree char *stage = NULL, *owner = NULL, *tag = NULL, *company = NULL, *search = NULL;
    gboolean customers = FALSE;
    const GOptionEntry entries[] = {
        {"stage", 0, 0, G_OPTION_ARG_STRING, &stage, "Only in this stage", "STAGE"},
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "Only this owner's", "ACCOUNT"},
        {"tag", 0, 0, G_OPTION_ARG_STRING, &tag, "Only with this tag", "TAG"},
        {"company", 0, 0, G_OPTION_ARG_STRING, &company, "Only of this company", "NAME"},
        {"search", 0, 0, G_OPTION_ARG_STRING, &search, "Part of a name or an address", "TEXT"},
        {"customers", 0, 0, G_OPTION_ARG_NONE, &customers, "Only customers", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean is_empty = FALSE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (rest == NULL)
        return status;
    ContactFilter filter = {
        .stage = stage, .owner = owner, .tag = tag, .company = company, .search = search, .customers_only = customers};
    if (!cli_open_list(cli, &is_empty, &error) || !check_filter(cli, &filter, &error))
        return cli_failed_by(cli, error);
    return is_empty ? CLI_DONE : list(cli, &filter);
}
