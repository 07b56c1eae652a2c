/*
 * Folder names as IMAP writes them.
 */
#pragma once

#include <glib.h>

/* The UTF-8 name in modified UTF-7 (RFC 3501, 5.1.3). NULL and IMAP_FAULT_LOCAL for names that are empty, longer than 1000
 * octets, invalid UTF-8, or hold a control character. Caller frees. */
char *folder_wire_name(const char *name, GError **error);
