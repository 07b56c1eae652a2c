/*
 * A contact's fields as people write them. One place checks them, for the import and for the commands.
 */
#include "cli/edit.h"

#include <string.h>

#include "base/text.h"
#include "cli/known_times.h"
#include "mail/address.h"

enum {
    LINE_MAX_BYTES = 500,
    ATTRIBUTE_MAX_BYTES = 10000,
    NAME_MAX_BYTES = 100,
    SHOWN_BYTES = 60,
    TEXTS_BYTES = 4096 /* a block of ContactFields.texts */
};

static const gint64 EARLIEST_MS = G_GINT64_CONSTANT(24) * 60 * 60 * 1000; /* 0 is "none" in the store */

/* One person. */
typedef struct {
    ContactEdit edit;
    GPtrArray *add_tags, *remove_tags; /* char*; NULL at the end once finished */
} Person;

struct ContactFields {
    const Config *config;
    gint64 now_ms;
    GPtrArray *people; /* Person*: those begun since the reset come first, the others are kept for later */
    guint n_people;    /* begun */
    Person *person;    /* the last one begun; all below is about them */
    ContactEdit *edit; /* theirs */
    GTimeZone *zone;   /* of edit->time_zone; borrowed from times */
    const char *stage_since, *customer_since; /* read when the zone is known */
    const char *former_stage;                 /* before contact_fields_continue(), with its date in edit; NULL: none */
    GStringChunk *texts;                      /* all text of all edits */
    KnownTimes *times;
};

static void person_free(gpointer data)
{
    Person *person = data;
    g_ptr_array_unref(person->add_tags);
    g_ptr_array_unref(person->remove_tags);
    g_hash_table_unref(person->edit.attributes);
    g_free(person);
}

static Person *person_new(void)
{
    Person *person = g_new0(Person, 1);
    person->add_tags = g_ptr_array_new();
    person->remove_tags = g_ptr_array_new();
    person->edit.attributes = g_hash_table_new(g_str_hash, g_str_equal);
    return person;
}

ContactFields *contact_fields_new(const Config *config, gint64 now_ms)
{
    ContactFields *fields = g_new0(ContactFields, 1);
    fields->config = config;
    fields->now_ms = now_ms;
    fields->people = g_ptr_array_new_with_free_func(person_free);
    fields->texts = g_string_chunk_new(TEXTS_BYTES);
    fields->times = known_times_new();
    contact_fields_begin(fields);
    return fields;
}

void contact_fields_begin(ContactFields *fields)
{
    if (fields->n_people == fields->people->len)
        g_ptr_array_add(fields->people, person_new());
    Person *person = g_ptr_array_index(fields->people, fields->n_people++);
    g_hash_table_remove_all(person->edit.attributes);
    person->edit = (ContactEdit){.attributes = person->edit.attributes};
    g_ptr_array_set_size(person->add_tags, 0);
    g_ptr_array_set_size(person->remove_tags, 0);
    fields->person = person;
    fields->edit = &person->edit;
    fields->zone = NULL;
    fields->stage_since = fields->customer_since = fields->former_stage = NULL;
}

static void drop_end(GPtrArray *tags)
{
    if (tags->len > 0 && tags->pdata[tags->len - 1] == NULL)
        g_ptr_array_set_size(tags, (int)tags->len - 1);
}

void contact_fields_continue(ContactFields *fields)
{
    drop_end(fields->person->add_tags);
    drop_end(fields->person->remove_tags);
    fields->zone = NULL;
    fields->stage_since = fields->customer_since = NULL;
    fields->former_stage = fields->edit->stage;
}

void contact_fields_reset(ContactFields *fields)
{
    fields->n_people = 0;
    g_string_chunk_clear(fields->texts);
    contact_fields_begin(fields);
}

void contact_fields_free(ContactFields *fields)
{
    if (fields == NULL)
        return;
    g_ptr_array_unref(fields->people);
    g_string_chunk_free(fields->texts);
    known_times_free(fields->times);
    g_free(fields);
}

/* ---- faults ---------------------------------------------------------------------------------------------------------- */

/* "“value” what; write advice" */
static gboolean refuse(GError **error, const char *value, const char *what, const char *advice)
{
    g_autofree char *shown = text_quote(value, SHOWN_BYTES);
    g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT, "%s %s; write %s", shown, what, advice);
    return FALSE;
}

