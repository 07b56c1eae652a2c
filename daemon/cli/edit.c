/*
 * A contact's fields as people write them. One place checks them, for the import and for the commands.
 */
#include "cli/edit.h"

#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "mail/address.h"

enum { VALUE_MAX_BYTES = 4000, TAG_MAX_BYTES = 100 };

struct ContactFields {
    const Config *config;
    gint64 now_ms;
    ContactEdit edit;
    char *email, *first_name, *last_name, *company, *time_zone, *language, *source;
    char *stage_since, *customer_since; /* read when the zone is known */
    char **tags;
};

/* "“value” is …; write …" */
static gboolean refuse(GError **error, const char *value, const char *what, const char *advice)
{
    g_autofree char *shown = text_escape(value, 60);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "\"%s\" %s; write %s", shown, what, advice);
    return FALSE;
}

ContactFields *contact_fields_new(const Config *config, gint64 now_ms)
{
    ContactFields *fields = g_new0(ContactFields, 1);
    fields->config = config;
    fields->now_ms = now_ms;
    fields->edit.attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return fields;
}

void contact_fields_free(ContactFields *fields)
{
    if (!fields)
        return;
    char *owned[] = {fields->email,    fields->first_name, fields->last_name,   fields->company,       fields->time_zone,
                     fields->language, fields->source,     fields->stage_since, fields->customer_since};
    for (gsize i = 0; i < G_N_ELEMENTS(owned); i++)
        g_free(owned[i]);
    g_strfreev(fields->tags);
    g_hash_table_unref(fields->edit.attributes);
    g_free(fields);
}

/* ---- single fields --------------------------------------------------------------------------------------------------- */

static gboolean keep(char **owned, const char **target, const char *value)
{
    g_free(*owned);
    *owned = g_strdup(value);
    *target = *owned;
    return TRUE;
}

static gboolean set_email(ContactFields *fields, const char *value, GError **error)
{
    g_autofree char *address = address_canonical(value, error);
    if (!address)
        return FALSE;
    if (address_in_domains(address, (const char *const *)fields->config->organisation.domains))
        return refuse(error, value, "is one of our own people (organisation.domains)", "customers and prospects only");
    return keep(&fields->email, &fields->edit.email, address);
}

const char *contact_stage_named(const Config *config, const char *stage, GError **error)
{
    int index = config_stage_index(config, stage);
    if (index >= 0)
        return config->pipeline.stages[index];
    g_autofree char *shown = text_escape(stage, 60);
    g_autofree char *fault = g_strdup_printf("\"%s\" is no stage of the pipeline", shown);
    g_autofree char *message = cli_suggest(fault, stage, (const char *const *)config->pipeline.stages);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
    return NULL;
}

static gboolean set_stage(ContactFields *fields, const char *value, GError **error)
{
    fields->edit.stage = contact_stage_named(fields->config, value, error);
    return fields->edit.stage != NULL;
}

static gboolean set_time_zone(ContactFields *fields, const char *value, GError **error)
{
    g_autoptr(GTimeZone) zone = *value ? timestamp_zone(value, error) : NULL;
    if (*value && !zone)
        return FALSE;
    return keep(&fields->time_zone, &fields->edit.time_zone, value);
}

/* "nb", "nb-NO": letters, and parts of letters and digits. */
static gboolean set_language(ContactFields *fields, const char *value, GError **error)
{
    gsize length = strlen(value), first = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    gboolean ok = length == 0 || ((first == 2 || first == 3) && length <= 20 && (value[first] == '\0' || value[first] == '-' || value[first] == '_'));
    for (const char *p = value + first; ok && *p; p++)
        ok = g_ascii_isalnum(*p) || *p == '-' || *p == '_';
    if (!ok)
        return refuse(error, value, "is no language", "a code such as \"en\" or \"nb\"");
    g_autofree char *lower = g_ascii_strdown(value, -1);
    g_strdelimit(lower, "_", '-');
    return keep(&fields->language, &fields->edit.language, lower);
}

static gboolean set_owner(ContactFields *fields, const char *value, GError **error)
{
    const Account *account = *value ? config_account(fields->config, value) : NULL;
    if (!*value || account) {
        fields->edit.owner = account ? account->name : "";
        return TRUE;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Account **known = fields->config->accounts; *known; known++)
        g_ptr_array_add(names, (*known)->name);
    g_ptr_array_add(names, NULL);
    g_autofree char *shown = text_escape(value, 60);
    g_autofree char *fault = g_strdup_printf("the owner \"%s\" has no account", shown);
    g_autofree char *message = cli_suggest(fault, value, (const char *const *)names->pdata);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
    return FALSE;
}

