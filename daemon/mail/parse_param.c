/*
 * One pass over the parameters, which collects the plain value and the pieces of the extended one, by their numbers. Pure; any thread.
 */
#include "mail/parse_param.h"

#include <string.h>

#include "mail/parse_charset.h"
#include "mail/parse_header.h"

enum { MAX_PIECES = 64, RAW_MAX = 64 * 1024 };

typedef struct {
    char *text;
    gboolean encoded; /* in per cent */
} Piece;

typedef struct {
    char *plain;
    Piece pieces[MAX_PIECES]; /* "name*=" is the first */
} Found;

/* A quoted value; *ret_end is behind it. Backslashes stay but before a quote or one of their own: programs write paths of Windows. */
static char *read_quoted(const char *p, const char **ret_end)
{
    GString *value = g_string_new(NULL);
    for (p++; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        g_string_append_c(value, *p);
    }
    *ret_end = *p == '"' ? p + 1 : p;
    return g_string_free(value, FALSE);
}

static char *read_value(const char *p, const char **ret_end)
{
    p += strspn(p, " \t\r\n");
    if (*p == '"')
        return read_quoted(p, ret_end);
    gsize length = strcspn(p, ";");
    *ret_end = p + length;
    return g_strstrip(g_strndup(p, length));
}

static void set(char **field, char *value)
{
    if (*field == NULL)
        *field = value; /* the first of several */
    else
        g_free(value);
}

/* suffix: what stands behind the parameter's name before "=": "", "*", "*0", "*0*". */
static void take(Found *found, const char *suffix, char *value)
{
    if (*suffix == '\0') {
        set(&found->plain, value);
        return;
    }
    char *end = NULL;
    guint64 number = g_ascii_isdigit(suffix[1]) ? g_ascii_strtoull(suffix + 1, &end, 10) : 0;
    gboolean encoded = g_str_has_suffix(suffix, "*");
    if (*suffix != '*' || number >= MAX_PIECES || (end != NULL && *end != '\0' && !g_str_equal(end, "*"))) {
        g_free(value);
        return;
    }
    found->pieces[number].encoded = encoded;
    set(&found->pieces[number].text, value);
}

static void collect(Found *found, const char *raw, const char *name)
{
    gsize length = strlen(name);
    const char *p = raw + strcspn(raw, ";");
    while (*p != '\0') {
        p += strspn(p, "; \t\r\n");
        gsize key_length = strcspn(p, "=;");
        g_autofree char *key = g_strstrip(g_strndup(p, key_length));
        p += key_length;
        if (*p != '=')
            continue;
        char *value = read_value(p + 1, &p);
        if (g_ascii_strncasecmp(key, name, length) == 0)
            take(found, key + length, value);
        else
            g_free(value);
        p += strcspn(p, ";");
    }
}

static void decode_percent(GString *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        int high = *p == '%' ? g_ascii_xdigit_value(p[1]) : -1, low = high >= 0 ? g_ascii_xdigit_value(p[2]) : -1;
        if (low >= 0) {
            g_string_append_c(out, (char)(high * 16 + low));
            p += 2;
        } else {
            g_string_append_c(out, *p);
        }
    }
}

/* The pieces from the first on, joined before they are converted: characters are cut in two between them. NULL: there are none. */
static char *join_pieces(const Found *found, gsize max_bytes)
{
    if (found->pieces[0].text == NULL)
        return NULL;
    const char *first = found->pieces[0].text, *language = found->pieces[0].encoded ? strchr(first, '\'') : NULL;
    const char *text = language != NULL ? strchr(language + 1, '\'') : NULL;
    g_autofree char *charset = text != NULL ? g_strndup(first, (gsize)(language - first)) : NULL;
    g_autoptr(GString) bytes = g_string_new(NULL);
    for (guint i = 0; i < MAX_PIECES && found->pieces[i].text != NULL; i++) {
        const char *piece = i == 0 && text != NULL ? text + 1 : found->pieces[i].text;
        if (found->pieces[i].encoded)
            decode_percent(bytes, piece);
        else
            g_string_append(bytes, piece);
    }
    gboolean cut = FALSE;
    g_autofree char *decoded = parse_charset_to_utf8(bytes->str, bytes->len, charset, max_bytes, &cut);
    return parse_header_decode(decoded, max_bytes); /* which some put encoded words into */
}

char *parse_param(const char *raw, const char *name, gsize max_bytes)
{
    Found found = {0};
    g_autofree char *bounded = g_strndup(raw, strnlen(raw, RAW_MAX));
    collect(&found, bounded, name);
    char *value = join_pieces(&found, max_bytes);
    if (value == NULL && found.plain != NULL)
        value = parse_header_decode(found.plain, max_bytes);
    g_free(found.plain);
    for (guint i = 0; i < MAX_PIECES; i++)
        g_free(found.pieces[i].text);
    return value;
}
