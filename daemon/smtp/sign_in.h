/*
 * How a handle signs in: user, secret and the mechanisms that libcurl may take. In a worker's thread.
 */
#pragma once

#include <curl/curl.h>
#include <glib.h>

#include "config/config.h"
#include "smtp/pool.h"

/* What the server offers that matters to us, as bits. */
typedef enum { OFFERS_PASSWORD = 1 << 0, OFFERS_CRAM_MD5 = 1 << 1 } SmtpOffers;

/* Of one line of the answer to EHLO; 0 where it is not about AUTH. */
guint smtp_sign_in_offers(const char *line, gsize length);

/* TRUE where the server's way is CRAM-MD5 alone, which libcurl must not be given unless it is: it would take it before PLAIN. */
gboolean smtp_sign_in_wants_cram_md5(const Endpoint *server, guint offers);

/* Reads password or token. *ret_until_ms: monotonic; the token ends then, and the connection with it; 0: never. */
gboolean smtp_sign_in_prepare(CURL *curl, const Endpoint *server, gboolean cram_md5, const SmtpCallbacks *callbacks,
                              const gint *cancelled, gint64 *ret_until_ms, GError **error);

/* The mechanisms that we would have taken, for people. */
const char *smtp_sign_in_ways(const Endpoint *server);

/* TRUE where text repeats anything secret of what we said in the sign-in (its raw lines), as it was or decoded. */
gboolean smtp_sign_in_is_told(const char *said, const char *user, const char *text);
