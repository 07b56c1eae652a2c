/*
 * Small text helpers. Pure functions, any thread.
 */
#include "base/text.h"

#include <string.h>

/* ---- escaping -------------------------------------------------------------------------------------------------------- */

/* Marks that turn the direction of writing, or that break lines in terminals that know Unicode. */
static gboolean is_unsafe(gunichar c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff || c == 0x61c;
}

static void append_escaped(GString *out, gunichar c)
{
    if (c == '\n')
        g_string_append(out, "\\n");
    else if (c == '\r')
        g_string_append(out, "\\r");
    else if (c == '\t')
        g_string_append(out, "\\t");
    else if (c < 0x100)
        g_string_append_printf(out, "\\x%02x", c);
    else
        g_string_append_printf(out, "\\u{%04x}", c);
}

char *text_escape(const char *text, gsize max_bytes)
{
    GString *out = g_string_new(NULL);
    const char *p = text ? text : "";
    while (*p) {
        gsize before = out->len;
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(out, "\\x%02x", (guchar)*p);
            p++;
        } else {
            if (is_unsafe(c))
                append_escaped(out, c);
            else
                g_string_append_unichar(out, c);
            p = g_utf8_next_char(p);
        }
        if (max_bytes && out->len > max_bytes) {
            g_string_truncate(out, before);
            g_string_append(out, "…");
            break;
        }
    }
    return g_string_free(out, FALSE);
}

char *text_quote(const char *text, gsize max_bytes)
{
    g_autoptr(GString) doubled = g_string_new(text);
    g_string_replace(doubled, "\\", "\\\\", 0); /* first, so that what text_escape() writes stays single */
    g_string_replace(doubled, "\"", "\\\"", 0);
    g_autofree char *safe = text_escape(doubled->str, max_bytes);
    return g_strdup_printf("\"%s\"", safe);
}

char *text_make_valid(const char *bytes, gssize len)
{
    return g_utf8_make_valid(bytes, len);
}

/* ---- nearest --------------------------------------------------------------------------------------------------------- */

/* Edit distance with transpositions (optimal string alignment) of two words of bytes, case folded before. */
static guint distance(const char *a, const char *b)
{
    gsize m = strlen(a), n = strlen(b);
    g_autofree guint *before = g_new0(guint, n + 1);
    g_autofree guint *row = g_new(guint, n + 1);
    g_autofree guint *next = g_new(guint, n + 1);
    for (gsize j = 0; j <= n; j++)
        row[j] = (guint)j;
    for (gsize i = 1; i <= m; i++) {
        next[0] = (guint)i;
        for (gsize j = 1; j <= n; j++) {
            guint cost = a[i - 1] == b[j - 1] ? 0 : 1;
            next[j] = MIN(MIN(row[j] + 1, next[j - 1] + 1), row[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                next[j] = MIN(next[j], before[j - 2] + 1);
        }
        memcpy(before, row, (n + 1) * sizeof(guint));
        memcpy(row, next, (n + 1) * sizeof(guint));
    }
    return row[n];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
    enum { LONGEST = 200 };
    const char *best = NULL;
    gsize length = strlen(word);
    guint limit = (guint)MAX(2, length / 3), best_distance = limit + 1;
    if (length == 0 || length > LONGEST)
        return NULL;
    g_autofree char *folded = g_utf8_validate(word, -1, NULL) ? g_utf8_casefold(word, -1) : g_strdup(word);
    for (; *candidates; candidates++) {
        if (strlen(*candidates) > LONGEST)
            continue;
        g_autofree char *candidate = g_utf8_casefold(*candidates, -1);
        gsize own = strlen(candidate), asked = strlen(folded);
        if ((own > asked ? own - asked : asked - own) >= best_distance) /* so many letters more or less at least */
            continue;
        guint d = distance(folded, candidate);
        if (d < best_distance && d < MAX(strlen(candidate), length)) {
            best_distance = d;
            best = *candidates;
        }
    }
    return best;
}

/* ---- columns --------------------------------------------------------------------------------------------------------- */

static guint columns_of(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint text_columns(const char *text)
{
    guint columns = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        columns += columns_of(g_utf8_get_char(p));
    return columns;
}

char *text_fit(const char *text, guint columns)
{
    if (text_columns(text) <= columns)
        return g_strdup(text);
    if (columns == 0)
        return g_strdup("");
    GString *out = g_string_new(NULL);
    guint used = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        guint width = columns_of(g_utf8_get_char(p));
        if (used + width > columns - 1)
            break;
        used += width;
        g_string_append_unichar(out, g_utf8_get_char(p));
    }
    g_string_append(out, "…");
    return g_string_free(out, FALSE);
}

/* ---- words ----------------------------------------------------------------------------------------------------------- */

char *text_one_line(const char *text)
{
    GString *out = g_string_new(NULL);
    gboolean space = FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_isspace(c) || c == 0x85 || c == 0x0b) {
            space = out->len > 0;
            continue;
        }
        if (space)
            g_string_append_c(out, ' ');
        space = FALSE;
        g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

char **text_split_list(const char *text)
{
    g_autoptr(GStrvBuilder) list = g_strv_builder_new();
    g_auto(GStrv) parts = g_strsplit_set(text ? text : "", ",;|", -1);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        if (**part)
            g_strv_builder_add(list, *part);
    }
    return g_strv_builder_end(list);
}

void text_split_name(const char *name, char **ret_first, char **ret_last)
{
    const char *comma = strchr(name, ','), *space = strrchr(name, ' ');
    if (comma) {
        *ret_last = g_strstrip(g_strndup(name, (gsize)(comma - name)));
        *ret_first = g_strstrip(g_strdup(comma + 1));
    } else {
        *ret_first = space ? g_strndup(name, (gsize)(space - name)) : g_strdup(name);
        *ret_last = g_strdup(space ? space + 1 : "");
    }
}

void text_replace(char **field, const char *text)
{
    char *copy = g_strdup(text); /* first: text may lie in what the field holds */
    g_free(*field);
    *field = copy;
}
