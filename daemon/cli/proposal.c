/*
 * nurture proposal [list] / show: what mail says about addresses that will not do any more. Deciding is in proposal_edit.c.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/proposal_words.h"
#include "cli/table.h"

const Command proposal_subcommands[] = {
    {"list", "[--all]", "What waits for a decision", proposal_command_list, NULL, NULL},
    {"show", "ID", "One, with the words that say it", proposal_command_show, NULL, NULL},
    {"accept", "ID [--as-alias] [--address A] [--name N] [--stage S]", "Takes the new address, or adds the successor",
     proposal_command_accept, NULL, NULL},
    {"decline", "ID", "Nothing is to follow", proposal_command_decline, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

JsonObject *proposal_object(const Proposal *proposal)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", proposal->id);
    json_object_set_string_member(object, "contact", proposal->email);
    json_object_set_string_member(object, "kind", departure_kind_name(proposal->kind));
    json_object_set_string_member(object, "address", proposal->address);
    json_object_set_string_member(object, "name", proposal->name);
    json_object_set_string_member(object, "evidence", proposal->evidence);
    json_object_set_string_member(object, "state", proposal_state_name(proposal->state));
    json_object_set_string_member(object, "account", proposal->account);
    json_object_set_string_member(object, "message_id", proposal->message_id);
    json_add_time(object, "at", proposal->at_ms);
    json_add_time(object, "ended_at", proposal->ended_ms);
    return object;
}

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
} Listing;

static gboolean on_proposal(const Proposal *proposal, gpointer data)
{
    const Listing *listing = data;
    if (listing->table == NULL) {
        cli_print_json(listing->cli, proposal_object(proposal));
        return TRUE;
    }
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, proposal->id);
    g_autofree char *at = timestamp_format_local(proposal->at_ms, listing->zone);
    g_autofree char *words = proposal_words(proposal);
    const char *cells[] = {id, at, proposal->email, words, proposal->state == PROPOSAL_OPEN ? "" : proposal_state_name(proposal->state), proposal->evidence};
    table_add(listing->table, cells);
    return TRUE;
}

int proposal_command_list(Cli *cli, char **words)
{
    static const TableColumn columns[] = {{"ID", TRUE, TRUE},        {"AT", FALSE, TRUE}, {"CONTACT", FALSE, TRUE}, {"PROPOSAL", FALSE, TRUE},
                                          {"STATE", FALSE, FALSE},   {"BECAUSE", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    gboolean all = FALSE, is_empty = FALSE;
    const GOptionEntry entries[] = {
        {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Those decided as well", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    if (is_empty)
        return CLI_DONE;
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    Listing listing = {.cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour), .zone = zone};
    gboolean ok = store_proposal_each(cli->store, all, on_proposal, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "nothing is proposed" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

int proposal_command_show(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(Proposal) proposal = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_store(cli, CLI_STORE_READ, &error) || !proposal_find(cli, rest[0], &proposal, &error))
        return cli_failed_by(cli, error);
    if (cli->json) {
        cli_print_json(cli, proposal_object(proposal));
        return CLI_DONE;
    }
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    g_autofree char *at = timestamp_format_local(proposal->at_ms, zone);
    g_autofree char *told = proposal_words(proposal);
    g_autofree char *evidence = text_quote(proposal->evidence, 0);
    fprintf(cli->out, "%" G_GINT64_FORMAT ": %s: %s (%s)\n", proposal->id, proposal->email, told, proposal_state_name(proposal->state));
    fprintf(cli->out, "  %s, in the mailbox of %s: %s\n", at, proposal->account, evidence);
    if (*proposal->message_id)
        fprintf(cli->out, "  Message-ID: <%s>\n", proposal->message_id);
    return CLI_DONE;
}
