/*
 * A letter: the variables of one message, gathered on the loop, and its composing, in whatever thread.
 *
 * Owns a copy of all that it needs; nobody else touches it between letter_new() and letter_free(), so that it may change
 * threads in between without a lock.
 */
#include "engine/letter.h"

#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "mail/compose.h"
#include "mail/token.h"

struct Letter {
    Config *config;
    TemplateSet *templates;
    const Account *account;              /* of config */
    const MailTemplate *message_template; /* of templates */
    const char *language;                /* of templates */
    const char *signature; /* its name, of config; "" for none */
    char *template_name, *to_name, *to_address;
    char *message_id, *in_reply_to, *references, *thread_subject, *unsubscribe;
    gint64 date_ms;
    JsonObject *variables;
};

/* ---- variables ------------------------------------------------------------------------------------------------------- */

static void add_member(JsonObject *object, const char *name, JsonNode *node, gpointer data)
{
    (void)object;
    JsonObject *target = data;
    json_object_set_member(target, name, json_node_copy(node));
}

/* Copies the members of the JSON text; an unreadable text (nobody but a person with an SQL shell writes one) adds nothing. */
static void add_attributes(JsonObject *target, const char *json)
{
    g_autoptr(JsonObject) attributes = json_parse_object(json, NULL);
    if (attributes)
        json_object_foreach_member(attributes, add_member, target);
}

static char *full_name(const char *first, const char *last)
{
    return g_strstrip(g_strjoin(" ", first, last, NULL));
}

static char *first_word(const char *name)
{
    return g_strndup(name, strcspn(name, " "));
}

static void add_contact(JsonObject *target, const Contact *contact)
{
    g_autofree char *name = full_name(contact->first_name, contact->last_name);
    add_attributes(target, contact->attributes);
    json_add_text(target, "first_name", contact->first_name);
    json_add_text(target, "last_name", contact->last_name);
    json_add_text(target, "name", name);
    json_add_text(target, "email", contact->email);
    json_add_text(target, "stage", contact->stage);
    json_add_text(target, "language", contact->language);
    json_add_text(target, "source", contact->source);
    json_add_time(target, "customer_since", contact->customer_since_ms);
}

/* An object that prints as its name. */
static JsonObject *named_object(const char *name)
{
    JsonObject *object = json_object_new();
    json_add_text(object, "name", name);
    json_object_set_string_member(object, "", name);
    return object;
}

static JsonObject *company_variables(const Contact *contact)
{
    JsonObject *company = json_object_new();
    add_attributes(company, contact->company_attributes);
    json_add_text(company, "name", contact->company);
    json_object_set_string_member(company, "", contact->company);
    return company;
}

static JsonObject *owner_variables(const Account *account)
{
    const char *name = *account->from_name ? account->from_name : account->name;
    g_autofree char *first = first_word(name);
    JsonObject *owner = named_object(name);
    json_add_text(owner, "email", account->from_address);
    json_add_text(owner, "first_name", first);
    return owner;
}

static JsonObject *organisation_variables(const Organisation *organisation)
{
    JsonObject *object = named_object(organisation->name);
    json_add_text(object, "postal_address", organisation->postal_address);
    return object;
}

static JsonObject *all_variables(const LetterInput *input, const Account *account)
{
    const Contact *contact = input->contact;
    JsonObject *variables = json_object_new();
    add_contact(variables, contact);
    JsonObject *attributes = json_object_new();
    add_attributes(attributes, contact->attributes);
    json_object_set_object_member(variables, "attributes", attributes);
    JsonObject *same = json_object_new();
    add_contact(same, contact);
    json_object_set_object_member(same, "company", company_variables(contact));
    json_object_set_object_member(variables, "contact", same);
    json_object_set_object_member(variables, "company", company_variables(contact));
    json_object_set_object_member(variables, "owner", owner_variables(account));
    json_object_set_object_member(variables, "organisation", organisation_variables(&input->config->organisation));
    json_add_text(variables, "rule", input->rule->name);
    json_add_text(variables, "step", input->step->template_name);
    return variables;
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static char *unsubscribe_mailto(const LetterInput *input, const Account *account)
{
    const char *address = *account->reply_to ? account->reply_to : account->from_address;
    g_autofree char *token = unsubscribe_token_new(input->token_secret, input->contact->id);
    return g_strdup_printf("%s?subject=unsubscribe%%20%s", address, token);
}

/* A task goes to the owner, who cannot unsubscribe from their own work. */
static void take_recipient(Letter *letter, const LetterInput *input, const Account *account)
{
    gboolean is_task = input->step->kind == STEP_TASK;
    letter->to_name = is_task ? g_strdup(account->from_name) : full_name(input->contact->first_name, input->contact->last_name);
    letter->to_address = g_strdup(is_task ? account->from_address : input->contact->email);
    letter->unsubscribe = is_task ? NULL : unsubscribe_mailto(input, account);
    letter->signature = is_task ? "" : account->signature;
}

Letter *letter_new(const LetterInput *input, GError **error)
{
    const Account *account = config_account_for_owner(input->config, input->contact->owner);
    if (!account) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_MISSING,
                    "the owner \"%s\" of %s has no account; name an account \"%s\", or give the contact another owner",
                    input->contact->owner, input->contact->email, input->contact->owner);
        return NULL;
    }
    const char *language = "";
    const char *name = *input->variant ? input->variant : input->step->template_name;
    const MailTemplate *found = templates_find(input->templates, name, input->contact->language, &language);
    if (!found) {
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_MISSING, "template \"%s\" is not there", name);
        return NULL;
    }
    Letter *letter = g_new0(Letter, 1);
    letter->config = config_ref(input->config);
    letter->templates = templates_ref(input->templates);
    letter->account = account;
    letter->message_template = found;
    letter->language = language;
    letter->template_name = g_strdup(name);
    take_recipient(letter, input, account);
    letter->message_id = g_strdup(input->message_id);
    letter->in_reply_to = g_strdup(input->in_reply_to);
    letter->references = g_strdup(input->references);
    letter->thread_subject = g_strdup(input->thread_subject);
    letter->date_ms = input->date_ms;
    letter->variables = all_variables(input, account);
    return letter;
}

