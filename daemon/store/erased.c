/*
 * Suppressions of people who were erased. A digest (HMAC-SHA256 with a secret of the store) stands for the address: it cannot be
 * looked up by who sees the table alone, and can be found by who knows the address. No contact has an address that stands here:
 * when one gets it, it moves back into the table that the claim asks.
 */
#include "store/erased.h"

#include "base/ids.h"

enum { DIGEST_BYTES = 32 };

static char *digest_of(Store *store, const char *address)
{
    return id_hmac(store->address_secret, address, DIGEST_BYTES);
}

gboolean erased_any(Store *store, gboolean *ret_any, GError **error)
{
    return db_run_int(store->db, "SELECT 1 FROM suppression_erased LIMIT 1", ret_any, NULL, error);
}

gboolean erased_find(Store *store, const char *address, char **ret_reason, gint64 *ret_at_ms, GError **error)
{
    gboolean any = FALSE;
    if (!erased_any(store, &any, error))
        return FALSE;
    if (!any) {
        *ret_reason = g_strdup("");
        *ret_at_ms = 0;
        return TRUE;
    }
    g_autofree char *digest = digest_of(store, address);
    g_autoptr(DbStatement) row =
        db_query(store->db, "SELECT reason, at_ms FROM suppression_erased WHERE digest = $1", error, DB_TEXT(digest));
    DbStep step = row != NULL ? db_step(row, error) : DB_FAILED;
    if (step == DB_FAILED)
        return FALSE;
    *ret_reason = g_strdup(step == DB_ROW ? db_text(row, 0) : "");
    *ret_at_ms = step == DB_ROW ? db_int(row, 1) : 0;
    return TRUE;
}

static GPtrArray *addresses_of(Store *store, gint64 contact_id, GError **error)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(DbStatement) rows =
        db_query(store->db, "SELECT address FROM contact_address WHERE contact_id = $1", error, DB_INT(contact_id));
    DbStep step = DB_FAILED;
    while (rows != NULL && (step = db_step(rows, error)) == DB_ROW)
        g_ptr_array_add(addresses, g_strdup(db_text(rows, 0)));
    return step != DB_FAILED ? g_steal_pointer(&addresses) : NULL;
}

/* By the address's own suppression, or by one of another of the contact's addresses: who asked to be left alone is a person, and nothing
 * tells later that the addresses were theirs. What bounces is an address. */
static gboolean take_address(Store *store, gint64 contact_id, const char *address, GError **error)
{
    g_autofree char *digest = digest_of(store, address);
    return db_run(store->db,
                  "INSERT INTO suppression_erased (digest, reason, at_ms) SELECT $1, reason, at_ms FROM suppression"
                  " WHERE address = $2 OR (reason <> 'bounce'"
                  "     AND address IN (SELECT a.address FROM contact_address a WHERE a.contact_id = $3))"
                  " ORDER BY address = $2 DESC, at_ms LIMIT 1 ON CONFLICT (digest) DO NOTHING",
                  error, DB_TEXT(digest), DB_TEXT(address), DB_INT(contact_id));
}

gboolean erased_take(Store *store, gint64 contact_id, GError **error)
{
    g_autoptr(GPtrArray) addresses = addresses_of(store, contact_id, error);
    for (guint i = 0; addresses != NULL && i < addresses->len; i++)
        if (!take_address(store, contact_id, g_ptr_array_index(addresses, i), error))
            return FALSE;
    return addresses != NULL &&
           db_run(store->db,
                  "DELETE FROM suppression WHERE address IN (SELECT address FROM contact_address WHERE contact_id = $1)", error,
                  DB_INT(contact_id));
}

gboolean erased_give_back(Store *store, const char *address, gboolean *ret_given, GError **error)
{
    g_autofree char *digest = digest_of(store, address);
    gboolean found = FALSE;
    if (!db_run_int(store->db, "SELECT 1 FROM suppression_erased WHERE digest = $1", &found, NULL, error, DB_TEXT(digest)))
        return FALSE;
    *ret_given = found;
    return !found ||
           (db_run(store->db,
                   "INSERT INTO suppression (address, reason, detail, at_ms)"
                   " SELECT $2, reason, 'was erased, and came back', at_ms FROM suppression_erased WHERE digest = $1"
                   " ON CONFLICT (address) DO NOTHING",
                   error, DB_TEXT(digest), DB_TEXT(address)) &&
            db_run(store->db, "DELETE FROM suppression_erased WHERE digest = $1", error, DB_TEXT(digest)));
}

gboolean erased_remove(Store *store, const char *address, gboolean *ret_removed, GError **error)
{
    g_autofree char *digest = digest_of(store, address);
    if (!db_run(store->db, "DELETE FROM suppression_erased WHERE digest = $1", error, DB_TEXT(digest)))
        return FALSE;
    *ret_removed = db_changes(store->db) > 0;
    return TRUE;
}
