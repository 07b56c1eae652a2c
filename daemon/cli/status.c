/*
 * nurture status: what the running daemon does.
 */
#include <string.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/control.h"

enum { STATUS_TIMEOUT_MS = 5000 };

/* ---- the daemon ------------------------------------------------------------------------------------------------------ */

/* The answer; NULL where there is none with *ret_status. */
static JsonObject *ask(Cli *cli, char **words, int *ret_status)
{
    GError *error = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 0, ret_status);
    if (!rest)
        return NULL;
    if (!cli_load_config(cli, &error)) {
        *ret_status = cli_failed_by(cli, error);
        return NULL;
    }
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", "status");
    JsonObject *answer = control_call(cli->config, request, STATUS_TIMEOUT_MS, &error);
    if (!answer)
        *ret_status = cli_failed_by(cli, error);
    return answer;
}

static const char *text_member(JsonObject *object, const char *name)
{
    return json_object_get_string_member_with_default(object, name, "");
}

static char *queue_text(JsonObject *object)
{
    JsonNode *node = json_object_get_member(object, "queue");
    JsonObject *queue = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    GString *text = g_string_new(NULL);
    g_autoptr(GList) states = queue ? json_object_get_members(queue) : NULL;
    for (GList *state = states; state; state = state->next)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", text->len ? ", " : "",
                               json_object_get_int_member(queue, state->data), (const char *)state->data);
    return g_string_free(text, FALSE);
}

static char *why_text(JsonObject *account, const char *reason, const char *retry)
{
    gint64 retry_s = json_object_get_int_member_with_default(account, retry, -1);
    if (retry_s < 0)
        return g_strdup(text_member(account, reason));
    return g_strdup_printf("%s (again in %" G_GINT64_FORMAT " s)", text_member(account, reason), retry_s);
}

/* What does not go well with the Sent folder; "" for nothing. */
static char *sent_text(JsonObject *account)
{
    gint64 waiting = json_object_get_int_member_with_default(account, "copies_waiting", 0);
    const char *folder = text_member(account, "sent_folder");
    gboolean watched = !*folder || g_str_equal(folder, "watched");
    g_autofree char *why = why_text(account, "copies_reason", "copies_retry_in_s");
    if (waiting && *why)
        return g_strdup_printf("%" G_GINT64_FORMAT " %s for Sent: %s", waiting, waiting == 1 ? "copy waits" : "copies wait", why);
    return watched ? g_strdup("") : g_strdup_printf("Sent is not watched: %s", folder);
}

/* The texts that are not empty. */
static char *join_reasons(const char *const *texts)
{
    GString *all = g_string_new(NULL);
    for (; *texts; texts++)
        if (**texts)
            g_string_append_printf(all, "%s%s", all->len ? "; " : "", *texts);
    return g_string_free(all, FALSE);
}

/* A line for each account that writes to itself. */
static void print_canaries(Cli *cli, JsonArray *accounts)
{
    gboolean any = FALSE;
    for (guint i = 0; i < json_array_get_length(accounts); i++) {
        JsonObject *account = json_array_get_object_element(accounts, i);
        JsonNode *node = json_object_get_member(account, "canary");
        JsonObject *canary = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        if (!canary)
            continue;
        const char *reason = text_member(canary, "reason"), *results = text_member(canary, "results");
        fprintf(cli->out, "%scanary of %s: %s%s%s%s%s\n", any ? "" : "\n", text_member(account, "account"), text_member(canary, "state"),
                *reason ? "; the last: " : "", reason, *results ? "; " : "", results);
        any = TRUE;
    }
}

static char *ago_text(JsonObject *object, const char *name, const char *never)
{
    gint64 seconds = json_object_get_int_member_with_default(object, name, -1);
    if (seconds < 0)
        return g_strdup(never);
    return seconds < 120 ? g_strdup_printf("%" G_GINT64_FORMAT " s", seconds)
                         : g_strdup_printf("%" G_GINT64_FORMAT " min", seconds / 60);
}

static void add_folder_row(Table *table, JsonObject *account, JsonObject *folder)
{
    g_autofree char *read = ago_text(folder, "read_s_ago", "never");
    g_autofree char *oldest = ago_text(folder, "oldest_s", "");
    g_autofree char *left = g_strdup_printf("%" G_GINT64_FORMAT, json_object_get_int_member_with_default(folder, "not_filed", 0));
    const char *cells[] = {text_member(account, "account"), text_member(folder, "folder"), text_member(folder, "state"), read,
                           left,                            oldest,                        text_member(folder, "reason")};
    table_add(table, cells);
}

