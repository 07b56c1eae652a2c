/*
 * Small forms posted over HTTPS, without ever holding up the loop. Nothing here logs.
 */
#pragma once

#include <glib.h>

typedef struct HttpClient HttpClient;
typedef struct HttpCall HttpCall;

typedef struct {
    const char *url;     /* https, and no other */
    const char *ca_file; /* "" for the system's authorities */
    const char *form;    /* application/x-www-form-urlencoded */
    const char *basic;   /* what Basic sends as base64, NULL for none */
} HttpRequest;

typedef struct {
    int status;               /* 0: there was no answer, see fault */
    const char *fault;        /* why, one line; "" where there was one */
    const char *body;         /* NUL-terminated, at most 64 kB; wiped after the call */
    gint64 retry_after_s;     /* as the server asks; 0: it does not */
    const char *form, *basic; /* of the request: what no words told on may repeat */
} HttpAnswer;

typedef void (*HttpDoneFunc)(const HttpAnswer *answer, gpointer data);

/* context NULL: the default one; every call and callback on its thread. */
HttpClient *http_client_new(GMainContext *context);

/* Cancels what is under way. Not from within a callback. Accepts NULL. */
void http_client_free(HttpClient *client);

/* Posts; done comes once, from the loop, at most half a minute later. All strings are copied. The call is gone when done is called,
 * in which further ones may be made. */
HttpCall *http_post(HttpClient *client, const HttpRequest *request, HttpDoneFunc done, gpointer data);

/* done will not come. */
void http_cancel(HttpCall *call);
