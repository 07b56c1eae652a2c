/*
 * nurture contact add / set / stage / tag / pause / resume / forget: facts about one person, each in one transaction.
 */
#include <string.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "engine/control.h"

typedef struct {
    char *first_name, *last_name, *company, *stage, *stage_since, *customer_since, *time_zone, *language, *owner, *source;
    char **tags, **attributes;
} FieldOptions;

#define FIELD_ENTRIES(options)                                                                                             \
    {"first-name", 0, 0, G_OPTION_ARG_STRING, &(options).first_name, "First name", "NAME"},                               \
        {"last-name", 0, 0, G_OPTION_ARG_STRING, &(options).last_name, "Last name", "NAME"},                              \
        {"company", 0, 0, G_OPTION_ARG_STRING, &(options).company, "Company", "NAME"},                                    \
        {"stage", 0, 0, G_OPTION_ARG_STRING, &(options).stage, "Stage of the pipeline", "STAGE"},                         \
        {"stage-since", 0, 0, G_OPTION_ARG_STRING, &(options).stage_since, "Since when in the stage", "DATE"},            \
        {"customer-since", 0, 0, G_OPTION_ARG_STRING, &(options).customer_since, "Since when a customer", "DATE"},        \
        {"time-zone", 0, 0, G_OPTION_ARG_STRING, &(options).time_zone, "Time zone, such as Europe/Oslo", "ZONE"},         \
        {"language", 0, 0, G_OPTION_ARG_STRING, &(options).language, "Language, such as nb", "CODE"},                     \
        {"owner", 0, 0, G_OPTION_ARG_STRING, &(options).owner, "The account that writes to them", "ACCOUNT"},             \
        {"source", 0, 0, G_OPTION_ARG_STRING, &(options).source, "Where they come from", "TEXT"},                         \
        {"tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options).tags, "Adds a tag (may be repeated)", "TAG"},                 \
        {"attribute", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options).attributes, "Sets an attribute (may be repeated)", "NAME=VALUE"}

static void options_clear(FieldOptions *options)
{
    char *owned[] = {options->first_name,     options->last_name, options->company,  options->stage, options->stage_since,
                     options->customer_since, options->time_zone, options->language, options->owner, options->source};
    for (gsize i = 0; i < G_N_ELEMENTS(owned); i++)
        g_free(owned[i]);
    g_strfreev(options->tags);
    g_strfreev(options->attributes);
}

/* ---- saving ---------------------------------------------------------------------------------------------------------- */

static gboolean take_pairs(ContactFields *fields, char **attributes, GError **error)
{
    for (char **pair = attributes; pair && *pair; pair++) {
        const char *equals = strchr(*pair, '=');
        if (!equals) {
            g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "--attribute %s: write --attribute NAME=VALUE", *pair);
            return FALSE;
        }
        g_autofree char *name = g_strndup(*pair, (gsize)(equals - *pair));
        if (!contact_fields_set(fields, name, equals + 1, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean take_options(ContactFields *fields, const FieldOptions *options, GError **error)
{
    const struct {
        const char *name, *value;
    } given[] = {{"first_name", options->first_name},   {"last_name", options->last_name},
                 {"company", options->company},         {"stage", options->stage},
                 {"stage_since", options->stage_since}, {"customer_since", options->customer_since},
                 {"time_zone", options->time_zone},     {"language", options->language},
                 {"owner", options->owner},             {"source", options->source}};
    for (gsize i = 0; i < G_N_ELEMENTS(given); i++)
        if (given[i].value && !contact_fields_set(fields, given[i].name, given[i].value, error)) {
            g_prefix_error(error, "--%s: ", given[i].name);
            return FALSE;
        }
    g_autofree char *tags = options->tags ? g_strjoinv(",", options->tags) : NULL;
    if (tags && !contact_fields_set(fields, "tags", tags, error))
        return FALSE;
    return take_pairs(fields, options->attributes, error);
}

static gboolean save(Cli *cli, const ContactEdit *edit, gint64 now_ms, ContactSaveResult *ret_result, GError **error)
{
    gint64 id;
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    return transaction && contact_edit_save(cli, edit, now_ms, ret_result, &id, error) &&
           store_commit(g_steal_pointer(&transaction), error);
}

static int told(Cli *cli, const char *email, const char *what)
{
    control_knock(cli->config);
    if (cli->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "contact", email);
        json_object_set_string_member(object, "result", what);
        cli_print_json(cli, object);
    } else {
        fprintf(cli->out, "%s: %s\n", email, what);
    }
    return CLI_DONE;
}

static const char *result_word(ContactSaveResult result)
{
    return result == CONTACT_CREATED ? "added" : result == CONTACT_CHANGED ? "changed" : "unchanged";
}

/* Saves the person's options; existing NULL: somebody new. */
static int save_options(Cli *cli, const char *email, const Contact *existing, const FieldOptions *options)
{
    GError *error = NULL;
    ContactSaveResult result;
    gint64 now_ms = control_now_ms(cli->config);
    g_autoptr(ContactFields) fields = contact_fields_new(cli->config, now_ms);
    g_autoptr(GTimeZone) zone = existing ? cli_contact_zone(cli, existing) : cli_default_zone(cli);
    const ContactEdit *edit = NULL;
    if (contact_fields_set(fields, "email", email, &error) && take_options(fields, options, &error))
        edit = contact_fields_finish(fields, zone, &error);
    if (!edit || !save(cli, edit, now_ms, &result, &error))
        return cli_failed_by(cli, error);
    return told(cli, edit->email, result_word(result));
}

int contact_command_add(Cli *cli, char **words)
{
    FieldOptions options = {0};
    const GOptionEntry entries[] = {FIELD_ENTRIES(options), {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest)
        status = cli_open_store(cli, CLI_STORE_WRITE, &error) ? save_options(cli, rest[0], NULL, &options) : cli_failed_by(cli, error);
    options_clear(&options);
    return status;
}

/* Opens the store and finds the person of the first word; NULL where that failed with *ret_status. */
static Contact *open_and_find(Cli *cli, char **rest, int *ret_status)
{
    GError *error = NULL;
    if (!rest)
        return NULL;
    Contact *contact = cli_open_store(cli, CLI_STORE_WRITE, &error) ? cli_find_contact(cli, rest[0], &error) : NULL;
    if (!contact)
        *ret_status = cli_failed_by(cli, error);
    return contact;
}

int contact_command_set(Cli *cli, char **words)
{
    FieldOptions options = {0};
    const GOptionEntry entries[] = {FIELD_ENTRIES(options), {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    g_autoptr(Contact) contact = open_and_find(cli, rest, &status);
    if (contact)
        status = save_options(cli, contact->email, contact, &options);
    options_clear(&options);
    return status;
}

int contact_command_stage(Cli *cli, char **words)
{
    FieldOptions options = {0};
    const GOptionEntry entries[] = {
        {"since", 0, 0, G_OPTION_ARG_STRING, &options.stage_since, "Since when (default: now)", "DATE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 2, 2, &status);
    g_autoptr(Contact) contact = open_and_find(cli, rest, &status);
    if (contact) {
        options.stage = g_strdup(rest[1]);
        status = save_options(cli, contact->email, contact, &options);
    }
    options_clear(&options);
    return status;
}

/* "+happy" and "happy" add, "-cold" takes away. */
int contact_command_tag(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(GPtrArray) add = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) remove = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) plain = g_ptr_array_new();
    for (char **word = words; *word; word++) {
        if ((*word)[0] == '-' && (*word)[1] && (*word)[1] != '-' && !g_str_equal(*word, "-c") && !g_str_equal(*word, "-h"))
            g_ptr_array_add(remove, g_strdup(*word + 1));
        else
            g_ptr_array_add(plain, *word);
    }
    g_ptr_array_add(plain, NULL);
    g_auto(GStrv) rest = cli_parse(cli, (char **)plain->pdata, NULL, 1, 100, &status);
    g_autoptr(Contact) contact = open_and_find(cli, rest, &status);
    if (!contact)
        return status;
    for (char **word = rest + 1; *word; word++)
        g_ptr_array_add(add, g_strdup(**word == '+' ? *word + 1 : *word));
    if (!add->len && !remove->len)
        return cli_wrong_usage(cli, "no tag is named");
    g_ptr_array_add(add, NULL);
    g_ptr_array_add(remove, NULL);
    ContactSaveResult result;
    const ContactEdit edit = {.email = contact->email, .add_tags = (const char *const *)add->pdata, .remove_tags = (const char *const *)remove->pdata};
    if (!save(cli, &edit, control_now_ms(cli->config), &result, &error))
        return cli_failed_by(cli, error);
    return told(cli, contact->email, result_word(result));
}

/* ---- pause, resume, forget ------------------------------------------------------------------------------------------- */

static int set_pause(Cli *cli, const Contact *contact, gint64 until_ms, const char *what)
{
    GError *error = NULL;
    if (!store_contact_pause(cli->store, contact->id, until_ms, control_now_ms(cli->config), &error))
        return cli_failed_by(cli, error);
    return told(cli, contact->email, what);
}

int contact_command_pause(Cli *cli, char **words)
{
    g_autofree char *until = NULL;
    const GOptionEntry entries[] = {
        {"until", 0, 0, G_OPTION_ARG_STRING, &until, "Until when (default: until resumed)", "DATE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    gint64 until_ms = G_MAXINT64;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    g_autoptr(Contact) contact = open_and_find(cli, rest, &status);
    if (!contact)
        return status;
    g_autoptr(GTimeZone) zone = cli_contact_zone(cli, contact);
    if (until && !timestamp_parse(until, zone, &until_ms, &error))
        return cli_failed_by(cli, error);
    if (until_ms <= control_now_ms(cli->config))
        return cli_failed(cli, "--until %s has passed; write a day to come", until);
    return set_pause(cli, contact, until_ms, until ? "paused" : "paused until resumed");
}

int contact_command_resume(Cli *cli, char **words)
{
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, NULL, 1, 1, &status);
    g_autoptr(Contact) contact = open_and_find(cli, rest, &status);
    return contact ? set_pause(cli, contact, 0, contact->paused_until_ms ? "resumed" : "was not paused") : status;
}

static gboolean confirmed(Cli *cli, const char *email)
{
    char answer[8] = "";
    if (!isatty(STDIN_FILENO))
        return FALSE;
    fprintf(cli->err, "Erase %s with everything that is known of them? Write yes: ", email);
    return fgets(answer, sizeof(answer), stdin) && g_str_equal(g_strstrip(answer), "yes");
}

int contact_command_forget(Cli *cli, char **words)
{
    gboolean yes = FALSE;
    const GOptionEntry entries[] = {
        {"yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    g_autoptr(Contact) contact = open_and_find(cli, rest, &status);
    if (!contact)
        return status;
    if (!yes && !confirmed(cli, contact->email))
        return cli_failed(cli, "%s was not erased; write --yes to erase without a question", contact->email);
    if (!store_contact_forget(cli->store, contact->id, &error))
        return cli_failed_by(cli, error);
    return told(cli, contact->email, "erased");
}
