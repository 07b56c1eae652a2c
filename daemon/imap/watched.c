/* How each folder goes, as the parent knows it: from what the child says and from what was committed. */
#include "watched.h"

static void folder_free(gpointer data)
{
    WatchedFolder *folder = data;
    g_free((char *)folder->status.name);
    g_free((char *)folder->status.why);
    g_free(folder->name_told);
    g_free(folder);
}

static void add_folder(GPtrArray *folders, const char *name, const char *name_told, ImapFolderKind kind, gboolean is_sent)
{
    WatchedFolder *folder = g_new0(WatchedFolder, 1);
    folder->status.name = g_strdup(name);
    folder->status.kind = kind;
    folder->name_told = g_strdup(name_told);
    folder->is_sent = is_sent;
    g_ptr_array_add(folders, folder);
}

/* One that is listed as well is read once, as what the list says. */
static void add_marked(GPtrArray *folders, const ImapSettings *imap, const char *name, ImapFolderKind kind)
{
    const char *by_server = kind == IMAP_FOLDER_SENT ? IMAP_SENT_BY_SERVER : IMAP_JUNK_BY_SERVER;
    const char *told = name != NULL ? name : "";
    if (!g_strv_contains((const char *const *)imap->folders, told))
        add_folder(folders, *told != '\0' ? told : by_server, told, kind, kind == IMAP_FOLDER_SENT);
}

GPtrArray *watched_folders_new(const Account *account)
{
    const ImapSettings *imap = &account->imap;
    GPtrArray *folders = g_ptr_array_new_with_free_func(folder_free);
    for (char **name = imap->folders; *name != NULL; name++)
        add_folder(folders, *name, *name, IMAP_FOLDER_LISTED, imap->watch_sent && g_strcmp0(*name, imap->sent_folder) == 0);
    if (imap->watch_sent)
        add_marked(folders, imap, imap->sent_folder, IMAP_FOLDER_SENT);
    if (imap->watch_junk)
        add_marked(folders, imap, imap->junk_folder, IMAP_FOLDER_JUNK);
    return folders;
}

void watched_folders_restart(GPtrArray *folders)
{
    for (guint i = 0; i < folders->len; i++) {
        WatchedFolder *folder = folders->pdata[i];
        folder->uncommitted = 0;
        folder->at_end = FALSE;
    }
}

static void note_end(WatchedFolder *folder, gint64 now_ms)
{
    if (!folder->at_end || folder->uncommitted > 0)
        return;
    folder->status.read_ms = now_ms;
    folder->status.left = 0;
    folder->status.oldest_ms = 0;
}

gboolean watched_folder_tell(WatchedFolder *folder, guint32 left, gint64 oldest_ms, const char *why, gint64 now_ms)
{
    gboolean other = folder->status.why == NULL || !g_str_equal(folder->status.why, why);
    if (other) {
        folder->status.again = folder->status.why != NULL && *why == '\0';
        g_free((char *)folder->status.why);
        folder->status.why = g_strdup(why);
    }
    folder->at_end = left == 0 && *why == '\0';
    if (*why == '\0' && left > 0) {
        folder->status.left = left + folder->uncommitted;
        folder->status.oldest_ms = oldest_ms;
    }
    note_end(folder, now_ms);
    return other;
}

void watched_folder_add_record(WatchedFolder *folder)
{
    folder->uncommitted++;
}

void watched_folder_commit(WatchedFolder *folder, guint n, gint64 received_ms, gint64 now_ms)
{
    folder->uncommitted -= MIN(n, folder->uncommitted);
    folder->status.left -= MIN(n, folder->status.left);
    folder->status.oldest_ms = received_ms;
    note_end(folder, now_ms);
}

gint64 watched_folders_read_ms(const GPtrArray *folders, gint64 mailbox_ms)
{
    gint64 read_ms = mailbox_ms;
    for (guint i = 0; i < folders->len; i++) {
        const WatchedFolder *folder = folders->pdata[i];
        gboolean faulty = folder->status.why != NULL && *folder->status.why != '\0';
        if (folder->status.kind == IMAP_FOLDER_LISTED && faulty)
            read_ms = MIN(read_ms, folder->status.read_ms);
    }
    return read_ms;
}
