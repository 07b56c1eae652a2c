/*
 * Bytes of any charset to UTF-8. Labels in mail are often wrong: text that is valid UTF-8 is taken for it whatever the
 * label (by chance that hardly happens), except under the 7-bit charsets that switch by escape sequences, whose every
 * text would be.
 *
 * Pure; any thread.
 */
#include "parse_charset.h"

#include <errno.h>
#include <string.h>

/* What a label means in the wild, where that differs from what iconv takes it for. */
static const struct {
    const char *label, *meant;
} aliases[] = {
    {"iso-8859-1", "windows-1252"},
    {"iso8859-1", "windows-1252"},
    {"latin1", "windows-1252"},
    {"us-ascii", "windows-1252"},
    {"ascii", "windows-1252"},
    {"ansi_x3.4-1968", "windows-1252"},
    {"cp-850", "cp850"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"iso-8859-8-e", "iso-8859-8"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"x-gbk", "gb18030"},
    {"ks_c_5601-1987", "cp949"},
    {"euc-kr", "cp949"},
    {"shift_jis", "cp932"},
    {"x-sjis", "cp932"},
    {"iso-8859-9", "windows-1254"},
    {"x-mac-roman", "macintosh"},
    {"x-unknown", ""},
    {"unknown-8bit", ""},
    {"unknown", ""},
    {"default", ""},
    {"_autodetect", ""},
    {"binary", ""},
    {"x-user-defined", ""},
    {"utf8", "utf-8"},
    {"x-utf-8", "utf-8"},
    {"unicode-1-1-utf-7", "utf-7"},
    {"cp1252", "windows-1252"},
    {"iso-2022-jp", "iso-2022-jp-3"},
};

