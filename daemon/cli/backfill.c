/*
 * nurture backfill ACCOUNT --days N: files old conversation with known people, without any effect.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "engine/backfill.h"

enum { DAYS_MOST = 3660 };

static void on_progress(guint64 done, guint64 total, gpointer data)
{
    progress_update(data, done, total);
}

static int tell(Cli *cli, const Account *account, const BackfillResult *result)
{
    if (!cli->json) {
        fprintf(cli->out, "%s: %" G_GUINT64_FORMAT " messages read, %" G_GUINT64_FORMAT " filed\n", account->name, result->read, result->filed);
        return CLI_DONE;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "account", account->name);
    json_object_set_int_member(object, "read", (gint64)result->read);
    json_object_set_int_member(object, "filed", (gint64)result->filed);
    cli_print_json(cli, object);
    return CLI_DONE;
}

static int run(Cli *cli, const Account *account, const char *folder, int days)
{
    GError *error = NULL;
    BackfillResult result = {0};
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    Progress *progress = cli->json ? NULL : progress_new(cli->err, "reading");
    const BackfillSetup setup = {.config = cli->config, .store = cli->store, .account = account, .program = program ? program : "/proc/self/exe",
                                 .folder = folder, .days = days, .on_progress = progress ? on_progress : NULL, .data = progress};
    gboolean ok = backfill_run(&setup, &result, &error);
    progress_finish(progress);
    tell(cli, account, &result);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

int command_backfill(Cli *cli, char **words)
{
    gint days = 0;
    g_autofree char *folder = NULL;
    const GOptionEntry entries[] = {
        {"days", 0, 0, G_OPTION_ARG_INT, &days, "How many days back", "N"},
        {"folder", 0, 0, G_OPTION_ARG_STRING, &folder, "This folder alone (default: those of the account, and the one for sent mail)", "NAME"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (days < 1 || days > DAYS_MOST)
        return cli_wrong_usage(cli, "how far back? Write --days N, from 1 to %d", DAYS_MOST);
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    const Account *account = config_account(cli->config, rest[0]);
    g_autofree char *shown = text_quote(rest[0], 60);
    if (account == NULL)
        return cli_failed(cli, "there is no account %s; nurture account list lists them", shown);
    if (!account->has_imap)
        return cli_failed(cli, "account %s has no imap, so that there is nothing to read; write imap = { … } or take another", shown);
    return run(cli, account, folder, days);
}
