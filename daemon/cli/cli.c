/*
 * The dispatcher: finds the command among the words, and runs it. `nurture -c FILE COMMAND …`; one command a process.
 */
#include "cli/cli.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"

static const Command commands[] = {
    {"check", "", "Checks the configuration and every template; all faults at once", command_check, NULL, NULL},
    {"import", "FILE.csv [--dry-run]", "Adds or updates contacts by address, from a CSV file", command_import, NULL, NULL},
    {"contact", "add|show|list|set|stage|tag|pause|resume|forget|export …", "One person", NULL, contact_subcommands, NULL},
    {"history", "EMAIL", "Everything that happened with a person, oldest first", command_history, NULL, NULL},
    {"log", "EMAIL note|call|meeting TEXT", "Adds to the history", command_log, NULL, NULL},
    {"queue", "[list [--all] | approve | hold | cancel | retry ID…]", "What is queued, held, uncertain or failed, and why", NULL, queue_subcommands, "list"},
    {"preview", "RULE EMAIL [--step N]", "The message exactly as it would be sent", command_preview, NULL, NULL},
    {"read", "FILE…", "How an inbound message is understood; - reads standard input", command_read, NULL, NULL},
    {"status", "", "What the running daemon does", command_status, NULL, NULL},
    {"reload", "", "Puts the changed configuration and templates into force", command_reload, NULL, NULL},
    {"pause", "", "Stops all sending until `nurture resume`", command_pause, NULL, NULL},
    {"resume", "", "Ends `nurture pause`", command_resume, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static const Command *find(const Command *list, const char *name)
{
    for (; list->name; list++)
        if (g_str_equal(list->name, name))
            return list;
    return NULL;
}

static void print_help(FILE *file, const char *path, const Command *list)
{
    fprintf(file, "usage: %s%s COMMAND …\n\n", path, list == commands ? " [-c FILE]" : "");
    for (const Command *command = list; command->name; command++)
        fprintf(file, "  %-8s  %s\n", command->name, command->summary);
    fprintf(file, "\nMore on one: %s COMMAND --help. With --json the results are one JSON object a line.\n", path);
}

static int unknown(Cli *cli, const Command *list, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const Command *command = list; command->name; command++)
        g_ptr_array_add(names, (gpointer)command->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_escape(word, 60);
    g_autofree char *fault = g_strdup_printf("there is no command \"%s\"", shown);
    g_autofree char *message = cli_suggest(fault, word, (const char *const *)names->pdata);
    return cli_wrong_usage(cli, "%s", message);
}

static void extend_path(Cli *cli, const char *word)
{
    char *path = g_strconcat(cli->path, " ", word, NULL);
    g_free(cli->path);
    cli->path = path;
}

static int dispatch(Cli *cli, const Command *list, char **words, const char *default_name)
{
    const char *name = words[0] && words[0][0] != '-' ? words[0] : default_name;
    if (!name && words[0] && (g_str_equal(words[0], "--help") || g_str_equal(words[0], "-h"))) {
        print_help(cli->out, cli->path, list);
        return CLI_DONE;
    }
    if (!name)
        return cli_wrong_usage(cli, "no command is named");
    const Command *command = find(list, name);
    gboolean by_default = name != words[0];
    if (!command)
        return unknown(cli, list, name);
    cli->command = command;
    extend_path(cli, command->name);
    char **rest = by_default ? words : words + 1;
    if (command->subcommands)
        return dispatch(cli, command->subcommands, rest, command->default_subcommand);
    return command->run(cli, rest);
}

static int run(Cli *cli, char **words)
{
    gboolean version = FALSE;
    int status = CLI_DONE;
    if (words[0] && (g_str_equal(words[0], "--help") || g_str_equal(words[0], "-h") || g_str_equal(words[0], "help"))) {
        print_help(cli->out, cli->path, commands);
        return CLI_DONE;
    }
    const GOptionEntry entries[] = {
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and end", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) rest = cli_parse_leading(cli, words, entries, &status);
    if (!rest)
        return status;
    if (version) {
        fprintf(cli->out, "nurture %s\n", NURTURE_VERSION);
        return CLI_DONE;
    }
    return dispatch(cli, commands, rest, NULL);
}

int cli_run(char **argv, FILE *out, FILE *err)
{
    Cli cli;
    cli_context_init(&cli, out, err);
    int status = argv[0] && argv[1] ? run(&cli, argv + 1) : cli_wrong_usage(&cli, "no command is named");
    cli_context_clear(&cli);
    if (fflush(out) != 0 && status == CLI_DONE)
        status = CLI_FAILED; /* the disk is full, or nobody reads */
    return status;
}
