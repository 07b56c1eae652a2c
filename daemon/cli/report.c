/*
 * nurture report funnel / stages / rules / owners / referrals: what became of people, messages and referrals. What is counted, and how, is in
 * nurture(1); each report's file computes it from what store/reports.h reads.
 */
#include "cli/report.h"

#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "engine/control.h"

#define PERIOD "[--from DATE] [--to DATE] [--owner ACCOUNT] [--csv]"

const Command report_subcommands[] = {
    {"funnel", PERIOD, "From stage to stage: how many go on, and where people leak", report_command_funnel, NULL, NULL},
    {"stages", PERIOD, "Each stage: how many stand there, and how long people stay", report_command_stages, NULL, NULL},
    {"rules", PERIOD, "Each rule, step and template: what was sent, and what came back", report_command_rules, NULL, NULL},
    {"owners", PERIOD, "Each owner: people, messages, talks and tasks", report_command_owners, NULL, NULL},
    {"referrals", PERIOD " [--by rule|owner|quarter] [--value ATTRIBUTE]", "Who was asked, who answered, and what came of it",
     report_command_referrals, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

typedef Sheet *(*ReportFunc)(const ReportCase *report, GError **error);

/* The words of the command line. */
typedef struct {
    char *from, *to, *owner, *by, *value;
    gboolean csv;
} Words;

static void words_clear(Words *words)
{
    g_free(words->from);
    g_free(words->to);
    g_free(words->owner);
    g_free(words->by);
    g_free(words->value);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static void report_clear(ReportCase *report)
{
    g_clear_pointer(&report->zone, g_time_zone_unref);
    g_free(report->owner_key);
    g_free(report->by);
    g_free(report->value);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReportCase, report_clear)

char *report_fold(const char *text)
{
    return g_str_is_ascii(text) ? g_ascii_strdown(text, -1) : g_utf8_casefold(text, -1);
}

gboolean report_is_left_out(const ReportCase *report, const char *owner_key)
{
    return report->owner_key != NULL && !g_str_equal(report->owner_key, owner_key);
}

const char *report_owner_name(const ReportCase *report, const char *owner_key)
{
    for (Account **account = report->cli->config->accounts; *account != NULL; account++) {
        g_autofree char *key = report_fold((*account)->name);
        if (g_str_equal(key, owner_key))
            return (*account)->name;
    }
    return *owner_key != '\0' ? owner_key : "(none)";
}

static gboolean read_date(const char *name, const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error)
{
    if (text == NULL || timestamp_parse(text, zone, ret_ms, error))
        return TRUE;
    g_prefix_error(error, "%s: ", name);
    return FALSE;
}

static gboolean read_period(const Words *words, ReportCase *report, GError **error)
{
    report->to_ms = report->now_ms + 1;
    if (!read_date("--from", words->from, report->zone, &report->from_ms, error) ||
        !read_date("--to", words->to, report->zone, &report->to_ms, error))
        return FALSE;
    if (report->from_ms < report->to_ms)
        return TRUE;
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, words->to != NULL ? "--to is not after --from; write a later day, the first that does not count"
                                                                             : "--from has not come yet; write a day that has passed");
    return FALSE;
}

static gboolean read_words(Cli *cli, const Words *words, ReportCase *report, GError **error)
{
    const char *owner = words->owner != NULL ? contact_owner_named(cli->config, words->owner, error) : NULL;
    if (words->owner != NULL && owner == NULL)
        return FALSE;
    report->cli = cli;
    report->form = cli->json ? SHEET_AS_JSON : words->csv ? SHEET_AS_CSV : SHEET_AS_TABLE;
    report->now_ms = control_now_ms(cli->config);
    report->zone = cli_default_zone(cli);
    report->owner_key = owner != NULL ? report_fold(owner) : NULL;
    report->by = g_strdup(words->by);
    if (words->value != NULL && (report->value = contact_attribute_name(words->value, error)) == NULL)
        return FALSE;
    return read_period(words, report, error);
}

static int run(Cli *cli, const Words *words, ReportFunc func)
{
    GError *error = NULL;
    g_auto(ReportCase) report = {0};
    if (!cli_load_config(cli, &error) || !read_words(cli, words, &report, &error) || !cli_open_store(cli, CLI_STORE_READ, &error))
        return cli_failed_by(cli, error);
    g_autoptr(Sheet) sheet = func(&report, &error);
    if (sheet == NULL)
        return cli_failed_by(cli, error);
    sheet_print(sheet, cli, report.form, "nothing to report");
    return CLI_DONE;
}

/* ---- the commands ----------------------------------------------------------------------------------------------------- */

static int command(Cli *cli, char **line, ReportFunc func, gboolean of_referrals)
{
    static const char *const views[] = {"rule", "owner", "quarter", NULL};
    g_auto(Words) words = {0};
    const GOptionEntry entries[] = {
        {"from", 0, 0, G_OPTION_ARG_STRING, &words.from, "The first day that counts (default: from the beginning)", "DATE"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &words.to, "The first day that does not count any more (default: until now)", "DATE"},
        {"owner", 0, 0, G_OPTION_ARG_STRING, &words.owner, "The contacts of this owner alone", "ACCOUNT"},
        {"csv", 0, 0, G_OPTION_ARG_NONE, &words.csv, "As CSV", NULL},
        {of_referrals ? "by" : NULL, 0, 0, G_OPTION_ARG_STRING, &words.by, "A row for each rule, owner or quarter (default: one for all)", "VIEW"},
        {"value", 0, 0, G_OPTION_ARG_STRING, &words.value, "An attribute of the new customers that holds a number: their sum", "ATTRIBUTE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, line, entries, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (words.by != NULL && !g_strv_contains(views, words.by)) {
        g_autofree char *shown = text_quote(words.by, 60);
        g_autofree char *fault = g_strdup_printf("--by: there is no view %s", shown);
        g_autofree char *message = cli_suggest(fault, words.by, views);
        return cli_wrong_usage(cli, "%s", message);
    }
    if (cli->json && words.csv)
        return cli_wrong_usage(cli, "--json or --csv, not both");
    return run(cli, &words, func);
}

int report_command_funnel(Cli *cli, char **words)
{
    return command(cli, words, report_funnel, FALSE);
}

int report_command_stages(Cli *cli, char **words)
{
    return command(cli, words, report_stages, FALSE);
}

int report_command_rules(Cli *cli, char **words)
{
    return command(cli, words, report_rules, FALSE);
}

int report_command_owners(Cli *cli, char **words)
{
    return command(cli, words, report_owners, FALSE);
}

int report_command_referrals(Cli *cli, char **words)
{
    return command(cli, words, report_referrals, TRUE);
}
