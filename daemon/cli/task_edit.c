/*
 * nurture task add / done / reopen / set. Each change is told on the contact's history but for another day, owner or text.
 */
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "cli/facts.h"
#include "cli/task_words.h"
#include "engine/control.h"

enum { TEXT_MAX_BYTES = 2000 };

/* One line; NULL where it cannot be taken. Caller frees. */
static char *task_text(const char *text, GError **error)
{
    g_autofree char *line = g_utf8_validate(text, -1, NULL) ? text_one_line(text) : NULL;
    if (line == NULL)
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, "the text is not valid UTF-8; write it in UTF-8");
    else if (*line == '\0')
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, "the text is empty; write what is to be done");
    else if (strlen(line) > TEXT_MAX_BYTES)
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "the text is longer than %d bytes; write a line, and the rest with nurture log",
                    TEXT_MAX_BYTES);
    else
        return g_steal_pointer(&line);
    return NULL;
}

static gboolean due_time(Cli *cli, const char *due, gint64 now_ms, gint64 *ret_due_ms, GError **error)
{
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    if (task_due_parse(due, now_ms, zone, ret_due_ms, error))
        return TRUE;
    g_prefix_error(error, "--due: ");
    return FALSE;
}

static gboolean find(Cli *cli, const char *word, OwnerTask **ret_task, GError **error)
{
    gint64 id = 0;
    if (!cli_id_parse(word, "task", &id, error) || !store_task_get(cli->store, id, ret_task, error))
        return FALSE;
    if (*ret_task == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "there is no task %s; nurture task list --all lists them", word);
    return *ret_task != NULL;
}

static void show(Cli *cli, const OwnerTask *task, const char *what)
{
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    g_autofree char *due = task_due_text(task->due_ms, zone);
    if (cli->json)
        cli_print_json(cli, task_object(task));
    else
        fprintf(cli->out, "%" G_GINT64_FORMAT ": %s for %s %s%s%s\n", task->id, task->text, task->email, what,
                task->done_ms == 0 && *due ? ", due " : "", task->done_ms == 0 ? due : "");
}

static int show_now(Cli *cli, gint64 id, const char *what)
{
    GError *error = NULL;
    g_autoptr(OwnerTask) task = NULL;
    if (!store_task_get(cli->store, id, &task, &error))
        return cli_failed_by(cli, error);
    if (task != NULL) /* else erased at this moment */
        show(cli, task, what);
    return CLI_DONE;
}

/* ---- add -------------------------------------------------------------------------------------------------------------- */

/* Whose it is: as asked, else the contact's owner, else who writes to them. */
static const char *owner_of(Cli *cli, const Contact *contact, const char *asked, GError **error)
{
    if (asked != NULL)
        return contact_owner_named(cli->config, asked, error);
    const Account *account = config_account_for_owner(cli->config, contact->owner);
    return account != NULL ? account->name : contact->owner;
}

static int add(Cli *cli, const char *email, const char *text, const char *due, const char *asked_owner)
{
    GError *error = NULL;
    gint64 due_ms = 0, id = 0;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, email, &error);
    const char *owner = contact != NULL ? owner_of(cli, contact, asked_owner, &error) : NULL;
    if (owner == NULL)
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config);
    if (!due_time(cli, due, now_ms, &due_ms, &error))
        return cli_failed_by(cli, error);
    const OwnerTask task = {.contact_id = contact->id,
                       .owner = (char *)owner,
                       .text = (char *)text,
                       .source = (char *)TASK_BY_HAND,
                       .due_ms = due_ms,
                       .created_ms = now_ms};
    if (!store_task_add(cli->store, &task, NULL, &id, &error))
        return cli_failed_by(cli, error);
    return show_now(cli, id, "added");
}

