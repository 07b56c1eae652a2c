/*
 * Suppressions of people who were erased: only a keyed digest of the address is kept, so that nobody reads from the store who it
 * was, and yet an address that comes back is never mailed. Addresses are canonical. Inside a StoreWrite where they write.
 */
#pragma once

#include "store/internal.h"

/* Whether there are any: without, nothing has to be hashed. */
gboolean erased_any(Store *store, gboolean *ret_any, GError **error);

/* The reason ("" where there is none; caller frees) and the time of the address's suppression. */
gboolean erased_find(Store *store, const char *address, char **ret_reason, gint64 *ret_at_ms, GError **error);

/* The suppressions of all addresses of a contact, who is about to be erased, become digests; what was told of them goes. Any but a bounce
 * counts for all of the addresses. */
gboolean erased_take(Store *store, gint64 contact_id, GError **error);

/* The address has become a contact's again: where it has a digest, it is suppressed by its name again, as the claim looks for. */
gboolean erased_give_back(Store *store, const char *address, gboolean *ret_given, GError **error);

gboolean erased_remove(Store *store, const char *address, gboolean *ret_removed, GError **error);
