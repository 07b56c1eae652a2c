/*
 * A contact's fields as people write them (columns of a CSV, options of a command), checked in one place and made a
 * ContactEdit. Faults are CLI_ERROR_INPUT, "what is wrong; write …"; the caller says where.
 */
#pragma once

#include "cli/context.h"

typedef struct ContactFields ContactFields;

/* config must outlive the fields. now_ms: dates after it are refused. */
ContactFields *contact_fields_new(const Config *config, gint64 now_ms);
void contact_fields_free(ContactFields *fields);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContactFields, contact_fields_free)

/*
 * Another person begins; the edits that were finished before stay as they are. reset: they are forgotten, and the first person begins.
 * Much cheaper than new fields. A zone that was given to contact_fields_finish() must live as long as the fields.
 */
void contact_fields_begin(ContactFields *fields);
void contact_fields_reset(ContactFields *fields);

/* Goes on with the person whose edit was finished: what is set from now on takes the place of what was set before, field by field. What
 * was said before stays as it was meant then: a date in the zone of that time, `stage_since` of the stage of that time. */
void contact_fields_continue(ContactFields *fields);

/* The names that contact_fields_set() takes: email first_name last_name company stage stage_since customer_since time_zone
 * language owner source tags. NULL-terminated, static. */
const char *const *contact_field_names(void);

/* Sets the field of that name; the value is copied, and "" clears (a date: leaves it). */
gboolean contact_fields_set(ContactFields *fields, const char *name, const char *value, GError **error);

/* The same by contact_field_index(), which is -1 for what is no field. */
int contact_field_index(const char *name);
gboolean contact_fields_set_at(ContactFields *fields, int index, const char *value, GError **error);

/* Adds and takes away tags; words of one list each, separated by commas, semicolons or bars. */
gboolean contact_fields_add_tags(ContactFields *fields, const char *list, GError **error);
gboolean contact_fields_remove_tags(ContactFields *fields, const char *list, GError **error);

/* Sets an attribute by a name that contact_attribute_name() gave; "" removes it. */
gboolean contact_fields_set_attribute(ContactFields *fields, const char *name, const char *value, GError **error);

/* What people write as the name of an attribute ("Favourite Colour") as templates and conditions use it ("favourite_colour"):
 * lower case, with _ for runs of all but letters, digits, - and _. NULL where nothing is left. Caller frees. */
char *contact_attribute_name(const char *written, GError **error);

/* What an attribute can hold: text without control characters, and not too long. */
gboolean contact_attribute_check(const char *value, GError **error);

/*
 * Reads the dates (in the time zone given with the fields, else zone), and gives the edit, which belongs to fields. NULL with an
 * error; *ret_field (may be NULL) is then the static name of the field that is wrong. current_stage: what `stage_since`
 * without `stage` means; NULL: such is refused.
 */
const ContactEdit *contact_fields_finish(ContactFields *fields, GTimeZone *zone, const char *current_stage,
                                         const char **ret_field, GError **error);

/* The stage, and the account's name, as the configuration spells it; NULL and CLI_ERROR_INPUT with the nearest. Belongs to config. */
const char *contact_stage_named(const Config *config, const char *stage, GError **error);
const char *contact_owner_named(const Config *config, const char *owner, GError **error);

/* Saves the edit by the configuration's pipeline, in the transaction that is open. */
gboolean contact_edit_save(Cli *cli, const ContactEdit *edit, gint64 now_ms, ContactSaveResult *ret_result, GError **error);
