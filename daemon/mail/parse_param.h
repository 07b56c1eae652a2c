/*
 * Parameters of header fields as they are found in the wild: RFC 2231 in any order, encoded words where none may stand, neither, spaces
 * without quotes, quotes without an end. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The value of the parameter in the raw value of a field ("attachment; filename=…"), decoded, on one line; NULL: it has none. An extended
 * form (name*=, name*0*=) counts before a plain one. Caller frees. */
char *parse_param(const char *raw, const char *name, gsize max_bytes);
