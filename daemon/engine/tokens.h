/*
 * The access tokens of all accounts that sign in with OAuth2: each renewed before it ends, its rotated refresh token on disk before
 * anything else is done with it, and what a person has to do told where the provider does not take it any more.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "config/config.h"

typedef struct Tokens Tokens;

typedef enum {
    TOKEN_READY,    /* there is one that can be used now */
    TOKEN_WAITING,  /* there will be: it is being fetched, or tried again later */
    TOKEN_WITHDRAWN /* a person must authorize (again) */
} TokenState;

/* on_change: a token came, or was withdrawn; what waits for `name` may look again. From the loop, not from within a call. */
Tokens *tokens_new(GMainContext *context, void (*on_change)(const char *name, gpointer data), gpointer data);

/* No callback comes any more, but tokens_get() may be called until then. Accepts NULL. */
void tokens_free(Tokens *tokens);

/* Takes the tokens that the configuration names, and begins to keep them fresh; those it does not name are forgotten (their files stay).
 * Again at each reload, and where a file has changed: reads all files. */
void tokens_configure(Tokens *tokens, Config *config);

/*
 * oauth: whose token; where the configuration has changed since, and its account has another user or client now, there is none.
 *
 * From any thread: the access token of now, to be freed with secret_free(); *ret_until_ms (may be NULL): monotonic, when it ends. NULL
 * and ENGINE_ERROR_TOKEN where there is none. */
char *tokens_get(Tokens *tokens, const OAuth *oauth, gint64 *ret_until_ms, GError **error);

/* From the loop. *ret_reason (caller frees): "" where READY and nothing stands in the way of the next; *ret_retry_in_ms: 0 where no time is set. */
TokenState tokens_state(Tokens *tokens, const OAuth *oauth, char **ret_reason, gint64 *ret_retry_in_ms);

/* A mail server did not take the token. TRUE: it is renewed, and on_change comes. FALSE: it is new, so that another would not help. */
gboolean tokens_refused(Tokens *tokens, const OAuth *oauth);
