/*
 * Unsubscribe tokens: "u-<contact id>-<20 characters of HMAC-SHA256>". Pure, any thread.
 *
 * 96 bits of the digest stand in the token: nobody guesses one, and nobody needs the store to find that out. Letters may
 * come back in another case; the token is compared, and given out, in lower case.
 */
#include "mail/token.h"

#include <string.h>

#include "base/ids.h"

enum { MAC_BYTES = 12, MAC_CHARS = 20, ID_MAX_DIGITS = 19 };

char *unsubscribe_token_new(const char *secret, gint64 contact_id)
{
    g_autofree char *text = g_strdup_printf("unsubscribe %" G_GINT64_FORMAT, contact_id);
    g_autofree char *mac = id_hmac(secret, text, MAC_BYTES);
    return g_strdup_printf("u-%" G_GINT64_FORMAT "-%s", contact_id, mac);
}

static gboolean is_base32(char c)
{
    return g_ascii_isalpha(c) || (c >= '2' && c <= '7');
}

/* The length of what looks like a token at text, 0 where nothing does. */
static gsize token_length(const char *text)
{
    if (g_ascii_tolower(text[0]) != 'u' || text[1] != '-')
        return 0;
    gsize at = 2;
    while (g_ascii_isdigit(text[at]) && at - 2 <= ID_MAX_DIGITS)
        at++;
    if (at == 2 || at - 2 > ID_MAX_DIGITS || text[at] != '-')
        return 0;
    gsize mac = ++at;
    while (is_base32(text[at]) && at - mac <= MAC_CHARS)
        at++;
    return at - mac == MAC_CHARS && !g_ascii_isalnum(text[at]) ? at : 0;
}

gboolean unsubscribe_token_check(const char *secret, const char *token, gint64 *ret_contact_id)
{
    gint64 contact_id = 0;
    gsize length = token_length(token);
    if (length == 0 || token[length])
        return FALSE;
    g_autofree char *given = g_ascii_strdown(token, -1);
    g_autofree char *digits = g_strndup(given + 2, strcspn(given + 2, "-"));
    if (!g_ascii_string_to_signed(digits, 10, 1, G_MAXINT64, &contact_id, NULL))
        return FALSE;
    g_autofree char *ours = unsubscribe_token_new(secret, contact_id);
    if (!id_equal_secret(ours, given))
        return FALSE;
    *ret_contact_id = contact_id;
    return TRUE;
}

char *unsubscribe_token_find(const char *text)
{
    for (const char *p = text; *p; p++) {
        gsize length = p == text || !g_ascii_isalnum(p[-1]) ? token_length(p) : 0;
        if (length > 0)
            return g_ascii_strdown(p, (gssize)length);
    }
    return NULL;
}
