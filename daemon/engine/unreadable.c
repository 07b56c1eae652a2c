/*
 * Unreadable messages. Runs on the loop. Nothing follows from one, and nothing waits for it: the file is a copy, and its loss harms nobody, so
 * that it is written before the cursor is committed and may be written twice, under the same name.
 */
#include "engine/unreadable.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include "base/log.h"

static void measure(const char *folder, guint *ret_files, guint64 *ret_octets)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    *ret_files = 0;
    *ret_octets = 0;
    for (const char *name; dir && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        GStatBuf status;
        if (g_str_has_suffix(name, ".eml") && g_lstat(path, &status) == 0) {
            ++*ret_files;
            *ret_octets += (guint64)status.st_size;
        }
    }
}

/* An account's name may have any letters, a "/" as well; the folder's, which its server gives, is left to the log. */
static char *path_of(const Config *config, const char *account, const char *folder, guint32 uidvalidity, guint32 uid)
{
    g_autofree char *escaped = g_uri_escape_string(account, NULL, FALSE);
    g_autofree char *name = g_strdup_printf("%s-%08x-%u-%u.eml", escaped, g_str_hash(folder), uidvalidity, uid);
    return g_build_filename(config->unreadable_dir, name, NULL);
}

static gboolean write_file(const Config *config, const char *path, GBytes *raw, GError **error)
{
    gsize length = 0;
    const char *octets = g_bytes_get_data(raw, &length);
    if (g_mkdir_with_parents(config->unreadable_dir, 0700) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: cannot be made", config->unreadable_dir);
        return FALSE;
    }
    return g_file_set_contents_full(path, octets ? octets : "", (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

void unreadable_keep(const Config *config, const char *account, const char *folder, guint32 uidvalidity, guint32 uid, const InboundMessage *message)
{
    guint files = 0;
    guint64 octets = 0;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(config, account, folder, uidvalidity, uid);
    measure(config->unreadable_dir, &files, &octets);
    const char *why = files >= UNREADABLE_FILES || octets + g_bytes_get_size(message->raw) > UNREADABLE_OCTETS
                          ? "too many are kept already; look at them and delete them"
                      : write_file(config, path, message->raw, &error) ? NULL
                                                                       : error->message;
    log_event(LOG_LEVEL_WARNING, "unreadable", LOG_TEXT("account", account), LOG_TEXT("folder", folder), LOG_NUMBER("uid", uid),
              LOG_TEXT("file", why ? NULL : path), LOG_TEXT("reason", why ? why : message->evidence));
}

guint unreadable_count(const Config *config)
{
    guint files = 0;
    guint64 octets = 0;
    measure(config->unreadable_dir, &files, &octets);
    return files;
}
