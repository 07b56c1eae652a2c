/*
 * What contacts.c, contact_save.c and those that look at companies or tags share: finding a person by any address, companies by
 * name, colleagues, attributes as JSON text, how the history tells of tags.
 */
#pragma once

#include "store/internal.h"

/* SQL for the id of the contact whose address or alias is $1; NULL where there is none. */
#define CONTACT_ID_BY_ADDRESS                                                                                               \
    "coalesce((SELECT x.id FROM contact x WHERE x.email = $1), (SELECT a.contact_id FROM alias a WHERE a.address = $1))"

/* SQL over contact k: a colleague of the contact $1. */
#define IS_COLLEAGUE "k.company_id = (SELECT company_id FROM contact WHERE id = $1) AND k.id <> $1"

/* What the detail of a tag's interaction begins with; the name follows. history.c looks for it. */
#define TAG_ADDED "added "
#define TAG_REMOVED "removed "

/* The company of that name, compared without case; made where missing. Inside a StoreWrite. */
gboolean company_id_for(Store *store, const char *name, gint64 *ret_id, GError **error);

/*
 * The JSON object old with the changes (char* -> char*, "" removes; NULL: none) applied. *ret_merged is the new text, with members in
 * the order of their names, or NULL where nothing differs. Caller frees. STORE_ERROR_FAILED where old is not a JSON object.
 */
gboolean attributes_merge(const char *old, GHashTable *changes, char **ret_merged, GError **error);
