/*
 * SQLite behind the seam of db.h: opening with words that help, the settings that make a commit durable, the daemon's lock
 * beside the file, and SQLite's result codes as STORE_ERRORs. Owns the sqlite3 handle and the lock's descriptor.
 *
 * WAL with synchronous=FULL, but for what is written in bulk: what was committed survives SIGKILL and loss of power. Every transaction begins
 * IMMEDIATE, since one that turns from reading to writing fails at once when another wrote meanwhile, whatever the busy time-out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db.h"
#include "store/lock_file.h"
#include "store/store.h"

/* "Nurt": the mark in the file's header that it is ours */
#define APPLICATION_ID "1316319860"
/* pages in memory at most, in KiB */
#define CACHE "-32768"
#define BULK_CACHE "-131072"
/* pages of 4 KiB in the log that make a commit write them back: a page that is changed again meanwhile goes back once */
enum { WAL_PAGES = 4000, BULK_WAL_PAGES = 65536 };
enum { APPLICATION_NUMBER = 1316319860, BUSY_TIMEOUT_MS = 5000, WAL_RETRY_MS = 20 };

typedef struct {
    Db base;
    sqlite3 *handle;
    char *path; /* NULL in memory */
    int lock_fd;
} SqliteDb;

typedef struct {
    DbStatement base;
    sqlite3_stmt *handle;
} SqliteStatement;

/* ---- errors ----------------------------------------------------------------------------------------------------------- */

static StoreError code_of(int result)
{
    if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY || result == SQLITE_CONSTRAINT_ROWID)
        return STORE_ERROR_EXISTS;
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STORE_ERROR_BUSY;
    case SQLITE_FULL:
    case SQLITE_READONLY:
        return STORE_ERROR_FULL;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return STORE_ERROR_OPEN;
    default:
        return STORE_ERROR_FAILED;
    }
}

/* problem: why the file may not be written; 0: it may. */
static const char *advice_for(int result, int problem)
{
    if (problem == EROFS)
        return "; mount it for reading and writing";
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another process is writing: try again";
    case SQLITE_FULL:
        return "; make room on the disk";
    case SQLITE_READONLY:
        return "; this user may not write the file or its folder";
    case SQLITE_IOERR:
        return "; the disk did not do what was asked: see the system's log";
    case SQLITE_CORRUPT:
        return "; the file is damaged: restore it from a backup";
    case SQLITE_NOTADB:
        return "; name another file in store.url";
    default:
        return "";
    }
}

static void set_error(const SqliteDb *db, int result, GError **error)
{
    /* SQLite forgets what the system said of a commit; where the disk became read-only, that is asked again */
    int problem = (result & 0xff) == SQLITE_IOERR && db->path && access(db->path, W_OK) != 0 ? errno : 0;
    g_set_error(error, STORE_ERROR, (gint)code_of(result), "the store %s: %s%s%s (SQLite %d)%s", db->path != NULL ? db->path : "in memory",
                sqlite3_errmsg(db->handle), problem ? ": " : "", problem ? g_strerror(problem) : "", result, advice_for(result, problem));
}

static gboolean run_script(Db *base, const char *sql, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    int result = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    if (result == SQLITE_OK)
        return TRUE;
    set_error(db, sqlite3_extended_errcode(db->handle), error);
    return FALSE;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static gboolean check_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat status;
    if (stat(folder, &status) != 0) {
        if (errno == ENOENT)
            g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                        "cannot open the store %s: the folder %s does not exist; create it with: mkdir -p -m 700 %s", path,
                        folder, folder);
        else
            g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot open the store %s: the folder %s: %s", path, folder,
                        g_strerror(errno));
        return FALSE;
    }
    if (!S_ISDIR(status.st_mode)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "cannot open the store %s: %s is not a folder; write another path in store.url", path, folder);
        return FALSE;
    }
    return TRUE;
}

static void set_open_error(const char *path, int problem, GError **error)
{
    if (problem == EROFS)
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot open the store %s: %s; mount it for reading and writing", path,
                    g_strerror(problem));
    else if (problem != ENOENT && problem != ENOTDIR)
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "cannot open the store %s as user %ld: %s; let that user own the file and its folder", path,
                    (long)getuid(), g_strerror(problem));
    else if (check_folder(path, error))
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "the store %s does not exist; it is made when contacts are imported or nurtured starts", path);
}

