/*
 * nurture contact show / list / export.
 */
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/table.h"

const Command contact_subcommands[] = {
    {"add", "EMAIL [--first-name NAME] [--stage STAGE] …", "Adds a person", contact_command_add, NULL, NULL},
    {"show", "EMAIL", "What is known of a person, and what comes next", contact_command_show, NULL, NULL},
    {"list", "[--stage STAGE] [--owner NAME] [--tag TAG] …", "People, by address", contact_command_list, NULL, NULL},
    {"set", "EMAIL [--company NAME] [--attribute NAME=VALUE] …", "Changes what is known of a person", contact_command_set, NULL, NULL},
    {"stage", "EMAIL STAGE [--since DATE]", "Moves a person to a stage", contact_command_stage, NULL, NULL},
    {"tag", "EMAIL [+TAG | -TAG]…", "Adds and removes tags", contact_command_tag, NULL, NULL},
    {"pause", "EMAIL [--until DATE]", "Sends a person nothing until then", contact_command_pause, NULL, NULL},
    {"resume", "EMAIL", "Ends a pause", contact_command_resume, NULL, NULL},
    {"forget", "EMAIL [--yes]", "Erases a person and all that is known of them", contact_command_forget, NULL, NULL},
    {"export", "EMAIL", "Everything about a person, as JSON", contact_command_export, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* Opens the store to read and finds the person; NULL where that failed with *ret_status. */
static Contact *find(Cli *cli, char **words, int *ret_status)
{
    GError *error = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, ret_status);
    if (!rest)
        return NULL;
    Contact *contact = cli_open_store(cli, CLI_STORE_WRITE, &error) ? cli_find_contact(cli, rest[0], &error) : NULL;
    if (!contact)
        *ret_status = cli_failed_by(cli, error);
    return contact;
}

/* ---- show ------------------------------------------------------------------------------------------------------------ */

static void print_field(Cli *cli, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    g_autofree char *safe = text_escape(value, 0);
    fprintf(cli->out, "%-16s%s\n", name, safe);
}

static void print_time(Cli *cli, const char *name, gint64 at_ms, GTimeZone *zone)
{
    if (!at_ms)
        return;
    g_autofree char *text = at_ms == G_MAXINT64 ? g_strdup("until resumed") : timestamp_format_local(at_ms, zone);
    print_field(cli, name, text);
}

static void print_contact(Cli *cli, const Contact *contact, GTimeZone *zone)
{
    g_autofree char *name = g_strstrip(g_strjoin(" ", contact->first_name, contact->last_name, NULL));
    g_autofree char *tags = g_strjoinv(", ", contact->tags);
    print_field(cli, "email", contact->email);
    print_field(cli, "name", name);
    print_field(cli, "company", contact->company);
    print_field(cli, "stage", contact->stage);
    print_time(cli, "stage since", contact->stage_since_ms, zone);
    print_time(cli, "customer since", contact->customer_since_ms, zone);
    print_field(cli, "time zone", contact->time_zone);
    print_field(cli, "language", contact->language);
    print_field(cli, "owner", contact->owner);
    print_field(cli, "source", contact->source);
    print_field(cli, "tags", tags);
    print_field(cli, "attributes", g_str_equal(contact->attributes, "{}") ? "" : contact->attributes);
    print_time(cli, "paused", contact->paused_until_ms, zone);
    print_time(cli, "last contacted", contact->last_contacted_ms, zone);
}

static void print_enrolments(Cli *cli, const GPtrArray *enrolments, GTimeZone *zone)
{
    static const TableColumn columns[] = {{"RULE", FALSE, FALSE}, {"STATE", FALSE, FALSE}, {"NEXT STEP", FALSE, FALSE},
                                          {"DUE", FALSE, FALSE},  {"REASON", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    static const char *const states[] = {"active", "done", "ended"};
    if (enrolments->len)
        fputc('\n', cli->out);
    Table *table = table_new(cli->out, columns, cli->columns, cli->colour);
    for (guint i = 0; i < enrolments->len; i++) {
        const Enrolment *enrolment = enrolments->pdata[i];
        gboolean active = enrolment->state == ENROLMENT_ACTIVE;
        g_autofree char *due = active && enrolment->due_ms ? timestamp_format_local(enrolment->due_ms, zone) : g_strdup(active ? "in the queue" : "");
        const char *cells[] = {enrolment->rule, states[enrolment->state], active ? enrolment->next_step : "", due, enrolment->end_reason};
        table_add(table, cells);
    }
    table_finish(table, NULL);
}

int contact_command_show(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(GPtrArray) enrolments = NULL;
    g_autoptr(Contact) contact = find(cli, words, &status);
    if (!contact)
        return status;
    if (!store_enrolments_of(cli->store, contact->id, &enrolments, &error))
        return cli_failed_by(cli, error);
    if (cli->json) {
        JsonArray *array = json_array_new();
        JsonObject *object = contact_object(contact);
        for (guint i = 0; i < enrolments->len; i++)
            json_array_add_object_element(array, enrolment_object(enrolments->pdata[i]));
        json_object_set_array_member(object, "enrolments", array);
        cli_print_json(cli, object);
        return CLI_DONE;
    }
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    print_contact(cli, contact, zone);
    print_enrolments(cli, enrolments, zone);
    return CLI_DONE;
}

/* ---- list ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
} Listing;

static gboolean list_contact(const Contact *contact, gpointer data)
{
    Listing *listing = data;
    if (!listing->table) {
        cli_print_json(listing->cli, contact_object(contact));
        return TRUE;
    }
    g_autofree char *name = g_strstrip(g_strjoin(" ", contact->first_name, contact->last_name, NULL));
    g_autofree char *tags = g_strjoinv(", ", contact->tags);
    const char *cells[] = {contact->email, name, contact->company, contact->stage, contact->owner, tags};
    table_add(listing->table, cells);
    return TRUE;
}

int contact_command_list(Cli *cli, char **words)
{
    static const TableColumn columns[] = {{"EMAIL", FALSE, TRUE},  {"NAME", FALSE, FALSE}, {"COMPANY", FALSE, FALSE}, {"STAGE", FALSE, FALSE},
                                          {"OWNER", FALSE, FALSE}, {"TAGS", FALSE, FALSE}, {NULL, FALSE, FALSE}};
    g_autofree char *stage = NULL, *owner = NULL, *tag = NULL, *company = NULL, *search = NULL;
    gboolean customers = FALSE;
    const GOptionEntry entries[] = {
        {"stage", 0, 0, G_OPTION_ARG_STRING, &stage, "Only this stage", "STAGE"},
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "Only this owner's", "NAME"},
        {"tag", 0, 0, G_OPTION_ARG_STRING, &tag, "Only with this tag", "TAG"},
        {"company", 0, 0, G_OPTION_ARG_STRING, &company, "Only of this company", "NAME"},
        {"search", 0, 0, G_OPTION_ARG_STRING, &search, "Part of a name or an address", "TEXT"},
        {"customers", 0, 0, G_OPTION_ARG_NONE, &customers, "Only customers", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (!rest)
        return status;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    const ContactFilter filter = {.stage = stage, .owner = owner, .tag = tag, .company = company, .search = search, .customers_only = customers};
    Listing listing = {.cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour)};
    if (!store_contact_each(cli->store, &filter, list_contact, &listing, &error))
        status = cli_failed_by(cli, error);
    if (listing.table)
        table_finish(listing.table, status == CLI_DONE ? "nobody" : NULL);
    return status;
}

/* ---- export ---------------------------------------------------------------------------------------------------------- */

static gboolean add_interaction(const Interaction *interaction, gpointer data)
{
    JsonObject *object = interaction_object(interaction);
    if (interaction->full_text && *interaction->full_text)
        json_object_set_string_member(object, "full_text", interaction->full_text);
    json_array_add_object_element(data, object);
    return TRUE;
}

static gboolean collect(Cli *cli, const Contact *contact, JsonObject *object, GError **error)
{
    g_autoptr(GPtrArray) enrolments = NULL;
    g_autoptr(GPtrArray) messages = NULL;
    JsonArray *history = json_array_new(), *rules = json_array_new(), *queue = json_array_new();
    json_object_set_array_member(object, "history", history);
    json_object_set_array_member(object, "enrolments", rules);
    json_object_set_array_member(object, "messages", queue);
    if (!store_history_each(cli->store, contact->id, add_interaction, history, error) ||
        !store_enrolments_of(cli->store, contact->id, &enrolments, error) ||
        !store_outbox_of(cli->store, contact->id, &messages, error))
        return FALSE;
    for (guint i = 0; i < enrolments->len; i++)
        json_array_add_object_element(rules, enrolment_object(enrolments->pdata[i]));
    for (guint i = 0; i < messages->len; i++)
        json_array_add_object_element(queue, message_object(messages->pdata[i]));
    return TRUE;
}

int contact_command_export(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(Contact) contact = find(cli, words, &status);
    if (!contact)
        return status;
    JsonObject *object = contact_object(contact);
    if (!collect(cli, contact, object, &error)) {
        json_object_unref(object);
        return cli_failed_by(cli, error);
    }
    cli_print_json(cli, object);
    return CLI_DONE;
}
