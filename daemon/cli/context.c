/*
 * What every command works with: where it writes, its configuration and store, and the ways to fail.
 *
 * Owns the configuration and the store of the run; one thread, one command a process.
 */
#include "cli/context.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "engine/templates.h"
#include "mail/address.h"

G_DEFINE_QUARK(nurture - cli - error, cli_error)

static const char DEFAULT_CONFIG[] = "/etc/nurtured/nurtured.conf";
static const char SQLITE_SCHEME[] = "sqlite://";

/* How many known addresses are looked at for a suggestion. */
enum { NEAREST_MAX = 2000 };

void cli_context_init(Cli *cli, FILE *out, FILE *err)
{
    *cli = (Cli){.out = out, .err = err, .path = g_strdup("nurture")};
    cli->columns = terminal_columns(out);
    cli->colour = terminal_has_colour(out);
}

void cli_context_clear(Cli *cli)
{
    g_clear_pointer(&cli->store, store_close);
    g_clear_pointer(&cli->config, config_unref);
    g_clear_pointer(&cli->path, g_free);
    g_clear_pointer(&cli->config_file, g_free);
}

/* ---- failing --------------------------------------------------------------------------------------------------------- */

int cli_failed(Cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(cli->err, "nurture: %s\n", message);
    return CLI_FAILED;
}

gboolean cli_id_parse(const char *word, const char *list, gint64 *ret_id, GError **error)
{
    if (g_ascii_string_to_signed(word, 10, 1, G_MAXINT64, ret_id, NULL))
        return TRUE;
    g_autofree char *shown = text_quote(word, 60);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is no ID; write a number of the first column of nurture %s", shown, list);
    return FALSE;
}

int cli_failed_by(Cli *cli, GError *error)
{
    /* a list of faults already bears its places, one a line */
    if (g_error_matches(error, CONFIG_ERROR, CONFIG_ERROR_INVALID) ||
        g_error_matches(error, ENGINE_ERROR, ENGINE_ERROR_TEMPLATES))
        fprintf(cli->err, "%s\n", error->message);
    else
        cli_failed(cli, "%s", error->message);
    g_error_free(error);
    return CLI_FAILED;
}

int cli_wrong_usage(Cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const char *synopsis = cli->command == NULL ? "[-c FILE] COMMAND …" : cli->command->synopsis;
    fprintf(cli->err, "%s: %s\nusage: %s%s%s\n       more with: %s --help\n", cli->path, message, cli->path,
            *synopsis != '\0' ? " " : "", synopsis, cli->path);
    return CLI_USAGE;
}

void cli_note(Cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(cli->err, "note: %s\n", message);
}

/* ---- configuration and store ----------------------------------------------------------------------------------------- */

gboolean cli_load_config(Cli *cli, GError **error)
{
    if (cli->config != NULL)
        return TRUE;
    const char *file = cli->config_file;
    if (file == NULL)
        file = g_getenv("NURTURE_CONFIG");
    if (file == NULL || file[0] == '\0')
        file = DEFAULT_CONFIG;
    cli->config = config_load(file, NULL, error);
    return cli->config != NULL;
}

gboolean cli_store_exists(const Cli *cli)
{
    const char *url = cli->config->store_url;
    return !g_str_has_prefix(url, SQLITE_SCHEME) || g_file_test(url + strlen(SQLITE_SCHEME), G_FILE_TEST_EXISTS);
}

gboolean cli_open_store(Cli *cli, CliAccess access, GError **error)
{
    if (!cli_load_config(cli, error))
        return FALSE;
    static const StoreOpenFlags flags[] = {
        [CLI_STORE_READ] = STORE_OPEN_READ_ONLY,
        [CLI_STORE_TRY] = (StoreOpenFlags)0,
        [CLI_STORE_WRITE] = STORE_OPEN_CREATE,
        [CLI_STORE_MAKE] = STORE_OPEN_CREATE,
    };
    /* a slip of the fingers makes no store: one without CREATE says that there is none */
    gboolean is_missing = access == CLI_STORE_WRITE && !cli_store_exists(cli);
    if (cli->store == NULL)
        cli->store = store_open(cli->config->store_url, is_missing ? (StoreOpenFlags)0 : flags[access], error);
    return cli->store != NULL;
}

