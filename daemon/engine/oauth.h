/*
 * The language of OAuth2 endpoints (RFC 6749, 7636, 8628): the forms that we post, and what the answers mean. Reads a client's secret
 * where there is one, and is pure besides.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "engine/http.h"

/* Longer ones are no tokens: they would not fit a mail server's line. */
enum { TOKEN_OCTETS = 16 * 1024 };

/* A form that is posted by oauth_post(); names and values are copied. */
typedef struct {
    const char *name, *value;
} OAuthField;

/* Posts client_id, the client's secret as the provider wants it, and the fields (ended by name NULL) to url. NULL and why where the
 * secret cannot be read. */
HttpCall *oauth_post(HttpClient *client, const OAuth *oauth, const char *url, const OAuthField *fields, HttpDoneFunc done,
                     gpointer data, GError **error);

/* "?name=value&…" of the fields, for a browser. Caller frees. */
char *oauth_query(const OAuthField *fields);

typedef enum {
    OAUTH_GRANTED,
    OAUTH_PENDING,   /* the person has not answered yet (device code) */
    OAUTH_SLOW_DOWN, /* the same, and asked too often */
    OAUTH_WITHDRAWN, /* the grant is not, or no longer, valid: a person must authorize again */
    OAUTH_REFUSED,   /* our request is not accepted: client, secret or scope are wrong */
    OAUTH_LATER      /* no answer, or one that says nothing: try again */
} OAuthVerdict;

typedef struct {
    OAuthVerdict verdict;
    char *access_token, *refresh_token; /* where GRANTED; refresh_token NULL: there is no new one */
    gint64 lifetime_s;
    gint64 retry_after_s; /* as the server asks; 0: it does not */
    char *words;          /* for people, one line, escaped, without any secret; "" where GRANTED */
} OAuthAnswer;

/* Free with oauth_answer_clear(). */
void oauth_read_answer(const HttpAnswer *http, OAuthAnswer *ret_answer);
void oauth_answer_clear(OAuthAnswer *answer);

typedef struct {
    char *device_code, *user_code, *verification_url, *complete_url; /* complete_url: with the code in it; "" for none */
    gint64 lifetime_s, interval_s;
} DeviceCode;

/* FALSE: words (caller frees) say why there is none. */
gboolean oauth_read_device_code(const HttpAnswer *http, DeviceCode *ret_code, char **ret_words);
void device_code_clear(DeviceCode *code);
