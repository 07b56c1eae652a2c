/*
 * Token files: JSON, one object. A lock on the folder stands between writers; the new file is on disk before it takes the old
 * one's name.
 */
#include "engine/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "config/secret.h"
#include "engine/templates.h"

enum { FILE_OCTETS = 128 * 1024, NAME_OCTETS = 200 };

void stored_token_clear(StoredToken *token)
{
    g_free(token->client_id);
    g_free(token->user);
    secret_free(token->refresh_token);
    secret_free(token->access_token);
    g_free(token->withdrawn);
    *token = (StoredToken){0};
}

StoredToken stored_token_copy(const StoredToken *token)
{
    return (StoredToken){.client_id = g_strdup(token->client_id),
                         .user = g_strdup(token->user),
                         .refresh_token = g_strdup(token->refresh_token),
                         .access_token = g_strdup(token->access_token),
                         .obtained_ms = token->obtained_ms,
                         .expires_ms = token->expires_ms,
                         .withdrawn = g_strdup(token->withdrawn)};
}

/* Account names may hold anything; file names not. */
static char *file_name(const char *name)
{
    g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);
    if (strlen(escaped) <= NAME_OCTETS)
        return g_strconcat(escaped, ".json", NULL);
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    return g_strconcat(digest, ".json", NULL);
}

char *token_file_path(const char *folder, const char *name)
{
    g_autofree char *file = file_name(name);
    return g_build_filename(folder, file, NULL);
}

static gboolean failed(const char *path, const char *what, GError **error)
{
    g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_TOKEN, "token file %s: %s", path, what);
    return FALSE;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* The text of an open file that nobody else may read; NULL else. */
static char *read_private(int fd, const char *path, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_OCTETS) {
        failed(path, "it is no token file", error);
        return NULL;
    }
    if (status.st_mode & 077) {
        failed(path, "it can be read by others; write chmod 600 on it, and think of the token as known", error);
        return NULL;
    }
    char *text = g_malloc0(FILE_OCTETS + 1);
    gssize length = 0, got;
    while (length < FILE_OCTETS && (got = read(fd, text + length, (gsize)(FILE_OCTETS - length))) > 0)
        length += got;
    return text;
}

static char *member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    gboolean is_text = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return g_strdup(is_text ? json_node_get_string(node) : "");
}

static gint64 time_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    gboolean is_number = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
    return is_number ? json_node_get_int(node) : 0;
}

gboolean token_file_read(const char *folder, const char *name, gboolean *ret_found, StoredToken *ret_token, GError **error)
{
    g_autofree char *path = token_file_path(folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        *ret_found = FALSE;
        return errno == ENOENT ? TRUE : failed(path, g_strerror(errno), error);
    }
    char *text = read_private(fd, path, error);
    close(fd);
    if (!text)
        return FALSE;
    g_autoptr(JsonObject) object = *text ? json_parse_object(text, NULL) : NULL;
    explicit_bzero(text, FILE_OCTETS);
    g_free(text);
    if (!object || !json_object_has_member(object, "refresh_token"))
        return failed(path, "it is damaged; authorize the account again", error);
    *ret_token = (StoredToken){.client_id = member(object, "client_id"),
                               .user = member(object, "user"),
                               .refresh_token = member(object, "refresh_token"),
                               .access_token = member(object, "access_token"),
                               .obtained_ms = time_member(object, "obtained_ms"),
                               .expires_ms = time_member(object, "expires_ms"),
                               .withdrawn = member(object, "withdrawn")};
    *ret_found = TRUE;
    return TRUE;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static char *text_of(const StoredToken *token)
{
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "client_id", token->client_id);
    json_object_set_string_member(object, "user", token->user);
    json_object_set_string_member(object, "refresh_token", token->refresh_token);
    json_object_set_string_member(object, "access_token", token->access_token);
    json_object_set_int_member(object, "obtained_ms", token->obtained_ms);
    json_object_set_int_member(object, "expires_ms", token->expires_ms);
    json_object_set_string_member(object, "withdrawn", token->withdrawn);
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    return json_line(node);
}

