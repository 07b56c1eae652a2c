/*
 * Waiting for something new in the open folder.
 */
#pragma once

#include <glib.h>

#include "channel.h"
#include "session.h"

/*
 * Returns when the server says that something changed, or after timeout_ms: by IDLE where it has that, else by just
 * waiting. Commits are taken and heartbeats sent meanwhile. It is a hint only: look what is there afterwards. *ret_heard: it may have told of
 * any folder (NOTIFY).
 */
gboolean idle_wait(Session *session, Channel *channel, gint64 timeout_ms, gboolean *ret_heard, GError **error);
