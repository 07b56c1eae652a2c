/*
 * SASL messages. Everything that held a secret on the way is wiped.
 */
#include "sasl.h"

#include <string.h>

#include "base/text.h"
#include "config/secret.h"

enum { REASON_OCTETS = 200 };

/* Takes the message over. */
static char *encode(guchar *message, gsize size)
{
    char *encoded = g_base64_encode(message, size);
    explicit_bzero(message, size);
    g_free(message);
    return encoded;
}

/* The parts one behind the other; nothing is left in a buffer outgrown. */
static char *encode_parts(const char *const *parts)
{
    gsize size = 0;
    for (const char *const *part = parts; *part != NULL; part++)
        size += strlen(*part);
    guchar *message = g_malloc(size + 1), *at = message;
    for (const char *const *part = parts; *part != NULL; part++) {
        gsize length = strlen(*part);
        memcpy(at, *part, length);
        at += length;
    }
    return encode(message, size);
}

char *sasl_plain(const char *user, const char *secret)
{
    gsize user_len = strlen(user), secret_len = strlen(secret), size = user_len + secret_len + 2;
    guchar *message = g_malloc(size);
    message[0] = '\0';
    memcpy(message + 1, user, user_len);
    message[1 + user_len] = '\0';
    memcpy(message + 2 + user_len, secret, secret_len);
    return encode(message, size);
}

char *sasl_xoauth2(const char *user, const char *token)
{
    const char *const parts[] = {"user=", user, "\001auth=Bearer ", token, "\001\001", NULL};
    return encode_parts(parts);
}

/* A name of RFC 5801: "," and "=" mean something there. */
static char *sasl_name(const char *user)
{
    GString *name = g_string_new(user);
    g_string_replace(name, "=", "=3D", 0);
    g_string_replace(name, ",", "=2C", 0);
    return g_string_free(name, FALSE);
}

char *sasl_oauthbearer(const char *user, const char *token, const char *host, guint16 port)
{
    g_autofree char *name = sasl_name(user);
    g_autofree char *number = g_strdup_printf("%u", port);
    const char *const parts[] = {"n,a=", name,       ",\001host=", host, "\001port=", number, "\001auth=Bearer ",
                                 token,  "\001\001", NULL};
    return encode_parts(parts);
}

/* Octets of base64, NULL where it is none. */
static guchar *decode(const char *text, gsize *ret_size)
{
    if (*text == '\0' || strlen(text) % 4 != 0 ||
        text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] != '\0')
        return NULL;
    return g_base64_decode(text, ret_size);
}

char *sasl_cram_md5(const char *user, const char *secret, const char *challenge)
{
    gsize size = 0;
    g_autofree guchar *octets = decode(challenge, &size);
    if (octets == NULL)
        return NULL;
    g_autofree char *digest = g_compute_hmac_for_data(G_CHECKSUM_MD5, (const guchar *)secret, strlen(secret), octets, size);
    const char *const parts[] = {user, " ", digest, NULL};
    return encode_parts(parts);
}

char *sasl_oauth_reason(const char *challenge)
{
    gsize size = 0;
    g_autofree guchar *octets = decode(challenge, &size);
    if (octets == NULL)
        return g_strdup("");
    g_autofree char *text = g_strndup((const char *)octets, size);
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GRegex) status = g_regex_new("\"status\"\\s*:\\s*\"([^\"\\\\]{1,60})\"", G_REGEX_RAW, 0, NULL);
    if (g_regex_match(status, text, 0, &match)) {
        g_autofree char *value = g_match_info_fetch(match, 1);
        return text_escape(value, REASON_OCTETS);
    }
    return text_escape(text, REASON_OCTETS);
}
