/*
 * nurture queue [list]: what is queued, deferred, held, uncertain or failed, each with its reason.
 */
#include "base/json.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/live.h"
#include "cli/table.h"
#include "store/sent.h"

const Command queue_subcommands[] = {
    {"list", "[--all]", "What has not ended yet, and why it stands where it stands", queue_command_list, NULL, NULL},
    {"approve", "ID…", "Lets held messages go", queue_command_approve, NULL, NULL},
    {"hold", "ID…", "Holds queued or deferred messages until they are approved", queue_command_hold, NULL, NULL},
    {"cancel", "ID…", "Never sends these messages; their rules go on with the next step", queue_command_cancel, NULL, NULL},
    {"retry", "ID… [--yes]", "Sends uncertain, deferred, held or failed messages now", queue_command_retry, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
    JsonObject *status; /* the daemon's; NULL where none runs */
} Listing;

/* A row that no gate has looked at yet waits for its account, whose state is not written into each row. Belongs to message or listing. */
static const char *reason_of(const OutboxMessage *message, const Listing *listing)
{
    if (message->state != OUTBOX_QUEUED || *message->reason)
        return message->reason;
    if (!config_account(listing->cli->config, message->account))
        return "their owner has no account to write from";
    if (!listing->status)
        return "nurtured is not running";
    JsonObject *account = live_account(listing->status, message->account);
    return account ? json_object_get_string_member_with_default(account, "sending_reason", "") : "";
}

/* Why it is in doubt, and what is still tried to settle that. */
static char *doubt_text(const OutboxMessage *message, const SentSearch *search, GTimeZone *zone)
{
    g_autofree char *at = search->due_ms != 0 ? timestamp_format_local(search->due_ms, zone) : NULL;
    g_autofree char *times = g_strdup_printf("%u %s", search->tries, search->tries == 1 ? "time" : "times");
    if (at == NULL)
        return g_strdup_printf("%s; not in the Sent folder, looked for %s: decide by nurture queue retry or cancel",
                               message->reason, times);
    if (search->tries == 0)
        return g_strdup_printf("%s; will be looked for in the Sent folder at %s", message->reason, at);
    return g_strdup_printf("%s; looked for in the Sent folder %s, again at %s", message->reason, times, at);
}

/* NULL where it is not searched for, or where that cannot be read, which the list itself will tell. */
static SentSearch *search_for(const OutboxMessage *message, const Listing *listing)
{
    SentSearch *search = NULL;
    if (message->state == OUTBOX_UNCERTAIN)
        store_search_get(listing->cli->store, message->id, &search, NULL);
    return search;
}

static void add_search(JsonObject *object, const SentSearch *search)
{
    json_object_set_int_member(object, "searches", search->tries);
    if (search->due_ms != 0)
        json_add_time(object, "search_at", search->due_ms);
}

static gboolean on_message(const OutboxMessage *message, gpointer data)
{
    Listing *listing = data;
    g_autoptr(SentSearch) search = search_for(message, listing);
    g_autofree char *reason =
        search != NULL ? doubt_text(message, search, listing->zone) : g_strdup(reason_of(message, listing));
    if (listing->table == NULL) {
        JsonObject *object = message_object(message);
        json_object_set_string_member(object, "reason", reason);
        if (search != NULL)
            add_search(object, search);
        cli_print_json(listing->cli, object);
        return TRUE;
    }
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, message->id);
    g_autofree char *due = message->due_ms != 0 ? timestamp_format_local(message->due_ms, listing->zone) : g_strdup("");
    g_autofree char *attempts = g_strdup_printf("%u", message->attempts);
    g_autofree char *step = step_words(message->step, message->variant);
    const char *cells[] = {id,  message->email, message->rule,  step, outbox_state_name(message->state),
                           due, attempts,       reason};
    table_add(listing->table, cells);
    return TRUE;
}

static int list(Cli *cli, gboolean all)
{
    static const TableColumn columns[] = {
        {"ID", TRUE, TRUE},     {"CONTACT", FALSE, TRUE}, {"RULE", FALSE, FALSE},
        {"STEP", FALSE, FALSE}, {"STATE", FALSE, TRUE},   {"DUE", FALSE, TRUE},
        {"TRIES", TRUE, TRUE},  {"REASON", FALSE, FALSE}, {NULL, FALSE, FALSE},
    };
    GError *error = NULL;
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    g_autoptr(JsonObject) status = live_status(cli);
    Listing listing = {.cli = cli,
                       .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour),
                       .zone = zone,
                       .status = status};
    gboolean ok = store_outbox_each(cli->store, all, on_message, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "the queue is empty" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

int queue_command_list(Cli *cli, char **words)
{
    gboolean all = FALSE, is_empty = FALSE;
    const GOptionEntry entries[] = {
        {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Those that have ended as well", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    return is_empty ? CLI_DONE : list(cli, all);
}
