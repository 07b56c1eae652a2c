/*
 * Whether an account's mailbox can be watched, found out by a watcher (imap/link.h) that is told to read nothing.
 */
#pragma once

#include <glib.h>

#include "config/config.h"

/* A folder that was looked at. */
typedef struct {
    char *name;
    char *fault; /* why it cannot be read; NULL: it can */
} ImapProbedFolder;

typedef struct {
    char *fault;        /* no connection, no sign-in …: why nothing more is known; NULL: signed in */
    GPtrArray *folders; /* ImapProbedFolder*: the account's folders, as far as they were seen */
    char *sent;         /* what is wrong with the folder for sent mail, "" for nothing; NULL: it is not known, or not used, or among folders */
} ImapProbe;

/*
 * Signs in and opens each folder, for wait_ms at most. Blocks. program: as in imap_link_new(). get_token (SIGN_IN_OAUTH2): as in
 * ImapCallbacks, called in any thread; data is handed to it. Free the result with imap_probe_free().
 */
ImapProbe *imap_probe(const Account *account, const char *program, gint64 wait_ms, char *(*get_token)(gpointer data, GError **error),
                      gpointer data);
void imap_probe_free(ImapProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapProbe, imap_probe_free)
