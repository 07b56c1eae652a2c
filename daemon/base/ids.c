/*
 * Random identifiers and keyed digests, for Message-IDs and the tokens of unsubscribe addresses: base 32 in lower case,
 * because such text must survive mail systems that change the case of an address. Owns nothing; any thread.
 */
#include "base/ids.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { RANDOM_MAX = 64, HMAC_BYTES = 32 };

static char *base32_lower(const guint8 *bytes, gsize n_bytes)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    GString *text = g_string_sized_new(n_bytes * 8 / 5 + 2);
    guint32 held = 0;
    guint n_bits = 0;
    for (gsize i = 0; i < n_bytes; i++) {
        held = (held << 8 | bytes[i]) & 0xffff;
        n_bits += 8;
        while (n_bits >= 5) {
            n_bits -= 5;
            g_string_append_c(text, alphabet[held >> n_bits & 31]);
        }
    }
    if (n_bits > 0)
        g_string_append_c(text, alphabet[held << (5 - n_bits) & 31]);
    return g_string_free(text, FALSE);
}

char *id_random(gsize n_bytes)
{
    g_assert(n_bytes >= 1 && n_bytes <= RANDOM_MAX);
    guint8 bytes[RANDOM_MAX];
    for (gsize got = 0; got < n_bytes;) {
        gssize n = getrandom(bytes + got, n_bytes - got, 0);
        if (n > 0)
            got += (gsize)n;
        else if (n < 0 && errno != EINTR)
            g_error("getrandom: %s", g_strerror(errno));
    }
    return base32_lower(bytes, n_bytes);
}

char *id_hmac(const char *secret, const char *text, gsize n_bytes)
{
    g_assert(n_bytes >= 1 && n_bytes <= HMAC_BYTES);
    guint8 digest[HMAC_BYTES];
    gsize length = sizeof digest;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *)secret, strlen(secret));
    g_hmac_update(hmac, (const guchar *)text, (gssize)strlen(text));
    g_hmac_get_digest(hmac, digest, &length);
    g_hmac_unref(hmac);
    return base32_lower(digest, n_bytes);
}

gboolean id_equal_secret(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return FALSE;
    gsize length = strlen(a);
    if (strlen(b) != length)
        return FALSE;
    volatile guchar differs = 0;
    for (gsize i = 0; i < length; i++)
        differs = (guchar)(differs | (guchar)(a[i] ^ b[i]));
    return differs == 0;
}
