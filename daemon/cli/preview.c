/*
 * nurture preview RULE EMAIL [--step N]: the message exactly as it would be sent.
 *
 * The engine's own letter composes it. What only sending decides (the Message-ID, and that of the message before in a thread
 * that has not begun) is made up for the preview; nothing is stored.
 */
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "engine/control.h"
#include "engine/letter.h"
#include "engine/templates.h"
#include "engine/variant.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "store/enrolments.h"
#include "store/outbox.h"

/* What of the conversation and of the queue is known for the step. */
typedef struct {
    char *message_id, *in_reply_to, *references, *subject;
    char *variant; /* that the step's row has; NULL: no row */
} Thread;

static void thread_clear(Thread *thread)
{
    g_free(thread->message_id);
    g_free(thread->in_reply_to);
    g_free(thread->references);
    g_free(thread->subject);
    g_free(thread->variant);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Thread, thread_clear)

typedef struct {
    Cli *cli;
    const Rule *rule;
    const Step *step;
    Contact *contact;
    Enrolment *enrolment; /* the newest round; NULL: never enrolled */
    TemplateSet *templates;
    gint64 now_ms;
} Preview;

/* ---- which rule and step --------------------------------------------------------------------------------------------- */

static const Rule *find_rule(Cli *cli, const char *name, GError **error)
{
    const Rule *rule = config_rule(cli->config, name);
    if (rule != NULL)
        return rule;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Rule **known = cli->config->rules; *known != NULL; known++)
        g_ptr_array_add(names, (*known)->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_quote(name, 60);
    g_autofree char *fault = g_strdup_printf("there is no rule %s", shown);
    g_autofree char *message = cli_suggest(fault, name, (const char *const *)names->pdata);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_UNKNOWN, message);
    return NULL;
}

/* By number, from 1, or by template. */
static const Step *named_step(const Rule *rule, const char *word, GError **error)
{
    guint count = g_strv_length((char **)rule->steps);
    guint64 number = 0;
    if (g_ascii_string_to_unsigned(word, 10, 1, count, &number, NULL))
        return rule->steps[number - 1];
    const Step *step = config_rule_step(rule, word);
    if (step != NULL)
        return step;
    g_autofree char *shown = text_quote(word, 60);
    g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN,
                "the rule %s has no step %s; write a number from 1 to %u, or the name of a template", rule->name, shown,
                count);
    return NULL;
}

/* Without a word: what comes next for the contact, else the first. */
static const Step *find_step(const Preview *preview, const char *word, GError **error)
{
    if (word != NULL)
        return named_step(preview->rule, word, error);
    const Enrolment *enrolment = preview->enrolment;
    const Step *next = enrolment != NULL && enrolment->state == ENROLMENT_ACTIVE
                           ? config_rule_step(preview->rule, enrolment->next_step)
                           : NULL;
    return next != NULL ? next : preview->rule->steps[0];
}

static gboolean find_enrolment(Preview *preview, GError **error)
{
    g_autoptr(GPtrArray) enrolments = NULL;
    if (!store_enrolments_of(preview->cli->store, preview->contact->id, &enrolments, error))
        return FALSE;
    gint64 id = 0;
    guint round = 0;
    for (guint i = 0; i < enrolments->len; i++) {
        const Enrolment *enrolment = g_ptr_array_index(enrolments, i);
        if (!g_str_equal(enrolment->rule, preview->rule->name) || enrolment->round <= round)
            continue;
        id = enrolment->id;
        round = enrolment->round;
    }
    return id == 0 || store_enrolment_get(preview->cli->store, id, &preview->enrolment, error);
}

/* ---- composing ------------------------------------------------------------------------------------------------------- */

