/*
 * nurture contact export: everything that is known of a person, as one JSON object (what a person may ask for by law).
 */
#include "base/json.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "engine/control.h"
#include "store/suppressions.h"

static gboolean add_interaction(const Interaction *interaction, gpointer data)
{
    JsonObject *object = interaction_object(interaction);
    json_add_text(object, "account", interaction->account);
    json_add_text(object, "full_text", interaction->full_text);
    json_array_add_object_element(data, object);
    return TRUE;
}

static JsonObject *whole_message(const OutboxMessage *message)
{
    JsonObject *object = message_object(message);
    json_object_set_string_member(object, "account", message->account);
    json_object_set_int_member(object, "round", message->round);
    json_add_text(object, "subject", message->subject);
    json_add_text(object, "in_reply_to", message->in_reply_to);
    json_add_text(object, "references", message->references);
    json_add_time(object, "planned_at", message->planned_ms);
    json_add_time(object, "created_at", message->created_ms);
    json_add_time(object, "sending_at", message->sending_ms);
    json_add_time(object, "ended_at", message->ended_ms);
    return object;
}

static gboolean collect(Cli *cli, const Contact *contact, JsonObject *all, GError **error)
{
    g_auto(GStrv) aliases = NULL;
    g_autofree char *suppressed = NULL;
    gboolean is_suppressed = FALSE;
    g_autoptr(GPtrArray) enrolments = NULL;
    g_autoptr(GPtrArray) messages = NULL;
    JsonObject *person = contact_object(contact, control_now_ms(cli->config));
    JsonArray *history = json_array_new(), *passages = json_array_new(), *queue = json_array_new();
    json_object_set_object_member(all, "contact", person);
    json_object_set_array_member(all, "history", history);
    json_object_set_array_member(all, "enrolments", passages);
    json_object_set_array_member(all, "messages", queue);
    if (!store_contact_aliases(cli->store, contact->id, &aliases, error) ||
        !store_suppression_check(cli->store, contact->email, &is_suppressed, &suppressed, error) ||
        !store_history_each(cli->store, contact->id, add_interaction, history, error) ||
        !store_enrolments_of(cli->store, contact->id, &enrolments, error) ||
        !store_outbox_of(cli->store, contact->id, &messages, error))
        return FALSE;
    facts_add_strings(person, "aliases", aliases);
    json_add_text(person, "suppressed", suppressed);
    for (guint i = 0; i < enrolments->len; i++)
        json_array_add_object_element(passages, enrolment_object(g_ptr_array_index(enrolments, i)));
    for (guint i = 0; i < messages->len; i++)
        json_array_add_object_element(queue, whole_message(g_ptr_array_index(messages, i)));
    return TRUE;
}

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

int contact_command_export(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_READ, rest[0], &error);
    g_autoptr(JsonObject) all = json_object_new();
    if (contact == NULL || !collect(cli, contact, all, &error))
        return cli_failed_by(cli, error);
    if (cli->json)
        cli_print_json(cli, json_object_ref(all));
    else
        print_indented(cli, all);
    return CLI_DONE;
}