/* A line for each folder of each mailbox. */
static void print_folders(Cli *cli, JsonArray *accounts)
{
    static const TableColumn columns[] = {{"ACCOUNT", FALSE, FALSE}, {"FOLDER", FALSE, FALSE}, {"STATE", FALSE, FALSE},
                                          {"READ AGO", TRUE, FALSE},  {"NOT FILED", TRUE, FALSE}, {"OLDEST", TRUE, FALSE},
                                          {"WHY", FALSE, FALSE},      {NULL, FALSE, FALSE}};
    Table *table = NULL;
    for (guint i = 0; i < json_array_get_length(accounts); i++) {
        JsonObject *account = json_array_get_object_element(accounts, i);
        JsonNode *node = json_object_get_member(account, "folders");
        JsonArray *folders = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
        for (guint k = 0; folders && k < json_array_get_length(folders); k++) {
            if (!table) {
                fputc('\n', cli->out);
                table = table_new(cli->out, columns, cli->columns, cli->colour);
            }
            add_folder_row(table, account, json_array_get_object_element(folders, k));
        }
    }
    if (table)
        table_finish(table, NULL);
}

static void print_retention(Cli *cli, JsonObject *answer)
{
    JsonNode *node = json_object_get_member(answer, "retention");
    JsonObject *retention = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    if (!retention)
        return;
    const char *looked = text_member(retention, "looked_at");
    fprintf(cli->out, "\nbodies of messages are kept for %s: %" G_GINT64_FORMAT " dropped since the start, %s%s\n", text_member(retention, "bodies"),
            json_object_get_int_member_with_default(retention, "dropped", 0), *looked ? "last looked at " : "being looked at now", looked);
}

static void print_accounts(Cli *cli, JsonArray *accounts)
{
    static const TableColumn columns[] = {{"ACCOUNT", FALSE, FALSE}, {"SENDING", FALSE, FALSE}, {"MAILBOX", FALSE, FALSE},
                                          {"MESSAGES", FALSE, FALSE},   {"WHY", FALSE, FALSE},     {NULL, FALSE, FALSE}};
    Table *table = table_new(cli->out, columns, cli->columns, cli->colour);
    for (guint i = 0; i < json_array_get_length(accounts); i++) {
        JsonObject *account = json_array_get_object_element(accounts, i);
        g_autofree char *queue = queue_text(account);
        g_autofree char *sending = why_text(account, "sending_reason", "retry_in_s");
        g_autofree char *mailbox = why_text(account, "mailbox_reason", "mailbox_retry_in_s");
        g_autofree char *sent = sent_text(account);
        const char *const reasons[] = {sending, mailbox, sent, NULL};
        g_autofree char *why = join_reasons(reasons);
        const char *watched = text_member(account, "mailbox");
        const char *cells[] = {text_member(account, "account"), text_member(account, "sending"),
                               *watched ? watched : "none (one_way)", queue, why};
        table_add(table, cells);
    }
    table_finish(table, NULL);
}

int command_status(Cli *cli, char **words)
{
    int status = CLI_DONE;
    g_autoptr(JsonObject) answer = ask(cli, words, &status);
    if (!answer)
        return status;
    if (cli->json) {
        cli_print_json(cli, json_object_ref(answer));
        return CLI_DONE;
    }
    g_autofree char *queue = queue_text(answer);
    fprintf(cli->out, "nurtured %s, process %" G_GINT64_FORMAT ", %s%s%s\n", text_member(answer, "version"),
            json_object_get_int_member_with_default(answer, "pid", 0), text_member(answer, "config"),
            json_object_get_boolean_member_with_default(answer, "virtual", FALSE) ? ", on a virtual clock: " : ", ",
            text_member(answer, "clock"));
    fprintf(cli->out, "contacts: %" G_GINT64_FORMAT ", enrolments under way: %" G_GINT64_FORMAT "; messages: %s%s\n\n",
            json_object_get_int_member_with_default(answer, "contacts", 0),
            json_object_get_int_member_with_default(answer, "enrolments", 0), *queue ? queue : "none",
            json_object_get_boolean_member_with_default(answer, "paused", FALSE) ? "; all sending is paused" : "");
    const char *store = text_member(answer, "store");
    if (!g_str_equal(store, "ready"))
        fprintf(cli->out, "the store refuses: %s\nnothing is lost; it is tried again every few seconds\n\n", store);
    gint64 unreadable = json_object_get_int_member_with_default(answer, "unreadable", 0);
    if (unreadable)
        fprintf(cli->out, "messages that could not be read: %" G_GINT64_FORMAT ", kept beside the store in its folder .unreadable\n\n", unreadable);
    JsonNode *accounts = json_object_get_member(answer, "accounts");
    if (accounts && JSON_NODE_HOLDS_ARRAY(accounts))
        print_accounts(cli, json_node_get_array(accounts));
    if (accounts && JSON_NODE_HOLDS_ARRAY(accounts))
        print_folders(cli, json_node_get_array(accounts));
    if (accounts && JSON_NODE_HOLDS_ARRAY(accounts))
        print_canaries(cli, json_node_get_array(accounts));
    print_retention(cli, answer);
    return CLI_DONE;
}