int task_command_add(Cli *cli, char **words)
{
    g_autofree char *due = NULL, *owner = NULL;
    const GOptionEntry entries[] = {
        {"due", 0, 0, G_OPTION_ARG_STRING, &due, "By when: a date, today, tomorrow, friday, \"3 days\", or none", "DATE"},
        {"owner", 0, 0, G_OPTION_ARG_STRING, &owner, "Who is to do it (default: the contact's owner)", "ACCOUNT"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 2, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (due == NULL)
        return cli_wrong_usage(cli, "by when is it to be done? Write --due DATE, or --due none");
    g_autofree char *words_joined = g_strjoinv(" ", rest + 1);
    g_autofree char *text = task_text(words_joined, &error);
    return text != NULL ? add(cli, rest[0], text, due, owner) : cli_failed_by(cli, error);
}

/* ---- done, reopen ----------------------------------------------------------------------------------------------------- */

static gboolean set_done(Cli *cli, const char *word, gboolean done, const char *note, GError **error)
{
    g_autoptr(OwnerTask) task = NULL;
    gboolean changed = FALSE;
    gint64 now_ms = control_now_ms(cli->config);
    if (!find(cli, word, &task, error) ||
        !store_task_set_done(cli->store, task->id, done ? now_ms : 0, note, now_ms, &changed, error))
        return FALSE;
    return show_now(cli, task->id, changed ? (done ? "done" : "to be done again") : (done ? "was done already" : "was open")) == CLI_DONE;
}

/* Each on its own: one that cannot be found does not keep the others. */
static int set_all_done(Cli *cli, char **ids, gboolean done, const char *note)
{
    GError *error = NULL;
    int status = CLI_DONE;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    for (char **id = ids; *id != NULL; id++)
        if (!set_done(cli, *id, done, note, &error))
            status = cli_failed_by(cli, g_steal_pointer(&error));
    return status;
}

int task_command_done(Cli *cli, char **words)
{
    g_autofree char *note = NULL;
    const GOptionEntry entries[] = {
        {"note", 0, 0, G_OPTION_ARG_STRING, &note, "What came of it, for the history", "TEXT"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    g_autofree char *text = note != NULL ? task_text(note, &error) : NULL;
    if (error != NULL) {
        g_prefix_error(&error, "--note: ");
        return cli_failed_by(cli, error);
    }
    return set_all_done(cli, rest, TRUE, text);
}

int task_command_reopen(Cli *cli, char **words)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, G_MAXUINT, &status);
    return rest != NULL ? set_all_done(cli, rest, FALSE, NULL) : status;
}

/* ---- set -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *due, *owner, *text;
} Wish;

static void wish_clear(Wish *wish)
{
    g_free(wish->due);
    g_free(wish->owner);
    g_free(wish->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wish, wish_clear)

static gboolean lay_wish(Cli *cli, const Wish *wish, OwnerTask *task, GError **error)
{
    if (wish->due != NULL && !due_time(cli, wish->due, control_now_ms(cli->config), &task->due_ms, error))
        return FALSE;
    if (wish->owner != NULL) {
        const char *owner = contact_owner_named(cli->config, wish->owner, error);
        if (owner == NULL)
            return FALSE;
        text_replace(&task->owner, owner);
    }
    if (wish->text != NULL) {
        g_autofree char *text = task_text(wish->text, error);
        if (text == NULL)
            return FALSE;
        text_replace(&task->text, text);
    }
    return TRUE;
}

int task_command_set(Cli *cli, char **words)
{
    g_auto(Wish) wish = {0};
    const GOptionEntry entries[] = {
        {"due", 0, 0, G_OPTION_ARG_STRING, &wish.due, "By when", "DATE"},
        {"owner", 0, 0, G_OPTION_ARG_STRING, &wish.owner, "Who is to do it", "ACCOUNT"},
        {"text", 0, 0, G_OPTION_ARG_STRING, &wish.text, "What is to be done", "TEXT"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(OwnerTask) task = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (wish.due == NULL && wish.owner == NULL && wish.text == NULL)
        return cli_wrong_usage(cli, "nothing is to be changed; write --due, --owner or --text");
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error) || !find(cli, rest[0], &task, &error) || !lay_wish(cli, &wish, task, &error) ||
        !store_task_update(cli->store, task, &error))
        return cli_failed_by(cli, error);
    show(cli, task, "changed");
    return CLI_DONE;
}
