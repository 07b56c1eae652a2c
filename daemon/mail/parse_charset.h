/*
 * Bytes of any charset, declared rightly, wrongly or not at all, to UTF-8.
 */
#pragma once

#include <glib.h>

/* Valid UTF-8 of at most max_bytes octets (cut at a character), without NUL, with LF line ends. charset may be NULL.
 * UTF-8 where the bytes are that, else the charset declared, else windows-1252. *ret_cut is set to TRUE where text was
 * left out, and else left as it is. Caller frees. */
char *parse_charset_to_utf8(const char *bytes, gsize len, const char *charset, gsize max_bytes, gboolean *ret_cut);

/* The length of the longest prefix of valid UTF-8 text of len octets that has at most max_bytes. */
gsize parse_charset_cut(const char *text, gsize len, gsize max_bytes);
