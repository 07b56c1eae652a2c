/*
 * nurture check: the configuration, every template and every file of holidays; all faults at once, each with its place.
 */
#include "cli/command.h"
#include "engine/templates.h"
#include "plan/calendar.h"

static guint count(gpointer list)
{
    return g_strv_length(list);
}

/* Tells the faults of one kind of file that could not be loaded; TRUE where it could. */
static gboolean tell_faults(Cli *cli, gboolean is_loaded, const char *where, GError **error)
{
    if (is_loaded)
        return TRUE;
    fprintf(cli->err, "%s%s\n", where, (*error)->message);
    g_clear_error(error);
    return FALSE;
}

static void tell_done(Cli *cli, const Config *config)
{
    guint steps = 0;
    for (Rule **rule = config->rules; *rule != NULL; rule++)
        steps += count((*rule)->steps);
    if (!cli->json) {
        fprintf(cli->out, "%s: ok (accounts: %u, rules: %u, steps, each with its template: %u)\n", config->file,
                count(config->accounts), count(config->rules), steps);
        return;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "config", config->file);
    json_object_set_int_member(object, "accounts", count(config->accounts));
    json_object_set_int_member(object, "rules", count(config->rules));
    json_object_set_int_member(object, "steps", steps);
    cli_print_json(cli, object);
}

int command_check(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    g_autofree char *of_holidays = g_strdup_printf("%s: sending.holidays: ", cli->config->file);
    g_autoptr(TemplateSet) templates = templates_load(cli->config, NULL, &error);
    gboolean ok = tell_faults(cli, templates != NULL, "", &error);
    g_autoptr(Calendar) calendar = calendar_load(cli->config->sending.holiday_files, &error);
    ok = tell_faults(cli, calendar != NULL, of_holidays, &error) && ok;
    if (!ok)
        return CLI_FAILED;
    tell_done(cli, cli->config);
    return CLI_DONE;
}