static void refuse_unknown(GError **error, const char *value, const char *what, const char *const *known)
{
    g_autofree char *shown = text_quote(value, SHOWN_BYTES);
    g_autofree char *fault = g_strdup_printf("%s %s", shown, what);
    g_autofree char *message = cli_suggest(fault, value, known);
    g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, message);
}

/* Nothing but letters, digits, signs and single spaces between them, of ASCII: most values are so, and need no closer look. */
static gboolean is_plain_line(const char *value, gsize length)
{
    guchar before = ' ';
    for (gsize i = 0; i < length; i++) {
        guchar byte = (guchar)value[i];
        if (byte < 0x20 || byte > 0x7e || (byte == ' ' && before == ' '))
            return FALSE;
        before = byte;
    }
    return length == 0 || before != ' ';
}

/* Valid, at most max_bytes, and without control characters but line ends and tabs. */
static gboolean check_text(const char *value, gsize max_bytes, GError **error)
{
    gsize length = strlen(value);
    if (length <= max_bytes && is_plain_line(value, length))
        return TRUE;
    if (length > max_bytes) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_INPUT,
                    "the text is longer than %" G_GSIZE_FORMAT " bytes; write a shorter one", max_bytes);
        return FALSE;
    }
    if (!g_utf8_validate(value, -1, NULL))
        return refuse(error, value, "is no valid UTF-8", "plain text");
    for (const char *p = value; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar character = g_utf8_get_char(p);
        if (g_unichar_iscntrl(character) && character != '\n' && character != '\t' && character != '\r')
            return refuse(error, value, "has control characters", "plain text");
    }
    return TRUE;
}

/* ---- single fields --------------------------------------------------------------------------------------------------- */

static const char *keep(ContactFields *fields, const char *value)
{
    return g_string_chunk_insert(fields->texts, value);
}

/* White space at the ends taken off, and made one space elsewhere. */
static const char *keep_line(ContactFields *fields, const char *value)
{
    if (is_plain_line(value, strlen(value)))
        return keep(fields, value);
    g_autofree char *line = text_one_line(value);
    return keep(fields, line);
}

static gboolean set_line(ContactFields *fields, const char **target, const char *value, GError **error)
{
    if (!check_text(value, LINE_MAX_BYTES, error))
        return FALSE;
    *target = keep_line(fields, value);
    return TRUE;
}

static gboolean set_first_name(ContactFields *fields, const char *value, GError **error)
{
    return set_line(fields, &fields->edit->first_name, value, error);
}

static gboolean set_last_name(ContactFields *fields, const char *value, GError **error)
{
    return set_line(fields, &fields->edit->last_name, value, error);
}

static gboolean set_company(ContactFields *fields, const char *value, GError **error)
{
    return set_line(fields, &fields->edit->company, value, error);
}

static gboolean set_source(ContactFields *fields, const char *value, GError **error)
{
    return set_line(fields, &fields->edit->source, value, error);
}

static gboolean set_email(ContactFields *fields, const char *value, GError **error)
{
    g_autofree char *address = address_canonical(value, error);
    if (address == NULL)
        return FALSE;
    fields->edit->email = keep(fields, address);
    if (address_in_domains(address, (const char *const *)fields->config->organisation.domains))
        return refuse(error, value, "is one of our own people (organisation.domains)",
                      "the address of a customer or prospect");
    return TRUE;
}

const char *contact_stage_named(const Config *config, const char *stage, GError **error)
{
    int index = config_stage_index(config, stage);
    if (index >= 0)
        return config->pipeline.stages[index];
    refuse_unknown(error, stage, "is no stage of the pipeline", (const char *const *)config->pipeline.stages);
    return NULL;
}

static gboolean set_stage(ContactFields *fields, const char *value, GError **error)
{
    fields->edit->stage = contact_stage_named(fields->config, value, error);
    return fields->edit->stage != NULL;
}

const char *contact_owner_named(const Config *config, const char *owner, GError **error)
{
    const Account *account = config_account(config, owner);
    if (account != NULL)
        return account->name;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (Account **known = config->accounts; *known != NULL; known++)
        g_ptr_array_add(names, (*known)->name);
    g_ptr_array_add(names, NULL);
    refuse_unknown(error, owner, "is the name of no account", (const char *const *)names->pdata);
    return NULL;
}

static gboolean set_owner(ContactFields *fields, const char *value, GError **error)
{
    fields->edit->owner = value[0] == '\0' ? "" : contact_owner_named(fields->config, value, error);
    return fields->edit->owner != NULL;
}

