/*
 * The child's side: the process that speaks IMAP for one mailbox. Called by nurtured's main() for `--watch`, before anything else.
 */
#pragma once

#include <glib.h>

#include "mail/message.h"

/* Reads one message; given from above, since imap/ does not know how mail is understood (mail/read.h: mail_read()). */
typedef InboundMessage *(*WatcherReadFunc)(const char *bytes, gsize len, gint64 now_ms);

/* Talks to the parent over file descriptor 3 until it is told to end, the parent is gone, or a fault. Sets its own limits (memory, files,
 * seccomp) before it meets the network. Returns the exit status. */
int watcher_main(WatcherReadFunc read);
