/*
 * NOTIFY (RFC 5465): being told of folders beside the open one. Runs in the watcher.
 */
#pragma once

#include <glib.h>

#include "session.h"

/* Asks to be told of new messages in the open folder, as ever, and in these (wire names, char*; at least one). A server that will not is
 * not asked again: has_notify is FALSE then. */
gboolean notify_begin(Session *session, const GPtrArray *wire_names, GError **error);
