/*
 * Following the folders of an account: from the cursors of the hello on, for as long as the connection holds.
 */
#pragma once

#include <glib.h>

#include "channel.h"
#include "imap/watcher.h"
#include "session.h"

/* Reads everything new and goes on waiting for more. Returns only with an error. folders: wire names (char*) of
 * hello->folders. */
void follow(Session *session, Channel *channel, const Hello *hello, const GPtrArray *wire_names, WatcherReadFunc read,
            GError **error);
