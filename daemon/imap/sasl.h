/*
 * What a client says in the SASL mechanisms that we speak, as base64. Pure. Results hold a secret: free with secret_free().
 */
#pragma once

#include <glib.h>

/* "" NUL user NUL secret (RFC 4616). */
char *sasl_plain(const char *user, const char *secret);

/* Google's older form of a bearer token. */
char *sasl_xoauth2(const char *user, const char *token);

/* RFC 7628; host and port are the server's. */
char *sasl_oauthbearer(const char *user, const char *token, const char *host, guint16 port);

/* The answer to a challenge (RFC 2195), which comes as base64. NULL where it is none. */
char *sasl_cram_md5(const char *user, const char *secret, const char *challenge);

/* The server's reason in a failed OAuth sign-in: the "status" of its JSON, or all of its text, escaped; "" where there is none. Caller
 * frees. */
char *sasl_oauth_reason(const char *challenge);