void letter_free(Letter *letter)
{
    if (!letter)
        return;
    json_object_unref(letter->variables);
    g_free(letter->template_name);
    g_free(letter->to_name);
    g_free(letter->to_address);
    g_free(letter->message_id);
    g_free(letter->in_reply_to);
    g_free(letter->references);
    g_free(letter->thread_subject);
    g_free(letter->unsubscribe);
    templates_unref(letter->templates);
    config_unref(letter->config);
    g_free(letter);
}

const char *letter_template(const Letter *letter)
{
    return letter->template_name;
}

GPtrArray *letter_attachments(const Letter *letter)
{
    return templates_attachments(letter->templates, letter->message_template);
}

const char *letter_recipient(const Letter *letter)
{
    return letter->to_address;
}

/* ---- composing ------------------------------------------------------------------------------------------------------- */

static const char *partial_of(const char *name, TemplateKind kind, gpointer data)
{
    const Letter *letter = data;
    return templates_partial(letter->templates, name, kind, letter->language);
}

static const MailFile *image_of(const char *path, gpointer data)
{
    const Letter *letter = data;
    return templates_image(letter->templates, path);
}

/* An answer in a conversation bears the subject that it answers, since mail programs gather by it. */
static void take_thread_subject(const Letter *letter, RenderedTemplate *rendered)
{
    if (!*letter->thread_subject)
        return;
    gboolean is_answer = g_ascii_strncasecmp(letter->thread_subject, "re:", 3) == 0;
    g_free(rendered->subject);
    rendered->subject = g_strconcat(is_answer ? "" : "Re: ", letter->thread_subject, NULL);
}

static gboolean compose_rendered(const Letter *letter, const RenderedTemplate *rendered, const GPtrArray *attachments,
                                 ComposedMessage *ret_message, GError **error)
{
    g_autoptr(GTimeZone) zone = timestamp_zone(letter->config->sending.time_zone, NULL);
    const ComposeInput input = {
        .rendered = rendered,
        .from_name = letter->account->from_name,
        .from_address = letter->account->from_address,
        .to_name = letter->to_name,
        .to_address = letter->to_address,
        .reply_to_name = letter->account->reply_to_name,
        .reply_to = letter->account->reply_to,
        .attachments = attachments,
        .message_id = letter->message_id,
        .in_reply_to = letter->in_reply_to,
        .references = letter->references,
        .date_ms = letter->date_ms,
        .date_zone = zone,
        .organisation = letter->config->organisation.name,
        .postal_address = letter->config->organisation.postal_address,
        .language = letter->language,
        .unsubscribe_mailto = letter->unsubscribe,
        .auto_submitted = TRUE,
    };
    return mail_compose(&input, ret_message, error);
}

static gboolean render(const Letter *letter, RenderedTemplate *ret_rendered, GError **error)
{
    TemplateKind kind = mail_template_kind(letter->message_template);
    TemplateSources sources = {.partial = partial_of, .image = image_of, .data = (gpointer)letter};
    sources.signature = templates_signature(letter->templates, letter->signature, kind, letter->language, &sources.signature_kind);
    if (!mail_template_render(letter->message_template, letter->variables, &sources, ret_rendered, error)) {
        g_prefix_error(error, "template %s: ", letter->template_name);
        return FALSE;
    }
    take_thread_subject(letter, ret_rendered);
    return TRUE;
}

gboolean letter_compose(const Letter *letter, ComposedMessage *ret_message, GError **error)
{
    RenderedTemplate rendered = {0};
    g_autoptr(GPtrArray) attachments = letter_attachments(letter);
    gboolean ok = render(letter, &rendered, error) && compose_rendered(letter, &rendered, attachments, ret_message, error);
    rendered_template_clear(&rendered);
    return ok;
}

gboolean letter_compose_words(const Letter *letter, ComposedMessage *ret_message, GError **error)
{
    RenderedTemplate rendered = {0};
    gboolean ok = render(letter, &rendered, error);
    g_clear_pointer(&rendered.images, g_ptr_array_unref);
    ok = ok && compose_rendered(letter, &rendered, NULL, ret_message, error);
    rendered_template_clear(&rendered);
    return ok;
}
