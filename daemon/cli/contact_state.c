/*
 * nurture contact pause / resume / forget.
 */
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/terminal.h"
#include "engine/control.h"
#include "store/suppressions.h"

/* ---- pause, resume --------------------------------------------------------------------------------------------------- */

/* Until when the words say, in the contact's zone; NULL: until resumed. */
static gboolean read_until(Cli *cli, const Contact *contact, const char *until, gint64 now_ms, gint64 *ret_until_ms,
                           GError **error)
{
    *ret_until_ms = G_MAXINT64;
    if (until == NULL)
        return TRUE;
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    if (!timestamp_parse(until, zone, ret_until_ms, error)) {
        g_prefix_error(error, "--until: ");
        return FALSE;
    }
    if (*ret_until_ms > now_ms)
        return TRUE;
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "--until: %s has passed; write a day to come", until);
    return FALSE;
}

static int set_pause(Cli *cli, const Contact *contact, gint64 until_ms, gint64 now_ms, const char *what)
{
    GError *error = NULL;
    if (!store_contact_pause(cli->store, contact->id, until_ms, now_ms, &error))
        return cli_failed_by(cli, error);
    control_knock(cli->config);
    cli_tell(cli, contact->email, what);
    return CLI_DONE;
}

int contact_command_pause(Cli *cli, char **words)
{
    g_autofree char *until = NULL;
    const GOptionEntry entries[] = {
        {"until", 0, 0, G_OPTION_ARG_STRING, &until, "Until when (default: until resumed)", "DATE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    gint64 until_ms = 0;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config);
    if (!read_until(cli, contact, until, now_ms, &until_ms, &error))
        return cli_failed_by(cli, error);
    g_autofree char *what = until != NULL ? g_strdup_printf("paused until %s", until) : g_strdup("paused until resumed");
    return set_pause(cli, contact, until_ms, now_ms, what);
}

int contact_command_resume(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config);
    return set_pause(cli, contact, 0, now_ms, contact_pause(contact, now_ms) != 0 ? "resumed" : "was not paused");
}

/* ---- forget ---------------------------------------------------------------------------------------------------------- */

static gboolean is_confirmed(Cli *cli, const char *email)
{
    char answer[16] = "";
    fprintf(cli->err, "Erase %s with history, rules and queue? There is no way back. Write yes: ", email);
    fflush(cli->err);
    return fgets(answer, sizeof(answer), stdin) != NULL && g_str_equal(g_strstrip(answer), "yes");
}

static gboolean suppress_all(Cli *cli, const Contact *contact, GError **error)
{
    g_auto(GStrv) aliases = NULL;
    Suppression suppression = {
        .address = contact->email, .reason = "manual", .detail = "", .at_ms = control_now_ms(cli->config)};
    if (!store_suppression_add(cli->store, &suppression, error) ||
        !store_contact_aliases(cli->store, contact->id, &aliases, error))
        return FALSE;
    for (char **alias = aliases; *alias != NULL; alias++) {
        suppression.address = *alias;
        if (!store_suppression_add(cli->store, &suppression, error))
            return FALSE;
    }
    return TRUE;
}

/* What is suppressed first is kept as a digest. */
static gboolean forget(Cli *cli, const Contact *contact, gboolean suppress, GError **error)
{
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    return transaction != NULL && (!suppress || suppress_all(cli, contact, error)) &&
           store_contact_forget(cli->store, contact->id, error) && store_commit(g_steal_pointer(&transaction), error);
}

/* They are erased whatever comes of it: what is left is in the log of the database, where nothing reads it. */
static void erase_traces(Cli *cli)
{
    g_autoptr(GError) error = NULL;
    gboolean done = FALSE;
    if (!store_erase_traces(cli->store, &done, &error))
        cli_note(cli, "the database's log may still hold what was erased: %s", error->message);
    else if (!done)
        cli_note(cli, "the database's log may still hold what was erased, since it was in use all the time; it is gone when the log is next emptied, "
                      "which nurture contact forget of anybody, or a restart of nurtured, does");
}

int contact_command_forget(Cli *cli, char **words)
{
    gboolean yes = FALSE, suppress = FALSE;
    const GOptionEntry entries[] = {
        {"yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
        {"suppress", 0, 0, G_OPTION_ARG_NONE, &suppress, "Never mail them again, should they be added again", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (!yes && !terminal_is(stdin))
        return cli_wrong_usage(cli, "nobody can be asked here; write --yes to erase without a question");
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    if (!yes && !is_confirmed(cli, contact->email))
        return cli_failed(cli, "%s was not erased", contact->email);
    if (!forget(cli, contact, suppress, &error))
        return cli_failed_by(cli, error);
    control_knock(cli->config);
    erase_traces(cli);
    cli_tell(cli, contact->email, "erased");
    return CLI_DONE;
}
