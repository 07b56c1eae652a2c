/*
 * Addresses in running text that are made links. md4c could do it, but would end the link in the middle of a value.
 * One pass; no character is looked at more than a few times.
 */
#include "mail/markdown_links.h"

#include <string.h>

char markdown_unveil_at(const char *text, const char *end)
{
    const guchar *bytes = (const guchar *)text;
    if (end - text < MARKDOWN_VEILED_BYTES || bytes[0] != 0xF3 || bytes[1] != 0xB0 || (bytes[2] & 0xFE) != 0x80)
        return '\0';
    return (char)((bytes[2] & 1) << 6 | (bytes[3] & 0x3F));
}

/* The character at p, unveiled; *ret_next is behind it. */
static gunichar char_at(const char *p, const char *end, const char **ret_next)
{
    char veiled = markdown_unveil_at(p, end);
    *ret_next = veiled ? p + MARKDOWN_VEILED_BYTES : g_utf8_next_char(p);
    return veiled ? (gunichar)veiled : g_utf8_get_char(p);
}

/* The character before p, unveiled; *ret_start is where it begins. */
static gunichar char_before(const char *p, const char *begin, const char **ret_start)
{
    *ret_start = g_utf8_find_prev_char(begin, p);
    char veiled = markdown_unveil_at(*ret_start, p);
    return veiled ? (gunichar)veiled : g_utf8_get_char(*ret_start);
}

static gboolean is_one_of(gunichar c, const char *set)
{
    return c > 0 && c < 0x80 && (g_ascii_isalnum((char)c) || strchr(set, (int)c));
}

static gboolean is_url_char(gunichar c)
{
    return c < 0x80 ? is_one_of(c, "-._~:/?#[]@!$&'()*+,;=%") : g_unichar_isgraph(c) && !g_unichar_ispunct(c);
}

/* What ends a sentence is not part of the address that stands at its end, nor is a parenthesis that was opened before it. */
static const char *without_punctuation(const char *start, const char *end)
{
    int open = 0;
    for (const char *p = start; p < end; p++)
        open += *p == '(' ? 1 : *p == ')' ? -1 : 0;
    for (; end > start; end--) {
        if (end[-1] == ')' && open < 0)
            open++;
        else if (!strchr(".,:;!?'*_~", end[-1]))
            break;
    }
    return end;
}

/* At the ":" of "://". */
static gboolean find_url(const char *begin, const char *colon, const char *end, TextLink *ret_link)
{
    gboolean is_secure = colon - begin >= 5 && g_ascii_strncasecmp(colon - 5, "https", 5) == 0;
    if (end - colon < 4 || memcmp(colon, "://", 3) != 0)
        return FALSE;
    if (!is_secure && (colon - begin < 4 || g_ascii_strncasecmp(colon - 4, "http", 4) != 0))
        return FALSE;
    const char *start = colon - (is_secure ? 5 : 4);
    const char *p = colon + 3, *next = NULL;
    if (start > begin && g_ascii_isalnum(start[-1]))
        return FALSE;
    while (p < end && is_url_char(char_at(p, end, &next)))
        p = next;
    p = without_punctuation(colon + 3, p);
    if (p == colon + 3)
        return FALSE;
    *ret_link = (TextLink){.start = start, .end = p};
    return TRUE;
}

/* Behind the characters of a host's name that follow; *ret_dot: the last dot with something behind it, or NULL. */
static const char *host_end(const char *p, const char *end, const char **ret_dot)
{
    const char *next = NULL, *after = NULL;
    *ret_dot = NULL;
    while (p < end) {
        gunichar c = char_at(p, end, &next);
        if (!is_one_of(c, ".-"))
            break;
        if (c == '.' && next < end && is_one_of(char_at(next, end, &after), ""))
            *ret_dot = p;
        p = next;
    }
    return p;
}

/* At the "@". */
static gboolean find_address(const char *begin, const char *at, const char *end, TextLink *ret_link)
{
    const char *start = at, *next = NULL, *dot = NULL;
    while (start > begin && is_one_of(char_before(start, begin, &next), ".+-_%"))
        start = next;
    while (start < at && strchr(".+-_%", *start))
        start++;
    const char *p = without_punctuation(at + 1, host_end(at + 1, end, &dot));
    if (start == at || !dot || dot == at + 1 || dot >= p || !g_ascii_isalpha(p[-1]) || (p < end && *p == '@'))
        return FALSE;
    *ret_link = (TextLink){.start = start, .end = p, .is_mail = TRUE};
    return TRUE;
}

gboolean markdown_find_link(const char *text, const char *end, TextLink *ret_link)
{
    for (const char *p = text; p < end; p++)
        if ((*p == ':' && find_url(text, p, end, ret_link)) || (*p == '@' && find_address(text, p, end, ret_link)))
            return TRUE;
    return FALSE;
}