/* Makes the file ourselves, so that it and the files that SQLite makes beside it (with the same mode) are the owner's alone. */
static gboolean open_file(const char *path, DbMode mode, GError **error)
{
    int flags = O_CLOEXEC | (mode == DB_MODE_READ_ONLY ? O_RDONLY : O_RDWR) | (mode == DB_MODE_CREATE ? O_CREAT : 0);
    int fd = open(path, flags, 0600);
    if (fd < 0) {
        set_open_error(path, errno, error);
        return FALSE;
    }
    struct stat status;
    gboolean regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    close(fd);
    if (!regular)
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                    "the store %s is not a file; write the path of a file in store.url", path);
    return regular;
}

static void close_db(Db *base)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_close(db->handle);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    g_free(db->path);
    g_free(db);
}

/* How every connection is set; nothing here changes the file. */
static gboolean set_up(SqliteDb *db, GError **error)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_wal_autocheckpoint(db->handle, WAL_PAGES);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* until the schema is known to be one of ours, closing leaves the file as it is */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return run_script(
        &db->base,
        "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA synchronous=FULL;"
        "PRAGMA secure_delete=ON; PRAGMA cache_size=" CACHE
        "; PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY;",
        error);
}

/*
 * SQLite would allocate 80 kB at once for each short-lived table of a RETURNING, which glibc gives back to the kernel each time:
 * six times slower claims. And it would count its memory, for which every allocation takes a lock. Only possible before its first use in
 * the process, hence once.
 */
static gpointer configure_once(gpointer unused)
{
    (void)unused;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return GINT_TO_POINTER(sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0));
}

static SqliteDb *open_handle(const char *path, int flags, GError **error)
{
    static GOnce configured = G_ONCE_INIT;
    g_once(&configured, configure_once, NULL);
    SqliteDb *db = g_new0(SqliteDb, 1);
    db->base.driver = &db_sqlite_driver;
    db->lock_fd = -1;
    db->path = g_strdup(path);
    /* one thread uses a connection, so that SQLite needs no locks of its own around it */
    int result = sqlite3_open_v2(path != NULL ? path : ":memory:", &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK && set_up(db, error))
        return db;
    if (result != SQLITE_OK)
        set_error(db, result, error);
    close_db(&db->base);
    return NULL;
}

static Db *open_db(const char *location, DbMode mode, GError **error)
{
    if (location[0] != '/') {
        g_set_error(
            error, STORE_ERROR, STORE_ERROR_OPEN,
            "the store's URL needs an absolute path; write \"sqlite:///absolute/path/nurture.db\", with three slashes");
        return NULL;
    }
    if (!open_file(location, mode, error))
        return NULL;
    SqliteDb *db = open_handle(location, mode == DB_MODE_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, error);
    return db != NULL ? &db->base : NULL;
}

static gboolean read_number(SqliteDb *db, const char *sql, gint64 *ret_number, GError **error)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    else
        set_error(db, result, error);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW;
}

static gboolean identify(Db *base, DbOwner *ret_owner, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    gint64 mark = 0, objects = 0;
    if (!read_number(db, "PRAGMA application_id", &mark, error) ||
        !read_number(db, "SELECT count(*) FROM sqlite_schema", &objects, error))
        return FALSE;
    *ret_owner = mark == APPLICATION_NUMBER ? DB_OURS : mark == 0 && objects == 0 ? DB_EMPTY : DB_FOREIGN;
    return TRUE;
}

/* Two processes that make the file WAL at once meet a lock that the busy time-out does not cover. */
static gboolean settle(Db *base, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    for (int waited_ms = 0;; waited_ms += WAL_RETRY_MS) {
        g_autoptr(GError) problem = NULL;
        if (run_script(base, "PRAGMA journal_mode=WAL", &problem))
            return TRUE;
        if (problem->code != STORE_ERROR_BUSY || waited_ms >= BUSY_TIMEOUT_MS) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        g_usleep(WAL_RETRY_MS * 1000);
    }
}

static gboolean adopt(Db *base, GError **error)
{
    return run_script(base, "PRAGMA application_id=" APPLICATION_ID, error);
}

