/*
 * nurture preview RULE EMAIL [--step N]: the message exactly as it would be sent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "engine/control.h"
#include "engine/letter.h"
#include "engine/templates.h"
#include "mail/address.h"
#include "mail/compose.h"

static const Rule *find_rule(Cli *cli, const char *name, GError **error)
{
    const Rule *rule = config_rule(cli->config, name);
    if (rule)
        return rule;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Rule **known = cli->config->rules; *known; known++)
        g_ptr_array_add(names, (*known)->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_escape(name, 60);
    g_autofree char *fault = g_strdup_printf("there is no rule \"%s\"", shown);
    g_autofree char *message = cli_suggest(fault, name, (const char *const *)names->pdata);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_UNKNOWN, message);
    return NULL;
}

/* By number, from 1, or by template; NULL: the first. */
static const Step *find_step(const Rule *rule, const char *word, GError **error)
{
    gint64 number = 0;
    guint count = g_strv_length((char **)rule->steps);
    if (!word)
        return rule->steps[0];
    if (g_ascii_string_to_signed(word, 10, 1, count, &number, NULL))
        return rule->steps[number - 1];
    const Step *step = config_rule_step(rule, word);
    g_autofree char *shown = text_escape(word, 60);
    if (!step)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "rule \"%s\" has no step \"%s\"; write a number from 1 to %u, or the name of its template",
                    rule->name, shown, count);
    return step;
}

static gboolean compose(Cli *cli, const Contact *contact, const Rule *rule, const Step *step, ComposedMessage *message, GError **error)
{
    g_autoptr(TemplateSet) templates = templates_load(cli->config, NULL, error);
    const Account *account = config_account_for_owner(cli->config, contact->owner);
    g_autofree char *id = account ? mail_new_message_id(address_domain(account->from_address)) : g_strdup("");
    if (!templates)
        return FALSE;
    const LetterInput input = {
        .config = cli->config,
        .templates = templates,
        .contact = contact,
        .rule = rule,
        .step = step,
        .message_id = id,
        .in_reply_to = "",
        .references = "",
        .thread_subject = "",
        .token_secret = store_token_secret(cli->store),
        .date_ms = control_now_ms(cli->config),
    };
    g_autoptr(Letter) letter = letter_new(&input, error);
    return letter && letter_compose(letter, message, error);
}

static void print_message(Cli *cli, const ComposedMessage *message, gboolean as_text)
{
    gsize length = 0;
    const char *bytes = g_bytes_get_data(message->bytes, &length);
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "subject", message->subject);
        json_object_set_string_member(object, "text", message->text);
        json_object_set_string_member(object, "message", bytes ? bytes : "");
        cli_print_json(cli, object);
    } else if (as_text) {
        fprintf(cli->out, "Subject: %s\n\n%s", message->subject, message->text);
    } else {
        fwrite(bytes, 1, length, cli->out);
    }
}

int command_preview(Cli *cli, char **words)
{
    g_autofree char *step_word = NULL;
    gboolean as_text = FALSE;
    const GOptionEntry entries[] = {
        {"step", 's', 0, G_OPTION_ARG_STRING, &step_word, "Which step: its number, or its template (default: the first)", "N"},
        {"text", 0, 0, G_OPTION_ARG_NONE, &as_text, "Subject and text alone, to read", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    ComposedMessage message = {0};
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 2, 2, &status);
    if (!rest)
        return status;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    const Rule *rule = find_rule(cli, rest[0], &error);
    const Step *step = rule ? find_step(rule, step_word, &error) : NULL;
    g_autoptr(Contact) contact = step ? cli_find_contact(cli, rest[1], &error) : NULL;
    if (!contact || !compose(cli, contact, rule, step, &message, &error))
        return cli_failed_by(cli, error);
    print_message(cli, &message, as_text);
    composed_message_clear(&message);
    return CLI_DONE;
}
