/*
 * Numbered migrations: the database says its version in meta, the program has a list of steps, and what is missing is applied
 * inside one transaction. Runs at opening; owns nothing.
 */
#include "store/schema.h"

#include "base/ids.h"
#include "store/store.h"

enum { SECRET_BYTES = 32 };

gboolean schema_version(Db *db, gint64 *ret_version, GError **error)
{
    DbOwner owner = DB_EMPTY;
    if (!db->driver->identify(db, &owner, error))
        return FALSE;
    if (owner == DB_FOREIGN) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "the store's file is the database of another program; write the path of a new file in store.url");
        return FALSE;
    }
    if (owner == DB_EMPTY) {
        *ret_version = 0;
        return TRUE;
    }
    return db_run_int(db, "SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'schema_version'", NULL, ret_version, error);
}

gboolean schema_run(Db *db, const Migration *migration, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(migration->sql) && migration->sql[i] != NULL; i++) {
        g_autoptr(GString) sql = g_string_new(migration->sql[i]);
        g_string_replace(sql, "{identity}", db->driver->identity_column, 0);
        g_string_replace(sql, "{clustered}", db->driver->clustered_table, 0);
        if (!db->driver->script(db, sql->str, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean apply(Db *db, const Migration *migration, GError **error)
{
    g_autofree char *version = g_strdup_printf("%" G_GINT64_FORMAT, migration->version);
    return schema_run(db, migration, error) &&
           db_run(db,
                  "INSERT INTO meta (key, value) VALUES ('schema_version', $1)"
                  " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                  error, DB_TEXT(version));
}

static gboolean make_secret(Db *db, const char *name, GError **error)
{
    g_autofree char *secret = id_random(SECRET_BYTES);
    return db_run(db, "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", error, DB_TEXT(name),
                  DB_TEXT(secret));
}

static gboolean apply_missing(Db *db, const Migration *migrations, gsize n_migrations, GError **error)
{
    gint64 version = 0;
    /* asked again: another process may have been here first */
    if (!schema_version(db, &version, error))
        return FALSE;
    if (version == 0 && !db->driver->adopt(db, error))
        return FALSE;
    for (gsize i = 0; i < n_migrations; i++)
        if (migrations[i].version > version && !apply(db, &migrations[i], error))
            return FALSE;
    return make_secret(db, "token_secret", error) && make_secret(db, "address_secret", error);
}

gboolean schema_migrate(Db *db, const Migration *migrations, gsize n_migrations, GError **error)
{
    if (!db_begin(db, error))
        return FALSE;
    if (!apply_missing(db, migrations, n_migrations, error)) {
        db_rollback(db);
        return FALSE;
    }
    return db_commit(db, error);
}

gboolean schema_ready(Db *db, gboolean change, gboolean read_only, GError **error)
{
    gint64 version = 0, newest = schema_migrations[schema_n_migrations - 1].version;
    if (!schema_version(db, &version, error))
        return FALSE;
    if (version > newest) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER,
                    "the store was written by a newer program (schema %" G_GINT64_FORMAT
                    ", this one knows up to %" G_GINT64_FORMAT "); install that program again",
                    version, newest);
        return FALSE;
    }
    if (version < newest && !change) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    version == 0 ? "the store is empty; it is filled when contacts are imported or nurtured starts"
                                 : "the store was written by an older program; start nurtured to bring it up to date");
        return FALSE;
    }
    if (!read_only && !db->driver->settle(db, error))
        return FALSE;
    return version == newest || schema_migrate(db, schema_migrations, schema_n_migrations, error);
}
