/*
 * The one database of everything known: opening, migrations, transactions, and who may decide. All SQL of the program is in
 * store/. A Store is used by one thread. SQLite at first; the driver seam is store/db.h, private to the room.
 *
 * Every call that can fail returns FALSE (or NULL) and sets a STORE_ERROR; ret_ outputs are untouched then. Calls that write
 * join the transaction that is open, or are a transaction of their own. A write that fails inside an open transaction spoils
 * it: nothing is left but to free it, and store_commit() refuses it (STORE_ERROR_EXISTS alone leaves it whole). Row callbacks
 * may read from the store but never write to it: that is a bug (g_assert). Times are UTC ms; 0 is "none". Text outputs
 * are never NULL unless said so ("" stands for none).
 */
#pragma once

#include <glib.h>

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);

typedef enum {
    STORE_ERROR_OPEN,    /* no such file, no permission, not a database of ours, URL of an unknown kind */
    STORE_ERROR_NEWER,   /* written by a newer program */
    STORE_ERROR_TAKEN,   /* another daemon has it */
    STORE_ERROR_BUSY,    /* locked by another for longer than the time-out: try again */
    STORE_ERROR_FULL,    /* disk full, or read-only */
    STORE_ERROR_EXISTS,  /* a unique key says that this is there already */
    STORE_ERROR_FAILED   /* anything else; the message has the driver's words */
} StoreError;

typedef struct Store Store;
typedef struct StoreTransaction StoreTransaction;

typedef enum {
    STORE_OPEN_CREATE = 1 << 0,   /* make file and schema where missing (folders are not made), migrate where old */
    STORE_OPEN_READ_ONLY = 1 << 1 /* no writing; no migration: an older schema is STORE_ERROR_OPEN */
} StoreOpenFlags;

/*
 * Opens "sqlite:///absolute/path". A new file can be read by its owner alone. Migrations run inside one transaction; without
 * STORE_OPEN_CREATE an older schema is STORE_ERROR_OPEN. Close with store_close(), which accepts NULL.
 */
Store *store_open(const char *url, StoreOpenFlags flags, GError **error);
void store_close(Store *store);

/* Makes this process the one daemon of the store until it closes it or ends. STORE_ERROR_TAKEN names the other's process id. */
gboolean store_claim_daemon(Store *store, GError **error);

/* How long a call waits for the lock of another process before it is STORE_ERROR_BUSY; 5 s where nothing is said. */
void store_set_patience(Store *store, guint wait_ms);

/* Much will be written in a short time (an import): takes more memory and lets the database put its files in order more rarely; FALSE when
 * that is over. A loss of power meanwhile may lose the last commits, but nothing of what came before them and nothing by halves; all are on
 * the disk when FALSE has returned TRUE. Not inside a transaction. Meanwhile contacts are saved, and nothing else is done: references are not
 * checked by the database. */
gboolean store_set_bulk(Store *store, gboolean bulk, GError **error);

/* A copy of the whole store in memory, for rehearsals: nothing of it is kept, so that it has no journal. Once a write failed it is only good to be
 * closed. */
Store *store_copy_to_memory(Store *store, GError **error);

/*
 * BEGIN IMMEDIATE … COMMIT. Freeing a transaction that was not committed rolls it back:
 *     g_autoptr(StoreTransaction) transaction = store_begin(store, error);
 *     … return store_commit(g_steal_pointer(&transaction), error);
 * A transaction inside a transaction is a bug (g_assert). store_commit() consumes its argument, whatever happens; when it
 * fails, everything was rolled back.
 */
StoreTransaction *store_begin(Store *store, GError **error);
gboolean store_commit(StoreTransaction *transaction, GError **error);
void store_transaction_free(StoreTransaction *transaction);

/* The random key, made with the store, that signs unsubscribe tokens. Belongs to the store. */
const char *store_token_secret(Store *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreTransaction, store_transaction_free)
