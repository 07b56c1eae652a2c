/*
 * nurture suppression add / remove. Each word on its own: one that cannot be taken does not keep the others.
 */
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/suppression_words.h"
#include "engine/control.h"
#include "mail/address.h"

/* How many known addresses are looked at for a suggestion. */
enum { NEAREST_MAX = 2000 };

static void tell(Cli *cli, const char *address, const char *result)
{
    if (!cli->json) {
        fprintf(cli->out, "%s: %s\n", address, result);
        return;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "address", address);
    json_object_set_string_member(object, "result", result);
    cli_print_json(cli, object);
}

/* *ret_result: what became of it; static. Inside of a transaction. */
typedef gboolean (*Change)(Cli *cli, const char *address, gconstpointer data, const char **ret_result, GError **error);

static gboolean change_one(Cli *cli, CliAccess access, const char *word, Change change, gconstpointer data, GError **error)
{
    const char *result = NULL;
    g_autofree char *address = suppression_address(word, error);
    if (address == NULL || !cli_open_store(cli, access, error))
        return FALSE;
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    if (transaction == NULL || !change(cli, address, data, &result, error) ||
        !store_commit(g_steal_pointer(&transaction), error))
        return FALSE;
    tell(cli, address, result);
    return TRUE;
}

/* The daemon is told once. The store is opened when there is something to write. */
static int change_each(Cli *cli, CliAccess access, char **words, Change change, gconstpointer data)
{
    GError *error = NULL;
    int status = CLI_DONE;
    gboolean any = FALSE;
    for (char **word = words; *word != NULL; word++)
        if (change_one(cli, access, *word, change, data, &error))
            any = TRUE;
        else
            status = cli_failed_by(cli, g_steal_pointer(&error));
    if (any)
        control_knock(cli->config);
    return status;
}

/* ---- add ------------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *reason, *detail; /* as written; NULL: not */
    const char *checked_reason;
    char *checked_detail;
} AddOptions;

static void add_options_clear(AddOptions *options)
{
    g_free(options->reason);
    g_free(options->detail);
    g_free(options->checked_detail);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AddOptions, add_options_clear)

/* A reason in people's own words is the detail of one by hand; what only looks like one of ours is a slip of the fingers. */
static gboolean read_add_options(AddOptions *options, GError **error)
{
    const char *detail = options->detail != NULL ? options->detail : "";
    options->checked_reason = "manual";
    if (options->reason != NULL) {
        options->checked_reason = suppression_reason(options->reason, error);
        gboolean own_words = options->checked_reason == NULL && options->detail == NULL && options->reason[0] != '\0' &&
                             text_nearest(options->reason, suppression_reasons()) == NULL;
        if (own_words) {
            g_clear_error(error);
            options->checked_reason = "manual";
            detail = options->reason;
        }
    }
    if (options->checked_reason == NULL) {
        g_prefix_error(error, "--reason: ");
        return FALSE;
    }
    options->checked_detail = suppression_detail(detail, error);
    if (options->checked_detail == NULL)
        g_prefix_error(error, "--detail: ");
    return options->checked_detail != NULL;
}

static gboolean add_one(Cli *cli, const char *address, gconstpointer data, const char **ret_result, GError **error)
{
    static const char *const words[] = {
        [SUPPRESSION_ADDED] = "added", [SUPPRESSION_CHANGED] = "changed", [SUPPRESSION_UNCHANGED] = "unchanged"};
    const AddOptions *options = data;
    SuppressionResult result;
    const Suppression suppression = {.address = address,
                                     .reason = options->checked_reason,
                                     .detail = options->checked_detail,
                                     .at_ms = control_now_ms(cli->config)};
    if (!suppression_put(cli->store, &suppression, &result, error))
        return FALSE;
    *ret_result = words[result];
    return TRUE;
}

int suppression_command_add(Cli *cli, char **words)
{
    g_auto(AddOptions) options = {0};
    const GOptionEntry entries[] = {
        {"reason", 0, 0, G_OPTION_ARG_STRING, &options.reason,
         "unsubscribe, bounce, complaint or manual (default), or in words of your own", "REASON"},
        {"detail", 0, 0, G_OPTION_ARG_STRING, &options.detail, "More on the reason", "TEXT"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (!read_add_options(&options, &error) || !cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    return change_each(cli, CLI_STORE_MAKE, rest, add_one, &options);
}

/* ---- remove ---------------------------------------------------------------------------------------------------------- */

static gboolean collect_address(const Suppression *suppression, gpointer data)
{
    GPtrArray *addresses = data;
    g_ptr_array_add(addresses, g_strdup(suppression->address));
    return addresses->len < NEAREST_MAX;
}

static void refuse_unknown(Cli *cli, const char *address, GError **error)
{
    g_autoptr(Suppression) of_domain = NULL;
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *domain = g_strconcat("@", address_domain(address), NULL);
    if (address[0] != '@' && !store_suppression_find(cli->store, domain, &of_domain, error))
        return;
    if (of_domain != NULL) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN,
                    "%s is not suppressed alone: everybody of %s is; to let all of them be mailed, write: nurture "
                    "suppression remove %s",
                    address, domain, domain);
        return;
    }
    if (!store_suppression_each(cli->store, collect_address, addresses, error))
        return;
    g_ptr_array_add(addresses, NULL);
    const char *near = text_nearest(address, (const char *const *)addresses->pdata);
    if (near != NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "%s is not suppressed; did you mean %s?", address, near);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_UNKNOWN, "%s is not suppressed; nurture suppression list shows who is",
                    address);
}

static void refuse_wish(Cli *cli, const char *address, const Suppression *suppression, GError **error)
{
    g_autoptr(GTimeZone) zone = cli_default_zone(cli);
    g_autofree char *since = timestamp_format_local(suppression->at_ms, zone);
    gboolean complained = g_str_equal(suppression->reason, "complaint");
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                "%s %s (%s): to write to them again needs their consent, and may be against the law without; where they "
                "have given it, write --force",
                address, complained ? "has complained of our mail" : "has asked for no more mail", since);
}

/* Their domain, or another address of theirs, may be suppressed as well. */
static gboolean note_what_remains(Cli *cli, const char *address, GError **error)
{
    gboolean suppressed = FALSE;
    if (address[0] != '@' && !store_suppression_check(cli->store, address, &suppressed, NULL, error))
        return FALSE;
    if (suppressed)
        cli_note(cli, "%s is still never mailed: their domain, or another address of theirs, is suppressed too", address);
    return TRUE;
}

static gboolean remove_one(Cli *cli, const char *address, gconstpointer data, const char **ret_result, GError **error)
{
    const gboolean *force = data;
    gboolean removed = FALSE;
    g_autoptr(Suppression) suppression = NULL;
    if (!store_suppression_find(cli->store, address, &suppression, error))
        return FALSE;
    if (suppression == NULL) {
        refuse_unknown(cli, address, error);
        return FALSE;
    }
    if (suppression_is_wish(suppression) && !*force) {
        refuse_wish(cli, address, suppression, error);
        return FALSE;
    }
    if (!store_suppression_remove(cli->store, address, &removed, error))
        return FALSE;
    *ret_result = "removed";
    return note_what_remains(cli, address, error);
}

int suppression_command_remove(Cli *cli, char **words)
{
    gboolean force = FALSE;
    const GOptionEntry entries[] = {
        {"force", 0, 0, G_OPTION_ARG_NONE, &force, "Also where they have unsubscribed or complained", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    return change_each(cli, CLI_STORE_WRITE, rest, remove_one, &force);
}
