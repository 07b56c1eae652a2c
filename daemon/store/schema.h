/*
 * Which schema a database has, and bringing it to this program's by numbered migrations.
 */
#pragma once

#include <glib.h>

#include "store/db.h"

typedef struct {
    gint64 version;     /* 1, 2, …, without gaps */
    const char *sql[4]; /* up to NULL: statements; {identity} and {clustered} stand for the driver's words (store/db.h) */
} Migration;

extern const Migration schema_migrations[];
extern const gsize schema_n_migrations;

/*
 * Makes sure that the database has this program's schema: where change allows it, makes or migrates it. STORE_ERROR_NEWER for a
 * database of a newer program and STORE_ERROR_OPEN for another program's, or an older or missing schema without change; these are
 * left untouched.
 */
gboolean schema_ready(Db *db, gboolean change, gboolean read_only, GError **error);

/* Applies those of the migrations that the database lacks, in one transaction: all or none. */
gboolean schema_migrate(Db *db, const Migration *migrations, gsize n_migrations, GError **error);

/* The statements of one, in the caller's transaction; the version stays. */
gboolean schema_run(Db *db, const Migration *migration, GError **error);

/* *ret_version 0 for an empty database. STORE_ERROR_OPEN for a foreign one. */
gboolean schema_version(Db *db, gint64 *ret_version, GError **error);
