/*
 * Reading groups of the configuration by tables of keys: what is there, of which type, where it goes. Every fault is noted with
 * file and line, and reading goes on, so that all are reported at once. Private to config/.
 */
#pragma once

#include <glib.h>
#include <libconfig.h>

#include "base/duration.h"
#include "config/config.h"

typedef struct {
    GPtrArray *faults;    /* char* */
    char *file;           /* as given, for faults without a place */
    char *folder;         /* absolute: relative paths begin here */
    const Config *config; /* what is read so far: pipeline, sending, accounts, rules, in this order; lists are NULL until then */
} Reader;

/* "file:line" of the setting; NULL: of the whole file. Caller frees. */
char *reader_place_of(const Reader *reader, const config_setting_t *setting);

/* Notes "file:line: …", on one line whatever texts of the file it shows; setting NULL: the whole file. */
void reader_fault(Reader *reader, const config_setting_t *setting, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same for a place that was kept ("file:line"). */
void reader_fault_at(Reader *reader, const char *place, const char *format, ...) G_GNUC_PRINTF(3, 4);

typedef enum {
    KEY_TEXT,        /* char*; not empty */
    KEY_PATH,        /* char*; made absolute */
    KEY_BOOL,        /* gboolean */
    KEY_COUNT,       /* guint; min … max */
    KEY_WHOLE,       /* int; min … max, which may lie below zero */
    KEY_DURATION,    /* Duration */
    KEY_DURATION_MS, /* gint64; what machines measure */
    KEY_TEXTS,       /* char**: a text or a list of texts, each not empty */
    KEY_CUSTOM       /* parse() */
} KeyKind;

typedef struct Key {
    const char *name; /* NULL ends a table */
    KeyKind kind;
    gsize offset; /* of the field in the target */
    gboolean required;
    const char *example; /* what to write: shown where the key is missing or of a wrong type */
    gint64 min, max;     /* KEY_COUNT, KEY_WHOLE; KEY_DURATION_MS in ms, max 0: any */
    /* KEY_CUSTOM: reads setting into the field (target + offset), or notes faults. */
    void (*parse)(Reader *reader, config_setting_t *setting, gpointer field);
} Key;

/* Rows of such a table. */
#define KEY_ROW(kind_, name_, type_, field_, example_) \
    {.name = (name_), .kind = (kind_), .offset = G_STRUCT_OFFSET(type_, field_), .example = (example_)}
#define KEY_NEEDED(kind_, name_, type_, field_, example_) \
    {.name = (name_), .kind = (kind_), .offset = G_STRUCT_OFFSET(type_, field_), .required = TRUE, .example = (example_)}
#define KEY_NUMBER(name_, type_, field_, min_, max_, example_) \
    {.name = (name_), .kind = KEY_COUNT, .offset = G_STRUCT_OFFSET(type_, field_), .example = (example_), .min = (min_), .max = (max_)}
#define KEY_NUMBER_NEEDED(name_, type_, field_, min_, max_, example_)                                                            \
    {.name = (name_), .kind = KEY_COUNT, .offset = G_STRUCT_OFFSET(type_, field_), .required = TRUE, .example = (example_),       \
     .min = (min_), .max = (max_)}
#define KEY_SIGNED(name_, type_, field_, min_, max_, example_) \
    {.name = (name_), .kind = KEY_WHOLE, .offset = G_STRUCT_OFFSET(type_, field_), .example = (example_), .min = (min_), .max = (max_)}
#define KEY_SPAN(name_, type_, field_, min_ms_, max_ms_, example_) \
    {.name = (name_), .kind = KEY_DURATION_MS, .offset = G_STRUCT_OFFSET(type_, field_), .example = (example_), .min = (min_ms_), .max = (max_ms_)}
#define KEY_PARSED(name_, type_, field_, parse_, example_) \
    {.name = (name_), .kind = KEY_CUSTOM, .offset = G_STRUCT_OFFSET(type_, field_), .example = (example_), .parse = (parse_)}
#define KEY_PARSED_NEEDED(name_, type_, field_, parse_, example_) \
    {.name = (name_), .kind = KEY_CUSTOM, .offset = G_STRUCT_OFFSET(type_, field_), .required = TRUE, .example = (example_), .parse = (parse_)}
/* Kept as it stands (config_setting_t*), for what is read once other keys are known. */
#define KEY_KEPT(name_, type_, field_, example_) KEY_PARSED(name_, type_, field_, reader_keep, example_)
#define KEY_KEPT_NEEDED(name_, type_, field_, example_) KEY_PARSED_NEEDED(name_, type_, field_, reader_keep, example_)
#define KEY_END {.name = NULL}

void reader_keep(Reader *reader, config_setting_t *setting, gpointer field);

/* Reads the group's members into target by the table; refuses what the table does not name. setting must be a group (a fault else). Fields
 * without a setting stay as they are. FALSE where it was no group. */
gboolean reader_read_group(Reader *reader, config_setting_t *setting, const Key *keys, gpointer target);

/* The number of elements where setting is a list or array of groups; a fault and 0 else. */
guint reader_list_length(Reader *reader, config_setting_t *setting, const char *example);

/* The text of a setting; NULL and a fault where it is none or empty. */
const char *reader_text(Reader *reader, const config_setting_t *setting, const char *example);

/* A text or a list of texts; NULL and a fault else. Free with g_strfreev(). */
char **reader_texts(Reader *reader, config_setting_t *setting, const char *example);

/* One of names (NULL-terminated); -1 and a fault with the nearest else. */
int reader_choice(Reader *reader, const config_setting_t *setting, const char *const *names);

/* A number, whole or not; FALSE and a fault else. */
gboolean reader_number(Reader *reader, const config_setting_t *setting, double *ret_number);

/* true or false; *ret_flag untouched and a fault else. */
gboolean reader_bool(Reader *reader, const config_setting_t *setting, gboolean *ret_flag);

gboolean reader_duration(Reader *reader, const config_setting_t *setting, Duration *ret_duration);

/* path, made absolute from the file's folder. Caller frees. */
char *reader_path(const Reader *reader, const char *path);

/* The name of the setting for faults: "smtp.url", "rules[2].steps[0].after". Caller frees. */
char *reader_name_of(const config_setting_t *setting);
