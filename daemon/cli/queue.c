/*
 * nurture queue [list / approve / hold / cancel / retry]: what is queued, held, uncertain or failed, and what a person decides of it.
 */
#include <stdlib.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "engine/control.h"

static int queue_command_list(Cli *cli, char **words);
static int queue_command_approve(Cli *cli, char **words);
static int queue_command_hold(Cli *cli, char **words);
static int queue_command_cancel(Cli *cli, char **words);
static int queue_command_retry(Cli *cli, char **words);

const Command queue_subcommands[] = {
    {"list", "[--all]", "What is not yet ended, and why it stands where it stands", queue_command_list, NULL, NULL},
    {"approve", "ID…", "Lets held messages go", queue_command_approve, NULL, NULL},
    {"hold", "ID…", "Holds queued messages until they are approved", queue_command_hold, NULL, NULL},
    {"cancel", "ID…", "Takes messages out; their rules go on with the next step", queue_command_cancel, NULL, NULL},
    {"retry", "[--yes] ID…", "Sends failed, uncertain, held or deferred messages again, now", queue_command_retry, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* ---- list ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
} Listing;

static gboolean on_message(const OutboxMessage *message, gpointer data)
{
    Listing *listing = data;
    if (!listing->table) {
        cli_print_json(listing->cli, message_object(message));
        return TRUE;
    }
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, message->id);
    g_autofree char *due = message->due_ms ? timestamp_format_local(message->due_ms, listing->zone) : g_strdup("");
    g_autofree char *attempts = g_strdup_printf("%u", message->attempts);
    const char *cells[] = {id, message->email, message->rule, message->step, outbox_state_name(message->state), due, attempts, message->reason};
    table_add(listing->table, cells);
    return TRUE;
}

static int queue_command_list(Cli *cli, char **words)
{
    static const TableColumn columns[] = {{"ID", TRUE, TRUE},      {"CONTACT", FALSE, TRUE}, {"RULE", FALSE, FALSE}, {"STEP", FALSE, FALSE},
                                          {"STATE", FALSE, FALSE}, {"DUE", FALSE, FALSE},    {"TRIES", TRUE, FALSE}, {"REASON", FALSE, FALSE},
                                          {NULL, FALSE, FALSE}};
    gboolean all = FALSE;
    const GOptionEntry entries[] = {
        {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Those that have ended as well", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (!rest)
        return status;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    Listing listing = {.cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour), .zone = zone};
    if (!store_outbox_each(cli->store, all, on_message, &listing, &error))
        status = cli_failed_by(cli, error);
    if (listing.table)
        table_finish(listing.table, status == CLI_DONE ? "the queue is empty" : NULL);
    return status;
}

/* ---- moving ---------------------------------------------------------------------------------------------------------- */

#define STATE_BIT(state) (1u << (state))

typedef struct {
    const char *done;    /* "approved" */
    guint from;          /* bits of OutboxState */
    OutboxState to;
    const char *reason;
    const char *allowed; /* for the fault */
} Move;

/* Moves one row; TRUE where that was done, else it was told why not. */
static gboolean move_one(Cli *cli, const char *word, const Move *move, gint64 now_ms)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OutboxMessage) message = NULL;
    gint64 id = 0;
    gboolean moved = FALSE;
    if (!g_ascii_string_to_signed(word, 10, 1, G_MAXINT64, &id, NULL)) {
        cli_failed(cli, "\"%s\" is no ID; write a number of the first column of `nurture queue`", word);
        return FALSE;
    }
    const OutboxOutcome outcome = {.state = move->to, .due_ms = now_ms, .reason = move->reason};
    if (!store_outbox_get(cli->store, id, &message, &error) || (message && !store_outbox_move(cli->store, id, move->from, &outcome, now_ms, &moved, &error)))
        cli_failed(cli, "%s", error->message);
    else if (!message)
        cli_failed(cli, "there is no message %s; see nurture queue --all", word);
    else if (!moved)
        cli_failed(cli, "message %s is %s and cannot be %s; only messages that are %s can", word, outbox_state_name(message->state), move->done, move->allowed);
    else if (!cli->json)
        fprintf(cli->out, "%s: %s to %s %s\n", word, message->step, message->email, move->done);
    return moved;
}

static int move_all(Cli *cli, char **ids, const Move *move)
{
    GError *error = NULL;
    gboolean ok = TRUE;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config);
    for (char **id = ids; *id; id++)
        ok = move_one(cli, *id, move, now_ms) && ok;
    control_knock(cli->config);
    return ok ? CLI_DONE : CLI_FAILED;
}

static int move_words(Cli *cli, char **words, const Move *move)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 10000, &status);
    return rest ? move_all(cli, rest, move) : status;
}

static int queue_command_approve(Cli *cli, char **words)
{
    static const Move move = {"approved", STATE_BIT(OUTBOX_HELD), OUTBOX_QUEUED, "approved", "held"};
    return move_words(cli, words, &move);
}

static int queue_command_hold(Cli *cli, char **words)
{
    static const Move move = {"held", STATE_BIT(OUTBOX_QUEUED) | STATE_BIT(OUTBOX_DEFERRED), OUTBOX_HELD, "held by hand", "queued or deferred"};
    return move_words(cli, words, &move);
}

static int queue_command_cancel(Cli *cli, char **words)
{
    static const Move move = {"cancelled", STATE_BIT(OUTBOX_QUEUED) | STATE_BIT(OUTBOX_DEFERRED) | STATE_BIT(OUTBOX_HELD) | STATE_BIT(OUTBOX_UNCERTAIN) | STATE_BIT(OUTBOX_FAILED),
                              OUTBOX_CANCELLED, "cancelled by hand", "queued, deferred, held, uncertain or failed"};
    return move_words(cli, words, &move);
}

static int queue_command_retry(Cli *cli, char **words)
{
    static const Move sure = {"queued again", STATE_BIT(OUTBOX_FAILED) | STATE_BIT(OUTBOX_HELD) | STATE_BIT(OUTBOX_DEFERRED), OUTBOX_QUEUED, "again by hand",
                              "failed, held or deferred (uncertain ones may arrive twice: write --yes)"};
    static const Move any = {"queued again", STATE_BIT(OUTBOX_FAILED) | STATE_BIT(OUTBOX_HELD) | STATE_BIT(OUTBOX_DEFERRED) | STATE_BIT(OUTBOX_UNCERTAIN),
                             OUTBOX_QUEUED, "again by hand", "failed, held, deferred or uncertain"};
    gboolean yes = FALSE;
    const GOptionEntry entries[] = {
        {"yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Uncertain ones too, which may arrive twice", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 10000, &status);
    return rest ? move_all(cli, rest, yes ? &any : &sure) : status;
}
