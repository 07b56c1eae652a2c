/*
 * What the modules of store/ share: the Store itself, the scope that a writing call runs in, and keys for comparing.
 */
#pragma once

#include <glib.h>

#include "store/db.h"
#include "store/store.h"

struct Store {
    Db *db;
    StoreTransaction *transaction; /* the caller's, NULL: none open */
    gboolean spoilt;               /* a write inside it failed */
    guint callbacks;               /* row callbacks under way: nobody writes then */
    char *token_secret;
    char *address_secret; /* of the digests in erased.c */
    GHashTable *companies;     /* name as written -> id: looked up before; NULL but in store_set_bulk() */
    gint64 companies_version;  /* of what others had committed when they were looked up */
};

/*
 * The scope of a call that writes: joins the open transaction or begins one. Left without store_write_end() it undoes its
 * own transaction, or spoils the one that it joined, so that no half of a call is ever committed.
 *     g_auto(StoreWrite) write = {0};
 *     if (!store_write_begin(store, &write, error) || …) return FALSE;
 *     return store_write_end(&write, error);
 */
typedef struct {
    Store *store; /* NULL: not begun, or ended */
    gboolean own;
} StoreWrite;

gboolean store_write_begin(Store *store, StoreWrite *write, GError **error);
gboolean store_write_end(StoreWrite *write, GError **error);

/* Nothing of the contact waits for its time any more: before their row goes, and all enrolments with it. Inside a StoreWrite. */
gboolean enrolments_forget_due(Store *store, gint64 contact_id, GError **error);

/* What was kept of rows looked up before is no longer true. */
void store_forget_known(Store *store);

/* Leaves the scope in which nothing was written: the transaction joined stays whole. */
void store_write_void(StoreWrite *write);
void store_write_clear(StoreWrite *write);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreWrite, store_write_clear)

/* One call that writes one statement. */
#define store_write_run(store, sql, error, ...) store_write_run_values((store), (sql), DB_VALUES(__VA_ARGS__), (error))
gboolean store_write_run_values(Store *store, const char *sql, const DbValue *values, GError **error);

/* SQL over contact c: somebody's referral brought them. One that is only proposed, or was declined, did not. */
#define CONTACT_IS_REFERRED                                                                                                 \
    "EXISTS (SELECT 1 FROM referral r WHERE r.contact_id = c.id AND r.state NOT IN ('proposed', 'declined'))"

/* The text for comparing without case, in every script. NULL gives "". Caller frees. */
char *store_key(const char *text);

/* "@example.com" of an address, "" where it has no @. Points into it. */
const char *store_domain_of(const char *address);

/* A Message-ID for comparing: lower case, without angle brackets. Caller frees. */
char *store_message_key(const char *message_id);
