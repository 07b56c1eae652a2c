/*
 * nurture task [list]: what the owners are to do, by due time. Changes are in task_edit.c.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/task_words.h"
#include "cli/table.h"
#include "engine/control.h"

const Command task_subcommands[] = {
    {"list", "[--owner ACCOUNT] [--contact EMAIL] [--due DATE] [--all]", "What is to be done, by due date", task_command_list, NULL,
     NULL},
    {"add", "EMAIL TEXT --due DATE [--owner ACCOUNT]", "Something to be done about a person", task_command_add, NULL, NULL},
    {"done", "ID… [--note TEXT]", "These are done", task_command_done, NULL, NULL},
    {"reopen", "ID…", "These are to be done again", task_command_reopen, NULL, NULL},
    {"set", "ID [--due DATE] [--owner ACCOUNT] [--text TEXT]", "Another day, owner or text", task_command_set, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

JsonObject *task_object(const OwnerTask *task)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", task->id);
    json_object_set_string_member(object, "contact", task->email);
    json_object_set_string_member(object, "text", task->text);
    json_object_set_string_member(object, "owner", task->owner);
    if (task->due_ms != 0)
        json_add_time(object, "due_at", task->due_ms);
    else
        json_object_set_null_member(object, "due_at");
    json_object_set_string_member(object, "source", task->source);
    json_add_text(object, "rule", task->rule);
    json_add_text(object, "step", task->step);
    json_add_time(object, "created_at", task->created_ms);
    json_add_time(object, "done_at", task->done_ms);
    return object;
}

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
    GTimeZone *zone;
    gint64 today_ms; /* its beginning */
} Listing;

static char *state_text(const OwnerTask *task, const Listing *listing)
{
    g_autofree char *done = task->done_ms != 0 ? timestamp_format_local(task->done_ms, listing->zone) : NULL;
    if (done != NULL)
        return g_strconcat("done ", done, NULL);
    return g_strdup(task->due_ms != 0 && task->due_ms < listing->today_ms ? "overdue" : "");
}

static gboolean on_task(const OwnerTask *task, gpointer data)
{
    const Listing *listing = data;
    if (listing->table == NULL) {
        cli_print_json(listing->cli, task_object(task));
        return TRUE;
    }
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, task->id);
    g_autofree char *due = task_due_text(task->due_ms, listing->zone);
    g_autofree char *state = state_text(task, listing);
    const char *cells[] = {id, due, task->email, task->name, task->text, task->owner, task->source, state};
    table_add(listing->table, cells);
    return TRUE;
}

static int list(Cli *cli, const TaskFilter *filter, gint64 today_ms, GTimeZone *zone)
{
    static const TableColumn columns[] = {
        {"ID", TRUE, TRUE},     {"DUE", FALSE, TRUE},    {"CONTACT", FALSE, TRUE}, {"NAME", FALSE, FALSE}, {"TEXT", FALSE, FALSE},
        {"OWNER", FALSE, FALSE}, {"FROM", FALSE, FALSE}, {"", FALSE, FALSE},       {NULL, FALSE, FALSE},
    };
    GError *error = NULL;
    Listing listing = {
        .cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour), .zone = zone, .today_ms = today_ms};
    gboolean ok = store_task_each(cli->store, filter, on_task, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "nothing is to be done" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

typedef struct {
    char *owner, *contact, *due;
    gboolean all;
} Asked;

static void asked_clear(Asked *asked)
{
    g_free(asked->owner);
    g_free(asked->contact);
    g_free(asked->due);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

/* A day that is given is meant with all of its hours. */
static gboolean read_filter(Cli *cli, const Asked *asked, gint64 now_ms, GTimeZone *zone, TaskFilter *ret_filter, GError **error)
{
    gint64 day_ms = 0;
    if (asked->due != NULL &&
        (!task_due_parse(asked->due, now_ms, zone, &day_ms, error) || !task_day(day_ms, zone, NULL, &ret_filter->due_before_ms)))
        return FALSE;
    if (asked->contact != NULL) {
        g_autoptr(Contact) contact = cli_find_contact(cli, asked->contact, error);
        if (contact == NULL)
            return FALSE;
        ret_filter->contact_id = contact->id;
    }
    ret_filter->owner = asked->owner;
    ret_filter->with_done = asked->all;
    return TRUE;
}

int task_command_list(Cli *cli, char **words)
{
    g_auto(Asked) asked = {0};
    gboolean is_empty = FALSE;
    const GOptionEntry entries[] = {
        {"owner", 0, 0, G_OPTION_ARG_STRING, &asked.owner, "Of this owner alone", "ACCOUNT"},
        {"contact", 0, 0, G_OPTION_ARG_STRING, &asked.contact, "About this person alone", "EMAIL"},
        {"due", 0, 0, G_OPTION_ARG_STRING, &asked.due, "Due on this day or before", "DATE"},
        {"all", 'a', 0, G_OPTION_ARG_NONE, &asked.all, "Those done as well", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    TaskFilter filter = {0};
    gint64 today_ms = 0;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    if (is_empty)
        return CLI_DONE;
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    gint64 now_ms = control_now_ms(cli->config);
    if (!read_filter(cli, &asked, now_ms, zone, &filter, &error))
        return cli_failed_by(cli, error);
    task_day(now_ms, zone, &today_ms, NULL);
    return list(cli, &filter, today_ms, zone);
}
