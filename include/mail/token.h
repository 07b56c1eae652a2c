/*
 * Signed tokens in mail that we send, which nobody can guess: "<letter>-<id>-<20 characters of HMAC>". One that comes back is evidence.
 */
#pragma once

#include <glib.h>

typedef enum {
    TOKEN_UNSUBSCRIBE, /* "u-…": the contact who may unsubscribe by it */
    TOKEN_ANSWER,      /* "m-…": the message (its row of the outbox) that is answered; stands in the reply address */
    TOKEN_REFERRAL     /* "r-…": the contact who gave it to a friend, who writes to it */
} TokenKind;

/* Caller frees. */
char *mail_token_new(const char *secret, TokenKind kind, gint64 id);

/* TRUE and the id where the token is one of that kind that we signed. Letters may come back in another case. */
gboolean mail_token_check(const char *secret, TokenKind kind, const char *token, gint64 *ret_id);

/* The first thing in text that looks like a token of that kind, in lower case, or NULL. Caller frees. */
char *mail_token_find(TokenKind kind, const char *text);

/* "anna+m-17-…@example.com": the address with the token behind a "+" (RFC 5233). NULL where the local part would be too long. Caller
 * frees. */
char *mail_token_address(const char *address, const char *token);
