/*
 * Transfer encodings: text to what survives every mail server. Pure, any thread.
 */
#include "mail/mime_body.h"

#include <string.h>

enum {
    PLAIN_COLUMNS = 78,    /* longest line that is sent as it is */
    QUOTED_COLUMNS = 76,   /* RFC 2045, 6.7, with the "=" of a soft line break */
    BASE64_LINE_BYTES = 57 /* which are 76 columns */
};

/* What some program on the way might change or take for something else, at the beginning of a line: mbox's "From ",
 * SMTP's dot, the boundaries between parts. */
static gboolean is_fragile_start(const char *line)
{
    return *line == '.' || g_str_has_prefix(line, "From ") || g_str_has_prefix(line, "--=_");
}

typedef struct {
    gsize quoted, base64; /* lengths, encoded */
    gboolean plain;       /* needs no encoding */
} Shape;

static gboolean is_literal(char c)
{
    return c >= ' ' && c <= '~' && c != '=';
}

static void add_line(Shape *shape, const char *line, gsize length)
{
    gsize escaped = 0;
    gboolean seven_bit = TRUE;
    for (gsize i = 0; i < length; i++) {
        escaped += !is_literal(line[i]);
        seven_bit = seven_bit && (is_literal(line[i]) || line[i] == '=' || line[i] == '\t');
    }
    gboolean ends_in_space = length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t');
    gsize quoted = length + 2 * escaped;
    shape->plain = shape->plain && seven_bit && length <= PLAIN_COLUMNS && !ends_in_space && !is_fragile_start(line);
    shape->quoted += quoted + quoted / (QUOTED_COLUMNS - 1) * 3 + 2;
    shape->base64 += length + 2;
}

MimeBodyEncoding mime_body_choose(const char *text)
{
    Shape shape = {.plain = TRUE};
    for (const char *line = text; *line;) {
        gsize length = strcspn(line, "\n");
        add_line(&shape, line, length);
        line += length + (line[length] == '\n');
    }
    if (shape.plain)
        return MIME_BODY_7BIT;
    gsize base64 = (shape.base64 + 2) / 3 * 4;
    base64 += base64 / (BASE64_LINE_BYTES / 3 * 4) * 2;
    return shape.quoted <= base64 ? MIME_BODY_QUOTED_PRINTABLE : MIME_BODY_BASE64;
}

const char *mime_body_encoding_name(MimeBodyEncoding encoding)
{
    static const char *const names[] = {"7bit", "quoted-printable", "base64"};
    return names[encoding];
}

/* The text with CRLF for LF. */
static void append_crlf(GString *out, const char *text)
{
    while (*text) {
        gsize length = strcspn(text, "\n");
        g_string_append_len(out, text, (gssize)length);
        text += length;
        if (*text) {
            g_string_append_len(out, "\r\n", 2);
            text++;
        }
    }
}

static void append_hex(GString *out, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escaped[] = {'=', digits[(guchar)c >> 4], digits[c & 15]};
    g_string_append_len(out, escaped, sizeof(escaped));
}

/* Whether the octet at p stands as it is; line_start: it is the first one of a line of the result. */
static gboolean stands(const char *p, gboolean line_start)
{
    if (line_start && is_fragile_start(p))
        return FALSE;
    if (*p == ' ' || *p == '\t')
        return p[1] != '\n' && p[1] != '\0';
    return is_literal(*p);
}

static void append_quoted(GString *out, const char *text)
{
    gsize column = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\n') {
            g_string_append_len(out, "\r\n", 2);
            column = 0;
            continue;
        }
        gsize width = stands(p, column == 0) ? 1 : 3;
        if (column + width > QUOTED_COLUMNS - 1) {
            g_string_append_len(out, "=\r\n", 3);
            column = 0;
            width = stands(p, TRUE) ? 1 : 3;
        }
        if (width == 1)
            g_string_append_c(out, *p);
        else
            append_hex(out, *p);
        column += width;
    }
}

static void append_base64(GString *out, const char *text)
{
    g_autoptr(GString) lines = g_string_sized_new(strlen(text) + 64);
    append_crlf(lines, text);
    for (gsize at = 0; at < lines->len; at += BASE64_LINE_BYTES) {
        g_autofree char *line =
            g_base64_encode((const guchar *)lines->str + at, MIN(lines->len - at, (gsize)BASE64_LINE_BYTES));
        g_string_append(out, line);
        g_string_append_len(out, "\r\n", 2);
    }
}

void mime_body_append(GString *out, const char *text, MimeBodyEncoding encoding)
{
    if (encoding == MIME_BODY_7BIT)
        append_crlf(out, text);
    else if (encoding == MIME_BODY_QUOTED_PRINTABLE)
        append_quoted(out, text);
    else
        append_base64(out, text);
}
