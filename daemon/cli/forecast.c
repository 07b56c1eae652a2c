/*
 * nurture forecast: what would leave in the days to come, seen by day, rule, contact, message or as a calendar; and with --config what
 * another configuration would change.
 */
#include "cli/forecast.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "engine/control.h"
#include "engine/templates.h"
#include "store/accounts.h"

enum { DEFAULT_DAYS = 30, MAX_DAYS = 3660 };
#define DAY_MS ((gint64)24 * 3600 * 1000)

static const char *const view_names[] = {
    [FORECAST_BY_DAY] = "day",           [FORECAST_BY_RULE] = "rule",       [FORECAST_BY_CONTACT] = "contact",
    [FORECAST_BY_CALENDAR] = "calendar", [FORECAST_BY_MESSAGE] = "message", NULL,
};

/* The command line. */
typedef struct {
    int days;
    gboolean calendar;
    char *by, *contact, *rule, *new_file; /* NULL: not given */
    ForecastView view;
} Request;

/* ---- what was asked -------------------------------------------------------------------------------------------------- */

static gboolean config_has_rule(const Config *config, const char *name)
{
    return config && config_rule(config, name);
}

/* The rule may stand in either configuration: --config may bring a new one. */
static gboolean check_rule(const Config *config, const Config *new_config, const char *name, GError **error)
{
    if (config_rule(config, name) || config_has_rule(new_config, name))
        return TRUE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Rule **known = config->rules; *known; known++)
        g_ptr_array_add(names, (*known)->name);
    for (Rule **known = new_config ? new_config->rules : NULL; known && *known; known++)
        if (!config_rule(config, (*known)->name))
            g_ptr_array_add(names, (*known)->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_quote(name, 60);
    g_autofree char *fault = g_strdup_printf("there is no rule %s", shown);
    g_autofree char *message = cli_suggest(fault, name, (const char *const *)names->pdata);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_UNKNOWN, message);
    return FALSE;
}

static Config *load_new(const char *file, GError **error)
{
    if (g_file_test(file, G_FILE_TEST_EXISTS))
        return config_load(file, NULL, error);
    g_autofree char *shown = text_quote(file, 0);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                "--config: there is no file %s; write the name of the configuration to compare with", shown);
    return NULL;
}

/* Sets the contact and the zone. */
static gboolean find_contact(Forecast *forecast, const char *word, GError **error)
{
    if (word && !(forecast->contact = cli_find_contact(forecast->cli, word, error)))
        return FALSE;
    forecast->zone =
        forecast->contact ? cli_contact_zone(forecast->cli, forecast->contact) : cli_default_zone(forecast->cli);
    return TRUE;
}

/* ---- the rehearsals -------------------------------------------------------------------------------------------------- */

/* The messages that were asked for, which belong to all. */
static GPtrArray *filter(const Forecast *forecast, const GPtrArray *all)
{
    GPtrArray *messages = g_ptr_array_new();
    for (guint i = 0; i < all->len; i++) {
        RehearsedMessage *message = all->pdata[i];
        if ((!forecast->contact || g_str_equal(message->contact, forecast->contact->email)) &&
            (!forecast->rule || g_str_equal(message->rule, forecast->rule)))
            g_ptr_array_add(messages, message);
    }
    return messages;
}

static GPtrArray *run(const Forecast *forecast, Config *config, GPtrArray **ret_left_out, GError **error)
{
    g_autoptr(TemplateSet) templates = templates_load(config, NULL, error);
    return templates ? rehearse(config, templates, forecast->cli->store, forecast->now_ms, forecast->until_ms, ret_left_out, error)
                     : NULL;
}

/* Nothing leaves while all sending is paused, and an empty forecast would be a riddle. */
static gboolean tell_pause(const Forecast *forecast, GError **error)
{
    g_autofree char *reason = NULL;
    if (!store_account_pause_get(forecast->cli->store, "", &reason, error))
        return FALSE;
    if (*reason)
        cli_note(forecast->cli, "all sending is paused, so nothing would leave; nurture resume lets it go on");
    return TRUE;
}

/* A rehearsal of many contacts takes seconds: on a terminal something stands there meanwhile, until is_done takes it away. */
static void tell_waiting(const Forecast *forecast, gboolean is_done)
{
    FILE *err = forecast->cli->err;
    if (!terminal_has_colour(err))
        return;
    if (is_done)
        fputs("\r\033[K", err);
    else
        fprintf(err, "rehearsing %d %s …", forecast->days, forecast->days == 1 ? "day" : "days");
    fflush(err);
}

