/*
 * nurture reload [--dry-run]: puts the configuration and the templates into force; or tells what that would change.
 */
#include "cli/command.h"
#include "engine/change.h"
#include "engine/control.h"
#include "engine/templates.h"

enum { RELOAD_TIMEOUT_MS = 60000 };

static void tell_change(Cli *cli, const Change *change)
{
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "contacts", (gint64)change->contacts);
        json_object_set_int_member(object, "enter", change->enter);
        json_object_set_int_member(object, "leave", change->leave);
        json_object_set_int_member(object, "move", change->move);
        json_object_set_int_member(object, "cancelled", (gint64)change->cancelled);
        cli_print_json(cli, object);
        return;
    }
    if (change->contacts + change->enter + change->leave + change->move == 0) {
        fprintf(cli->out, "nothing would change\n");
        return;
    }
    fprintf(cli->out,
            "%" G_GUINT64_FORMAT " contacts would be decided anew: %u would enter a rule, %u leave one, and %u next messages move; "
            "%" G_GUINT64_FORMAT " messages that wait would be cancelled\n"
            "nurture forecast --config FILE, asked before the file in force is changed, tells each message\n",
            change->contacts, change->enter, change->leave, change->move, change->cancelled);
}

/* Needs no daemon: what is in force is known to the store. Templates are checked as a reload would. */
static int dry_run(Cli *cli)
{
    GError *error = NULL;
    Change change = {0};
    if (!cli_open_store(cli, CLI_STORE_READ, &error))
        return cli_failed_by(cli, error);
    g_autoptr(TemplateSet) templates = templates_load(cli->config, NULL, &error);
    if (!templates || !change_foresee(cli->config, cli->store, control_now_ms(cli->config), &change, &error))
        return cli_failed_by(cli, error);
    tell_change(cli, &change);
    return CLI_DONE;
}

static int reload(Cli *cli)
{
    GError *error = NULL;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", "reload");
    g_autoptr(JsonObject) answer = control_call(cli->config, request, RELOAD_TIMEOUT_MS, &error);
    if (!answer)
        return cli_failed_by(cli, error);
    gint64 contacts = json_object_get_int_member_with_default(answer, "contacts", 0);
    if (cli->json)
        cli_print_json(cli, json_object_ref(answer));
    else if (contacts)
        fprintf(cli->out, "the configuration and the templates are in force; %" G_GINT64_FORMAT " contacts are decided anew\n", contacts);
    else
        fprintf(cli->out, "the configuration and the templates are in force\n");
    return CLI_DONE;
}

int command_reload(Cli *cli, char **words)
{
    gboolean dry = FALSE;
    int status = CLI_DONE;
    const GOptionEntry entries[] = {
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry, "Change nothing; tell what would change: who enters and leaves rules, which messages move", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 0, 0, &status);
    if (!rest)
        return status;
    return dry ? dry_run(cli) : reload(cli);
}
