/*
 * nurture pause / resume [ACCOUNT]: stops sending, of all accounts or of one, until it is resumed; kept over restarts.
 */
#include "cli/command.h"
#include "engine/control.h"

enum { ANSWER_TIMEOUT_MS = 60000 };

static int ask(Cli *cli, char **words, const char *command, const char *done_all, const char *done_one)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 1, &status);
    if (!rest)
        return status;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", command);
    if (rest[0])
        json_object_set_string_member(request, "account", rest[0]);
    g_autoptr(JsonObject) answer = control_call(cli->config, request, ANSWER_TIMEOUT_MS, &error);
    if (!answer)
        return cli_failed_by(cli, error);
    if (cli->json)
        cli_print_json(cli, json_object_ref(answer));
    else if (rest[0])
        fprintf(cli->out, "%s: %s\n", rest[0], done_one);
    else
        fprintf(cli->out, "%s\n", done_all);
    return CLI_DONE;
}

int command_pause(Cli *cli, char **words)
{
    return ask(cli, words, "pause", "all sending is paused; nurture resume ends it", "sending is paused; nurture resume ACCOUNT ends it");
}

int command_resume(Cli *cli, char **words)
{
    return ask(cli, words, "resume", "sending goes on", "sending goes on, where not all sending is paused");
}
