/*
 * Tokens: "u-<contact id>-<20 characters of HMAC-SHA256>", and the like. Pure, any thread.
 *
 * 96 bits of the digest stand in the token: nobody guesses one, and nobody needs the store to find that out. Letters may
 * come back in another case; the token is compared, and given out, in lower case.
 */
#include "mail/token.h"

#include <string.h>

#include "base/ids.h"

enum { MAC_BYTES = 12, MAC_CHARS = 20, ID_MAX_DIGITS = 19, LOCAL_PART_MAX = 64 };

static const struct {
    char letter;
    const char *purpose; /* what is signed with the id, so that a token of one kind is none of another */
} kinds[] = {[TOKEN_UNSUBSCRIBE] = {'u', "unsubscribe"}, [TOKEN_ANSWER] = {'m', "answer"}, [TOKEN_REFERRAL] = {'r', "referral"}};

char *mail_token_new(const char *secret, TokenKind kind, gint64 id)
{
    g_autofree char *text = g_strdup_printf("%s %" G_GINT64_FORMAT, kinds[kind].purpose, id);
    g_autofree char *mac = id_hmac(secret, text, MAC_BYTES);
    return g_strdup_printf("%c-%" G_GINT64_FORMAT "-%s", kinds[kind].letter, id, mac);
}

static gboolean is_base32(char c)
{
    return g_ascii_isalpha(c) || (c >= '2' && c <= '7');
}

/* The length of what looks like a token at text, 0 where nothing does. */
static gsize token_length(TokenKind kind, const char *text)
{
    if (g_ascii_tolower(text[0]) != kinds[kind].letter || text[1] != '-')
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

gboolean mail_token_check(const char *secret, TokenKind kind, const char *token, gint64 *ret_id)
{
    gint64 id = 0;
    gsize length = token_length(kind, token);
    if (length == 0 || token[length])
        return FALSE;
    g_autofree char *given = g_ascii_strdown(token, -1);
    g_autofree char *digits = g_strndup(given + 2, strcspn(given + 2, "-"));
    if (!g_ascii_string_to_signed(digits, 10, 1, G_MAXINT64, &id, NULL))
        return FALSE;
    g_autofree char *ours = mail_token_new(secret, kind, id);
    if (!id_equal_secret(ours, given))
        return FALSE;
    *ret_id = id;
    return TRUE;
}

char *mail_token_find(TokenKind kind, const char *text)
{
    for (const char *p = text; *p; p++) {
        gsize length = p == text || !g_ascii_isalnum(p[-1]) ? token_length(kind, p) : 0;
        if (length > 0)
            return g_ascii_strdown(p, (gssize)length);
    }
    return NULL;
}

char *mail_token_address(const char *address, const char *token)
{
    const char *at = strrchr(address, '@');
    if (at == NULL || (gsize)(at - address) + 1 + strlen(token) > LOCAL_PART_MAX)
        return NULL;
    return g_strdup_printf("%.*s+%s%s", (int)(at - address), address, token, at);
}
