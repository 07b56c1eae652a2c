/*
 * Reading groups by tables. libconfig does the syntax; types, ranges and unknown names are checked here, since libconfig
 * wraps large numbers silently and knows no schema.
 */
#include "config/reader.h"

#include <string.h>

#include "base/text.h"

#define DAY_MS ((gint64)24 * 3600 * 1000)

/* ---- faults ---------------------------------------------------------------------------------------------------------- */

char *reader_name_of(const config_setting_t *setting)
{
    GString *name = g_string_new(NULL);
    for (const config_setting_t *at = setting; at && !config_setting_is_root(at); at = config_setting_parent(at)) {
        const char *own = config_setting_name(at);
        if (own)
            g_string_prepend(name, own);
        else {
            g_autofree char *index = g_strdup_printf("[%d]", config_setting_index(at) + 1);
            g_string_prepend(name, index);
        }
        const config_setting_t *parent = config_setting_parent(at);
        if (own && parent && !config_setting_is_root(parent))
            g_string_prepend_c(name, '.');
    }
    return g_string_free(name, FALSE);
}

char *reader_place_of(const Reader *reader, const config_setting_t *setting)
{
    const char *name = setting ? config_setting_source_file(setting) : NULL;
    unsigned line = setting ? config_setting_source_line(setting) : 0;
    g_autofree char *file = reader_path(reader, name && line ? name : reader->file); /* an included one bears the name written there */
    return g_strdup_printf("%s:%u", file, line ? line : 1);
}

static void G_GNUC_PRINTF(3, 0) note(Reader *reader, const char *place, const char *format, va_list arguments)
{
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    g_autofree char *safe = text_escape(what, 0);
    g_ptr_array_add(reader->faults, g_strdup_printf("%s: %s", place, safe));
}

void reader_fault(Reader *reader, const config_setting_t *setting, const char *format, ...)
{
    va_list arguments;
    g_autofree char *place = reader_place_of(reader, setting);
    va_start(arguments, format);
    note(reader, place, format, arguments);
    va_end(arguments);
}

void reader_fault_at(Reader *reader, const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note(reader, place, format, arguments);
    va_end(arguments);
}

static void type_fault(Reader *reader, const config_setting_t *setting, const char *wanted, const char *example)
{
    g_autofree char *name = reader_name_of(setting);
    reader_fault(reader, setting, "%s must be %s; write %s", name, wanted, example ? example : "it so");
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

const char *reader_text(Reader *reader, const config_setting_t *setting, const char *example)
{
    g_autofree char *name = reader_name_of(setting);
    const char *text = config_setting_get_string(setting);
    if (config_setting_type(setting) != CONFIG_TYPE_STRING || !text) {
        type_fault(reader, setting, "a text in quotes", example);
        return NULL;
    }
    if (!g_utf8_validate(text, -1, NULL)) {
        reader_fault(reader, setting, "%s is not UTF-8; save the file with the encoding UTF-8", name);
        return NULL;
    }
    if (!*text) {
        reader_fault(reader, setting, "%s is empty; write %s, or leave it out", name, example ? example : "something");
        return NULL;
    }
    return text;
}

char **reader_texts(Reader *reader, config_setting_t *setting, const char *example)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    gboolean ok = TRUE;
    int type = config_setting_type(setting);
    if (type == CONFIG_TYPE_STRING) {
        const char *text = reader_text(reader, setting, example);
        if (!text)
            return NULL;
        g_strv_builder_add(builder, text);
        return g_strv_builder_end(builder);
    }
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
        type_fault(reader, setting, "a text or a list of texts", example);
        return NULL;
    }
    for (int i = 0; i < config_setting_length(setting); i++) {
        const char *text = reader_text(reader, config_setting_get_elem(setting, (unsigned)i), example);
        if (text)
            g_strv_builder_add(builder, text);
        ok = ok && text;
    }
    char **texts = g_strv_builder_end(builder);
    if (ok)
        return texts;
    g_strfreev(texts);
    return NULL;
}

int reader_choice(Reader *reader, const config_setting_t *setting, const char *const *names)
{
    g_autofree char *all = g_strjoinv("\", \"", (char **)names);
    g_autofree char *example = g_strdup_printf("one of \"%s\"", all);
    const char *text = reader_text(reader, setting, example);
    if (!text)
        return -1;
    for (int i = 0; names[i]; i++)
        if (g_str_equal(names[i], text))
            return i;
    g_autofree char *name = reader_name_of(setting);
    g_autofree char *shown = text_escape(text, 60);
    const char *nearest = text_nearest(text, names);
    if (nearest)
        reader_fault(reader, setting, "%s: \"%s\" is unknown; did you mean \"%s\"?", name, shown, nearest);
    else
        reader_fault(reader, setting, "%s: \"%s\" is unknown; write %s", name, shown, example);
    return -1;
}

gboolean reader_number(Reader *reader, const config_setting_t *setting, double *ret_number)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        *ret_number = (double)config_setting_get_int64(setting);
        return TRUE;
    case CONFIG_TYPE_FLOAT:
        *ret_number = config_setting_get_float(setting);
        return TRUE;
    default:
        type_fault(reader, setting, "a number", "for example 9");
        return FALSE;
    }
}

gboolean reader_bool(Reader *reader, const config_setting_t *setting, gboolean *ret_flag)
{
    if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
        type_fault(reader, setting, "true or false", "true or false without quotes");
        return FALSE;
    }
    *ret_flag = config_setting_get_bool(setting) ? TRUE : FALSE;
    return TRUE;
}

