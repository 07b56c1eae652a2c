/*
 * nurture account list: who writes, and how each signs in. Secrets are not shown, nor read.
 */
#include "cli/command.h"
#include "cli/table.h"
#include "engine/authorize.h"

const Command account_subcommands[] = {
    {"list", "", "The accounts, and how each signs in", account_command_list, NULL, NULL},
    {"authorize", "NAME [--browser [--port N] | --refresh-token]", "Gets the token of an account that signs in with OAuth2",
     account_command_authorize, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* "no sign-in", "by password (plain)", "gmail, authorized". Caller frees. */
static char *sign_in_text(const Cli *cli, const Endpoint *server)
{
    if (!*server->host)
        return g_strdup("none (one_way)");
    if (!*server->user)
        return g_strdup("no sign-in");
    if (server->sign_in != SIGN_IN_OAUTH2)
        return server->sign_in == SIGN_IN_AUTO ? g_strdup("password")
                                               : g_strdup_printf("password (%s)", sign_in_name(server->sign_in));
    g_autofree char *state = authorize_state(cli->config, server->oauth);
    return g_strdup_printf("oauth2%s%s: %s", *server->oauth->provider ? " " : "", server->oauth->provider, state);
}

static JsonObject *server_object(const Cli *cli, const Endpoint *server)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "url", server->url);
    json_object_set_string_member(object, "user", server->user);
    json_object_set_string_member(object, "sign_in", *server->user ? sign_in_name(server->sign_in) : "none");
    if (server->sign_in == SIGN_IN_OAUTH2) {
        g_autofree char *state = authorize_state(cli->config, server->oauth);
        json_object_set_string_member(object, "provider", server->oauth->provider);
        json_object_set_string_member(object, "token", state);
    }
    return object;
}

static void print_object(Cli *cli, const Account *account)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "account", account->name);
    json_object_set_string_member(object, "from", account->from_address);
    json_object_set_object_member(object, "smtp", server_object(cli, &account->smtp.server));
    if (account->has_imap)
        json_object_set_object_member(object, "imap", server_object(cli, &account->imap.server));
    cli_print_json(cli, object);
}

int account_command_list(Cli *cli, char **words)
{
    static const TableColumn columns[] = {{"ACCOUNT", FALSE, TRUE},  {"FROM", FALSE, TRUE},   {"SENDS BY", FALSE, FALSE},
                                          {"SIGN-IN", FALSE, FALSE}, {"READS", FALSE, FALSE}, {"SIGN-IN", FALSE, FALSE},
                                          {NULL, FALSE, FALSE}};
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 0, &status);
    if (!rest)
        return status;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    Table *table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour);
    for (Account **account = cli->config->accounts; *account; account++) {
        if (!table) {
            print_object(cli, *account);
            continue;
        }
        static const Endpoint none = {.host = (char *)"", .url = (char *)"", .user = (char *)""};
        const Endpoint *smtp = &(*account)->smtp.server, *imap = (*account)->has_imap ? &(*account)->imap.server : &none;
        g_autofree char *out = sign_in_text(cli, smtp);
        g_autofree char *in = sign_in_text(cli, imap);
        const char *cells[] = {(*account)->name, (*account)->from_address, smtp->url, out, imap->url, in};
        table_add(table, cells);
    }
    if (table)
        table_finish(table, NULL);
    return CLI_DONE;
}
