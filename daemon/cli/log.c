/*
 * nurture log EMAIL note|call|meeting|complaint TEXT: adds a fact to the history. A rule may stop by it, so the contact is marked in the
 * same transaction.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "engine/control.h"
#include "store/history.h"
#include "store/marks.h"

enum { TEXT_MAX_BYTES = 64 * 1024 };

static gboolean refuse(GError **error, const char *message)
{
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
    return FALSE;
}

static char *read_stdin(GError **error)
{
    g_autofree char *buffer = g_malloc(TEXT_MAX_BYTES + 2);
    gsize length = fread(buffer, 1, TEXT_MAX_BYTES + 1, stdin);
    buffer[length] = '\0';
    if (strlen(buffer) == length)
        return g_steal_pointer(&buffer);
    refuse(error, "standard input has zero bytes; write plain text");
    return NULL;
}

static gboolean check_text(const char *text, GError **error)
{
    if (text[0] == '\0')
        return refuse(error, "the text is empty; write what was said, or - to read it from standard input");
    if (strlen(text) > TEXT_MAX_BYTES)
        return refuse(error, "the text is longer than 64 KiB; write a shorter one");
    if (!g_utf8_validate(text, -1, NULL))
        return refuse(error, "the text is not valid UTF-8; write it in UTF-8");
    return TRUE;
}

/* The words behind the kind, or standard input for "-"; NULL and an error where there is no text. Caller frees. */
static char *text_of(char **words, GError **error)
{
    gboolean from_stdin = g_str_equal(words[0], "-") && words[1] == NULL;
    g_autofree char *text = from_stdin ? read_stdin(error) : g_strjoinv(" ", words);
    if (text == NULL || !check_text(g_strstrip(text), error))
        return NULL;
    return g_steal_pointer(&text);
}

static gboolean add_to_history(Cli *cli, const Contact *contact, InteractionKind kind, const char *text, GError **error)
{
    const Interaction interaction = {
        .contact_id = contact->id, .at_ms = control_now_ms(cli->config), .kind = kind, .text = text};
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    return transaction != NULL && store_history_add(cli->store, &interaction, NULL, error) &&
           store_mark(cli->store, contact->id, error) && store_commit(g_steal_pointer(&transaction), error);
}

int command_log(Cli *cli, char **words)
{
    static const char *const kinds[] = {"note", "call", "meeting", "complaint", NULL};
    GError *error = NULL;
    InteractionKind kind;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 3, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (!g_strv_contains(kinds, rest[1]) || !interaction_kind_parse(rest[1], &kind)) {
        g_autofree char *shown = text_quote(rest[1], 60);
        g_autofree char *fault = g_strdup_printf("%s is nothing that can be logged", shown);
        g_autofree char *message = cli_suggest(fault, rest[1], kinds);
        return cli_wrong_usage(cli, "%s", message);
    }
    g_autofree char *text = text_of(rest + 2, &error);
    if (text == NULL)
        return cli_failed_by(cli, error);
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL || !add_to_history(cli, contact, kind, text, &error))
        return cli_failed_by(cli, error);
    control_knock(cli->config);
    g_autofree char *what = g_strdup_printf("%s added", rest[1]);
    cli_tell(cli, contact->email, what);
    return CLI_DONE;
}
