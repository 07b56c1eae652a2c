/*
 * nurture doctor: everything that sending and hearing depend on, a line a check, as soon as it is known.
 */
#include "base/text.h"
#include "cli/command.h"
#include "engine/doctor.h"

enum { LEVEL_COLUMNS = 9 };

typedef struct {
    Cli *cli;
    guint account_columns; /* 0: there is no account yet */
    guint counts[FINDING_FAIL + 1];
} Examination;

static void print_padded(FILE *out, const char *text, guint columns)
{
    guint width = text_columns(text);
    fprintf(out, "%s%*s", text, width < columns ? (int)(columns - width) : 0, "");
}

static const char *colour_of(FindingLevel level)
{
    static const char *const colours[] = {
        [FINDING_OK] = "\033[32m", [FINDING_NOT_ASKED] = "\033[2m", [FINDING_WARN] = "\033[33m", [FINDING_FAIL] = "\033[31m"};
    return colours[level];
}

static void print_line(const Examination *examination, const Finding *finding)
{
    const Cli *cli = examination->cli;
    if (cli->colour)
        fputs(colour_of(finding->level), cli->out);
    print_padded(cli->out, finding_level_name(finding->level), LEVEL_COLUMNS);
    fprintf(cli->out, "%s  ", cli->colour ? "\033[0m" : "");
    if (examination->account_columns > 0) {
        print_padded(cli->out, finding->account, examination->account_columns);
        fputs("  ", cli->out);
    }
    fprintf(cli->out, "%s: %s%s%s\n", finding->check, finding->found, *finding->advice ? "; " : "", finding->advice);
    fflush(cli->out);
}

static void on_finding(const Finding *finding, gpointer data)
{
    Examination *examination = data;
    examination->counts[finding->level]++;
    if (!examination->cli->json) {
        print_line(examination, finding);
        return;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "level", finding_level_name(finding->level));
    json_object_set_string_member(object, "account", finding->account);
    json_object_set_string_member(object, "check", finding->check);
    json_object_set_string_member(object, "found", finding->found);
    json_object_set_string_member(object, "advice", finding->advice);
    cli_print_json(examination->cli, object);
}

static guint widest_account(const Config *config)
{
    guint columns = 0;
    for (Account **account = config->accounts; *account; account++)
        columns = MAX(columns, text_columns((*account)->name));
    return columns;
}

/* NULL with a fault that names the nearest. */
static const Account *find_account(Cli *cli, const char *word)
{
    const Account *account = config_account(cli->config, word);
    if (account)
        return account;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Account **one = cli->config->accounts; *one; one++)
        g_ptr_array_add(names, (*one)->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_quote(word, 60);
    g_autofree char *fault = g_strdup_printf("there is no account %s", shown);
    g_autofree char *message = cli_suggest(fault, word, (const char *const *)names->pdata);
    cli_failed(cli, "%s", message);
    return NULL;
}

static int conclude(const Examination *examination)
{
    const guint *counts = examination->counts;
    if (!examination->cli->json)
        fprintf(examination->cli->out, "\n%u ok, %u not asked, %u to look at, %u to mend\n", counts[FINDING_OK], counts[FINDING_NOT_ASKED],
                counts[FINDING_WARN], counts[FINDING_FAIL]);
    return counts[FINDING_FAIL] > 0 ? CLI_FAILED : CLI_DONE;
}

/* Known before the words are parsed: with it, ACCOUNT must be there. */
static gboolean canary_asked(char **words)
{
    return g_strv_contains((const char *const *)words, "--canary") && !g_strv_contains((const char *const *)words, "--help");
}

int command_doctor(Cli *cli, char **words)
{
    gboolean canary = FALSE;
    const GOptionEntry entries[] = {
        {"canary", 0, 0, G_OPTION_ARG_NONE, &canary, "Let the account write to itself, and wait until that is found", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, canary_asked(words) ? 1 : 0, 1, &status);
    if (!rest)
        return status;
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    Examination examination = {.cli = cli};
    DoctorSetup setup = {.program = program ? program : "/proc/self/exe", .func = on_finding, .data = &examination};
    if (!cli_load_config(cli, &error)) {
        doctor_tell_faults(&setup, "configuration", error->message);
        return conclude(&examination);
    }
    setup.config = cli->config;
    setup.account = rest[0] ? find_account(cli, rest[0]) : NULL;
    if (rest[0] && !setup.account)
        return CLI_FAILED;
    examination.account_columns = widest_account(cli->config);
    if (canary)
        doctor_send_canary(&setup);
    else
        doctor_examine(&setup);
    return conclude(&examination);
}
