/*
 * Random identifiers and keyed digests.
 */
#pragma once

#include <glib.h>

/* n_bytes (1 … 64) from getrandom(2), in lower-case base 32 (RFC 4648 alphabet, no padding). Caller frees. Aborts if the
 * kernel has no randomness. */
char *id_random(gsize n_bytes);

/* HMAC-SHA256 of text (RFC 2104), the first n_bytes (1 … 32) of it, in lower-case base 32. Caller frees. */
char *id_hmac(const char *secret, const char *text, gsize n_bytes);

/* Constant-time comparison of two strings; NULL equals nothing. */
gboolean id_equal_secret(const char *a, const char *b);
