/*
 * The folders of an account that are watched, in the order by whose index child and parent name them, and how each of them goes.
 * The parent's.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "imap/link.h"

typedef struct {
    ImapFolderStatus status;
    char *name_told; /* what the child is told: "" for the one that the server marks */
    gboolean is_sent;
    guint uncommitted; /* records of it that were handed on */
    gboolean at_end;   /* the child found nothing behind those */
} WatchedFolder;

/* Of WatchedFolder*. account must outlive it. */
GPtrArray *watched_folders_new(const Account *account);

/* What a child of earlier said of what is left is void: another begins. */
void watched_folders_restart(GPtrArray *folders);

/* The child says: so many messages are left to be read, the oldest of oldest_ms (0: not known); why: "", or why the folder cannot be
 * read. TRUE where why is other than before. */
gboolean watched_folder_tell(WatchedFolder *folder, guint32 left, gint64 oldest_ms, const char *why, gint64 now_ms);

/* A record was handed on; so many were committed, up to one of received_ms. */
void watched_folder_add_record(WatchedFolder *folder);
void watched_folder_commit(WatchedFolder *folder, guint n, gint64 received_ms, gint64 now_ms);

/* The monotonic ms until which all folders that the account lists are known to be read, given that for the mailbox as a whole. */
gint64 watched_folders_read_ms(const GPtrArray *folders, gint64 mailbox_ms);
