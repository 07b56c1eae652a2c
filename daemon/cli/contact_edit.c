/*
 * nurture contact add / set / stage / tag: facts about one person, each in one transaction with its mark.
 */
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/edit.h"
#include "engine/control.h"

/* ---- options --------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *first_name, *last_name, *company, *stage, *stage_since, *customer_since, *time_zone, *language, *owner, *source;
    char **tags, **attributes;
} FieldOptions;

#define FIELD_ENTRIES(options)                                                                                                \
    {"first-name", 0, 0, G_OPTION_ARG_STRING, &(options).first_name, "First name", "NAME"},                                   \
        {"last-name", 0, 0, G_OPTION_ARG_STRING, &(options).last_name, "Last name", "NAME"},                                  \
        {"company", 0, 0, G_OPTION_ARG_STRING, &(options).company, "Company", "NAME"},                                        \
        {"stage", 0, 0, G_OPTION_ARG_STRING, &(options).stage, "Stage of the pipeline", "STAGE"},                             \
        {"stage-since", 0, 0, G_OPTION_ARG_STRING, &(options).stage_since, "Since when in the stage (default: now)", "DATE"}, \
        {"customer-since", 0, 0, G_OPTION_ARG_STRING, &(options).customer_since, "Since when a customer", "DATE"},            \
        {"time-zone", 0, 0, G_OPTION_ARG_STRING, &(options).time_zone, "Time zone, such as Europe/Oslo", "ZONE"},             \
        {"language", 0, 0, G_OPTION_ARG_STRING, &(options).language, "Language, such as nb or en", "CODE"},                   \
        {"owner", 0, 0, G_OPTION_ARG_STRING, &(options).owner, "The account that writes to them", "ACCOUNT"},                 \
        {"source", 0, 0, G_OPTION_ARG_STRING, &(options).source, "Where they come from", "TEXT"},                             \
        {"tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options).tags, "Adds a tag; may be repeated", "TAG"},                      \
    {                                                                                                                         \
        "attribute", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(options).attributes, "Sets an attribute; may be repeated",            \
            "NAME=VALUE"                                                                                                      \
    }

static void options_clear(FieldOptions *options)
{
    char *owned[] = {options->first_name,     options->last_name, options->company,  options->stage, options->stage_since,
                     options->customer_since, options->time_zone, options->language, options->owner, options->source};
    for (gsize i = 0; i < G_N_ELEMENTS(owned); i++)
        g_free(owned[i]);
    g_strfreev(options->tags);
    g_strfreev(options->attributes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FieldOptions, options_clear)

static gboolean take_attributes(ContactFields *fields, char **pairs, GError **error)
{
    for (char **pair = pairs; pair != NULL && *pair != NULL; pair++) {
        const char *equals = strchr(*pair, '=');
        g_autofree char *written = g_strndup(*pair, equals != NULL ? (gsize)(equals - *pair) : strlen(*pair));
        g_autofree char *shown = text_quote(*pair, 60);
        if (equals == NULL) {
            g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "--attribute: %s has no \"=\"; write --attribute name=value",
                        shown);
            return FALSE;
        }
        g_autofree char *name = contact_attribute_name(written, error);
        if (name != NULL && g_strv_contains(contact_field_names(), name))
            g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                        "\"%s\" is a field of its own; write the option of that name instead", name);
        else if (name != NULL && contact_fields_set_attribute(fields, name, equals + 1, error))
            continue;
        g_prefix_error(error, "--attribute: ");
        return FALSE;
    }
    return TRUE;
}

/* The field as the command line has it: "stage_since" -> "--stage-since". Caller frees. */
static char *option_of(const Cli *cli, const char *field)
{
    gboolean of_stage = cli->command->run == contact_command_stage;
    if (of_stage && g_str_equal(field, "stage"))
        return g_strdup("STAGE");
    if (of_stage && g_str_equal(field, "stage_since"))
        return g_strdup("--since");
    return g_strdelimit(g_strconcat("--", field, NULL), "_", '-');
}

