/*
 * The seam between the store's statements and a database. Everything above it is SQL in the portable subset: parameters
 * $1 …, ON CONFLICT, RETURNING, 64-bit integers for times, JSON as text. A driver (db_sqlite.c) fills a DbDriver; another
 * database is another driver and nothing else.
 *
 * Statements are string literals, prepared once for a connection and kept by the literal's address. They are bound with
 * typed values, never put together from them:
 *
 *     g_autoptr(DbStatement) rows = db_query(db, "SELECT id, email FROM contact WHERE stage_key = $1", error, DB_TEXT(key));
 *     while (rows != NULL && (step = db_step(rows, error)) == DB_ROW) … db_int(rows, 0), db_text(rows, 1) …
 *
 * Errors are STORE_ERRORs, mapped by the driver.
 */
#pragma once

#include <glib.h>

typedef struct Db Db;
typedef struct DbStatement DbStatement;

typedef enum { DB_VALUE_END, DB_VALUE_INT, DB_VALUE_REAL, DB_VALUE_TEXT, DB_VALUE_NULL } DbValueType;

typedef struct {
    DbValueType type;
    union {
        gint64 number;
        double real;
        const char *text;
    };
} DbValue;

#define DB_INT(number_) ((DbValue){.type = DB_VALUE_INT, .number = (number_)})
#define DB_REAL(real_) ((DbValue){.type = DB_VALUE_REAL, .real = (real_)})
#define DB_TEXT(text_) ((DbValue){.type = DB_VALUE_TEXT, .text = (text_)}) /* NULL is stored as '' */
#define DB_NULL ((DbValue){.type = DB_VALUE_NULL})
#define DB_VALUES(...) ((const DbValue[]){__VA_ARGS__ __VA_OPT__(, ){.type = DB_VALUE_END}})

typedef enum { DB_ROW, DB_DONE, DB_FAILED } DbStep;
typedef enum { DB_MODE_READ_ONLY, DB_MODE_READ_WRITE, DB_MODE_CREATE } DbMode;

/* What a connection found at the other end. */
typedef enum {
    DB_EMPTY,  /* nothing at all yet */
    DB_OURS,   /* bears our mark */
    DB_FOREIGN /* somebody else's tables */
} DbOwner;

typedef struct {
    const char *scheme;          /* of the URL: "sqlite" */
    const char *clustered_table; /* what stands behind a table that is to lie in the order of its key; "" where there is nothing like it */
    const char *identity_column; /* the type of a primary key that counts up and never gives a number twice */

    Db *(*open)(const char *location, DbMode mode, GError **error); /* location: the URL behind "scheme://" */
    void (*close)(Db *db);
    Db *(*copy_to_memory)(Db *db, GError **error);
    gboolean (*claim)(Db *db, GError **error); /* the one daemon; STORE_ERROR_TAKEN */
    void (*set_patience)(Db *db, int wait_ms); /* how long another's lock is waited for */
    gboolean (*set_bulk)(Db *db, gboolean bulk, GError **error); /* much will be written in a short time; FALSE: that is over, and on the disk */

    gboolean (*empty_log)(Db *db, gboolean *ret_done, GError **error); /* all that was committed is in its place, and nowhere else */

    gboolean (*identify)(Db *db, DbOwner *ret_owner, GError **error);
    gboolean (*settle)(Db *db, GError **error); /* it is ours or empty: what is to be set once for the database */
    gboolean (*adopt)(Db *db, GError **error);  /* sets our mark, in the open transaction */

    gboolean (*script)(Db *db, const char *sql, GError **error); /* several statements without values: the schema */
    gboolean (*begin)(Db *db, GError **error);                   /* takes the right to write at once */
    gboolean (*commit)(Db *db, GError **error);
    void (*rollback)(Db *db);

    DbStatement *(*prepare)(Db *db, const char *sql, GError **error);
    void (*finalize)(DbStatement *statement);
    gboolean (*bind)(DbStatement *statement, int parameter, const DbValue *value, gboolean copy, GError **error);
    DbStep (*step)(DbStatement *statement, GError **error);
    void (*reset)(DbStatement *statement); /* and forgets the values */
    gint64 (*changes)(Db *db);             /* rows that the last finished statement wrote */
    gint64 (*foreign_changes)(Db *db);     /* inside a transaction: another number for each that another connection committed before it */
    gint64 (*inserted_id)(Db *db);         /* the identity that the last INSERT gave */

    gint64 (*column_int)(DbStatement *statement, int column);
    double (*column_real)(DbStatement *statement, int column);
    const char *(*column_text)(DbStatement *statement, int column); /* NULL for NULL */
    gboolean (*column_is_null)(DbStatement *statement, int column);
} DbDriver;