static gboolean set_time_zone(ContactFields *fields, const char *value, GError **error)
{
    fields->zone = value[0] != '\0' ? known_times_zone(fields->times, value, error) : NULL;
    if (value[0] != '\0' && fields->zone == NULL)
        return FALSE;
    fields->edit->time_zone = keep(fields, value);
    return TRUE;
}

/* One part of a language tag behind the first, in its usual case: "no" -> "NO", "latn" -> "Latn". FALSE for what is none. */
static gboolean put_subtag(const char *part, GString *tag)
{
    gsize length = strlen(part);
    if (length < 2 || length > 8)
        return FALSE;
    g_string_append_c(tag, '-');
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isalnum(part[i]))
            return FALSE;
        gboolean upper = length == 2 || (length == 4 && i == 0);
        g_string_append_c(tag, upper ? g_ascii_toupper(part[i]) : g_ascii_tolower(part[i]));
    }
    return TRUE;
}

/* The tag in its usual form, "nb_no" -> "nb-NO"; FALSE for what is none. */
static gboolean put_language(const char *value, GString *tag)
{
    g_auto(GStrv) parts = g_strsplit_set(value, "-_", -1);
    gsize length = parts[0] != NULL ? strlen(parts[0]) : 0;
    gboolean ok = value[0] == '\0' || length == 2 || length == 3;
    for (gsize i = 0; ok && i < length; i++) {
        ok = g_ascii_isalpha(parts[0][i]);
        g_string_append_c(tag, g_ascii_tolower(parts[0][i]));
    }
    for (guint i = 1; ok && length > 0 && parts[i] != NULL; i++)
        ok = put_subtag(parts[i], tag);
    return ok && tag->len <= NAME_MAX_BYTES;
}

/* "nb", "nb-NO", "zh-Hant-TW" (BCP 47); "nb_NO" is understood. */
static gboolean set_language(ContactFields *fields, const char *value, GError **error)
{
    if (g_ascii_islower(value[0]) && g_ascii_islower(value[1]) && value[2] == '\0') { /* as most are */
        fields->edit->language = keep(fields, value);
        return TRUE;
    }
    g_autoptr(GString) tag = g_string_new(NULL);
    if (!put_language(value, tag))
        return refuse(error, value, "is no language code", "one such as \"en\", \"nb\" or \"nb-NO\"");
    fields->edit->language = keep(fields, tag->str);
    return TRUE;
}

static gboolean set_stage_since(ContactFields *fields, const char *value, GError **error)
{
    (void)error;
    fields->stage_since = keep(fields, value);
    return TRUE;
}

static gboolean set_customer_since(ContactFields *fields, const char *value, GError **error)
{
    (void)error;
    fields->customer_since = keep(fields, value);
    return TRUE;
}

/* ---- tags and attributes --------------------------------------------------------------------------------------------- */

static gboolean take_tags(ContactFields *fields, GPtrArray *tags, const char *list, GError **error)
{
    g_auto(GStrv) words = text_split_list(list);
    for (char **word = words; *word != NULL; word++) {
        if (!check_text(*word, NAME_MAX_BYTES, error))
            return FALSE;
        if (**word == '+' || **word == '-')
            return refuse(error, *word, "is no tag", "a word that begins with a letter or a digit");
        g_ptr_array_add(tags, (gpointer)keep_line(fields, *word));
    }
    return TRUE;
}

gboolean contact_fields_add_tags(ContactFields *fields, const char *list, GError **error)
{
    return take_tags(fields, fields->person->add_tags, list, error);
}

gboolean contact_fields_remove_tags(ContactFields *fields, const char *list, GError **error)
{
    return take_tags(fields, fields->person->remove_tags, list, error);
}

char *contact_attribute_name(const char *written, GError **error)
{
    g_autofree char *lower = g_utf8_validate(written, -1, NULL) ? g_utf8_strdown(written, -1) : g_strdup("");
    g_autoptr(GString) name = g_string_new(NULL);
    gboolean gap = FALSE;
    for (const char *p = lower; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar character = g_utf8_get_char(p);
        gboolean kept = g_unichar_isalnum(character) || g_unichar_ismark(character) || character == '-' || character == '_';
        if (kept && gap && name->len > 0)
            g_string_append_c(name, '_');
        if (kept)
            g_string_append_unichar(name, character);
        gap = !kept;
    }
    if (name->len > 0 && name->len <= NAME_MAX_BYTES)
        return g_strdup(name->str);
    refuse(error, written, "is no name for an attribute", "letters, digits, - and _, at most 100 of them");
    return NULL;
}

