/*
 * Handing on the messages of the open folder, by their UIDs. Runs in the watcher.
 */
#pragma once

#include <glib.h>

#include "base/clock.h"
#include "channel.h"
#include "imap/watcher.h"
#include "session.h"

typedef struct {
    Session *session;
    Channel *channel;
    WatcherReadFunc read;
    const Clock *clock;
    gboolean careful; /* one message at a time, and the parent knows which */
    guint unscreened; /* chunks that are still to be read without asking which of their messages are wanted */
} Gatherer;

/* The open folder, as the parent knows it. */
typedef struct {
    guint index;
    const char *label; /* for messages */
    guint32 uidvalidity;
    guint32 suspect_uid; /* handed on unread; 0: none */
    gboolean all;        /* every message is wanted */
} GatheredFolder;

/*
 * Hands on the UIDs (guint32, ascending), those that came before min_received_ms left out, and tells now and then how many are left. Where
 * that saves something the parent is asked first which of them it wants, by their headers; the others are not read. A UID
 * that SEARCH listed must be given by FETCH, be it at the second try, or have vanished meanwhile: an error else.
 */
gboolean gather_uids(Gatherer *self, const GatheredFolder *folder, const GArray *uids, gint64 min_received_ms, GError **error);
