/*
 * Folders that the server marks as being for something (RFC 6154). Runs in the watcher.
 */
#pragma once

#include <glib.h>

#include "session.h"

/* The wire name (caller frees) of the folder marked so: "Sent", "Junk"; NULL where the server marks none or will not say. */
gboolean special_folder_find(Session *session, const char *mark, char **ret_wire_name, GError **error);
