/*
 * nurture company [list] / show / set: what the people of one company have in common.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "engine/control.h"
#include "store/companies.h"

/* How many known names are looked at for a suggestion. */
enum { NEAREST_MAX = 10000, LABEL_COLUMNS = 16 };

const Command company_subcommands[] = {
    {"list", "", "Companies, by name", company_command_list, NULL, NULL},
    {"show", "NAME", "What is known of a company, and its people", company_command_show, NULL, NULL},
    {"set", "NAME [--time-zone ZONE] [KEY=VALUE …]", "Changes what is known of a company; \"\" clears", company_command_set,
     NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* ---- finding one ----------------------------------------------------------------------------------------------------- */

static gboolean collect_name(const Company *company, gpointer data)
{
    GPtrArray *names = data;
    g_ptr_array_add(names, g_strdup(company->name));
    return names->len < NEAREST_MAX;
}

static Company *find_company(Cli *cli, const char *word, GError **error)
{
    g_autofree char *name = text_one_line(word);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    Company *company = NULL;
    if (!store_company_find(cli->store, name, &company, error) || company != NULL)
        return company;
    if (!store_company_each(cli->store, collect_name, names, error))
        return NULL;
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_quote(name, 60);
    const char *near = text_nearest(name, (const char *const *)names->pdata);
    if (near != NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "no company is called %s; did you mean \"%s\"?", shown, near);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN,
                    "no company is called %s; it is made with its first contact: nurture contact add EMAIL --company %s",
                    shown, shown);
    return NULL;
}

/* ---- list ------------------------------------------------------------------------------------------------------------ */

static JsonObject *company_object(const Company *company)
{
    JsonObject *object = json_object_new();
    JsonObject *attributes = json_parse_object(company->attributes, NULL);
    json_object_set_string_member(object, "name", company->name);
    json_object_set_string_member(object, "time_zone", company->time_zone);
    json_object_set_object_member(object, "attributes", attributes != NULL ? attributes : json_object_new());
    json_object_set_int_member(object, "contacts", (gint64)company->n_contacts);
    return object;
}

typedef struct {
    Cli *cli;
    Table *table; /* NULL with --json */
} Listing;

static gboolean list_company(const Company *company, gpointer data)
{
    const Listing *listing = data;
    if (listing->table == NULL) {
        cli_print_json(listing->cli, company_object(company));
        return TRUE;
    }
    g_autofree char *attributes = facts_attributes_line(company->attributes);
    g_autofree char *contacts = g_strdup_printf("%" G_GUINT64_FORMAT, company->n_contacts);
    const char *cells[] = {company->name, contacts, company->time_zone, attributes};
    table_add(listing->table, cells);
    return TRUE;
}

static int list(Cli *cli)
{
    static const TableColumn columns[] = {
        {"NAME", FALSE, FALSE},       {"CONTACTS", TRUE, TRUE}, {"TIME ZONE", FALSE, FALSE},
        {"ATTRIBUTES", FALSE, FALSE}, {NULL, FALSE, FALSE},
    };
    GError *error = NULL;
    Listing listing = {.cli = cli, .table = cli->json ? NULL : table_new(cli->out, columns, cli->columns, cli->colour)};
    gboolean ok = store_company_each(cli->store, list_company, &listing, &error);
    if (listing.table != NULL)
        table_finish(listing.table, ok ? "no companies" : NULL);
    return ok ? CLI_DONE : cli_failed_by(cli, error);
}

int company_command_list(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean is_empty = FALSE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 0, 0, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_list(cli, &is_empty, &error))
        return cli_failed_by(cli, error);
    return is_empty ? CLI_DONE : list(cli);
}

/* ---- show ------------------------------------------------------------------------------------------------------------ */

static gboolean add_person(const Contact *contact, gpointer data)
{
    json_array_add_string_element(data, contact->email);
    return TRUE;
}

static gboolean print_person(const Contact *contact, gpointer data)
{
    g_autofree char *name = contact_name(contact);
    const char *cells[] = {contact->email, name, contact->stage, contact->time_zone};
    table_add(data, cells);
    return TRUE;
}

static gboolean show_json(Cli *cli, const Company *company, const ContactFilter *people, GError **error)
{
    JsonObject *object = company_object(company);
    JsonArray *emails = json_array_new();
    json_object_set_array_member(object, "people", emails);
    if (!store_contact_each(cli->store, people, add_person, emails, error)) {
        json_object_unref(object);
        return FALSE;
    }
    cli_print_json(cli, object);
    return TRUE;
}

static void print_field(Cli *cli, const char *label, const char *value)
{
    g_autofree char *line = text_one_line(value);
    g_autofree char *safe = text_escape(line, 0);
    if (safe[0] != '\0')
        fprintf(cli->out, "%-*s%s\n", LABEL_COLUMNS, label, safe);
}