static gboolean set_tags(ContactFields *fields, const char *value, GError **error)
{
    g_strfreev(fields->tags);
    fields->tags = text_split_list(value);
    for (char **tag = fields->tags; *tag; tag++)
        if (strlen(*tag) > TAG_MAX_BYTES)
            return refuse(error, *tag, "is too long a tag", "at most 100 characters");
    fields->edit.add_tags = (const char *const *)fields->tags;
    return TRUE;
}

static gboolean set_attribute(ContactFields *fields, const char *name, const char *value, GError **error)
{
    if (!*name || strpbrk(name, "{}\"\n"))
        return refuse(error, name, "is no name for an attribute", "letters, digits, - and _");
    g_hash_table_replace(fields->edit.attributes, g_strdup(name), g_strdup(value));
    return TRUE;
}

/* ---- by name --------------------------------------------------------------------------------------------------------- */

static gboolean has_controls(const char *value)
{
    for (const char *p = value; *p; p++)
        if ((guchar)*p < 0x20 && *p != '\n' && *p != '\t')
            return TRUE;
    return FALSE;
}

typedef struct {
    const char *name;
    gboolean (*set)(ContactFields *fields, const char *value, GError **error);
    gsize owned, target; /* where set is NULL: kept as it is */
} FieldSpec;

#define KEPT(name_) {#name_, NULL, G_STRUCT_OFFSET(ContactFields, name_), G_STRUCT_OFFSET(ContactFields, edit.name_)}
#define DATE(name_) {#name_, NULL, G_STRUCT_OFFSET(ContactFields, name_), 0}

gboolean contact_fields_set(ContactFields *fields, const char *name, const char *value, GError **error)
{
    static const FieldSpec specs[] = {
        {"email", set_email, 0, 0},       {"stage", set_stage, 0, 0}, {"time_zone", set_time_zone, 0, 0},
        {"language", set_language, 0, 0}, {"owner", set_owner, 0, 0}, {"tags", set_tags, 0, 0},
        KEPT(first_name),                 KEPT(last_name),            KEPT(company),
        KEPT(source),                     DATE(stage_since),          DATE(customer_since),
    };
    if (strlen(value) > VALUE_MAX_BYTES || has_controls(value))
        return refuse(error, value, "is too long or has control characters", "plain text of at most 4,000 characters");
    for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
        if (g_ascii_strcasecmp(name, specs[i].name) != 0)
            continue;
        if (specs[i].set)
            return specs[i].set(fields, value, error);
        const char *unused = NULL;
        char **owned = (char **)((char *)fields + specs[i].owned);
        const char **target = specs[i].target ? (const char **)((char *)fields + specs[i].target) : &unused;
        g_autofree char *line = text_one_line(value);
        return keep(owned, target, line);
    }
    return set_attribute(fields, name, value, error);
}

static gboolean read_date(const ContactFields *fields, const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error)
{
    if (!text || !*text)
        return TRUE;
    if (!timestamp_parse(text, zone, ret_ms, error))
        return FALSE;
    if (*ret_ms > fields->now_ms)
        return refuse(error, text, "is in the future", "a day that has come");
    return TRUE;
}

const ContactEdit *contact_fields_finish(ContactFields *fields, GTimeZone *zone, GError **error)
{
    g_autoptr(GTimeZone) own = fields->time_zone && *fields->time_zone ? timestamp_zone(fields->time_zone, NULL) : NULL;
    GTimeZone *used = own ? own : zone;
    if (!read_date(fields, fields->stage_since, used, &fields->edit.stage_since_ms, error)) {
        g_prefix_error(error, "stage_since: ");
        return NULL;
    }
    if (!read_date(fields, fields->customer_since, used, &fields->edit.customer_since_ms, error)) {
        g_prefix_error(error, "customer_since: ");
        return NULL;
    }
    if (!fields->edit.email) {
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, "there is no address; write one such as anna@example.com");
        return NULL;
    }
    return &fields->edit;
}

gboolean contact_edit_save(Cli *cli, const ContactEdit *edit, gint64 now_ms, ContactSaveResult *ret_result, gint64 *ret_id, GError **error)
{
    const Pipeline *pipeline = &cli->config->pipeline;
    return store_contact_save(cli->store, edit, pipeline->customer_stage, pipeline->stages[0], now_ms, ret_result, ret_id, error);
}
