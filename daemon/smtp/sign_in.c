/*
 * Credentials of libcurl handles. Copies of secrets are wiped as soon as libcurl has its own.
 */
#include "sign_in.h"

#include <string.h>

#include "config/secret.h"

enum { TELLING_OCTETS = 4 }; /* shorter words stand in any text */

static gboolean has_word(const char *words, gsize length, const char *word)
{
    gsize size = strlen(word);
    for (gsize i = 0; i + size <= length; i++) {
        gboolean begins = i == 0 || strchr(" =", words[i - 1]) != NULL;
        gboolean ends = i + size == length || strchr(" \r\n", words[i + size]) != NULL;
        if (begins && ends && g_ascii_strncasecmp(words + i, word, size) == 0)
            return TRUE;
    }
    return FALSE;
}

guint smtp_sign_in_offers(const char *line, gsize length)
{
    guint offers = 0;
    const gsize code = strlen("250-");
    if (length < code + strlen("AUTH") || g_ascii_strncasecmp(line + code, "AUTH", strlen("AUTH")) != 0)
        return 0;
    if (has_word(line + code, length - code, "PLAIN") || has_word(line + code, length - code, "LOGIN"))
        offers |= OFFERS_PASSWORD;
    if (has_word(line + code, length - code, "CRAM-MD5"))
        offers |= OFFERS_CRAM_MD5;
    return offers;
}

gboolean smtp_sign_in_wants_cram_md5(const Endpoint *server, guint offers)
{
    return server->sign_in == SIGN_IN_AUTO && *server->user && offers == OFFERS_CRAM_MD5;
}

/* Always said: libcurl's own choice would be CRAM-MD5 or NTLM first, and with a token PLAIN without a password. */
static const char *login_options(const Endpoint *server, gboolean cram_md5)
{
    switch (server->sign_in) {
    case SIGN_IN_PLAIN:
        return "AUTH=PLAIN";
    case SIGN_IN_LOGIN:
        return "AUTH=LOGIN";
    case SIGN_IN_CRAM_MD5:
        return "AUTH=CRAM-MD5";
    case SIGN_IN_OAUTH2:
        return "AUTH=OAUTHBEARER;AUTH=XOAUTH2";
    case SIGN_IN_AUTO:
        break;
    }
    return cram_md5 ? "AUTH=CRAM-MD5" : "AUTH=PLAIN;AUTH=LOGIN"; /* both, whichever the server has */
}

const char *smtp_sign_in_ways(const Endpoint *server)
{
    switch (server->sign_in) {
    case SIGN_IN_PLAIN:
        return "AUTH PLAIN";
    case SIGN_IN_LOGIN:
        return "AUTH LOGIN";
    case SIGN_IN_CRAM_MD5:
        return "AUTH CRAM-MD5";
    case SIGN_IN_OAUTH2:
        return "AUTH OAUTHBEARER or XOAUTH2; leave method = \"oauth2\" out if it takes passwords";
    case SIGN_IN_AUTO:
        break;
    }
    return "AUTH PLAIN or LOGIN";
}

gboolean smtp_sign_in_prepare(CURL *curl, const Endpoint *server, gboolean cram_md5, const SmtpCallbacks *callbacks,
                              const gint *cancelled, gint64 *ret_until_ms, GError **error)
{
    gint64 until_ms = 0;
    gboolean by_token = server->sign_in == SIGN_IN_OAUTH2;
    *ret_until_ms = 0;
    if (!*server->user)
        return TRUE;
    char *secret = by_token ? callbacks->get_token(&until_ms, callbacks->data, error)
                            : secret_read_until(&server->password, cancelled, error);
    if (!secret)
        return FALSE;
    curl_easy_setopt(curl, CURLOPT_USERNAME, server->user);
    curl_easy_setopt(curl, by_token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD, secret);
    curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, login_options(server, cram_md5));
    secret_free(secret);
    *ret_until_ms = until_ms;
    return TRUE;
}

/* Any part of a decoded message: its fields are ended by NUL, Ctrl-A, or a space. */
static gboolean decoded_is_told(const char *word, const char *user, const char *text)
{
    gsize size = 0;
    guchar *octets = g_base64_decode(word, &size);
    gboolean told = FALSE;
    for (gsize at = 0; at < size && !told;) {
        gsize length = 0;
        while (at + length < size && octets[at + length] > ' ')
            length++;
        char *part = g_strndup((const char *)octets + at, length);
        told = length >= TELLING_OCTETS && strcmp(part, user) != 0 && secret_is_told(part, text);
        secret_free(part);
        at += length + 1;
    }
    if (octets)
        explicit_bzero(octets, size);
    g_free(octets);
    return told;
}

gboolean smtp_sign_in_is_told(const char *said, const char *user, const char *text)
{
    static const char *const known[] = {"AUTH", "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", NULL};
    char **words = g_strsplit_set(said, " \r\n", -1);
    gboolean told = FALSE;
    for (char **word = words; *word; word++) {
        if (strlen(*word) >= TELLING_OCTETS && !g_strv_contains(known, *word))
            told = told || secret_is_told(*word, text) || decoded_is_told(*word, user, text);
        explicit_bzero(*word, strlen(*word));
    }
    g_strfreev(words);
    return told;
}