/* A word without a tag is a slip of the fingers, where an empty cell of a table is none. */
static gboolean take_tag_word(ContactFields *fields, const char *word, gboolean is_removed, GError **error)
{
    g_auto(GStrv) tags = text_split_list(word);
    if (tags[0] == NULL) {
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, "the name of the tag is missing; write for example happy");
        return FALSE;
    }
    return is_removed ? contact_fields_remove_tags(fields, word, error) : contact_fields_add_tags(fields, word, error);
}

static gboolean take_options(const Cli *cli, ContactFields *fields, const FieldOptions *options, GError **error)
{
    const struct {
        const char *field, *value;
    } given[] = {
        {"first_name", options->first_name},
        {"last_name", options->last_name},
        {"company", options->company},
        {"stage", options->stage},
        {"stage_since", options->stage_since},
        {"customer_since", options->customer_since},
        {"time_zone", options->time_zone},
        {"language", options->language},
        {"owner", options->owner},
        {"source", options->source},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(given); i++)
        if (given[i].value != NULL && !contact_fields_set(fields, given[i].field, given[i].value, error)) {
            g_autofree char *option = option_of(cli, given[i].field);
            g_prefix_error(error, "%s: ", option);
            return FALSE;
        }
    for (char **tag = options->tags; tag != NULL && *tag != NULL; tag++)
        if (!take_tag_word(fields, *tag, FALSE, error)) {
            g_prefix_error(error, "--tag: ");
            return FALSE;
        }
    return take_attributes(fields, options->attributes, error);
}

/* ---- saving ---------------------------------------------------------------------------------------------------------- */

static int tell_result(Cli *cli, const char *email, ContactSaveResult result)
{
    static const char *const words[] = {[CONTACT_CREATED] = "added",
                                        [CONTACT_CHANGED] = "changed",
                                        [CONTACT_UNCHANGED] = "unchanged",
                                        [CONTACT_CAME_BACK] = "added"};
    if (result == CONTACT_CAME_BACK)
        cli_note(cli, CLI_CAME_BACK, email);
    if (result != CONTACT_UNCHANGED)
        control_knock(cli->config);
    cli_tell(cli, email, words[result]);
    return CLI_DONE;
}

/* Whether the person may or must be there already was decided inside of the same transaction. */
static gboolean save(Cli *cli, const ContactEdit *edit, gboolean is_new, gint64 now_ms, ContactSaveResult *ret_result,
                     GError **error)
{
    g_autoptr(Contact) there = NULL;
    if (!cli_open_store(cli, CLI_STORE_MAKE, error))
        return FALSE;
    g_autoptr(StoreTransaction) transaction = store_begin(cli->store, error);
    if (transaction == NULL || !store_contact_find(cli->store, edit->email, &there, error))
        return FALSE;
    if (is_new && there != NULL) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s is a contact already; change them with: nurture contact set %s …",
                    edit->email, edit->email);
        return FALSE;
    }
    return contact_edit_save(cli, edit, now_ms, ret_result, error) && store_commit(g_steal_pointer(&transaction), error);
}

/* existing NULL: somebody new of the address. */
static int save_fields(Cli *cli, const char *email, const Contact *existing, ContactFields *fields, gint64 now_ms)
{
    GError *error = NULL;
    ContactSaveResult result;
    const char *field = NULL;
    g_autoptr(GTimeZone) zone = existing != NULL ? cli_contact_zone(cli, existing) : cli_default_zone(cli);
    const char *stage = existing != NULL ? existing->stage : cli->config->pipeline.stages[0];
    if (!contact_fields_set(fields, "email", email, &error))
        return cli_failed_by(cli, error);
    const ContactEdit *edit = contact_fields_finish(fields, zone, stage, &field, &error);
    if (edit == NULL) {
        g_autofree char *option = option_of(cli, field);
        g_prefix_error(&error, "%s: ", option);
        return cli_failed_by(cli, error);
    }
    if (!save(cli, edit, existing == NULL, now_ms, &result, &error))
        return cli_failed_by(cli, error);
    return tell_result(cli, edit->email, result);
}