/* *ret_files (may be NULL): as letter_attachments(). */
static gboolean compose(const Preview *preview, const Step *step, const Thread *thread, ComposedMessage *ret_message,
                        GPtrArray **ret_files, GError **error)
{
    const char *kept = step == preview->step && thread->variant ? thread->variant : "";
    g_autoptr(GTimeZone) zone = timestamp_zone(preview->cli->config->sending.time_zone, NULL);
    g_auto(ReferralWords) referral = {0};
    guint round = preview->enrolment != NULL ? preview->enrolment->round : 1;
    if (!referral_words_read(preview->cli->config, preview->cli->store, preview->contact, preview->rule, round, &referral, error))
        return FALSE;
    const LetterInput input = {
        .referral = &referral,
        .config = preview->cli->config,
        .templates = preview->templates,
        .contact = preview->contact,
        .rule = preview->rule,
        .step = step,
        .variant = variant_choose(preview->rule, step, preview->contact->id, kept),
        .message_id = thread->message_id,
        .in_reply_to = thread->in_reply_to,
        .references = thread->references,
        .thread_subject = thread->subject,
        .token_secret = store_token_secret(preview->cli->store),
        .date_ms = preview->now_ms,
        .zone = zone,
    };
    g_autoptr(Letter) letter = letter_new(&input, error);
    if (letter == NULL || !letter_compose(letter, ret_message, error))
        return FALSE;
    if (ret_files != NULL)
        *ret_files = letter_attachments(letter);
    return TRUE;
}