static gboolean show(const Forecast *forecast, const Request *request, Config *new_config, GError **error)
{
    tell_waiting(forecast, FALSE);
    g_autoptr(GPtrArray) left_out = NULL;
    g_autoptr(GPtrArray) all = run(forecast, forecast->cli->config, &left_out, error);
    g_autoptr(GPtrArray) all_after = all && new_config ? run(forecast, new_config, NULL, error) : NULL;
    tell_waiting(forecast, TRUE);
    if (!all || (new_config && !all_after))
        return FALSE;
    g_autoptr(GPtrArray) messages = filter(forecast, all);
    if (!new_config) {
        gboolean printed = forecast_print(forecast, request->view, messages, error);
        if (printed)
            forecast_print_left_out(forecast, request->view == FORECAST_BY_RULE, left_out);
        return printed;
    }
    g_autoptr(GPtrArray) after = filter(forecast, all_after);
    forecast_compare(forecast, request->view, messages, after);
    return TRUE;
}

static gboolean rehearse_request(Cli *cli, const Request *request, GError **error)
{
    gboolean is_empty = FALSE;
    if (!cli_open_list(cli, &is_empty, error))
        return FALSE;
    g_autoptr(Config) new_config = request->new_file ? load_new(request->new_file, error) : NULL;
    if ((request->new_file && !new_config) || (request->rule && !check_rule(cli->config, new_config, request->rule, error)))
        return FALSE;
    if (is_empty)
        return TRUE;
    gint64 now_ms = control_now_ms(cli->config);
    Forecast forecast = {.cli = cli,
                         .now_ms = now_ms,
                         .until_ms = now_ms + request->days * DAY_MS,
                         .days = request->days,
                         .rule = request->rule};
    gboolean ok = find_contact(&forecast, request->contact, error) && tell_pause(&forecast, error) &&
                  show(&forecast, request, new_config, error);
    g_clear_pointer(&forecast.zone, g_time_zone_unref);
    contact_free(forecast.contact);
    return ok;
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

/* Sets the view from --by and --calendar. CLI_DONE, or CLI_USAGE after telling the fault. */
static int choose_view(Cli *cli, Request *request)
{
    guint found = 0;
    if (request->calendar && request->by && !g_str_equal(request->by, "calendar"))
        return cli_wrong_usage(cli, "--calendar and --by %s are two views; write one of them", request->by);
    const char *by = request->calendar ? "calendar" : request->by;
    while (by && view_names[found] && !g_str_equal(view_names[found], by))
        found++;
    if (by && !view_names[found]) {
        g_autofree char *shown = text_quote(by, 60);
        g_autofree char *fault = g_strdup_printf("--by %s is no view", shown);
        g_autofree char *message = cli_suggest(fault, by, view_names);
        return cli_wrong_usage(cli, "%s", message);
    }
    gboolean is_list = request->new_file || request->contact;
    request->view = by ? (ForecastView)found : is_list ? FORECAST_BY_MESSAGE : FORECAST_BY_DAY;
    if (request->new_file && (request->view == FORECAST_BY_DAY || request->view == FORECAST_BY_CALENDAR))
        return cli_wrong_usage(
            cli, "--config shows what changes by message, rule or contact; write --by message, --by rule or --by contact");
    return CLI_DONE;
}

/* A bare word, as other commands take it: says which option it belongs behind. */
static int tell_bare_word(Cli *cli, const char *word)
{
    g_autofree char *shown = text_escape(word, 60);
    const char *option = "--rule";
    if (strchr(word, '@'))
        option = "--contact";
    else if (g_strv_contains(view_names, word))
        option = "--by";
    else if (g_ascii_isdigit(word[0]))
        option = "--days";
    return cli_wrong_usage(cli, "\"%s\" stands alone; write %s %s", shown, option, shown);
}

static int forecast_request(Cli *cli, Request *request)
{
    GError *error = NULL;
    if (request->days < 1 || request->days > MAX_DAYS)
        return cli_wrong_usage(cli, "--days: write a number from 1 to %d", MAX_DAYS);
    int status = choose_view(cli, request);
    if (status != CLI_DONE)
        return status;
    return rehearse_request(cli, request, &error) ? CLI_DONE : cli_failed_by(cli, error);
}

int command_forecast(Cli *cli, char **words)
{
    int status = CLI_DONE;
    Request request = {.days = DEFAULT_DAYS};
    const GOptionEntry entries[] = {
        {"days", 'd', 0, G_OPTION_ARG_INT, &request.days, "How far to look (default 30)", "N"},
        {"by", 'b', 0, G_OPTION_ARG_STRING, &request.by, "day (the default), rule, contact, message or calendar", "VIEW"},
        {"calendar", 0, 0, G_OPTION_ARG_NONE, &request.calendar, "The same as --by calendar", NULL},
        {"contact", 0, 0, G_OPTION_ARG_STRING, &request.contact, "Only to this contact, in their time zone", "EMAIL"},
        {"rule", 0, 0, G_OPTION_ARG_STRING, &request.rule, "Only of this rule", "NAME"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &request.new_file,
         "Compare with this configuration: what it would add, drop and move", "NEW"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 1, &status);
    if (rest)
        status = rest[0] ? tell_bare_word(cli, rest[0]) : forecast_request(cli, &request);
    g_free(request.by);
    g_free(request.contact);
    g_free(request.rule);
    g_free(request.new_file);
    return status;
}
