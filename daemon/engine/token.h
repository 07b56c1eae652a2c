/*
 * One OAuth2 access token: read from its file, renewed before it ends, and told where a person has to authorize again. Used by tokens.c, which
 * keeps all of them.
 */
#pragma once

#include "config/config.h"
#include "engine/http.h"
#include "engine/token_file.h"

/* What all tokens share. */
typedef struct {
    GMainContext *context;
    HttpClient *http;
    GMutex mutex; /* guards each token's stored, fault and oauth, which workers read */
    void (*on_change)(const char *name, gpointer data); /* a token came, or was withdrawn; called from within any call */
    gpointer data;
} TokenPlace;

typedef struct {
    TokenPlace *place;
    Config *config; /* the one that oauth belongs to */
    const OAuth *oauth;
    char *name;
    StoredToken stored;  /* as on disk; guarded for tokens_get() */
    StoredToken unsaved; /* granted, but not written yet; refresh_token NULL: none */
    gint64 published_ms; /* monotonic, when stored's access token came; 0: from a file */
    gboolean withdrawn;
    char *fault; /* why there is no new one; "" for none */
    guint failures;
    gint64 retry_at_ms; /* monotonic; 0: none */
    GSource *timer;     /* renews, or tries again */
    HttpCall *call;     /* renewing */
    gboolean seen;      /* by the configuration being taken */
} Token;

Token *token_new(TokenPlace *place, const char *name);
void token_free(Token *token);

/* Takes what the file says, at start, at a reload, and when a person has authorized; config and oauth are set. */
void token_read_file(Token *token);

/* Asks for another, where that is possible and not under way. */
void token_renew(Token *token);

/* There is an access token that does not end at once. Where called by a worker, with the mutex held. */
gboolean token_is_usable(const Token *token);

/* As tokens_refused(). */
gboolean token_refused(Token *token);
