/*
 * Signed tokens in mail that we send, which nobody can guess: what an unsubscribe request bears as evidence.
 */
#pragma once

#include <glib.h>

/* "u-<contact id>-<20 characters of HMAC>" for the contact. Caller frees. */
char *unsubscribe_token_new(const char *secret, gint64 contact_id);

/* TRUE and the contact where the token is one that we signed. */
gboolean unsubscribe_token_check(const char *secret, const char *token, gint64 *ret_contact_id);

/* The first thing in text that looks like a token, or NULL. Caller frees. */
char *unsubscribe_token_find(const char *text);
