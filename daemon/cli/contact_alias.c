/*
 * nurture contact alias: further addresses of a person. What comes from one is theirs, and where one is suppressed they are never
 * mailed.
 */
#include "base/text.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "engine/control.h"
#include "mail/address.h"
#include "store/suppressions.h"

/* *ret_result: what became of it; static. Inside of a transaction. */
typedef gboolean (*Change)(Cli *cli, const Contact *contact, const char *address, const char **ret_result, GError **error);

static gboolean add(Cli *cli, const Contact *contact, const char *address, const char **ret_result, GError **error)
{
    g_autoptr(Contact) holder = NULL;
    if (address_in_domains(address, (const char *const *)cli->config->organisation.domains)) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "%s is one of our own people (organisation.domains); write an address of the contact", address);
        return FALSE;
    }
    if (!store_contact_find(cli->store, address, &holder, error))
        return FALSE;
    *ret_result = holder != NULL ? "unchanged" : "added";
    if (holder == NULL)
        return store_contact_alias_add(cli->store, contact->id, address, error);
    if (holder->id == contact->id)
        return TRUE;
    if (g_str_equal(holder->email, address))
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "%s is a contact of its own; where both are one person, erase that one first: nurture contact forget %s",
                    address, address);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "%s is an alias of %s; take it from them first: nurture contact alias %s remove %s", address,
                    holder->email, holder->email, address);
    return FALSE;
}

static gboolean refuse_unknown(Cli *cli, const Contact *contact, const char *address, GError **error)
{
    g_auto(GStrv) aliases = NULL;
    if (!store_contact_aliases(cli->store, contact->id, &aliases, error))
        return FALSE;
    if (g_str_equal(contact->email, address)) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is the address they are known by, and no alias", address);
        return FALSE;
    }
    g_autofree char *fault = g_strdup_printf("%s is no alias of %s", address, contact->email);
    g_autofree char *message = aliases[0] != NULL ? cli_suggest(fault, address, (const char *const *)aliases)
                                                  : g_strconcat(fault, ", who has none", NULL);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_UNKNOWN, message);
    return FALSE;
}

static gboolean take_away(Cli *cli, const Contact *contact, const char *address, const char **ret_result, GError **error)
{
    g_auto(GStrv) aliases = NULL;
    if (!store_contact_aliases(cli->store, contact->id, &aliases, error))
        return FALSE;
    if (!g_strv_contains((const char *const *)aliases, address))
        return refuse_unknown(cli, contact, address, error);
    *ret_result = "removed";
    return store_contact_alias_remove(cli->store, contact->id, address, error);
}

/* With an address a person comes under its suppression, or leaves it. */
static gboolean note_suppression(Cli *cli, const Contact *contact, gboolean before, const char *address, GError **error)
{
    gboolean after = FALSE;
    if (!store_suppression_check(cli->store, contact->email, &after, NULL, error))
        return FALSE;
    if (after && !before)
        cli_note(cli, "%s is never mailed any more, since %s is suppressed", contact->email, address);
    else if (before && !after)
        cli_note(cli, "%s can be mailed again; they were not, since %s is suppressed", contact->email, address);
    return TRUE;
}

static gboolean apply(Cli *cli, const Contact *contact, const char *word, Change change, GError **error)
{
    const char *result = NULL;
    gboolean suppressed = FALSE;
    g_autofree char *address = address_canonical(word, error);
    g_autoptr(StoreTransaction) transaction = address != NULL ? store_begin(cli->store, error) : NULL;
    if (transaction == NULL || !store_suppression_check(cli->store, contact->email, &suppressed, NULL, error) ||
        !change(cli, contact, address, &result, error) || !note_suppression(cli, contact, suppressed, address, error) ||
        !store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    control_knock(cli->config);
    if (!cli->json) {
        fprintf(cli->out, "%s: %s %s\n", contact->email, address, result);
        return TRUE;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "contact", contact->email);
    json_object_set_string_member(object, "alias", address);
    json_object_set_string_member(object, "result", result);
    cli_print_json(cli, object);
    return TRUE;
}

int contact_command_alias(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    Change change = NULL;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 3, 3, &status);
    if (rest == NULL)
        return status;
    if (g_str_equal(rest[1], "add"))
        change = add;
    else if (g_str_equal(rest[1], "remove"))
        change = take_away;
    if (change == NULL) {
        g_autofree char *shown = text_quote(rest[1], 60);
        return cli_wrong_usage(cli, "%s is neither add nor remove; write one of the two", shown);
    }
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL || !apply(cli, contact, rest[2], change, &error))
        return cli_failed_by(cli, error);
    return CLI_DONE;
}