static gboolean show(Cli *cli, const Company *company, GError **error)
{
    static const TableColumn columns[] = {
        {"EMAIL", FALSE, TRUE},      {"NAME", FALSE, FALSE}, {"STAGE", FALSE, FALSE},
        {"TIME ZONE", FALSE, FALSE}, {NULL, FALSE, FALSE},
    };
    const ContactFilter people = {.company = company->name};
    if (cli->json)
        return show_json(cli, company, &people, error);
    g_autofree char *attributes = facts_attributes_line(company->attributes);
    print_field(cli, "name", company->name);
    print_field(cli, "time zone", company->time_zone);
    print_field(cli, "attributes", attributes);
    fputc('\n', cli->out);
    Table *table = table_new(cli->out, columns, cli->columns, cli->colour);
    gboolean ok = store_contact_each(cli->store, &people, print_person, table, error);
    table_finish(table, ok ? "nobody" : NULL);
    return ok;
}

int company_command_show(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    if (rest == NULL)
        return status;
    if (!cli_open_store(cli, CLI_STORE_READ, &error))
        return cli_failed_by(cli, error);
    g_autoptr(Company) company = find_company(cli, rest[0], &error);
    return company != NULL && show(cli, company, &error) ? CLI_DONE : cli_failed_by(cli, error);
}

/* ---- set ------------------------------------------------------------------------------------------------------------- */

/* "KEY=VALUE" into the table, which owns both. */
static gboolean take_pair(GHashTable *attributes, const char *pair, GError **error)
{
    const char *equals = strchr(pair, '=');
    g_autofree char *shown = text_quote(pair, 60);
    if (equals == NULL) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "%s has no \"=\"; write KEY=VALUE, and the company's name, where it has spaces, in quotation marks",
                    shown);
        return FALSE;
    }
    g_autofree char *written = g_strndup(pair, (gsize)(equals - pair));
    g_autofree char *name = contact_attribute_name(written, error);
    if (name == NULL)
        return FALSE;
    if (g_str_equal(name, "time_zone") || g_str_equal(name, "time-zone")) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s: the time zone is a field of its own; write --time-zone ZONE",
                    shown);
        return FALSE;
    }
    if (g_str_equal(name, "name")) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "%s: the name is that by which the company is known; write another key", shown);
        return FALSE;
    }
    if (!contact_attribute_check(equals + 1, error)) {
        g_prefix_error(error, "%s: ", name);
        return FALSE;
    }
    g_hash_table_replace(attributes, g_steal_pointer(&name), g_strdup(equals + 1));
    return TRUE;
}

static gboolean check_zone(const char *zone, GError **error)
{
    if (zone == NULL || zone[0] == '\0')
        return TRUE;
    g_autoptr(GTimeZone) known = timestamp_zone(zone, error);
    if (known == NULL)
        g_prefix_error(error, "--time-zone: ");
    return known != NULL;
}

static int save(Cli *cli, const char *word, const char *time_zone, GHashTable *attributes)
{
    GError *error = NULL;
    gboolean changed = FALSE;
    if (!cli_open_store(cli, CLI_STORE_WRITE, &error))
        return cli_failed_by(cli, error);
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, &error);
    g_autoptr(Company) company = transaction != NULL ? find_company(cli, word, &error) : NULL;
    if (company == NULL || !store_company_save(cli->store, company->name, time_zone, attributes, &changed, &error) ||
        !store_commit(g_steal_pointer(&transaction), &error))
        return cli_failed_by(cli, error);
    if (changed)
        control_knock(cli->config);
    const char *result = changed ? "changed" : "unchanged";
    if (!cli->json) {
        g_autofree char *shown = text_escape(company->name, 0);
        fprintf(cli->out, "%s: %s\n", shown, result);
        return CLI_DONE;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "company", company->name);
    json_object_set_string_member(object, "result", result);
    cli_print_json(cli, object);
    return CLI_DONE;
}

int company_command_set(Cli *cli, char **words)
{
    g_autofree char *time_zone = NULL;
    const GOptionEntry entries[] = {
        {"time-zone", 0, 0, G_OPTION_ARG_STRING, &time_zone, "Of its contacts without one, such as Europe/Oslo", "ZONE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(GHashTable) attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (time_zone == NULL && rest[1] == NULL)
        return cli_wrong_usage(cli, "nothing to set is given; write --time-zone ZONE or KEY=VALUE");
    for (char **pair = rest + 1; *pair != NULL; pair++)
        if (!take_pair(attributes, *pair, &error))
            return cli_failed_by(cli, error);
    if (!check_zone(time_zone, &error) || !cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    return save(cli, rest[0], time_zone, attributes);
}
