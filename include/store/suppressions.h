/*
 * Whom nothing is ever sent to: addresses and whole domains ("@example.com").
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    const char *address; /* canonical, or "@domain" */
    const char *reason;  /* "unsubscribe", "bounce", "complaint", "manual" */
    const char *detail;
    gint64 at_ms;
} Suppression;

/* Adds; one that is there stays as it is (the first reason counts). Marks the contact of that address, or those of the domain. */
gboolean store_suppression_add(Store *store, const Suppression *suppression, GError **error);

/* *ret_suppressed; the reason ("" if not) in *ret_reason (may be NULL; caller frees). Looks at the address
 * and its domain and, where it is a contact's, at all addresses of that contact and their domains: as the claim does. */
gboolean store_suppression_check(Store *store, const char *address, gboolean *ret_suppressed, char **ret_reason, GError **error);

gboolean store_suppression_each(Store *store, gboolean (*func)(const Suppression *suppression, gpointer data), gpointer data,
                                GError **error);