/* What every driver's connection and statement begin with; set by db.c, the driver sets driver alone. */
struct Db {
    const DbDriver *driver;
    GHashTable *statements; /* const char* (by address) -> DbStatement* */
    gboolean in_transaction;
};

struct DbStatement {
    Db *db;
    const char *sql;
    gboolean kept; /* among db->statements: released, not freed, after use */
    gboolean busy;
};

extern const DbDriver db_sqlite_driver;

/* By "scheme://location". STORE_ERROR_OPEN for an unknown scheme, whose URL is not repeated (it may hold a password). */
Db *db_open(const char *url, DbMode mode, GError **error);
void db_close(Db *db);
Db *db_copy_to_memory(Db *db, GError **error);

gboolean db_begin(Db *db, GError **error);
gboolean db_commit(Db *db, GError **error); /* rolled back when it fails */
void db_rollback(Db *db);

/* The statement with its values bound, before its first row. sql is a literal. Freeing it gives it back. */
#define db_query(db, sql, error, ...) db_query_values((db), (sql), DB_VALUES(__VA_ARGS__), (error))
DbStatement *db_query_values(Db *db, const char *sql, const DbValue *values, GError **error);

/* The same for text that was put together from fixed fragments: prepared for this use only. */
DbStatement *db_query_once(Db *db, const char *sql, const DbValue *values, GError **error);

DbStep db_step(DbStatement *statement, GError **error);
void db_release(DbStatement *statement);

/* Columns from 0; text belongs to the statement until the next step, and is "" for NULL. */
gint64 db_int(DbStatement *statement, int column);
double db_real(DbStatement *statement, int column);
const char *db_text(DbStatement *statement, int column);
gboolean db_is_null(DbStatement *statement, int column);

/* Runs to the end. */
#define db_run(db, sql, error, ...) db_run_values((db), (sql), DB_VALUES(__VA_ARGS__), (error))
gboolean db_run_values(Db *db, const char *sql, const DbValue *values, GError **error);

/* The first column of the first row; *ret_found (may be NULL) FALSE and *ret_number 0 where there is no row. */
#define db_run_int(db, sql, ret_found, ret_number, error, ...)                                                              \
    db_run_int_values((db), (sql), DB_VALUES(__VA_ARGS__), (ret_found), (ret_number), (error))
gboolean db_run_int_values(Db *db, const char *sql, const DbValue *values, gboolean *ret_found, gint64 *ret_number,
                           GError **error);

/* An INSERT of one row, whose identity is *ret_id; *ret_added (may be NULL) FALSE, and *ret_id untouched, where ON CONFLICT DO
 * NOTHING had its way. (RETURNING would make SQLite journal every page of the statement, which costs an import half its speed.) */
#define db_insert(db, sql, ret_added, ret_id, error, ...)                                                                   \
    db_insert_values((db), (sql), DB_VALUES(__VA_ARGS__), (ret_added), (ret_id), (error))
gboolean db_insert_values(Db *db, const char *sql, const DbValue *values, gboolean *ret_added, gint64 *ret_id,
                          GError **error);

/* Rows written by the last db_run. */
gint64 db_changes(Db *db);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Db, db_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DbStatement, db_release)
