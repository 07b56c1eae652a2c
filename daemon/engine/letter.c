/*
 * A letter: what one message needs, gathered on the loop, and its composing, in whatever thread.
 *
 * Owns, or shares, all that it needs; nobody else changes it between letter_new() and letter_free(), so that it may change
 * threads in between without a lock.
 */
#include "engine/letter.h"

#include <string.h>

#include "base/json.h"
#include "base/stage.h"
#include "mail/compose.h"
#include "mail/token.h"
#include "variables.h"

struct Letter {
    Config *config;
    TemplateSet *templates;
    const Account *account;              /* of config */
    const MailTemplate *message_template; /* of templates */
    const char *language;                /* of templates */
    const char *signature; /* its name, of config; "" for none */
    char *template_name, *to_name, *to_address;
    char *message_id, *in_reply_to, *references, *thread_subject, *unsubscribe;
    char *reply_to; /* "" for none */
    gint64 date_ms;
    GTimeZone *zone;
    Contact *contact;
    char *rule, *step;
    JsonObject *referral; /* variable -> value */
};

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static char *full_name(const char *first, const char *last)
{
    return g_strstrip(g_strjoin(" ", first, last, NULL));
}

/* With a token where the account wants one and there is something to answer. */
static char *reply_to(const LetterInput *input, const Account *account)
{
    if (!account->reply_token || !input->outbox_id || input->step->kind == STEP_TASK)
        return g_strdup(account->reply_to);
    const char *address = *account->reply_to ? account->reply_to : account->from_address;
    g_autofree char *token = mail_token_new(input->token_secret, TOKEN_ANSWER, input->outbox_id);
    char *with_token = mail_token_address(address, token);
    return with_token ? with_token : g_strdup(account->reply_to);
}

static char *unsubscribe_mailto(const LetterInput *input, const Account *account)
{
    const char *address = *account->reply_to ? account->reply_to : account->from_address;
    g_autofree char *token = mail_token_new(input->token_secret, TOKEN_UNSUBSCRIBE, input->contact->id);
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

/* ---- referrals ------------------------------------------------------------------------------------------------------- */

/* Prints as the name, else as the address. Nothing where neither is known. */
static void add_person(JsonObject *variables, const char *name, const ReferralPerson *person)
{
    const char *shown = *person->name ? person->name : person->email;
    if (!*shown)
        return;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "", shown);
    json_add_text(object, "name", shown);
    json_add_text(object, "first_name", *person->name ? person->first_name : shown);
    json_add_text(object, "email", person->email);
    json_object_set_object_member(variables, name, object);
}

static JsonObject *referral_variables(const LetterInput *input, const Account *account)
{
    JsonObject *variables = json_object_new();
    g_autofree char *code = mail_token_new(input->token_secret, TOKEN_REFERRAL, input->contact->id);
    g_autofree char *address = mail_token_address(*account->reply_to ? account->reply_to : account->from_address, code);
    json_add_text(variables, "referral_code", code);
    if (address)
        json_add_text(variables, "referral_address", address);
    if (!input->referral)
        return variables;
    add_person(variables, "referrer", &input->referral->referrer);
    add_person(variables, "friend", &input->referral->friend);
    if (*input->referral->reward)
        json_add_text(variables, "reward", input->referral->reward);
    return variables;
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
    letter->reply_to = reply_to(input, account);
    letter->in_reply_to = g_strdup(input->in_reply_to);
    letter->references = g_strdup(input->references);
    letter->thread_subject = g_strdup(input->thread_subject);
    letter->date_ms = input->date_ms;
    letter->zone = g_time_zone_ref(input->zone);
    letter->contact = contact_ref(input->contact);
    letter->referral = referral_variables(input, account);
    letter->rule = g_strdup(input->rule->name);
    letter->step = g_strdup(input->step->template_name);
    return letter;
}

void letter_free(Letter *letter)
{
    if (!letter)
        return;
    contact_free(letter->contact);
    g_time_zone_unref(letter->zone);
    json_object_unref(letter->referral);
    g_free(letter->rule);
    g_free(letter->step);
    g_free(letter->template_name);
    g_free(letter->to_name);
    g_free(letter->to_address);
    g_free(letter->message_id);
    g_free(letter->reply_to);
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

static ComposeInput compose_input(const Letter *letter, const RenderedTemplate *rendered)
{
    return (ComposeInput){
        .rendered = rendered,
        .from_name = letter->account->from_name,
        .from_address = letter->account->from_address,
        .to_name = letter->to_name,
        .to_address = letter->to_address,
        .reply_to_name = letter->account->reply_to_name,
        .reply_to = letter->reply_to,
        .message_id = letter->message_id,
        .in_reply_to = letter->in_reply_to,
        .references = letter->references,
        .date_ms = letter->date_ms,
        .date_zone = letter->zone,
        .organisation = letter->config->organisation.name,
        .postal_address = letter->config->organisation.postal_address,
        .language = letter->language,
        .unsubscribe_mailto = letter->unsubscribe,
        .auto_submitted = TRUE,
    };
}

static gboolean compose_rendered(const Letter *letter, const RenderedTemplate *rendered, ComposedMessage *ret_message, GError **error)
{
    ComposeInput input = compose_input(letter, rendered);
    g_autoptr(GPtrArray) attachments = letter_attachments(letter);
    input.attachments = attachments;
    return mail_compose(&input, ret_message, error);
}

/* One that the template puts into its text itself does not stand there twice. */
static gboolean wants_signature(const Letter *letter)
{
    g_auto(GStrv) own = *letter->signature ? mail_template_partials(letter->message_template) : NULL;
    return own && !g_strv_contains((const char *const *)own, letter->signature);
}

static gboolean render(const Letter *letter, RenderedTemplate *ret_rendered, GError **error)
{
    TemplateKind kind = mail_template_kind(letter->message_template);
    Variables variables = {.organisation = &letter->config->organisation, .account = letter->account, .contact = letter->contact,
                           .rule = letter->rule, .step = letter->step, .referral = letter->referral};
    TemplateSources sources = {.partial = partial_of, .image = image_of, .data = (gpointer)letter,
                               .variable = variables_find, .variables = &variables};
    variables_init(&variables);
    if (wants_signature(letter))
        sources.signature =
            templates_signature(letter->templates, letter->signature, kind, letter->language, &sources.signature_kind);
    gboolean ok = mail_template_render(letter->message_template, variables.made, &sources, ret_rendered, error);
    variables_clear(&variables);
    if (!ok) {
        g_prefix_error(error, "template %s: ", letter->template_name);
        return FALSE;
    }
    take_thread_subject(letter, ret_rendered);
    return TRUE;
}

gboolean letter_compose(const Letter *letter, ComposedMessage *ret_message, GError **error)
{
    RenderedTemplate rendered = {0};
    gint64 begun = stage_begin();
    gboolean ok = render(letter, &rendered, error);
    stage_end(STAGE_RENDER, begun, 1);
    begun = stage_begin();
    ok = ok && compose_rendered(letter, &rendered, ret_message, error);
    stage_end(STAGE_COMPOSE, begun, 1);
    rendered_template_clear(&rendered);
    return ok;
}

gboolean letter_compose_words(const Letter *letter, ComposedMessage *ret_message, GError **error)
{
    RenderedTemplate rendered = {0};
    gboolean ok = render(letter, &rendered, error);
    if (ok) {
        const ComposeInput input = compose_input(letter, &rendered);
        ok = mail_compose_words(&input, ret_message, error);
    }
    rendered_template_clear(&rendered);
    return ok;
}
