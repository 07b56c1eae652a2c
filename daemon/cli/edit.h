/*
 * A contact's fields as people write them (columns of a CSV, options of a command), checked and made a ContactEdit.
 */
#pragma once

#include "cli/context.h"

typedef struct ContactFields ContactFields;

ContactFields *contact_fields_new(const Config *config, gint64 now_ms);
void contact_fields_free(ContactFields *fields);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContactFields, contact_fields_free)

/*
 * Sets the field of that name (email first_name last_name company stage stage_since customer_since time_zone language owner source tags; any other is
 * an attribute). The value is copied. CLI_ERROR_INPUT, "what; write …", for one that cannot be.
 */
gboolean contact_fields_set(ContactFields *fields, const char *name, const char *value, GError **error);

/* Reads the dates (in the time zone given with them, else zone), and gives the edit, which belongs to fields. NULL and CLI_ERROR_INPUT. */
const ContactEdit *contact_fields_finish(ContactFields *fields, GTimeZone *zone, GError **error);

/* The stage as the pipeline spells it; NULL and CLI_ERROR_INPUT with the nearest. Belongs to config. */
const char *contact_stage_named(const Config *config, const char *stage, GError **error);

/* Saves the edit by the configuration's pipeline. */
gboolean contact_edit_save(Cli *cli, const ContactEdit *edit, gint64 now_ms, ContactSaveResult *ret_result, gint64 *ret_id, GError **error);