static int save_options(Cli *cli, const char *email, const Contact *existing, const FieldOptions *options)
{
    GError *error = NULL;
    gint64 now_ms = control_now_ms(cli->config);
    g_autoptr(ContactFields) fields = contact_fields_new(cli->config, now_ms);
    if (!take_options(cli, fields, options, &error))
        return cli_failed_by(cli, error);
    return save_fields(cli, email, existing, fields, now_ms);
}

/* ---- the commands ---------------------------------------------------------------------------------------------------- */

int contact_command_add(Cli *cli, char **words)
{
    g_auto(FieldOptions) options = {0};
    const GOptionEntry entries[] = {FIELD_ENTRIES(options), {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    /* the store is made once the fields are found to be right */
    if (!cli_load_config(cli, &error))
        return cli_failed_by(cli, error);
    return save_options(cli, rest[0], NULL, &options);
}

int contact_command_set(Cli *cli, char **words)
{
    g_auto(FieldOptions) options = {0};
    const GOptionEntry entries[] = {FIELD_ENTRIES(options), {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 1, 1, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    return save_options(cli, contact->email, contact, &options);
}

int contact_command_stage(Cli *cli, char **words)
{
    g_auto(FieldOptions) options = {0};
    const GOptionEntry entries[] = {
        {"since", 0, 0, G_OPTION_ARG_STRING, &options.stage_since, "Since when (default: now)", "DATE"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GError *error = NULL;
    int status = CLI_DONE;
    g_auto(GStrv) rest = cli_parse(cli, words, entries, 2, 2, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    options.stage = g_strdup(rest[1]);
    return save_options(cli, contact->email, contact, &options);
}

/* Splits "-cold" from the options and all other words; the lists do not own the words. */
static void split_tag_words(char **words, GPtrArray *removed, GPtrArray *others)
{
    for (char **word = words; *word != NULL; word++) {
        gboolean is_option = g_str_equal(*word, "-c") || g_str_equal(*word, "-h") || (*word)[1] == '-' || (*word)[1] == '\0';
        if ((*word)[0] == '-' && !is_option) {
            g_ptr_array_add(removed, *word + 1);
            continue;
        }
        g_ptr_array_add(others, *word);
        if (g_str_equal(*word, "-c") && word[1] != NULL)
            g_ptr_array_add(others, *++word);
    }
    g_ptr_array_add(others, NULL);
}

static gboolean take_tag_words(ContactFields *fields, char **added, const GPtrArray *removed, GError **error)
{
    for (char **word = added; *word != NULL; word++)
        if (!take_tag_word(fields, **word == '+' ? *word + 1 : *word, FALSE, error))
            return FALSE;
    for (guint i = 0; i < removed->len; i++)
        if (!take_tag_word(fields, g_ptr_array_index(removed, i), TRUE, error))
            return FALSE;
    return TRUE;
}

/* "+happy" and "happy" add, "-cold" takes away. */
int contact_command_tag(Cli *cli, char **words)
{
    GError *error = NULL;
    int status = CLI_DONE;
    g_autoptr(GPtrArray) removed = g_ptr_array_new();
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    split_tag_words(words, removed, others);
    g_auto(GStrv) rest = cli_parse(cli, (char **)others->pdata, NULL, removed->len > 0 ? 1 : 2, G_MAXUINT, &status);
    if (rest == NULL)
        return status;
    g_autoptr(Contact) contact = cli_open_contact(cli, CLI_STORE_WRITE, rest[0], &error);
    if (contact == NULL)
        return cli_failed_by(cli, error);
    gint64 now_ms = control_now_ms(cli->config);
    g_autoptr(ContactFields) fields = contact_fields_new(cli->config, now_ms);
    if (!take_tag_words(fields, rest + 1, removed, &error))
        return cli_failed_by(cli, error);
    return save_fields(cli, contact->email, contact, fields, now_ms);
}
