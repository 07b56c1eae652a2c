/*
 * nurture history EMAIL, and nurture log EMAIL note|call|meeting TEXT.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "engine/control.h"
#include "store/marks.h"

enum { LOG_TEXT_MAX = 64 * 1024, TEXT_INDENT = 4 };

typedef struct {
    Cli *cli;
    GTimeZone *zone;
    guint64 count;
} Listing;

/* The text's lines, indented; remote text, so each is escaped. */
static void print_text(Cli *cli, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autofree char *safe = text_escape(g_strchomp(*line), 0);
        if (*safe || line[1])
            fprintf(cli->out, "%*s%s\n", *safe ? TEXT_INDENT : 0, "", safe);
    }
}

static void print_interaction(Listing *listing, const Interaction *interaction)
{
    Cli *cli = listing->cli;
    g_autofree char *at = timestamp_format_local(interaction->at_ms, listing->zone);
    g_autofree char *subject = text_escape(interaction->subject, 0);
    g_autofree char *detail = text_escape(interaction->detail, 0);
    fprintf(cli->out, "%s  %s%s%s", at, cli->colour ? "\033[1m" : "", interaction_kind_name(interaction->kind), cli->colour ? "\033[0m" : "");
    if (*interaction->rule)
        fprintf(cli->out, "  %s/%s", interaction->rule, interaction->step);
    if (*subject)
        fprintf(cli->out, "  \"%s\"", subject);
    if (*detail)
        fprintf(cli->out, "  (%s)", detail);
    fputc('\n', cli->out);
    if (*interaction->text && interaction->kind != INTERACTION_SENT)
        print_text(cli, interaction->text);
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
    if (!rest)
        return status;
    g_autoptr(Contact) contact = cli_open_store(cli, CLI_STORE_WRITE, &error) ? cli_find_contact(cli, rest[0], &error) : NULL;
    if (!contact)
        return cli_failed_by(cli, error);
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    Listing listing = {.cli = cli, .zone = zone};
    if (!store_history_each(cli->store, contact->id, on_interaction, &listing, &error))
        return cli_failed_by(cli, error);
    if (!listing.count && !cli->json)
        fprintf(cli->out, "nothing has happened yet\n");
    return CLI_DONE;
}

/* ---- log ------------------------------------------------------------------------------------------------------------- */

/* The words behind the kind, or standard input for "-". NULL and an error where there is none. Caller frees. */
static char *text_of(char **words, GError **error)
{
    g_autofree char *text = NULL;
    if (words[0] && g_str_equal(words[0], "-") && !words[1]) {
        char *buffer = g_malloc0(LOG_TEXT_MAX + 1);
        if (fread(buffer, 1, LOG_TEXT_MAX, stdin) == 0)
            buffer[0] = '\0';
        text = text_make_valid(buffer, -1);
        g_free(buffer);
    } else {
        text = g_strjoinv(" ", words);
    }
    g_strstrip(text);
    if (*text)
        return g_steal_pointer(&text);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, "there is no text; write what was said, or - to read it from standard input");
    return NULL;
}

static gboolean add_to_history(Cli *cli, const Contact *contact, InteractionKind kind, const char *text, GError **error)
{
    const Interaction interaction = {.contact_id = contact->id, .at_ms = control_now_ms(cli->config), .kind = kind, .text = text};
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    return transaction && store_history_add(cli->store, &interaction, NULL, error) && store_mark(cli->store, contact->id, error) &&
           store_commit(g_steal_pointer(&transaction), error);
}

int command_log(Cli *cli, char **words)
{
    static const char *const kinds[] = {"note", "call", "meeting", NULL};
    GError *error = NULL;
    InteractionKind kind;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 3, 10000, &status);
    if (!rest)
        return status;
    if (!g_strv_contains(kinds, rest[1]) || !interaction_kind_parse(rest[1], &kind)) {
        g_autofree char *shown = text_escape(rest[1], 60);
        g_autofree char *fault = g_strdup_printf("\"%s\" cannot be logged", shown);
        g_autofree char *message = cli_suggest(fault, rest[1], kinds);
        return cli_wrong_usage(cli, "%s", message);
    }
    g_autofree char *text = text_of(rest + 2, &error);
    g_autoptr(Contact) contact = text && cli_open_store(cli, CLI_STORE_WRITE, &error) ? cli_find_contact(cli, rest[0], &error) : NULL;
    if (!contact || !add_to_history(cli, contact, kind, text, &error))
        return cli_failed_by(cli, error);
    control_knock(cli->config);
    if (!cli->json)
        fprintf(cli->out, "%s: %s added\n", contact->email, rest[1]);
    return CLI_DONE;
}
