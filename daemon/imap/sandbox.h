/*
 * What the watcher gives up before it reads the first octet of a server.
 */
#pragma once

#include <glib.h>

/* At the very start: dies with its parent, leaves no core, cannot be traced, gains no privileges, opens few files.
 * IMAP_FAULT_LOCAL. */
gboolean sandbox_begin(GError **error);

/* With the connection made and every file read: bounds memory, and from here on permits only the system calls that a
 * conversation over open descriptors needs: no new socket, connection, file, process or executable memory.
 * IMAP_FAULT_LOCAL. */
gboolean sandbox_close(GError **error);
