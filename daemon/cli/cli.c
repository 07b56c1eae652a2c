/*
 * The dispatcher: finds the command among the words, and runs it. `nurture -c FILE COMMAND …`; one command a process.
 */
#include "cli/cli.h"

#include <errno.h>

#include "base/text.h"
#include "cli/command.h"

static int command_help(Cli *cli, char **words);

static const Command commands[] = {
    {"check", "", "Checks the configuration and every template; all faults at once", command_check, NULL, NULL},
    {"import", "FILE.csv [--dry-run]", "Adds or updates contacts by address, from a CSV file", command_import, NULL, NULL},
    {"contact", "add|show|list|set|stage|tag|alias|score|pause|resume|forget|export …", "One person", NULL, contact_subcommands, NULL},
    {"company", "list | show NAME | set NAME [--time-zone ZONE] [KEY=VALUE …]", "What the people of one company have in common",
     NULL, company_subcommands, "list"},
    {"history", "EMAIL", "Everything that happened with a person, oldest first", command_history, NULL, NULL},
    {"log", "EMAIL note|call|meeting|complaint TEXT", "Adds to the history; - reads the text from standard input", command_log, NULL,
     NULL},
    {"task", "[list | add EMAIL TEXT --due DATE | done ID… | reopen ID… | set ID …]", "What the owners are to do, and by when", NULL,
     task_subcommands, "list"},
    {"report", "funnel|stages|rules|owners|referrals [--from DATE] [--to DATE] [--owner ACCOUNT] [--csv]",
     "Numbers: the pipeline, what rules and owners achieve, referrals", NULL, report_subcommands, NULL},
    {"proposal", "[list [--all] | show ID | accept ID | decline ID]", "Who has left, and who has a new address, as their mail says", NULL,
     proposal_subcommands, "list"},
    {"referral", "[list | show ID | add EMAIL … | accept ID… | decline ID… | tree [EMAIL]]",
     "Who introduced whom, and what became of it", NULL, referral_subcommands, "list"},
    {"queue", "[list [--all] | approve ID… | hold ID… | cancel ID… | retry ID…]",
     "What is queued, held, uncertain or failed, and why", NULL, queue_subcommands, "list"},
    {"suppression", "[list | add ADDRESS|@DOMAIN… | remove ADDRESS|@DOMAIN… | import FILE.csv | export]",
     "Addresses and domains that are never mailed, and why", NULL, suppression_subcommands, "list"},
    {"account", "[list | authorize NAME]", "The accounts: how each signs in, and allowing it", NULL, account_subcommands, "list"},
    {"forecast", "[--days N] [--by VIEW | --calendar] [--contact EMAIL] [--rule NAME] [--config NEW]",
     "What would leave in the days to come, or what another configuration would change",
     command_forecast, NULL, NULL},
    {"why", "EMAIL", "For each rule: enrolled or not, and what stands before the next step", command_why, NULL, NULL},
    {"preview", "RULE EMAIL [--step STEP]", "The message exactly as it would be sent", command_preview, NULL, NULL},
    {"read", "FILE…", "How an inbound message is understood; - reads standard input", command_read, NULL, NULL},
    {"backfill", "ACCOUNT --days N [--folder NAME]", "Files old conversation with known people; nothing follows from it", command_backfill, NULL, NULL},
    {"status", "", "What the running daemon does", command_status, NULL, NULL},
    {"doctor", "[ACCOUNT] [--canary]", "Looks at all that sending depends on: store, clock, DNS, servers, folders, templates", command_doctor, NULL, NULL},
    {"reload", "[--dry-run]", "Puts the changed configuration and templates into force", command_reload, NULL, NULL},
    {"pause", "[ACCOUNT]", "Stops sending, of all accounts or one, until nurture resume", command_pause, NULL, NULL},
    {"resume", "[ACCOUNT]", "Ends nurture pause, and the pause of an account that stopped itself", command_resume, NULL, NULL},
    {"help", "[COMMAND]", "This list, or more on one command", command_help, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* ---- help ------------------------------------------------------------------------------------------------------------ */

/* default_name: what is taken where no command is named; NULL: one must be. */
static void print_list(Cli *cli, const Command *list, const char *default_name)
{
    gboolean top = list == commands;
    fprintf(cli->out, "usage: %s%s COMMAND …\n\n", cli->path, top ? " [-c FILE]" : "");
    for (const Command *command = list; command->name != NULL; command++)
        fprintf(cli->out, "  %-11s  %s\n", command->name, command->summary);
    fprintf(cli->out, "\nMore on one: %s COMMAND --help. With --json, results are one JSON object a line.\n", cli->path);
    if (default_name != NULL)
        fprintf(cli->out, "Without COMMAND: %s.\n", default_name);
    if (top)
        fprintf(cli->out, "FILE is the configuration; without -c, $NURTURE_CONFIG, then /etc/nurtured/nurtured.conf.\n");
}

static gboolean is_help(const char *word)
{
    return g_str_equal(word, "--help") || g_str_equal(word, "-h");
}

/* ---- finding the command --------------------------------------------------------------------------------------------- */

static const Command *find(const Command *list, const char *name)
{
    for (; list->name != NULL; list++)
        if (g_str_equal(list->name, name))
            return list;
    return NULL;
}

static int tell_unknown(Cli *cli, const Command *list, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const Command *command = list; command->name != NULL; command++)
        g_ptr_array_add(names, (gpointer)command->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_quote(word, 60);
    g_autofree char *fault = g_strdup_printf("there is no command %s", shown);
    g_autofree char *message = cli_suggest(fault, word, (const char *const *)names->pdata);
    return cli_wrong_usage(cli, "%s", message);
}

static void enter(Cli *cli, const Command *command)
{
    char *path = g_strconcat(cli->path, " ", command->name, NULL);
    g_free(cli->path);
    cli->path = path;
    cli->command = command;
}

/* Index of the first word that is neither an option of every command nor one's value; the number of words where there is none. */
static guint first_name(char **words)
{
    guint i = 0;
    while (words[i] != NULL && words[i][0] == '-') {
        gboolean takes_next = g_str_equal(words[i], "-c") || g_str_equal(words[i], "--config");
        i += takes_next && words[i + 1] != NULL ? 2 : 1;
    }
    return i;
}

static int run_subcommand(Cli *cli, const Command *group, char **words)
{
    guint at = first_name(words);
    const char *name = words[at];
    for (char **word = words; name == NULL && *word != NULL; word++)
        if (is_help(*word)) {
            print_list(cli, group->subcommands, group->default_subcommand);
            return CLI_DONE;
        }
    if (name == NULL && group->default_subcommand == NULL)
        return cli_wrong_usage(cli, "no command is named");
    const Command *command = find(group->subcommands, name != NULL ? name : group->default_subcommand);
    if (command == NULL)
        return tell_unknown(cli, group->subcommands, name);
    enter(cli, command);
    /* the options that stand before the name are parsed with those behind it */
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    for (guint i = 0; words[i] != NULL; i++)
        if (i != at)
            g_ptr_array_add(rest, words[i]);
    g_ptr_array_add(rest, NULL);
    return command->run(cli, (char **)rest->pdata);
}

static int dispatch(Cli *cli, char **words)
{
    if (words[0] == NULL)
        return cli_wrong_usage(cli, "no command is named; nurture help lists them");
    const Command *command = find(commands, words[0]);
    if (command == NULL)
        return tell_unknown(cli, commands, words[0]);
    enter(cli, command);
    return command->subcommands != NULL ? run_subcommand(cli, command, words + 1) : command->run(cli, words + 1);
}

static int command_help(Cli *cli, char **words)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 2, &status);
    if (rest == NULL)
        return status;
    g_free(cli->path);
    cli->path = g_strdup("nurture");
    cli->command = NULL;
    if (rest[0] == NULL) {
        print_list(cli, commands, NULL);
        return CLI_DONE;
    }
    char *asked[] = {rest[0], rest[1] != NULL ? rest[1] : (char *)"--help", rest[1] != NULL ? (char *)"--help" : NULL, NULL};
    return dispatch(cli, asked);
}

static int run(Cli *cli, char **words)
{
    gboolean version = FALSE;
    int status = CLI_DONE;
    const GOptionEntry entries[] = {
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and end", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    if (words[0] != NULL && is_help(words[0])) {
        print_list(cli, commands, NULL);
        return CLI_DONE;
    }
    g_auto(GStrv) rest = cli_parse_leading(cli, words, entries, &status);
    if (rest == NULL)
        return status;
    if (version) {
        fprintf(cli->out, "nurture %s\n", NURTURE_VERSION);
        return CLI_DONE;
    }
    return dispatch(cli, rest);
}

int cli_run(char **argv, FILE *out, FILE *err)
{
    Cli cli;
    char *nothing[] = {NULL};
    cli_context_init(&cli, out, err);
    int status = run(&cli, argv[0] != NULL ? argv + 1 : nothing);
    if (fflush(out) != 0 || ferror(out))
        /* who reads only the first lines, as head(1), knows that there are more */
        status = errno == EPIPE ? CLI_FAILED : cli_failed(&cli, "the results could not be written: %s", g_strerror(errno));
    cli_context_clear(&cli);
    return status;
}