static gboolean claim(Db *base, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    if (db->path == NULL) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "a store in memory has no daemon");
        return FALSE;
    }
    if (db->lock_fd >= 0)
        return TRUE;
    /* by the file's own name, so that a symbolic link makes no second store of it */
    char *real = realpath(db->path, NULL);
    g_autofree char *lock = g_strconcat(real != NULL ? real : db->path, ".lock", NULL);
    free(real);
    db->lock_fd = lock_file_take(lock, error);
    return db->lock_fd >= 0;
}

static void set_patience(Db *base, int wait_ms)
{
    sqlite3_busy_timeout(((SqliteDb *)base)->handle, wait_ms);
}

/* The log, where every commit is that is not yet in the file's own place; what is there was synchronised before it was called so. */
static gboolean sync_log(const SqliteDb *db, GError **error)
{
    const char *log = sqlite3_filename_wal(sqlite3_db_filename(db->handle, "main"));
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    gboolean done = fd >= 0 ? fdatasync(fd) == 0 : errno == ENOENT;
    if (!done)
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "the store's log %s cannot be put on the disk: %s; do it again", log,
                    g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return done;
}

/*
 * What is written many times over goes to the file's own place once, and its pages are kept in memory meanwhile. Foreign keys are not
 * looked up: rows that are added then name only what was read or written in the same transaction, and nothing is deleted. The log is
 * synchronised once, at the end: what others commit behind it is only on the disk together with it, since the log has one order.
 */
static gboolean set_bulk(Db *base, gboolean bulk, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    sqlite3_wal_autocheckpoint(db->handle, bulk ? BULK_WAL_PAGES : WAL_PAGES);
    if (!run_script(base,
                    bulk ? "PRAGMA foreign_keys=OFF; PRAGMA synchronous=NORMAL; PRAGMA cache_size=" BULK_CACHE
                         : "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA cache_size=" CACHE,
                    error))
        return FALSE;
    if (bulk || db->path == NULL)
        return TRUE;
    /* so that the next one to commit, who may be in a hurry, does not find all of it to do */
    sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return sync_log(db, error);
}

static gboolean empty_log(Db *base, gboolean *ret_done, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    int result = db->path != NULL ? sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) : SQLITE_OK;
    if (result != SQLITE_OK && (result & 0xff) != SQLITE_BUSY && (result & 0xff) != SQLITE_LOCKED) {
        set_error(db, result, error);
        return FALSE;
    }
    *ret_done = result == SQLITE_OK;
    return TRUE;
}

/* It is thrown away in the end, so that there is nothing to undo, to overwrite or to find again. */
static gboolean make_scratch(SqliteDb *db, GError **error)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL); /* it would not let the journal go */
    return run_script(&db->base, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA secure_delete=OFF", error);
}

static Db *copy_to_memory(Db *base, GError **error)
{
    SqliteDb *from = (SqliteDb *)base;
    SqliteDb *to = open_handle(NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, error);
    if (to == NULL)
        return NULL;
    sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
    int result = SQLITE_OK;
    if (backup != NULL) {
        result = sqlite3_backup_step(backup, -1);
        sqlite3_backup_finish(backup);
    }
    if (result == SQLITE_DONE && make_scratch(to, error))
        return &to->base;
    if (result == SQLITE_DONE)
        ; /* said */
    else if (result == SQLITE_BUSY || result == SQLITE_LOCKED)
        g_set_error(error, STORE_ERROR, STORE_ERROR_BUSY, "the store %s is being written; try again", from->path);
    else
        set_error(to, sqlite3_extended_errcode(to->handle), error);
    close_db(&to->base);
    return NULL;
}

/* ---- transactions ----------------------------------------------------------------------------------------------------- */

static gboolean begin(Db *base, GError **error)
{
    return run_script(base, "BEGIN IMMEDIATE", error);
}

static gboolean commit(Db *base, GError **error)
{
    return run_script(base, "COMMIT", error);
}

