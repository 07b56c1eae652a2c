/*
 * The first gate of a received message: one pass over its lines that bounds what the MIME parser is given, so that no
 * crafted message costs it more than a few milliseconds a megabyte. GMime reads address headers anew for each one that
 * is added, keeps whole header lines in memory, and compares each line that begins with "--" with every boundary that is
 * open.
 *
 * Pure; any thread.
 */
#include "parse_bound.h"

#include <string.h>

#include "mail/read.h"

typedef struct {
    GByteArray *out;
    gboolean in_header_block; /* the message's own */
    gboolean dropping;        /* the header that continuation lines belong to is left out */
    gboolean address;         /* … is an address header, or looks like one */
    gsize header_bytes;       /* of the header so far */
    gsize block_bytes;
    gboolean content; /* … begins with Content- */
    gsize address_bytes, content_bytes;
    guint headers, address_lines, field_lines, parts, dash_lines;
    gboolean cut;
} Bound;

static gboolean has_prefix(const char *line, gsize len, const char *prefix)
{
    gsize n = strlen(prefix);
    return len >= n && g_ascii_strncasecmp(line, prefix, n) == 0;
}

/* The headers that GMime parses as address lists as soon as it meets them; white space before the colon is let pass
 * there too. */
static gboolean is_address_header(const char *line, gsize len)
{
    static const char *const names[] = {"From", "To", "Cc", "Bcc", "Sender", "Reply-To"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!has_prefix(line, len, names[i]))
            continue;
        gsize at = strlen(names[i]);
        while (at < len && (line[at] == ' ' || line[at] == '\t'))
            at++;
        if (at < len && line[at] == ':')
            return TRUE;
    }
    return FALSE;
}

/* "Name:", which GMime keeps whole in memory where it takes it for a header. */
static gboolean is_field(const char *line, gsize len)
{
    gsize at = 0;
    while (at < len && line[at] > ' ' && line[at] < 0x7f && line[at] != ':')
        at++;
    return at > 0 && at < len && line[at] == ':';
}

static gboolean is_blank(const char *line, gsize len)
{
    return len == 0 || line[0] == '\n' || (len >= 2 && line[0] == '\r' && line[1] == '\n');
}

/* A new header, or a body line, begins. */
static void begin_line(Bound *bound, const char *line, gsize len)
{
    bound->header_bytes = 0;
    bound->dropping = FALSE;
    bound->address = is_address_header(line, len);
    bound->content = has_prefix(line, len, "Content-");
    if (bound->address && ++bound->address_lines > BOUND_MAX_ADDRESS_LINES)
        bound->dropping = TRUE;
    if (is_field(line, len) && ++bound->field_lines > BOUND_MAX_FIELD_LINES)
        bound->dropping = TRUE;
    if (bound->in_header_block && ++bound->headers > BOUND_MAX_HEADERS)
        bound->dropping = TRUE;
}

/* How many of the line's bytes are kept. */
static gsize allowance(Bound *bound, gsize len)
{
    gsize keep = bound->dropping ? 0 : len;

    if (bound->in_header_block)
        keep = MIN(keep, MIN(BOUND_MAX_HEADER_BYTES - MIN(bound->header_bytes, BOUND_MAX_HEADER_BYTES),
                             BOUND_MAX_BLOCK_BYTES - MIN(bound->block_bytes, BOUND_MAX_BLOCK_BYTES)));
    if (bound->address)
        keep = MIN(keep, BOUND_MAX_ADDRESS_BYTES - MIN(bound->address_bytes, BOUND_MAX_ADDRESS_BYTES));
    if (bound->content)
        keep = MIN(keep, BOUND_MAX_CONTENT_BYTES - MIN(bound->content_bytes, BOUND_MAX_CONTENT_BYTES));
    return keep;
}

/* FALSE: the message ends before this line. */
static gboolean take_line(Bound *bound, const char *line, gsize len)
{
    gboolean continued = (line[0] == ' ' || line[0] == '\t') && !(bound->in_header_block && bound->headers == 0);

    if (has_prefix(line, len, "--") && ++bound->dash_lines > BOUND_MAX_DASH_LINES)
        return FALSE;
    if (has_prefix(line, len, "Content-Type") && ++bound->parts > BOUND_MAX_PARTS)
        return FALSE;
    if (is_blank(line, len)) {
        bound->in_header_block = FALSE;
        bound->address = bound->content = bound->dropping = FALSE;
    } else if (!continued) {
        begin_line(bound, line, len);
    }
    gsize keep = allowance(bound, len);
    g_byte_array_append(bound->out, (const guint8 *)line, (guint)keep);
    if (keep < len) {
        bound->cut = bound->dropping = TRUE;
        if (keep > 0)
            g_byte_array_append(bound->out, (const guint8 *)"\n", 1);
    }
    bound->header_bytes += keep;
    if (bound->in_header_block)
        bound->block_bytes += keep;
    if (bound->address)
        bound->address_bytes += keep;
    if (bound->content)
        bound->content_bytes += keep;
    return TRUE;
}

/* Skips what some stores and exports put before the first header. */
static gsize skip_preamble(const char *bytes, gsize len)
{
    gsize at = 0;

    while (at < len && (bytes[at] == '\n' || bytes[at] == '\r'))
        at++;
    if (has_prefix(bytes + at, len - at, "From ") || has_prefix(bytes + at, len - at, ">From ")) {
        const char *end = memchr(bytes + at, '\n', len - at);
        at = end == NULL ? len : (gsize)(end - bytes) + 1;
    }
    return at;
}

GByteArray *parse_bound(const char *bytes, gsize len, gboolean *ret_cut)
{
    Bound bound = {.in_header_block = TRUE, .cut = len > READ_MAX_MESSAGE};
    g_autofree char *copy = NULL;

    len = MIN(len, (gsize)READ_MAX_MESSAGE);
    if (len > 0 && memchr(bytes, '\n', len) == NULL && memchr(bytes, '\r', len) != NULL) {
        copy = g_malloc(len);
        for (gsize i = 0; i < len; i++)
            copy[i] = bytes[i] == '\r' ? '\n' : bytes[i];
        bytes = copy;
    }
    bound.out = g_byte_array_sized_new((guint)len);
    for (gsize at = skip_preamble(bytes, len); at < len;) {
        const char *end = memchr(bytes + at, '\n', len - at);
        gsize line_len = end == NULL ? len - at : (gsize)(end - (bytes + at)) + 1;
        if (!take_line(&bound, bytes + at, line_len)) {
            bound.cut = TRUE;
            break;
        }
        at += line_len;
    }
    *ret_cut = bound.cut;
    return bound.out;
}

gsize parse_bound_body(const char *bytes, gsize len)
{
    for (gsize at = 0; at < len;) {
        const char *end = memchr(bytes + at, '\n', len - at);
        gsize next = end == NULL ? len : (gsize)(end - bytes) + 1;
        if (is_blank(bytes + at, len - at))
            return next;
        at = next;
    }
    return len;
}