gboolean contact_attribute_check(const char *value, GError **error)
{
    return check_text(value, ATTRIBUTE_MAX_BYTES, error);
}

gboolean contact_fields_set_attribute(ContactFields *fields, const char *name, const char *value, GError **error)
{
    if (!contact_attribute_check(value, error))
        return FALSE;
    g_hash_table_replace(fields->edit->attributes, (gpointer)keep(fields, name), (gpointer)keep(fields, value));
    return TRUE;
}

/* ---- by name --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    gboolean (*set)(ContactFields *fields, const char *value, GError **error);
} setters[] = {
    {"email", set_email},
    {"first_name", set_first_name},
    {"last_name", set_last_name},
    {"company", set_company},
    {"stage", set_stage},
    {"stage_since", set_stage_since},
    {"customer_since", set_customer_since},
    {"time_zone", set_time_zone},
    {"language", set_language},
    {"owner", set_owner},
    {"source", set_source},
    {"tags", contact_fields_add_tags},
};

const char *const *contact_field_names(void)
{
    static const char *const names[] = {"email",       "first_name",     "last_name", "company",  "stage",
                                        "stage_since", "customer_since", "time_zone", "language", "owner",
                                        "source",      "tags",           NULL};
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == G_N_ELEMENTS(setters) + 1);
    return names;
}

int contact_field_index(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(setters); i++)
        if (g_str_equal(name, setters[i].name))
            return (int)i;
    return -1;
}

gboolean contact_fields_set_at(ContactFields *fields, int index, const char *value, GError **error)
{
    return setters[index].set(fields, value, error);
}

gboolean contact_fields_set(ContactFields *fields, const char *name, const char *value, GError **error)
{
    int index = contact_field_index(name);
    if (index >= 0)
        return contact_fields_set_at(fields, index, value, error);
    return refuse(error, name, "is no field", "one of contact_field_names()");
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

static gboolean read_date(ContactFields *fields, const char *text, GTimeZone *zone, gint64 *ret_ms, GError **error)
{
    if (text == NULL || text[0] == '\0')
        return TRUE;
    if (!known_times_parse(fields->times, text, zone, ret_ms, error))
        return FALSE;
    if (*ret_ms > fields->now_ms)
        return refuse(error, text, "is in the future", "a day that has come");
    if (*ret_ms < EARLIEST_MS)
        return refuse(error, text, "is too long ago", "a day after 1970-01-01");
    return TRUE;
}

static gboolean finish(ContactFields *fields, GTimeZone *zone, const char *current_stage, const char **ret_field,
                       GError **error)
{
    ContactEdit *edit = fields->edit;
    *ret_field = "email";
    if (edit->email == NULL) {
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_INPUT, "there is no address; write one such as anna@example.com");
        return FALSE;
    }
    *ret_field = "stage_since";
    if (g_strcmp0(edit->stage, fields->former_stage) != 0)
        edit->stage_since_ms = 0;
    if (!read_date(fields, fields->stage_since, zone, &edit->stage_since_ms, error))
        return FALSE;
    if (edit->stage_since_ms != 0 && edit->stage == NULL)
        edit->stage = current_stage;
    if (edit->stage_since_ms != 0 && edit->stage == NULL)
        return refuse(error, fields->stage_since, "is given without a stage", "the stage as well");
    *ret_field = "customer_since";
    return read_date(fields, fields->customer_since, zone, &edit->customer_since_ms, error);
}

static const char *const *tag_list(GPtrArray *tags)
{
    if (tags->len == 0)
        return NULL;
    g_ptr_array_add(tags, NULL);
    return (const char *const *)tags->pdata;
}

const ContactEdit *contact_fields_finish(ContactFields *fields, GTimeZone *zone, const char *current_stage,
                                         const char **ret_field, GError **error)
{
    const char *field = NULL;
    if (!finish(fields, fields->zone != NULL ? fields->zone : zone, current_stage, &field, error)) {
        if (ret_field != NULL)
            *ret_field = field;
        return NULL;
    }
    fields->edit->add_tags = tag_list(fields->person->add_tags);
    fields->edit->remove_tags = tag_list(fields->person->remove_tags);
    return fields->edit;
}

gboolean contact_edit_save(Cli *cli, const ContactEdit *edit, gint64 now_ms, ContactSaveResult *ret_result, GError **error)
{
    const Pipeline *pipeline = &cli->config->pipeline;
    gint64 id = 0;
    return store_contact_save(cli->store, edit, pipeline->customer_stage, pipeline->stages[0], now_ms, ret_result, &id,
                              error);
}
