/*
 * Unsubscribe tokens: "u-<contact id>-<20 characters of HMAC-SHA256>". Pure.
 */
#include "mail/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/ids.h"

enum { MAC_BYTES = 12, MAC_CHARS = 20, ID_MAX_DIGITS = 18 };

static char *mac_of(const char *secret, gint64 contact_id)
{
    g_autofree char *text = g_strdup_printf("unsubscribe %" G_GINT64_FORMAT, contact_id);
    g_autofree char *mac = id_hmac(secret, text, MAC_BYTES);
    g_assert(strlen(mac) >= MAC_CHARS - 1);
    return g_strndup(mac, MAC_CHARS);
}

char *unsubscribe_token_new(const char *secret, gint64 contact_id)
{
    g_autofree char *mac = mac_of(secret, contact_id);
    return g_strdup_printf("u-%" G_GINT64_FORMAT "-%s", contact_id, mac);
}

/* The length of a token at text, 0 where there is none; *ret_id_end points behind the number. */
static gsize token_length(const char *text, const char **ret_id_end)
{
    const char *p = text;
    if ((p[0] != 'u' && p[0] != 'U') || p[1] != '-')
        return 0;
    for (p += 2; g_ascii_isdigit(*p) && p - text - 2 <= ID_MAX_DIGITS; p++)
        ;
    if (p == text + 2 || p - text - 2 > ID_MAX_DIGITS || *p != '-')
        return 0;
    *ret_id_end = p++;
    gsize count = 0;
    while (g_ascii_isalnum(p[count]) && count <= MAC_CHARS)
        count++;
    return count == MAC_CHARS ? (gsize)(p - text) + count : 0;
}

gboolean unsubscribe_token_check(const char *secret, const char *token, gint64 *ret_contact_id)
{
    const char *end = NULL;
    gsize length = token_length(token, &end);
    if (length == 0 || token[length])
        return FALSE;
    gint64 contact_id = g_ascii_strtoll(token + 2, NULL, 10);
    g_autofree char *mac = mac_of(secret, contact_id);
    g_autofree char *given = g_ascii_strdown(end + 1, -1);
    if (!id_equal_secret(mac, given))
        return FALSE;
    *ret_contact_id = contact_id;
    return TRUE;
}

char *unsubscribe_token_find(const char *text)
{
    const char *end = NULL;
    for (const char *p = text; *p; p++) {
        gboolean at_word = p == text || !g_ascii_isalnum(p[-1]);
        gsize length = at_word ? token_length(p, &end) : 0;
        if (length)
            return g_strndup(p, length);
    }
    return NULL;
}
