/*
 * Companies: what the several people of one have in common. A company is made with its first contact, or when something is said of it;
 * names are compared without case.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    gint64 id;
    char *name;
    char *time_zone;  /* of its contacts who have none; "" for none */
    char *attributes; /* a JSON object as text */
    guint64 n_contacts;
} Company;

void company_free(Company *company);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Company, company_free)

/* What is known of a company (made where missing): time_zone NULL leaves it, "" clears it; attributes as in ContactEdit. Where something
 * changed, which *ret_changed (may be NULL) says, its contacts are marked. */
gboolean store_company_save(Store *store, const char *name, const char *time_zone, GHashTable *attributes, gboolean *ret_changed,
                            GError **error);

/* *ret_company NULL where there is none. Caller frees. */
gboolean store_company_find(Store *store, const char *name, Company **ret_company, GError **error);

/* By name, until func returns FALSE. The company belongs to the call. */
gboolean store_company_each(Store *store, gboolean (*func)(const Company *company, gpointer data), gpointer data, GError **error);
