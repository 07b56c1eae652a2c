/*
 * The store's outside: opening with schema and secret, the caller's transactions, and the scope of every writing call. Owns
 * the connection. A Store lives in one thread; a row callback that writes, or a transaction inside a transaction, is a bug.
 */
#include "store/store.h"

#include <string.h>

#include "store/internal.h"
#include "store/schema.h"

struct StoreTransaction {
    Store *store;
};

G_DEFINE_QUARK(nurture - store - error - quark, store_error)

/* A random key that was made with the store, or NULL. */
static char *read_secret(Db *db, const char *name, GError **error)
{
    g_autoptr(DbStatement) secret = db_query(db, "SELECT value FROM meta WHERE key = $1", error, DB_TEXT(name));
    DbStep step = secret != NULL ? db_step(secret, error) : DB_FAILED;
    if (step == DB_DONE)
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "the store has lost its %s; restore it from a backup", name);
    return step == DB_ROW ? g_strdup(db_text(secret, 0)) : NULL;
}

static Store *store_on(Db *db, GError **error)
{
    Store *store = g_new0(Store, 1);
    store->db = db;
    store->token_secret = read_secret(db, "token_secret", error);
    if (store->token_secret != NULL)
        store->address_secret = read_secret(db, "address_secret", error);
    if (store->address_secret == NULL)
        g_clear_pointer(&store, store_close);
    return store;
}

Store *store_open(const char *url, StoreOpenFlags flags, GError **error)
{
    gboolean read_only = (flags & STORE_OPEN_READ_ONLY) != 0;
    gboolean create = (flags & STORE_OPEN_CREATE) != 0 && !read_only;
    DbMode mode = read_only ? DB_MODE_READ_ONLY : create ? DB_MODE_CREATE : DB_MODE_READ_WRITE;
    g_autoptr(Db) db = db_open(url, mode, error);
    if (db == NULL || !schema_ready(db, create, read_only, error))
        return NULL;
    return store_on(g_steal_pointer(&db), error);
}

void store_close(Store *store)
{
    if (store == NULL)
        return;
    g_assert(store->transaction == NULL);
    db_close(store->db);
    g_clear_pointer(&store->companies, g_hash_table_unref);
    g_free(store->token_secret);
    g_free(store->address_secret);
    g_free(store);
}

gboolean store_claim_daemon(Store *store, GError **error)
{
    return store->db->driver->claim(store->db, error);
}

void store_set_patience(Store *store, guint wait_ms)
{
    store->db->driver->set_patience(store->db, (int)MIN(wait_ms, (guint)G_MAXINT));
}

gboolean store_set_bulk(Store *store, gboolean bulk, GError **error)
{
    g_assert(store->transaction == NULL);
    g_clear_pointer(&store->companies, g_hash_table_unref);
    if (bulk)
        store->companies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return store->db->driver->set_bulk(store->db, bulk, error);
}

Store *store_copy_to_memory(Store *store, GError **error)
{
    g_assert(store->transaction == NULL);
    Db *copy = db_copy_to_memory(store->db, error);
    return copy != NULL ? store_on(copy, error) : NULL;
}

const char *store_token_secret(Store *store)
{
    return store->token_secret;
}

/* ---- the caller's transactions ---------------------------------------------------------------------------------------- */

StoreTransaction *store_begin(Store *store, GError **error)
{
    g_assert(store->transaction == NULL);
    g_assert(store->callbacks == 0);
    if (!db_begin(store->db, error))
        return NULL;
    store->spoilt = FALSE;
    store->transaction = g_new0(StoreTransaction, 1);
    store->transaction->store = store;
    return store->transaction;
}

gboolean store_commit(StoreTransaction *transaction, GError **error)
{
    Store *store = transaction->store;
    gboolean done = FALSE;
    if (store->spoilt)
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
                    "an earlier write of this transaction failed, so that nothing of it is kept");
    else
        done = db_commit(store->db, error);
    store_transaction_free(transaction);
    return done;
}

void store_transaction_free(StoreTransaction *transaction)
{
    if (transaction == NULL)
        return;
    if (transaction->store->db->in_transaction)
        store_forget_known(transaction->store);
    db_rollback(transaction->store->db);
    transaction->store->transaction = NULL;
    g_free(transaction);
}

/* ---- the scope of a writing call -------------------------------------------------------------------------------------- */

void store_forget_known(Store *store)
{
    if (store->companies != NULL)
        g_hash_table_remove_all(store->companies);
}

static void undo(Store *store)
{
    store_forget_known(store);
    db_rollback(store->db);
}

gboolean store_write_begin(Store *store, StoreWrite *write, GError **error)
{
    g_assert(store->callbacks == 0);
    if (store->db->in_transaction && store->transaction != NULL && store->spoilt) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "an earlier write of this transaction failed");
        return FALSE;
    }
    gboolean own = !store->db->in_transaction;
    if (own && !db_begin(store->db, error))
        return FALSE;
    *write = (StoreWrite){.store = store, .own = own};
    return TRUE;
}

gboolean store_write_end(StoreWrite *write, GError **error)
{
    Store *store = g_steal_pointer(&write->store);
    return !write->own || db_commit(store->db, error);
}

void store_write_void(StoreWrite *write)
{
    Store *store = g_steal_pointer(&write->store);
    if (write->own)
        undo(store);
}

void store_write_clear(StoreWrite *write)
{
    Store *store = g_steal_pointer(&write->store);
    if (store == NULL)
        return;
    if (write->own)
        undo(store);
    else
        store->spoilt = TRUE;
}

gboolean store_write_run_values(Store *store, const char *sql, const DbValue *values, GError **error)
{
    g_auto(StoreWrite) write = {0};
    return store_write_begin(store, &write, error) && db_run_values(store->db, sql, values, error) &&
           store_write_end(&write, error);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

/* As plan/conditions.c compares, so that what SQL selects is what is decided. */
char *store_key(const char *text)
{
    if (text == NULL || g_str_is_ascii(text))
        return g_ascii_strdown(text != NULL ? text : "", -1);
    return g_utf8_validate(text, -1, NULL) ? g_utf8_casefold(text, -1) : g_strdup(text);
}

const char *store_domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL ? at : "";
}

char *store_message_key(const char *message_id)
{
    char *key = g_ascii_strdown(message_id != NULL ? message_id : "", -1);
    gsize length = strlen(key);
    if (length >= 2 && key[0] == '<' && key[length - 1] == '>') {
        key[length - 1] = '\0';
        memmove(key, key + 1, length - 1);
    }
    return key;
}
