/*
 * nurture contact export: everything that is known of a person (what they may ask for by law), as one JSON object, or as text that they can read.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/referral.h"
#include "cli/terminal.h"
#include "engine/control.h"
#include "store/companies.h"
#include "store/proposals.h"
#include "store/suppressions.h"

enum { TEXT_INDENT = 2, TEXT_KEY_COLUMNS = 20 };

/* ---- collecting ------------------------------------------------------------------------------------------------------- */

static gboolean add_interaction(const Interaction *interaction, gpointer data)
{
    JsonObject *object = interaction_object(interaction);
    json_object_set_int_member(object, "id", interaction->id);
    json_add_text(object, "account", interaction->account);
    json_add_text(object, "full_text", interaction->full_text);
    json_array_add_object_element(data, object);
    return TRUE;
}

static gboolean add_task(const OwnerTask *task, gpointer data)
{
    json_array_add_object_element(data, task_object(task));
    return TRUE;
}

static JsonObject *whole_message(const OutboxMessage *message)
{
    JsonObject *object = message_object(message);
    json_object_set_string_member(object, "account", message->account);
    json_object_set_int_member(object, "round", message->round);
    if (message->is_task)
        json_object_set_boolean_member(object, "task", TRUE);
    json_add_text(object, "subject", message->subject);
    json_add_text(object, "in_reply_to", message->in_reply_to);
    json_add_text(object, "references", message->references);
    json_add_time(object, "planned_at", message->planned_ms);
    json_add_time(object, "created_at", message->created_ms);
    json_add_time(object, "sending_at", message->sending_ms);
    json_add_time(object, "ended_at", message->ended_ms);
    return object;
}

static gboolean add_referral(const Referral *referral, gpointer data)
{
    json_array_add_object_element(data, referral_object(referral));
    return TRUE;
}

static JsonArray *section(JsonObject *all, const char *name)
{
    JsonArray *array = json_array_new();
    json_object_set_array_member(all, name, array);
    return array;
}

static gboolean collect_work(Cli *cli, const Contact *contact, JsonObject *all, GError **error)
{
    g_autoptr(GPtrArray) enrolments = NULL;
    g_autoptr(GPtrArray) messages = NULL;
    JsonArray *passages = section(all, "enrolments"), *queue = section(all, "messages");
    const TaskFilter tasks = {.contact_id = contact->id, .with_done = TRUE};
    if (!store_enrolments_of(cli->store, contact->id, &enrolments, error) || !store_outbox_of(cli->store, contact->id, &messages, error) ||
        !store_task_each(cli->store, &tasks, add_task, section(all, "tasks"), error))
        return FALSE;
    for (guint i = 0; i < enrolments->len; i++)
        json_array_add_object_element(passages, enrolment_object(g_ptr_array_index(enrolments, i)));
    for (guint i = 0; i < messages->len; i++)
        json_array_add_object_element(queue, whole_message(g_ptr_array_index(messages, i)));
    return TRUE;
}

/* Whom they introduced, and who introduced them, under any of their addresses. */
static gboolean collect_referrals(Cli *cli, const Contact *contact, JsonObject *all, GError **error)
{
    const ReferralFilter made = {.referrer_id = contact->id}, came_by = {.friend_id = contact->id};
    return store_referral_each(cli->store, &made, add_referral, section(all, "referrals"), error) &&
           store_referral_each(cli->store, &came_by, add_referral, section(all, "referred_by"), error);
}

typedef struct {
    gint64 contact_id;
    JsonArray *array;
} Proposals;

static gboolean add_proposal(const Proposal *proposal, gpointer data)
{
    const Proposals *proposals = data;
    if (proposal->contact_id != proposals->contact_id)
        return TRUE;
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", proposal->id);
    json_object_set_string_member(object, "kind", departure_kind_name(proposal->kind));
    json_object_set_string_member(object, "state", proposal_state_name(proposal->state));
    json_add_text(object, "address", proposal->address);
    json_add_text(object, "name", proposal->name);
    json_add_text(object, "evidence", proposal->evidence);
    json_add_text(object, "message_id", proposal->message_id);
    json_add_time(object, "at", proposal->at_ms);
    json_add_time(object, "ended_at", proposal->ended_ms);
    json_array_add_object_element(proposals->array, object);
    return TRUE;
}

/* What their mails say of a new address, or of who comes after them. */
static gboolean collect_proposals(Cli *cli, const Contact *contact, JsonObject *all, GError **error)
{
    Proposals proposals = {.contact_id = contact->id, .array = section(all, "proposals")};
    return store_proposal_each(cli->store, TRUE, add_proposal, &proposals, error);
}

static gboolean add_suppression(Store *store, const char *address, JsonArray *array, GError **error)
{
    Suppression *suppression = NULL;
    if (!store_suppression_find(store, address, &suppression, error))
        return FALSE;
    if (suppression == NULL)
        return TRUE;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "address", suppression->address);
    json_object_set_string_member(object, "reason", suppression->reason);
    json_add_text(object, "detail", suppression->detail);
    json_add_time(object, "at", suppression->at_ms);
    json_array_add_object_element(array, object);
    suppression_free(suppression);
    return TRUE;
}

static gboolean collect_suppressions(Cli *cli, const Contact *contact, char **aliases, JsonObject *all, GError **error)
{
    JsonArray *array = section(all, "suppressions");
    gboolean ok = add_suppression(cli->store, contact->email, array, error);
    for (char **alias = aliases; ok && *alias != NULL; alias++)
        ok = add_suppression(cli->store, *alias, array, error);
    return ok;
}