/* The name that iconv is to be given; NULL for none. */
static const char *meant_by(const char *label)
{
    if (label == NULL || *label == '\0' || strlen(label) > 40)
        return NULL;
    for (guint i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (g_ascii_strcasecmp(label, aliases[i].label) == 0)
            return *aliases[i].meant == '\0' ? NULL : aliases[i].meant;
    for (const char *c = label; *c != '\0';
         c++) /* iconv takes options behind "//", and paths are none of a sender's business */
        if (!g_ascii_isalnum(*c) && strchr("-_:.+()", *c) == NULL)
            return NULL;
    return label;
}

/* Charsets whose texts are all ASCII bytes, or that hold NULs: the bytes alone do not tell them from UTF-8. */
static gboolean hides_in_ascii(const char *charset)
{
    return charset != NULL &&
           (g_ascii_strncasecmp(charset, "iso-2022-", 9) == 0 || g_ascii_strncasecmp(charset, "utf-7", 5) == 0 ||
            g_ascii_strncasecmp(charset, "hz", 2) == 0 || g_ascii_strncasecmp(charset, "utf-16", 6) == 0 ||
            g_ascii_strncasecmp(charset, "utf-32", 6) == 0 || g_ascii_strncasecmp(charset, "ucs-", 4) == 0);
}

/* Converts what can be; a byte that cannot becomes U+FFFD. NULL where the charset is not known, or more than a tenth
 * is wrong. */
static GString *convert(const char *bytes, gsize len, const char *charset, gsize max_bytes)
{
    GIConv converter = g_iconv_open("UTF-8", charset);
    g_autoptr(GString) out = g_string_sized_new(len + len / 2);
    char *in = (char *)bytes;
    gsize left = len, wrong = 0;

    if (converter == (GIConv)-1)
        return NULL;
    while (left > 0 && out->len <= max_bytes) {
        char buffer[4096], *to = buffer;
        gsize room = sizeof buffer;
        gsize result = g_iconv(converter, &in, &left, &to, &room);
        int code = errno;
        g_string_append_len(out, buffer, to - buffer);
        if (result != (gsize)-1 || code == E2BIG)
            continue;
        wrong++;
        g_string_append(out, "\xef\xbf\xbd");
        in++;
        left--;
        if (code == EINVAL) /* ends within a character */
            break;
        if (wrong > 10 + len / 10)
            break;
    }
    g_iconv_close(converter);
    return wrong > 10 + len / 10 ? NULL : g_steal_pointer(&out);
}

gsize parse_charset_cut(const char *text, gsize len, gsize max_bytes)
{
    if (len <= max_bytes)
        return len;
    gsize cut = max_bytes;
    while (cut > 0 && ((guchar)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

/* LF line ends; NUL and other controls that no text has are dropped, TAB and form feed stay. In place. */
static void clean(GString *text)
{
    gsize to = 0;

    for (gsize from = 0; from < text->len; from++) {
        guchar c = (guchar)text->str[from];
        if (c == '\r') {
            if (from + 1 < text->len && text->str[from + 1] == '\n')
                continue;
            c = '\n';
        }
        if ((c < ' ' && c != '\n' && c != '\t' && c != '\f') || c == 0x7f)
            continue;
        text->str[to++] = (char)c;
    }
    g_string_truncate(text, to);
}

/* A copy without the NULs, which would end a text; NULL where there are none. Caller frees. */
static char *without_nul(const char *bytes, gsize *len)
{
    if (*len == 0 || memchr(bytes, '\0', *len) == NULL)
        return NULL;
    char *copy = g_malloc(*len);
    gsize kept = 0;
    for (gsize i = 0; i < *len; i++)
        if (bytes[i] != '\0')
            copy[kept++] = bytes[i];
    *len = kept;
    return copy;
}

/* UTF-8 but for a character that the sender, or a limit of ours, cut in two at the end: believed where there are whole
 * ones before it. */
static gboolean is_utf8(const char *bytes, gsize len, gsize *ret_len)
{
    const char *end;

    *ret_len = len;
    if (g_utf8_validate_len(bytes, len, &end))
        return TRUE;
    *ret_len = (gsize)(end - bytes);
    gboolean others = FALSE;
    for (gsize i = 0; i < *ret_len && !others; i++)
        others = (guchar)bytes[i] >= 0x80;
    return others && len - *ret_len < 4 && g_utf8_get_char_validated(end, (gssize)(len - *ret_len)) == (gunichar)-2;
}

/* Whether there are more whole characters of several octets than octets that belong to none. */
static gboolean is_damaged_utf8(const char *bytes, gsize len)
{
    gsize whole = 0, wrong = 0;

    for (gsize i = 0; i < len;) {
        gunichar c = g_utf8_get_char_validated(bytes + i, (gssize)MIN(len - i, 6));
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            wrong++;
            i++;
            continue;
        }
        whole += c >= 0x80 ? 1 : 0;
        i += (gsize)g_unichar_to_utf8(c, NULL);
    }
    return whole > wrong;
}

static GString *repaired_utf8(const char *bytes, gsize len)
{
    g_autofree char *repaired = g_utf8_make_valid(bytes, (gssize)len);
    return g_string_new(repaired);
}

/* The charset that a byte order mark tells, UTF-8's left out of the bytes; else the one that the label means. */
static const char *claimed_charset(const char **bytes, gsize *len, const char *label)
{
    if (*len >= 3 && memcmp(*bytes, "\xef\xbb\xbf", 3) == 0) {
        *bytes += 3;
        *len -= 3;
        return "utf-8";
    }
    if (*len >= 2 && (memcmp(*bytes, "\xff\xfe", 2) == 0 || memcmp(*bytes, "\xfe\xff", 2) == 0))
        return "utf-16";
    return meant_by(label);
}

/* Of bytes without NUL: the first reading that fits. */
static GString *read_bytes(const char *bytes, gsize len, const char *charset, gsize max_bytes)
{
    GString *text = NULL;
    gsize valid;

    if (is_utf8(bytes, len, &valid))
        return g_string_new_len(bytes, (gssize)valid);
    if (charset != NULL && g_ascii_strcasecmp(charset, "utf-8") != 0)
        text = convert(bytes, len, charset, max_bytes);
    if (text == NULL && !is_damaged_utf8(bytes, len))
        text = convert(bytes, len, "windows-1252", max_bytes);
    return text != NULL ? text : repaired_utf8(bytes, len);
}

char *parse_charset_to_utf8(const char *bytes, gsize len, const char *charset, gsize max_bytes, gboolean *ret_cut)
{
    const char *name = claimed_charset(&bytes, &len, charset);
    GString *text = hides_in_ascii(name) ? convert(bytes, len, name, max_bytes) : NULL;

    if (text == NULL) {
        g_autofree char *mended = without_nul(bytes, &len);
        text = read_bytes(mended != NULL ? mended : bytes, len, name, max_bytes);
    }
    clean(text);
    if (!g_utf8_validate_len(text->str, text->len, NULL)) { /* iconv lets surrogates of UTF-7 pass */
        GString *repaired = repaired_utf8(text->str, text->len);
        g_string_free(text, TRUE);
        text = repaired;
    }
    if (text->len > max_bytes) {
        g_string_truncate(text, parse_charset_cut(text->str, text->len, max_bytes));
        *ret_cut = TRUE;
    }
    return g_string_free(text, FALSE);
}
