/*
 * nurture account authorize NAME: a person allows the account at its provider; the token goes to its file, and the daemon is told.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "config/secret.h"
#include "engine/authorize.h"
#include "engine/control.h"

enum { TOKEN_LINE_OCTETS = 16 * 1024, DAEMON_TIMEOUT_MS = 5000 };

typedef struct {
    gboolean browser, from_input;
    int port;
} Way;

/* ---- which token ----------------------------------------------------------------------------------------------------- */

/* An account's, or that of one of its servers ("anna.smtp"). */
static GPtrArray *tokens_named(const Cli *cli, const char *word)
{
    GPtrArray *found = g_ptr_array_new();
    for (Account **account = cli->config->accounts; *account; account++)
        for (OAuth **oauth = (*account)->oauths; *oauth; oauth++)
            if (g_ascii_strcasecmp((*account)->name, word) == 0 || g_ascii_strcasecmp((*oauth)->token_name, word) == 0)
                g_ptr_array_add(found, *oauth);
    return found;
}

static int tell_none(Cli *cli, const char *word)
{
    g_autofree char *shown = text_quote(word, 60);
    if (config_account(cli->config, word))
        return cli_failed(cli,
                          "the account %s signs in by password, with nothing to authorize; for tokens, write auth = { "
                          "method = \"oauth2\"; … } in it",
                          shown);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Account **account = cli->config->accounts; *account; account++)
        g_ptr_array_add(names, (*account)->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *fault = g_strdup_printf("there is no account %s", shown);
    g_autofree char *message = cli_suggest(fault, word, (const char *const *)names->pdata);
    return cli_failed(cli, "%s", message);
}

/* ---- what the person sees -------------------------------------------------------------------------------------------- */

static void show_code(const char *page, const char *code, const char *complete_page, gpointer data)
{
    Cli *cli = data;
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "page", page);
        json_object_set_string_member(object, "code", code);
        if (*complete_page)
            json_object_set_string_member(object, "complete_page", complete_page);
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out, "Open this page in a browser, on any machine:\n\n    %s\n\nand type this code:\n\n    %s\n\n",
                page, code);
        if (*complete_page)
            fprintf(cli->out, "Or open the page that knows the code:\n\n    %s\n\n", complete_page);
        fprintf(cli->out, "Waiting until it is allowed there (Ctrl-C ends) …\n");
    }
    fflush(cli->out);
}

static void show_page(const char *page, gpointer data)
{
    Cli *cli = data;
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "page", page);
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out,
                "Open this page in a browser:\n\n    %s\n\n"
                "On this machine the rest goes by itself. On another, the browser ends at a page that it cannot open, or "
                "that shows a code:\n"
                "copy the address of that page, or the code, to here and press Enter (Ctrl-C ends) …\n",
                page);
    }
    fflush(cli->out);
}

/* ---- the ways -------------------------------------------------------------------------------------------------------- */

/* The first line of standard input. */
static gboolean by_input(Cli *cli, const OAuth *oauth, GError **error)
{
    char *line = g_malloc0(TOKEN_LINE_OCTETS);
    if (isatty(STDIN_FILENO))
        cli_note(cli,
                 "write the refresh token and press Enter; better is: nurture account authorize … --refresh-token < FILE");
    gboolean ok = fgets(line, TOKEN_LINE_OCTETS, stdin) != NULL && *g_strstrip(line);
    if (ok)
        ok = authorize_by_refresh_token(cli->config, oauth, line, error);
    else
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT,
                            "there is no refresh token on standard input; write it on the first line");
    explicit_bzero(line, TOKEN_LINE_OCTETS);
    g_free(line);
    return ok;
}

static gboolean authorize(Cli *cli, const OAuth *oauth, const Way *way, GError **error)
{
    const AuthorizeCallbacks callbacks = {.show_code = show_code, .show_page = show_page, .data = cli};
    if (way->from_input)
        return by_input(cli, oauth, error);
    if (*oauth->device_url && !way->browser)
        return authorize_by_device(cli->config, oauth, &callbacks, error);
    if (*oauth->authorize_url)
        return authorize_by_browser(cli->config, oauth, (guint16)way->port, STDIN_FILENO, &callbacks, error);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                "the configuration says neither where a device code comes from nor which page a browser is sent to; write "
                "auth.%s, or give a "
                "token from elsewhere with --refresh-token",
                way->browser ? "authorize_url" : "device_url or auth.authorize_url");
    return FALSE;
}

/* TRUE: a daemon runs, and has it. */
static gboolean tell_daemon(const Cli *cli)
{
    g_autoptr(JsonObject) request = json_object_new();
    json_object_set_string_member(request, "command", "tokens");
    g_autoptr(JsonObject) answer = control_call(cli->config, request, DAEMON_TIMEOUT_MS, NULL);
    return answer != NULL;
}

static void tell_done(Cli *cli, const OAuth *oauth)
{
    gboolean used = tell_daemon(cli);
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "token", oauth->token_name);
        json_object_set_string_member(object, "result", "authorized");
        json_object_set_boolean_member(object, "in_use", used);
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out, "%s is authorized%s\n", oauth->token_name,
                used ? ", and nurtured uses it" : "; nurtured will use it when it runs");
    }
}

int account_command_authorize(Cli *cli, char **words)
{
    Way way = {0};
    GError *error = NULL;
    int status = CLI_DONE;
    const GOptionEntry entries[] = {
        {"browser", 0, 0, G_OPTION_ARG_NONE, &way.browser,
         "By the provider's page in a browser, even if there are device codes", NULL},
        {"port", 0, 0, G_OPTION_ARG_INT, &way.port, "The browser is led back to this port of this machine; else to any",
         "N"},
        {"refresh-token", 0, 0, G_OPTION_ARG_NONE, &way.from_input,
         "By a refresh token from elsewhere, on the first line of standard input", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (!rest)
        return status;
    if (way.port < 0 || way.port > 65535)
        return cli_wrong_usage(cli, "--port must be from 1 to 65535");
    if (way.from_input && way.browser)
        return cli_wrong_usage(cli, "--browser and --refresh-token are two ways; choose one");
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    g_autoptr(GPtrArray) oauths = tokens_named(cli, rest[0]);
    if (oauths->len == 0)
        return tell_none(cli, rest[0]);
    if (oauths->len > 1 && way.from_input)
        return cli_failed(cli, "%s has a token for each of its servers; name one: %s", rest[0],
                          ((OAuth *)oauths->pdata[0])->token_name);
    for (guint i = 0; i < oauths->len; i++) {
        if (!authorize(cli, oauths->pdata[i], &way, &error))
            return cli_failed_by(cli, error);
        tell_done(cli, oauths->pdata[i]);
    }
    return CLI_DONE;
}