static void replace(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

static char *made_up_id(const Preview *preview)
{
    const Account *account = config_account_for_owner(preview->cli->config, preview->contact->owner);
    /* an owner without account: letter_new() says so */
    return account != NULL ? mail_new_message_id(address_domain(account->from_address), preview->now_ms) : g_strdup("");
}

static const Step *step_before(const Preview *preview)
{
    const Step *before = NULL;
    for (Step **step = preview->rule->steps; *step != NULL && *step != preview->step; step++)
        before = *step;
    return before;
}

/* The thread as it will be when the step before has been sent: its subject, and a made-up Message-ID. */
static gboolean imagine_thread(const Preview *preview, Thread *thread, GError **error)
{
    const Step *before = step_before(preview);
    ComposedMessage message = {0};
    if (before == NULL)
        return TRUE;
    cli_note(preview->cli, "nothing of %s was sent to %s yet: In-Reply-To is made up", preview->rule->name,
             preview->contact->email);
    if (!compose(preview, before, thread, &message, NULL, error))
        return FALSE;
    replace(&thread->subject, message.subject);
    replace(&thread->in_reply_to, thread->message_id);
    replace(&thread->references, thread->message_id);
    replace(&thread->message_id, "");
    composed_message_clear(&message);
    return TRUE;
}

/* What was sent last of the enrolment is answered, as the scheduler will decide it. */
static gboolean follow_last_sent(const Preview *preview, Thread *thread, GError **error)
{
    g_autoptr(OutboxMessage) last = NULL;
    if (preview->enrolment != NULL && !store_outbox_last_sent(preview->cli->store, preview->enrolment->id, &last, error))
        return FALSE;
    if (last == NULL || g_str_equal(last->step, preview->step->template_name))
        return imagine_thread(preview, thread, error);
    replace(&thread->subject, last->subject);
    replace(&thread->in_reply_to, last->message_id);
    g_free(thread->references);
    thread->references = g_strstrip(g_strjoin(" ", last->references, last->message_id, NULL));
    return TRUE;
}

/* The row of the step, where it was decided already. */
static gboolean take_row(const Preview *preview, Thread *thread, gboolean *ret_found, GError **error)
{
    g_autoptr(OutboxMessage) row = NULL;
    g_autoptr(OutboxMessage) answered = NULL;
    Store *store = preview->cli->store;
    *ret_found = FALSE;
    if (preview->enrolment == NULL)
        return TRUE;
    if (!store_outbox_find_step(store, preview->enrolment->id, preview->step->template_name, &row, error))
        return FALSE;
    if (row == NULL)
        return TRUE;
    replace(&thread->message_id, row->message_id);
    replace(&thread->variant, row->variant);
    replace(&thread->in_reply_to, row->in_reply_to);
    replace(&thread->references, row->references);
    if (row->in_reply_to[0] != '\0' && !store_outbox_find_by_message_id(store, row->in_reply_to, &answered, error))
        return FALSE;
    replace(&thread->subject, answered != NULL ? answered->subject : "");
    *ret_found = TRUE;
    return TRUE;
}

static gboolean make_thread(const Preview *preview, Thread *thread, GError **error)
{
    gboolean found = FALSE;
    thread->message_id = made_up_id(preview);
    thread->in_reply_to = g_strdup("");
    thread->references = g_strdup("");
    thread->subject = g_strdup("");
    if (!take_row(preview, thread, &found, error) ||
        (!found && preview->step->same_thread && !follow_last_sent(preview, thread, error)))
        return FALSE;
    if (thread->message_id[0] == '\0') {
        g_free(thread->message_id);
        thread->message_id = made_up_id(preview);
    }
    return TRUE;
}

static gboolean prepare(Preview *preview, char **words, const char *step_word, GError **error)
{
    if (!cli_open_store(preview->cli, CLI_STORE_READ, error))
        return FALSE;
    preview->now_ms = control_now_ms(preview->cli->config);
    preview->rule = find_rule(preview->cli, words[0], error);
    preview->contact = preview->rule != NULL ? cli_find_contact(preview->cli, words[1], error) : NULL;
    if (preview->contact == NULL || !find_enrolment(preview, error))
        return FALSE;
    preview->step = find_step(preview, step_word, error);
    if (preview->step == NULL)
        return FALSE;
    preview->templates = templates_load(preview->cli->config, NULL, error);
    return preview->templates != NULL;
}

static void preview_clear(Preview *preview)
{
    contact_free(preview->contact);
    g_clear_pointer(&preview->enrolment, enrolment_free);
    g_clear_pointer(&preview->templates, templates_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Preview, preview_clear)

/* ---- the command ----------------------------------------------------------------------------------------------------- */

static void print_files(Cli *cli, const GPtrArray *files)
{
    for (guint i = 0; files != NULL && i < files->len; i++) {
        const MailFile *file = files->pdata[i];
        g_autofree char *size = g_format_size(file->size);
        g_autofree char *name = text_escape(file->name, 0);
        fprintf(cli->out, "%sAttached: %s (%s)\n", i == 0 ? "\n" : "", name, size);
    }
}

static void add_files(JsonObject *object, const GPtrArray *files)
{
    if (files == NULL)
        return;
    JsonArray *names = json_array_new();
    for (guint i = 0; i < files->len; i++)
        json_array_add_string_element(names, ((const MailFile *)files->pdata[i])->name);
    json_object_set_array_member(object, "attachments", names);
}

static void print_message(Cli *cli, const ComposedMessage *message, const GPtrArray *files, gboolean as_text)
{
    gsize length = 0;
    const char *bytes = g_bytes_get_data(message->bytes, &length);
    g_autofree char *raw = g_strndup(bytes, length); /* 7-bit clean, as composed_message promises */
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "subject", message->subject);
        json_object_set_string_member(object, "text", message->text);
        json_object_set_string_member(object, "message", raw);
        add_files(object, files);
        cli_print_json(cli, object);
    } else if (as_text) {
        /* the values may have come with a mail */
        g_autofree char *subject = text_escape(message->subject, 0);
        fprintf(cli->out, "Subject: %s\n\n", subject);
        terminal_print_text(cli->out, message->text, 0, cli->columns);
        print_files(cli, files);
    } else {
        fwrite(bytes, 1, length, cli->out);
    }
}

int command_preview(Cli *cli, char **words)
{
    g_autofree char *step_word = NULL;
    gboolean as_text = FALSE;
    const GOptionEntry entries[] = {
        {"step", 's', 0, G_OPTION_ARG_STRING, &step_word,
         "Its number or its template (default: what comes next, else the first)", "STEP"},
        {"text", 0, 0, G_OPTION_ARG_NONE, &as_text, "Subject and text alone, to read", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    ComposedMessage message = {0};
    g_auto(Preview) preview = {.cli = cli};
    g_auto(Thread) thread = {0};
    g_autoptr(GPtrArray) files = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 2, 2, &status);
    if (rest == NULL)
        return status;
    if (!prepare(&preview, rest, step_word, &error) || !make_thread(&preview, &thread, &error) ||
        !compose(&preview, preview.step, &thread, &message, &files, &error))
        return cli_failed_by(cli, error);
    print_message(cli, &message, files, as_text);
    composed_message_clear(&message);
    return CLI_DONE;
}
