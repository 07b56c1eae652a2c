/*
 * What the ways of authorizing share. Private to authorize*.c.
 */
#pragma once

#include "engine/authorize.h"
#include "engine/http.h"
#include "engine/oauth.h"

typedef struct {
    const Config *config;
    const OAuth *oauth;
    const AuthorizeCallbacks *callbacks;
    GMainContext *context;
    GMainLoop *loop;
    HttpClient *client;
    gboolean granted;
    GError *error;
} AuthorizeFlow;

/* Makes the context the thread's default. */
void authorize_flow_begin(AuthorizeFlow *flow, const Config *config, const OAuth *oauth,
                          const AuthorizeCallbacks *callbacks);

/* Runs the loop until one of the two below was called, and frees. TRUE: granted, and on disk. */
gboolean authorize_flow_run(AuthorizeFlow *flow, GError **error);

void authorize_flow_fail(AuthorizeFlow *flow, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Writes the token's file. refresh_token: what is kept where the answer brings no new one; NULL: nothing, which fails. */
void authorize_flow_grant(AuthorizeFlow *flow, const OAuthAnswer *answer, const char *refresh_token);

/* Posts to url; done gets the flow as its data, or the flow fails. */
void authorize_flow_post(AuthorizeFlow *flow, const char *url, const OAuthField *fields, HttpDoneFunc done, gpointer data);