static gboolean collect_company(Cli *cli, const Contact *contact, JsonObject *all, GError **error)
{
    g_autoptr(Company) company = NULL;
    if (contact->company[0] == '\0')
        return TRUE;
    if (!store_company_find(cli->store, contact->company, &company, error))
        return FALSE;
    if (company == NULL)
        return TRUE;
    JsonObject *object = json_object_new();
    JsonObject *attributes = json_parse_object(company->attributes, NULL);
    json_object_set_string_member(object, "name", company->name);
    json_add_text(object, "time_zone", company->time_zone);
    json_object_set_object_member(object, "attributes", attributes != NULL ? attributes : json_object_new());
    json_object_set_object_member(all, "company", object);
    return TRUE;
}

static gboolean collect(Cli *cli, const Contact *contact, JsonObject *all, GError **error)
{
    g_auto(GStrv) aliases = NULL;
    g_autofree char *suppressed = NULL;
    gboolean is_suppressed = FALSE;
    JsonObject *person = contact_object(contact, control_now_ms(cli->config));
    json_object_set_object_member(all, "contact", person);
    if (!store_contact_aliases(cli->store, contact->id, &aliases, error) ||
        !store_suppression_check(cli->store, contact->email, &is_suppressed, &suppressed, error) ||
        !collect_company(cli, contact, all, error) || !collect_suppressions(cli, contact, aliases, all, error) ||
        !store_history_each(cli->store, contact->id, add_interaction, section(all, "history"), error) ||
        !collect_work(cli, contact, all, error) || !collect_referrals(cli, contact, all, error) ||
        !collect_proposals(cli, contact, all, error))
        return FALSE;
    facts_add_strings(person, "aliases", aliases);
    json_add_text(person, "suppressed", suppressed);
    return TRUE;
}

/* ---- printing --------------------------------------------------------------------------------------------------------- */

static void print_indented(Cli *cli, JsonObject *object)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, object);
    json_generator_set_root(generator, node);
    json_generator_set_pretty(generator, TRUE);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    fprintf(cli->out, "%s\n", text);
}

static void print_object(Cli *cli, JsonObject *object, guint indent);

/* "history.full_text" -> "full text" */
static char *words_of(const char *member)
{
    return g_strdelimit(g_strdup(member), "_", ' ');
}

static char *scalar_text(JsonNode *node)
{
    if (JSON_NODE_HOLDS_NULL(node))
        return g_strdup("");
    return json_node_get_value_type(node) == G_TYPE_STRING ? g_strdup(json_node_get_string(node)) : json_line(node);
}

static void print_member(Cli *cli, const char *member, JsonNode *node, guint indent)
{
    g_autofree char *words = words_of(member);
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        if (json_object_get_size(json_node_get_object(node)) > 0)
            fprintf(cli->out, "%*s%s\n", (int)indent, "", words);
        print_object(cli, json_node_get_object(node), indent + TEXT_INDENT);
        return;
    }
    if (JSON_NODE_HOLDS_ARRAY(node)) { /* of words: tags, addresses */
        JsonArray *array = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(array); i++)
            print_member(cli, member, json_array_get_element(array, i), indent);
        return;
    }
    g_autofree char *text = scalar_text(node);
    if (*text == '\0')
        return;
    if (strchr(text, '\n') != NULL) {
        fprintf(cli->out, "%*s%s\n", (int)indent, "", words);
        terminal_print_text(cli->out, text, indent + 2 * TEXT_INDENT, cli->columns);
        return;
    }
    g_autofree char *safe = text_escape(text, 0);
    fprintf(cli->out, "%*s%-*s%s\n", (int)indent, "", TEXT_KEY_COLUMNS, words, safe);
}

static void print_object(Cli *cli, JsonObject *object, guint indent)
{
    g_autoptr(GList) members = json_object_get_members(object);
    for (GList *member = members; member != NULL; member = member->next)
        print_member(cli, member->data, json_object_get_member(object, member->data), indent);
}

/* Sections with a heading each; of lists, an empty line between two entries. */
static void print_text(Cli *cli, JsonObject *all)
{
    g_autoptr(GList) sections = json_object_get_members(all);
    for (GList *name = sections; name != NULL; name = name->next) {
        JsonNode *node = json_object_get_member(all, name->data);
        g_autofree char *words = words_of(name->data);
        g_autofree char *heading = g_ascii_strup(words, -1);
        JsonArray *entries = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
        fprintf(cli->out, "%s%s\n", name == sections ? "" : "\n", heading);
        if (entries == NULL)
            print_object(cli, json_node_get_object(node), TEXT_INDENT);
        for (guint i = 0; entries != NULL && i < json_array_get_length(entries); i++) {
            fputs(i > 0 ? "\n" : "", cli->out);
            print_object(cli, json_array_get_object_element(entries, i), TEXT_INDENT);
        }
        if (entries != NULL && json_array_get_length(entries) == 0)
            fprintf(cli->out, "%*snothing\n", TEXT_INDENT, "");
    }
}

int contact_command_export(Cli *cli, char **words)
{
    gboolean as_text = FALSE;
    const GOptionEntry entries[] = {
        {"text", 0, 0, G_OPTION_ARG_NONE, &as_text, "To be read by people, not by programs", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (as_text && cli->json)
        return cli_wrong_usage(cli, "--json or --text, not both");
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_READ, rest[0], &error);
    g_autoptr(JsonObject) all = json_object_new();
    if (contact == NULL || !collect(cli, contact, all, &error))
        return cli_failed_by(cli, error);
    if (cli->json)
        cli_print_json(cli, json_object_ref(all));
    else if (as_text)
        print_text(cli, all);
    else
        print_indented(cli, all);
    return CLI_DONE;
}