gboolean reader_duration(Reader *reader, const config_setting_t *setting, Duration *ret_duration)
{
    g_autoptr(GError) error = NULL;
    const char *text = reader_text(reader, setting, "a duration such as \"3 days\"");
    if (!text)
        return FALSE;
    if (duration_parse(text, ret_duration, &error))
        return TRUE;
    g_autofree char *name = reader_name_of(setting);
    reader_fault(reader, setting, "%s: %s", name, error->message);
    return FALSE;
}

char *reader_path(const Reader *reader, const char *path)
{
    return g_path_is_absolute(path) ? g_strdup(path) : g_build_filename(reader->folder, path, NULL);
}

void reader_keep(Reader *reader, config_setting_t *setting, gpointer field)
{
    (void)reader;
    *(config_setting_t **)field = setting;
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

static void set_text(char **field, char *text)
{
    g_free(*field);
    *field = text;
}

/* A whole number from min to max; FALSE and a fault else. */
static gboolean read_whole(Reader *reader, config_setting_t *setting, const Key *key, gint64 *ret_number)
{
    int type = config_setting_type(setting);
    gint64 number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64 ? config_setting_get_int64(setting) : -1;
    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
        type_fault(reader, setting, "a whole number", key->example);
    } else if (number < key->min || number > key->max) {
        g_autofree char *name = reader_name_of(setting);
        reader_fault(reader, setting, "%s is out of range; write a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, name,
                     key->min, key->max);
    } else {
        *ret_number = number;
        return TRUE;
    }
    return FALSE;
}

static char *span_text(gint64 ms)
{
    return duration_format(&(Duration){.days = (int)(ms / DAY_MS), .ms = ms % DAY_MS});
}

static void read_duration_ms(Reader *reader, config_setting_t *setting, const Key *key, gint64 *field)
{
    Duration duration;
    gint64 ms;
    g_autoptr(GError) error = NULL;
    if (!reader_duration(reader, setting, &duration))
        return;
    g_autofree char *name = reader_name_of(setting);
    if (!duration_to_ms(&duration, &ms, &error)) {
        reader_fault(reader, setting, "%s: %s", name, error->message);
    } else if (key->max && (ms < key->min || ms > key->max)) {
        g_autofree char *least = span_text(key->min);
        g_autofree char *most = span_text(key->max);
        reader_fault(reader, setting, "%s is out of range; write a duration from \"%s\" to \"%s\"", name, least, most);
    } else {
        *field = ms;
    }
}

static void read_key(Reader *reader, config_setting_t *setting, const Key *key, gpointer target)
{
    gpointer field = (char *)target + key->offset;
    const char *text;
    char **texts;
    gint64 number;
    switch (key->kind) {
    case KEY_TEXT:
    case KEY_PATH:
        text = reader_text(reader, setting, key->example);
        if (text)
            set_text(field, key->kind == KEY_PATH ? reader_path(reader, text) : g_strdup(text));
        break;
    case KEY_BOOL:
        reader_bool(reader, setting, field);
        break;
    case KEY_COUNT:
        if (read_whole(reader, setting, key, &number))
            *(guint *)field = (guint)number;
        break;
    case KEY_WHOLE:
        if (read_whole(reader, setting, key, &number))
            *(int *)field = (int)number;
        break;
    case KEY_DURATION:
        reader_duration(reader, setting, field);
        break;
    case KEY_DURATION_MS:
        read_duration_ms(reader, setting, key, field);
        break;
    case KEY_TEXTS:
        texts = reader_texts(reader, setting, key->example);
        if (texts) {
            g_strfreev(*(char ***)field);
            *(char ***)field = texts;
        }
        break;
    case KEY_CUSTOM:
        key->parse(reader, setting, field);
        break;
    }
}

static void refuse_unknown(Reader *reader, config_setting_t *group, const Key *keys)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const Key *key = keys; key->name; key++)
        g_ptr_array_add(names, (gpointer)key->name);
    g_ptr_array_add(names, NULL);
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(member);
        if (g_strv_contains((const char *const *)names->pdata, name))
            continue;
        const char *nearest = text_nearest(name, (const char *const *)names->pdata);
        if (nearest) {
            reader_fault(reader, member, "unknown key \"%s\"; did you mean \"%s\"?", name, nearest);
        } else {
            g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
            reader_fault(reader, member, "unknown key \"%s\"; known here: %s", name, all);
        }
    }
}

gboolean reader_read_group(Reader *reader, config_setting_t *setting, const Key *keys, gpointer target)
{
    if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
        type_fault(reader, setting, "a group", "{ … }");
        return FALSE;
    }
    for (const Key *key = keys; key->name; key++) {
        config_setting_t *member = config_setting_get_member(setting, key->name);
        if (member) {
            read_key(reader, member, key, target);
        } else if (key->required) {
            g_autofree char *name = reader_name_of(setting);
            reader_fault(reader, config_setting_is_root(setting) ? NULL : setting, "%s%s%s is missing; write %s", name,
                         *name ? "." : "", key->name, key->example);
        }
    }
    refuse_unknown(reader, setting, keys);
    return TRUE;
}

guint reader_list_length(Reader *reader, config_setting_t *setting, const char *example)
{
    int type = config_setting_type(setting);
    if (type == CONFIG_TYPE_LIST)
        return (guint)config_setting_length(setting);
    if (type == CONFIG_TYPE_ARRAY && config_setting_length(setting) == 0)
        return 0;
    type_fault(reader, setting, "a list", example);
    return 0;
}