/* Root authorizes for a daemon that is not root: what it makes is the daemon's, whose the folder of the store is. */
static gboolean give_to_daemon(int fd, const char *folder)
{
    struct stat status;
    g_autofree char *around = g_path_get_dirname(folder);
    if (geteuid() != 0 || stat(around, &status) != 0)
        return TRUE;
    return fchown(fd, status.st_uid, status.st_gid) == 0;
}

/* A folder that a crash of the machine takes away again would take a token along that cannot be had twice. */
static gboolean keep_entry(const char *folder)
{
    g_autofree char *around = g_path_get_dirname(folder);
    int fd = open(around, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The folder, locked until it is closed; -1 where it cannot be had. */
static int open_folder(const char *folder, GError **error)
{
    gboolean made = mkdir(folder, 0700) == 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && (!made || (give_to_daemon(fd, folder) && keep_entry(folder))) && flock(fd, LOCK_EX) == 0)
        return fd;
    failed(folder, g_strerror(errno), error);
    if (fd >= 0)
        close(fd);
    return -1;
}

static gboolean write_all(int fd, const char *text)
{
    gsize length = strlen(text);
    while (length > 0) {
        gssize n = write(fd, text, length);
        if (n < 0 && errno != EINTR)
            return FALSE;
        text += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
    return fsync(fd) == 0;
}

static gboolean replace(int dir, const char *folder, const char *name, const char *text)
{
    g_autofree char *file = file_name(name);
    g_autofree char *new = g_strconcat(file, ".new", NULL);
    unlinkat(dir, new, 0); /* of a crash */
    int fd = openat(dir, new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FALSE;
    gboolean ok = give_to_daemon(fd, folder) && write_all(fd, text);
    ok = close(fd) == 0 && ok;
    ok = ok && renameat(dir, new, dir, file) == 0 && fsync(dir) == 0;
    if (!ok) {
        int why = errno;
        unlinkat(dir, new, 0);
        errno = why;
    }
    return ok;
}

/* A file that is gone is superseded as well: whoever renews a token must not bring back what a person took away. */
static gboolean is_superseded(const char *folder, const char *name, const char *before, gboolean *ret_superseded,
                              GError **error)
{
    StoredToken now = {0};
    gboolean found = FALSE;
    if (!token_file_read(folder, name, &found, &now, error))
        return FALSE;
    *ret_superseded = !found || !g_str_equal(now.refresh_token, before);
    stored_token_clear(&now);
    return TRUE;
}

gboolean token_file_write(const char *folder, const char *name, const StoredToken *token, const char *before,
                          gboolean *ret_superseded, GError **error)
{
    int dir = open_folder(folder, error);
    if (dir < 0)
        return FALSE;
    gboolean superseded = FALSE;
    gboolean ok = !before || is_superseded(folder, name, before, &superseded, error);
    if (ok && ret_superseded)
        *ret_superseded = superseded;
    if (ok && !superseded) {
        char *text = text_of(token);
        g_autofree char *path = token_file_path(folder, name);
        ok = replace(dir, folder, name, text) || failed(path, g_strerror(errno), error);
        secret_free(text);
    }
    close(dir);
    return ok;
}

char *token_file_now(const char *folder, const char *name, GError **error)
{
    gboolean found = FALSE;
    StoredToken token = {0};
    if (!token_file_read(folder, name, &found, &token, error))
        return NULL;
    char *secret = NULL;
    if (found && *token.access_token && !*token.withdrawn && token.expires_ms > clock_system_now_ms())
        secret = g_strdup(token.access_token);
    else
        g_set_error(error, ENGINE_ERROR, ENGINE_ERROR_TOKEN, "%s%s",
                    !found ? "it is not authorized; run nurture account authorize" : "there is no access token of now",
                    found && *token.withdrawn ? ": the provider has withdrawn it; run nurture account authorize" : "");
    if (found)
        stored_token_clear(&token);
    return secret;
}