static void rollback(Db *base)
{
    SqliteDb *db = (SqliteDb *)base;
    /* a full disk makes SQLite roll back by itself */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- statements ------------------------------------------------------------------------------------------------------- */

/* $1 is a name to SQLite, numbered by its first appearance; ?1 is the parameter 1. */
static char *number_parameters(const char *sql)
{
    char *text = g_strdup(sql);
    for (char *p = text; *p != '\0'; p++)
        if (p[0] == '$' && g_ascii_isdigit(p[1]))
            *p = '?';
    return text;
}

static DbStatement *prepare(Db *base, const char *sql, GError **error)
{
    SqliteDb *db = (SqliteDb *)base;
    g_autofree char *numbered = number_parameters(sql);
    sqlite3_stmt *handle = NULL;
    int result = sqlite3_prepare_v3(db->handle, numbered, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
    if (result != SQLITE_OK) {
        set_error(db, result, error);
        return NULL;
    }
    SqliteStatement *statement = g_new0(SqliteStatement, 1);
    statement->handle = handle;
    return &statement->base;
}

static void finalize(DbStatement *base)
{
    SqliteStatement *statement = (SqliteStatement *)base;
    sqlite3_finalize(statement->handle);
    g_free(statement);
}

static gboolean bind(DbStatement *base, int parameter, const DbValue *value, gboolean copy, GError **error)
{
    SqliteStatement *statement = (SqliteStatement *)base;
    int result = SQLITE_OK;
    switch (value->type) {
    case DB_VALUE_INT:
        result = sqlite3_bind_int64(statement->handle, parameter, value->number);
        break;
    case DB_VALUE_REAL:
        result = sqlite3_bind_double(statement->handle, parameter, value->real);
        break;
    case DB_VALUE_TEXT:
        result = sqlite3_bind_text(statement->handle, parameter, value->text != NULL ? value->text : "", -1,
                                   copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
        break;
    case DB_VALUE_NULL:
    case DB_VALUE_END:
        result = sqlite3_bind_null(statement->handle, parameter);
        break;
    default:
        g_assert_not_reached();
    }
    if (result == SQLITE_OK)
        return TRUE;
    set_error((SqliteDb *)base->db, result, error);
    return FALSE;
}

static DbStep step(DbStatement *base, GError **error)
{
    SqliteStatement *statement = (SqliteStatement *)base;
    int result = sqlite3_step(statement->handle);
    if (result == SQLITE_ROW)
        return DB_ROW;
    if (result == SQLITE_DONE)
        return DB_DONE;
    set_error((SqliteDb *)base->db, result, error);
    return DB_FAILED;
}

static void reset(DbStatement *base)
{
    SqliteStatement *statement = (SqliteStatement *)base;
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
}

static gint64 changes(Db *base)
{
    return sqlite3_changes64(((SqliteDb *)base)->handle);
}

static gint64 foreign_changes(Db *base)
{
    gint64 version = 0;
    return read_number((SqliteDb *)base, "PRAGMA data_version", &version, NULL) ? version : g_get_monotonic_time();
}

static gint64 inserted_id(Db *base)
{
    return sqlite3_last_insert_rowid(((SqliteDb *)base)->handle);
}

static gint64 column_int(DbStatement *base, int column)
{
    return sqlite3_column_int64(((SqliteStatement *)base)->handle, column);
}

static double column_real(DbStatement *base, int column)
{
    return sqlite3_column_double(((SqliteStatement *)base)->handle, column);
}

static const char *column_text(DbStatement *base, int column)
{
    return (const char *)sqlite3_column_text(((SqliteStatement *)base)->handle, column);
}

static gboolean column_is_null(DbStatement *base, int column)
{
    return sqlite3_column_type(((SqliteStatement *)base)->handle, column) == SQLITE_NULL;
}

const DbDriver db_sqlite_driver = {
    .scheme = "sqlite",
    .clustered_table = "WITHOUT ROWID",
    .identity_column = "INTEGER PRIMARY KEY AUTOINCREMENT",
    .open = open_db,
    .close = close_db,
    .copy_to_memory = copy_to_memory,
    .claim = claim,
    .set_patience = set_patience,
    .set_bulk = set_bulk,
    .empty_log = empty_log,
    .identify = identify,
    .settle = settle,
    .adopt = adopt,
    .script = run_script,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .prepare = prepare,
    .finalize = finalize,
    .bind = bind,
    .step = step,
    .reset = reset,
    .changes = changes,
    .foreign_changes = foreign_changes,
    .inserted_id = inserted_id,
    .column_int = column_int,
    .column_real = column_real,
    .column_text = column_text,
    .column_is_null = column_is_null,
};
