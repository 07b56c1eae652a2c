/*
 * Marks: whom the facts that changed touch, waiting for the daemon to decide. Written with each fact, taken by the daemon only.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "store/store.h"

gboolean store_mark(Store *store, gint64 contact_id, GError **error);

/* Whether the contact's facts changed since the last decision; one key look-up. */
gboolean store_mark_exists(Store *store, gint64 contact_id, gboolean *ret_exists, GError **error);

/* Whether anybody is marked. */
gboolean store_marks_exist(Store *store, gboolean *ret_exist, GError **error);

/* Takes all marks away up to that of store_contacts_marked(): in the transaction that stores the decisions. A contact that is marked again
 * meanwhile has a newer mark, which stays. */
gboolean store_marks_clear_until(Store *store, gint64 last_mark, GError **error);

/* Takes the mark away: in the transaction that stores the decision. */
gboolean store_mark_clear(Store *store, gint64 contact_id, GError **error);

/* Marks the contacts whose reconsider time (store/contacts.h) has come, at most limit, and clears it; *ret_marked: how many. */
gboolean store_marks_add_due(Store *store, gint64 now_ms, guint limit, guint *ret_marked, GError **error);

/* The earliest reconsider time of all; 0: none. */
gboolean store_marks_next(Store *store, gint64 *ret_at_ms, GError **error);

/*
 * Compares the rules with those that were last in force here (by name and digest). For each new or changed rule, marks with
 * one statement the contacts that its conditions select or that are enrolled in it; for each removed rule those
 * enrolled. Where sending.digest differs, the contacts of all active enrolments. What waits of a
 * changed rule gets its priority. Then remembers both. *ret_marked: how many
 * contacts. All in the transaction that is open or one of its own.
 */
gboolean store_marks_add_for_rules(Store *store, const Config *config, gint64 now_ms, guint64 *ret_marked, GError **error);

/* Marks the contacts whose messages wait for an account that the configuration does not have (any more): it may be another's now. */
gboolean store_marks_add_for_accounts(Store *store, const Config *config, guint64 *ret_marked, GError **error);

/* Marks everybody else of the contact's company who has an active enrolment in one of the rules (NULL-terminated names), where
 * something happened to the contact that was not told before and may stop a colleague's rule (no message of ours, no first stage);
 * remembers that it was told, so that marks do not go round in circles. */
gboolean store_mark_colleagues(Store *store, gint64 contact_id, const char *const *rules, GError **error);