gboolean cli_open_list(Cli *cli, gboolean *ret_empty, GError **error)
{
    if (!cli_load_config(cli, error))
        return FALSE;
    *ret_empty = !cli_store_exists(cli);
    if (!*ret_empty)
        return cli_open_store(cli, CLI_STORE_READ, error);
    cli_note(cli, "nothing is stored yet: %s does not exist; nurture import, or the daemon, makes it",
             cli->config->store_url);
    return TRUE;
}

/* ---- people ---------------------------------------------------------------------------------------------------------- */

static gboolean collect_address(const Contact *contact, gpointer data)
{
    GPtrArray *addresses = data;
    g_ptr_array_add(addresses, g_strdup(contact->email));
    return addresses->len < NEAREST_MAX;
}

/* The nearest known address among those of the same domain or the same local part, or NULL. */
static char *nearest_address(Cli *cli, const char *address)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    const char *domain = address_domain(address);
    g_autofree char *local = g_strndup(address, (gsize)(domain - address));
    g_autofree char *at_domain = g_strconcat("@", domain, NULL);
    const char *searches[] = {local, at_domain};
    for (guint i = 0; i < G_N_ELEMENTS(searches) && addresses->len < NEAREST_MAX; i++) {
        ContactFilter filter = {.search = searches[i]};
        if (!store_contact_each(cli->store, &filter, collect_address, addresses, NULL))
            return NULL;
    }
    g_ptr_array_add(addresses, NULL);
    return g_strdup(text_nearest(address, (const char *const *)addresses->pdata));
}

Contact *cli_find_contact(Cli *cli, const char *word, GError **error)
{
    g_autofree char *address = address_canonical(word, error);
    if (address == NULL)
        return NULL;
    Contact *contact = NULL;
    if (!store_contact_find(cli->store, address, &contact, error))
        return NULL;
    if (contact != NULL)
        return contact;
    g_autofree char *near = nearest_address(cli, address);
    if (near != NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "no contact has the address %s; did you mean %s?", address, near);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN,
                    "no contact has the address %s; add them with: nurture contact add %s", address, address);
    return NULL;
}

Contact *cli_open_contact(Cli *cli, CliAccess access, const char *word, GError **error)
{
    return cli_open_store(cli, access, error) ? cli_find_contact(cli, word, error) : NULL;
}

GTimeZone *cli_default_zone(const Cli *cli)
{
    GTimeZone *zone = timestamp_zone(cli->config->sending.time_zone, NULL);
    return zone != NULL ? zone : g_time_zone_new_utc();
}

GTimeZone *cli_contact_zone(const Cli *cli, const Contact *contact)
{
    const char *names[] = {contact->time_zone, contact->company_time_zone};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        GTimeZone *zone = names[i] != NULL && names[i][0] != '\0' ? timestamp_zone(names[i], NULL) : NULL;
        if (zone != NULL)
            return zone;
    }
    return cli_default_zone(cli);
}

/* ---- results --------------------------------------------------------------------------------------------------------- */

void cli_print_json(Cli *cli, JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_init_object(node, object);
    json_object_unref(object);
    g_autofree char *line = json_line(node);
    fprintf(cli->out, "%s\n", line);
}

void cli_tell(Cli *cli, const char *email, const char *result)
{
    if (!cli->json) {
        fprintf(cli->out, "%s: %s\n", email, result);
        return;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "contact", email);
    json_object_set_string_member(object, "result", result);
    cli_print_json(cli, object);
}

char *cli_suggest(const char *fault, const char *word, const char *const *candidates)
{
    const char *near = text_nearest(word, candidates);
    if (near != NULL)
        return g_strdup_printf("%s; did you mean \"%s\"?", fault, near);
    if (candidates[0] == NULL)
        return g_strdup(fault);
    g_autofree char *all = g_strjoinv(", ", (char **)candidates);
    return g_strdup_printf("%s; write one of: %s", fault, all);
}
