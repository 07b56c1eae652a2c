/*
 * Whom nothing is ever sent to: addresses and whole domains ("@example.com").
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    const char *address; /* canonical, or "@domain"; "" where is_erased */
    const char *reason;  /* "unsubscribe", "bounce", "complaint", "manual" */
    const char *detail;
    gint64 at_ms;
    gboolean is_erased; /* of somebody who was erased: only a digest of their address is kept, which store_suppression_check() knows */
} Suppression;

/* The four reasons, NULL-terminated; static. */
const char *const *suppression_reasons(void);

/* Adds; one that is there, by name or by digest, stays as it is (the first reason counts), but that "unsubscribe" and "complaint" take
 * the place of the other two. Marks the contact of that address, or those of the domain. */
gboolean store_suppression_add(Store *store, const Suppression *suppression, GError **error);

/* Takes one away, by name or by digest, and marks in the same way; *ret_removed FALSE where there is none. */
gboolean store_suppression_remove(Store *store, const char *address, gboolean *ret_removed, GError **error);

/* That of just this address or "@domain"; *ret_suppression NULL where there is none. Free with suppression_free(). */
gboolean store_suppression_find(Store *store, const char *address, Suppression **ret_suppression, GError **error);
void suppression_free(Suppression *suppression);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Suppression, suppression_free)

/* *ret_suppressed; the reason ("" if not) in *ret_reason (may be NULL; caller frees). Looks at the address
 * and its domain and, where it is a contact's, at all addresses of that contact and their domains: as the claim does. */
gboolean store_suppression_check(Store *store, const char *address, gboolean *ret_suppressed, char **ret_reason, GError **error);

/* The same for a contact that is known, with less to look up: no contact has an address of somebody who was erased. *ret_reason: "" if not; caller
 * frees. */
gboolean store_suppression_check_contact(Store *store, gint64 contact_id, const char *email, char **ret_reason, GError **error);

/* Those of people who were erased come last. */
gboolean store_suppression_each(Store *store, gboolean (*func)(const Suppression *suppression, gpointer data), gpointer data,
                                GError **error);
