/*
 * What all drivers share: choosing one by URL, the statements kept for a connection, transactions, and the few ways in which
 * the room runs a statement. Owns each DbStatement until it is given back. Runs in the thread of its Store.
 */
#include "store/db.h"

#include <string.h>

#include "store/store.h"

static const DbDriver *const drivers[] = {&db_sqlite_driver};

static void free_statement(gpointer data)
{
    DbStatement *statement = data;
    statement->db->driver->finalize(statement);
}

static Db *db_ready(Db *db)
{
    db->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_statement);
    return db;
}

Db *db_open(const char *url, DbMode mode, GError **error)
{
    const char *colon = strstr(url, "://");
    for (gsize i = 0; colon != NULL && i < G_N_ELEMENTS(drivers); i++) {
        if (strlen(drivers[i]->scheme) != (gsize)(colon - url) ||
            g_ascii_strncasecmp(url, drivers[i]->scheme, (gsize)(colon - url)) != 0)
            continue;
        Db *db = drivers[i]->open(colon + strlen("://"), mode, error);
        return db != NULL ? db_ready(db) : NULL;
    }
    g_autofree char *scheme = colon != NULL ? g_strndup(url, (gsize)(colon - url)) : g_strdup("no");
    g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                "the store's URL has %s scheme, which is not known here; write \"sqlite:///absolute/path/nurture.db\"",
                scheme);
    return NULL;
}

void db_close(Db *db)
{
    if (db == NULL)
        return;
    db_rollback(db);
    g_clear_pointer(&db->statements, g_hash_table_unref);
    db->driver->close(db);
}

Db *db_copy_to_memory(Db *db, GError **error)
{
    Db *copy = db->driver->copy_to_memory(db, error);
    return copy != NULL ? db_ready(copy) : NULL;
}

/* ---- transactions ----------------------------------------------------------------------------------------------------- */

gboolean db_begin(Db *db, GError **error)
{
    g_assert(!db->in_transaction);
    db->in_transaction = db->driver->begin(db, error);
    return db->in_transaction;
}

gboolean db_commit(Db *db, GError **error)
{
    g_assert(db->in_transaction);
    if (!db->driver->commit(db, error)) {
        db_rollback(db);
        return FALSE;
    }
    db->in_transaction = FALSE;
    return TRUE;
}

void db_rollback(Db *db)
{
    if (!db->in_transaction)
        return;
    db->driver->rollback(db);
    db->in_transaction = FALSE;
}

/* ---- statements ------------------------------------------------------------------------------------------------------- */

static DbStatement *prepare(Db *db, const char *sql, gboolean keep, GError **error)
{
    DbStatement *statement = db->driver->prepare(db, sql, error);
    if (statement == NULL)
        return NULL;
    statement->db = db;
    statement->sql = sql;
    statement->kept = keep;
    if (keep)
        g_hash_table_insert(db->statements, (gpointer)sql, statement);
    return statement;
}

/* The kept statement; one of its own where that is in use further up (a callback that reads while rows are read). */
static DbStatement *take(Db *db, const char *sql, GError **error)
{
    DbStatement *statement = g_hash_table_lookup(db->statements, sql);
    if (statement == NULL || statement->busy)
        statement = prepare(db, sql, statement == NULL, error);
    return statement;
}

static gboolean bind_all(DbStatement *statement, const DbValue *values, gboolean copy, GError **error)
{
    statement->busy = TRUE;
    for (int i = 0; values[i].type != DB_VALUE_END; i++)
        if (!statement->db->driver->bind(statement, i + 1, &values[i], copy, error))
            return FALSE;
    return TRUE;
}

DbStatement *db_query_values(Db *db, const char *sql, const DbValue *values, GError **error)
{
    g_autoptr(DbStatement) statement = take(db, sql, error);
    if (statement == NULL || !bind_all(statement, values, TRUE, error))
        return NULL;
    return g_steal_pointer(&statement);
}

DbStatement *db_query_once(Db *db, const char *sql, const DbValue *values, GError **error)
{
    g_autoptr(DbStatement) statement = prepare(db, sql, FALSE, error);
    if (statement == NULL || !bind_all(statement, values, TRUE, error))
        return NULL;
    return g_steal_pointer(&statement);
}

DbStep db_step(DbStatement *statement, GError **error)
{
    return statement->db->driver->step(statement, error);
}

void db_release(DbStatement *statement)
{
    if (statement == NULL)
        return;
    statement->db->driver->reset(statement);
    statement->busy = FALSE;
    if (!statement->kept)
        statement->db->driver->finalize(statement);
}

gint64 db_int(DbStatement *statement, int column)
{
    return statement->db->driver->column_int(statement, column);
}

double db_real(DbStatement *statement, int column)
{
    return statement->db->driver->column_real(statement, column);
}

const char *db_text(DbStatement *statement, int column)
{
    const char *text = statement->db->driver->column_text(statement, column);
    return text != NULL ? text : "";
}

gboolean db_is_null(DbStatement *statement, int column)
{
    return statement->db->driver->column_is_null(statement, column);
}

/* ---- whole runs ------------------------------------------------------------------------------------------------------- */

gboolean db_run_values(Db *db, const char *sql, const DbValue *values, GError **error)
{
    return db_run_int_values(db, sql, values, NULL, NULL, error);
}

gboolean db_run_int_values(Db *db, const char *sql, const DbValue *values, gboolean *ret_found, gint64 *ret_number,
                           GError **error)
{
    g_autoptr(DbStatement) statement = take(db, sql, error);
    /* the values outlive this call, so that they need no copy */
    if (statement == NULL || !bind_all(statement, values, FALSE, error))
        return FALSE;
    DbStep step = db_step(statement, error);
    gboolean found = step == DB_ROW;
    gint64 number = found ? db_int(statement, 0) : 0;
    while (step == DB_ROW)
        step = db_step(statement, error);
    if (step == DB_FAILED)
        return FALSE;
    if (ret_found != NULL)
        *ret_found = found;
    if (ret_number != NULL)
        *ret_number = number;
    return TRUE;
}

gboolean db_insert_values(Db *db, const char *sql, const DbValue *values, gboolean *ret_added, gint64 *ret_id,
                          GError **error)
{
    if (!db_run_values(db, sql, values, error))
        return FALSE;
    gboolean added = db->driver->changes(db) > 0;
    if (ret_added != NULL)
        *ret_added = added;
    if (added)
        *ret_id = db->driver->inserted_id(db);
    return TRUE;
}

gint64 db_changes(Db *db)
{
    return db->driver->changes(db);
}
