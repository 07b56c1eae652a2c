/*
 * Values of header fields as they are found in the wild. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The raw value unfolded, its encoded words (RFC 2047) decoded, eight-bit bytes taken for what they are, on one line
 * of valid UTF-8 without controls, at most max_bytes. Words are joined before they are converted, since programs cut
 * characters in two; what is malformed stays as it is written. Caller frees. */
char *parse_header_decode(const char *raw, gsize max_bytes);
