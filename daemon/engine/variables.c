/*
 * Variables: contact, account and organisation as Mustache sees them. In whatever thread composes.
 */
#include "variables.h"

#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"

/* ---- texts ----------------------------------------------------------------------------------------------------------- */

static JsonNode *text_node(const char *text)
{
    return *text ? json_node_init_string(json_node_alloc(), text) : NULL;
}

static JsonNode *name_node(const Contact *contact)
{
    g_autofree char *name = g_strstrip(g_strjoin(" ", contact->first_name, contact->last_name, NULL));
    return text_node(name);
}

static JsonNode *time_node(gint64 at_ms)
{
    g_autofree char *text = at_ms ? timestamp_format(at_ms) : g_strdup("");
    return text_node(text);
}

static const char *const own_names[] = {"first_name", "last_name", "name",   "email",
                                        "stage",      "language",  "source", "customer_since"};

/* What the contact says of itself; NULL where that is nothing. Caller owns it. */
static JsonNode *own_node(const Contact *contact, const char *name)
{
    const struct {
        const char *name, *text;
    } texts[] = {{"first_name", contact->first_name}, {"last_name", contact->last_name}, {"email", contact->email},
                 {"stage", contact->stage},           {"language", contact->language},   {"source", contact->source}};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_str_equal(name, texts[i].name))
            return text_node(texts[i].text);
    if (g_str_equal(name, "name"))
        return name_node(contact);
    return g_str_equal(name, "customer_since") ? time_node(contact->customer_since_ms) : NULL;
}

/* ---- objects --------------------------------------------------------------------------------------------------------- */

/* Of a JSON text; an unreadable one (nobody but a person with an SQL shell writes one) is empty. */
static JsonObject *attributes_of(const char *json)
{
    JsonObject *attributes = *json && !g_str_equal(json, "{}") ? json_parse_object(json, NULL) : NULL;
    return attributes ? attributes : json_object_new();
}

static JsonObject *own_attributes(Variables *variables)
{
    if (!variables->attributes)
        variables->attributes = attributes_of(variables->contact->attributes);
    return variables->attributes;
}

static void share_member(JsonObject *object, const char *name, JsonNode *node, gpointer data)
{
    (void)object;
    json_object_set_member(data, name, json_node_ref(node));
}

/* An object that prints as its name, with what is in others (NULL: nothing) besides. */
static JsonObject *named_object(const char *name, JsonObject *others)
{
    JsonObject *object = json_object_new();
    if (others)
        json_object_foreach_member(others, share_member, object);
    json_add_text(object, "name", name);
    json_object_set_string_member(object, "", name);
    return object;
}

static JsonObject *make_company(Variables *variables)
{
    g_autoptr(JsonObject) attributes = attributes_of(variables->contact->company_attributes);
    return named_object(variables->contact->company, attributes);
}

static JsonObject *make_owner(Variables *variables)
{
    const Account *account = variables->account;
    const char *name = *account->from_name ? account->from_name : account->name;
    g_autofree char *first = g_strndup(name, strcspn(name, " "));
    JsonObject *owner = named_object(name, NULL);
    json_add_text(owner, "email", account->from_address);
    json_add_text(owner, "first_name", first);
    return owner;
}

static JsonObject *make_organisation(Variables *variables)
{
    JsonObject *object = named_object(variables->organisation->name, NULL);
    json_add_text(object, "postal_address", variables->organisation->postal_address);
    return object;
}

static JsonObject *make_attributes(Variables *variables)
{
    return json_object_ref(own_attributes(variables));
}

static JsonObject *make_contact(Variables *variables)
{
    JsonObject *contact = json_object_new();
    json_object_foreach_member(own_attributes(variables), share_member, contact);
    for (gsize i = 0; i < G_N_ELEMENTS(own_names); i++) {
        JsonNode *own = own_node(variables->contact, own_names[i]);
        if (own)
            json_object_set_member(contact, own_names[i], own);
    }
    json_object_set_object_member(contact, "company", make_company(variables));
    return contact;
}

static JsonNode *object_node(JsonObject *object)
{
    JsonNode *node = json_node_alloc();
    json_node_init(node, JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

/* Caller owns it; NULL: there is none. What has a fixed meaning wins over an attribute of its name, where it has a value. */
static JsonNode *make(Variables *variables, const char *name)
{
    static const struct {
        const char *name;
        JsonObject *(*make)(Variables *variables);
    } objects[] = {{"contact", make_contact},
                   {"attributes", make_attributes},
                   {"company", make_company},
                   {"owner", make_owner},
                   {"organisation", make_organisation}};
    for (gsize i = 0; i < G_N_ELEMENTS(objects); i++)
        if (g_str_equal(name, objects[i].name))
            return object_node(objects[i].make(variables));
    JsonNode *own = g_str_equal(name, "rule")   ? text_node(variables->rule)
                    : g_str_equal(name, "step") ? text_node(variables->step)
                                                : own_node(variables->contact, name);
    if (!own && variables->referral && json_object_has_member(variables->referral, name))
        return json_node_ref(json_object_get_member(variables->referral, name));
    JsonNode *attribute = own ? NULL : json_object_get_member(own_attributes(variables), name);
    return attribute ? json_node_ref(attribute) : own;
}

JsonNode *variables_find(const char *name, gpointer data)
{
    Variables *variables = data;
    JsonNode *node = json_object_get_member(variables->made, name);
    if (!node && (node = make(variables, name)))
        json_object_set_member(variables->made, name, node);
    return node;
}

void variables_init(Variables *variables)
{
    variables->made = json_object_new();
    variables->attributes = NULL;
}

void variables_clear(Variables *variables)
{
    g_clear_pointer(&variables->made, json_object_unref);
    g_clear_pointer(&variables->attributes, json_object_unref);
}
