/*
 * nurture history EMAIL: everything that happened, oldest first.
 */
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/terminal.h"

enum { TEXT_INDENT = 4 };

typedef struct {
    Cli *cli;
    GTimeZone *zone;
    guint64 count;
} Listing;

static void print_interaction(const Listing *listing, const Interaction *interaction)
{
    Cli *cli = listing->cli;
    g_autofree char *at = timestamp_format_local(interaction->at_ms, listing->zone);
    fprintf(cli->out, "%s%s  %s%s%s", listing->count > 1 ? "\n" : "", at, cli->colour ? "\033[1m" : "",
            interaction_kind_name(interaction->kind), cli->colour ? "\033[0m" : "");
    g_autofree char *step = step_words(interaction->step, interaction->variant);
    if (interaction->rule[0] != '\0')
        fprintf(cli->out, "  %s / %s", interaction->rule, step);
    fputc('\n', cli->out);
    if (interaction->detail[0] != '\0')
        terminal_print_text(cli->out, interaction->detail, TEXT_INDENT, cli->columns);
    if (interaction->subject[0] != '\0') {
        g_autofree char *subject = g_strconcat("Subject: ", interaction->subject, NULL);
        terminal_print_text(cli->out, subject, TEXT_INDENT, cli->columns);
    }
    if (interaction->basis != NULL && interaction->basis[0] != '\0') {
        g_autofree char *basis = g_strconcat("Basis: ", interaction->basis, NULL);
        terminal_print_text(cli->out, basis, TEXT_INDENT, cli->columns);
    }
    if (interaction->text[0] != '\0')
        terminal_print_text(cli->out, interaction->text, TEXT_INDENT, cli->columns);
}

static gboolean on_interaction(const Interaction *interaction, gpointer data)
{
    Listing *listing = data;
    listing->count++;
    if (listing->cli->json)
        cli_print_json(listing->cli, interaction_object(interaction));
    else
        print_interaction(listing, interaction);
    return TRUE;
}

int command_history(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_READ, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    Listing listing = {.cli = cli, .zone = zone};
    if (!store_history_each(cli->store, contact->id, on_interaction, &listing, &error))
        return cli_failed_by(cli, error);
    if (listing.count == 0 && !cli->json)
        fprintf(cli->out, "nothing has happened yet\n");
    return CLI_DONE;
}
