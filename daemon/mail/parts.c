/*
 * Taking a received message apart with GMime, under limits. Pure; any thread. Every text that leaves here is valid UTF-8 with LF
 * line ends.
 */
#include "mail/parts.h"

#include <string.h>

#include "base/text.h"
#include "mail/html_text.h"
#include "mail/read.h"

/* HTML takes more room than its text. */
enum { MAX_PARTS = 200, MAX_FIELDS = 64 * 1024, TEXT_MAX = 4 * READ_MAX_TEXT };

typedef struct {
    MailParts *parts;
    GString *plain, *html;
    guint seen;
} Walk;

static void walk(Walk *state, GMimeObject *object, guint depth);

/* ---- text ------------------------------------------------------------------------------------------------------------ */

/* Charsets whose bytes look like ASCII although they are not. */
static gboolean hides_in_ascii(const char *charset)
{
    return g_ascii_strncasecmp(charset, "iso-2022", 8) == 0 || g_ascii_strncasecmp(charset, "utf-7", 5) == 0 ||
           g_ascii_strncasecmp(charset, "hz", 2) == 0;
}

/* NUL would end the text early: it becomes a space. */
static void replace_nul(char *bytes, gsize len)
{
    for (char *p = memchr(bytes, '\0', len); p; p = memchr(p, '\0', len - (gsize)(p - bytes)))
        *p = ' ';
}

static char *convert(const char *bytes, gsize len, const char *charset)
{
    gsize written = 0;
    char *text = g_convert_with_fallback(bytes, (gssize)len, "UTF-8", charset, "\xEF\xBF\xBD", NULL, &written, NULL);
    if (text)
        replace_nul(text, written);
    return text;
}

/* The charset that a byte order mark tells; NULL: there is none. */
static const char *marked_charset(const char *bytes, gsize len)
{
    if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return "UTF-16";
    return NULL;
}

static gboolean is_wide(const char *charset)
{
    return charset && (g_ascii_strncasecmp(charset, "utf-16", 6) == 0 || g_ascii_strncasecmp(charset, "utf-32", 6) == 0);
}

/* UTF-8 by the declared charset where that can be true: valid UTF-8 is taken as such whatever is declared, since that is hardly ever
 * chance; what nothing fits is Windows-1252, as mail programs have it. Changes the bytes. */
static char *to_utf8(char *bytes, gsize len, const char *charset)
{
    char *text = NULL;
    const char *marked = marked_charset(bytes, len);
    const char *claimed = marked ? marked : charset;
    if (claimed && (is_wide(claimed) || hides_in_ascii(claimed)))
        text = convert(bytes, len, claimed);
    if (!text)
        replace_nul(bytes, len);
    if (!text && g_utf8_validate(bytes, (gssize)len, NULL))
        return g_strndup(bytes, len);
    if (!text && charset && g_ascii_strcasecmp(charset, "us-ascii") != 0 && g_ascii_strcasecmp(charset, "iso-8859-1") != 0)
        text = convert(bytes, len, charset);
    if (!text)
        text = convert(bytes, len, "WINDOWS-1252");
    return text ? text : text_make_valid(bytes, (gssize)len);
}

/* CRLF and CR become LF; NUL and other controls go. In place. */
static void normalise(char *text)
{
    char *out = text;
    for (const char *p = text; *p; p++) {
        if (*p == '\r') {
            if (p[1] != '\n')
                *out++ = '\n';
        } else if ((guchar)*p >= 0x20 || *p == '\n' || *p == '\t') {
            *out++ = *p;
        }
    }
    *out = '\0';
}

static GByteArray *decoded_bytes(GMimePart *part)
{
    GByteArray *array = g_byte_array_new();
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    if (!content)
        return array;
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(array);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_mime_data_wrapper_write_to_stream(content, stream);
    g_object_unref(stream);
    return array;
}

/* The depth of ">" quoting; *ret_rest is behind it and one space of stuffing. */
static guint quote_depth(const char *line, const char **ret_rest)
{
    guint depth = 0;
    while (line[depth] == '>')
        depth++;
    *ret_rest = line + depth + (line[depth] == ' ' ? 1 : 0);
    return depth;
}

static void append_quote_marks(GString *out, guint depth)
{
    for (guint i = 0; i < depth; i++)
        g_string_append_c(out, '>');
    if (depth)
        g_string_append_c(out, ' ');
}

/* RFC 3676: a line that ends in a space goes on in the next of the same depth. */
static char *unflow(const char *text, gboolean delete_space)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);
    guint open_depth = 0;
    gboolean open = FALSE;
    for (char **line = lines; *line; line++) {
        const char *rest;
        guint depth = quote_depth(*line, &rest);
        gsize length = strlen(rest);
        gboolean signature = g_str_equal(rest, "-- ");
        gboolean flows = length > 0 && rest[length - 1] == ' ' && !signature;
        gboolean goes_on = open && depth == open_depth && !signature;
        if (open && !goes_on)
            g_string_append_c(out, '\n');
        if (!goes_on)
            append_quote_marks(out, depth);
        g_string_append_len(out, rest, (gssize)length - (flows && delete_space ? 1 : 0));
        open = flows;
        open_depth = depth;
        if (!flows && line[1])
            g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

static char *part_text(GMimePart *part)
{
    GMimeObject *object = GMIME_OBJECT(part);
    GByteArray *bytes = decoded_bytes(part);
    char empty[] = "";
    char *text = to_utf8(bytes->len ? (char *)bytes->data : empty, bytes->len, g_mime_object_get_content_type_parameter(object, "charset"));
    g_byte_array_unref(bytes);
    normalise(text);
    const char *format = g_mime_object_get_content_type_parameter(object, "format");
    if (format && g_ascii_strcasecmp(format, "flowed") == 0) {
        const char *delete_space = g_mime_object_get_content_type_parameter(object, "delsp");
        char *flat = unflow(text, delete_space && g_ascii_strcasecmp(delete_space, "yes") == 0);
        g_free(text);
        text = flat;
    }
    return text;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

static void append_fields(GString *fields, const char *text)
{
    gsize room = fields->len < MAX_FIELDS ? MAX_FIELDS - fields->len : 0;
    if (fields->len && room > 1)
        g_string_append(fields, "\n");
    g_string_append_len(fields, text, (gssize)MIN(strlen(text), room));
}

/* Octets, decoded; of a message inside, all of it. */
static gint64 content_size(GMimeObject *object)
{
    GMimeStream *stream = g_mime_stream_null_new();
    GMimeMessage *inside = GMIME_IS_MESSAGE_PART(object) ? g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)) : NULL;
    GMimeDataWrapper *content = GMIME_IS_PART(object) ? g_mime_part_get_content(GMIME_PART(object)) : NULL;
    gssize size = content  ? g_mime_data_wrapper_write_to_stream(content, stream)
                  : inside ? g_mime_object_write_to_stream(GMIME_OBJECT(inside), NULL, stream)
                           : 0;
    g_object_unref(stream);
    return MAX(size, 0);
}

static void add_attachment(Walk *state, GMimeObject *object)
{
    GPtrArray *attachments = state->parts->attachments;
    if (attachments->len >= READ_MAX_ATTACHMENTS) {
        state->parts->truncated = TRUE;
        return;
    }
    InboundAttachment *attachment = g_new0(InboundAttachment, 1);
    const char *name = g_mime_object_get_content_disposition_parameter(object, "filename");
    if (!name)
        name = g_mime_object_get_content_type_parameter(object, "name");
    g_autofree char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    g_autofree char *valid_name = text_make_valid(name ? name : "", -1);
    g_autofree char *valid_type = text_make_valid(type ? type : "", -1);
    g_autofree char *line = text_one_line(valid_name);
    attachment->name = text_escape(line, 255);
    attachment->type = text_escape(valid_type, 100);
    attachment->size = content_size(object);
    g_ptr_array_add(attachments, attachment);
}

/* Parts that machines write to machines; FALSE for others. */
static gboolean take_report_part(Walk *state, GMimeContentType *type, GMimePart *part)
{
    MailParts *parts = state->parts;
    GString *fields = NULL;
    if (g_mime_content_type_is_type(type, "message", "delivery-status") ||
        g_mime_content_type_is_type(type, "message", "global-delivery-status"))
        fields = parts->delivery_status;
    else if (g_mime_content_type_is_type(type, "message", "feedback-report"))
        fields = parts->feedback_report;
    else if (g_mime_content_type_is_type(type, "text", "rfc822-headers") ||
             g_mime_content_type_is_type(type, "message", "global-headers"))
        fields = parts->original_headers;
    parts->is_disposition |= g_mime_content_type_is_type(type, "message", "disposition-notification");
    parts->is_calendar |= g_mime_content_type_is_type(type, "text", "calendar");
    if (!fields)
        return FALSE;
    g_autofree char *text = part_text(part);
    append_fields(fields, text);
    return TRUE;
}

static void take_part(Walk *state, GMimePart *part)
{
    GMimeObject *object = GMIME_OBJECT(part);
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *disposition = g_mime_object_get_disposition(object);
    gboolean attached = disposition && g_ascii_strcasecmp(disposition, "attachment") == 0;
    if (take_report_part(state, type, part))
        return;
    GString *target = NULL;
    if (!attached && g_mime_content_type_is_type(type, "text", "html"))
        target = state->html;
    else if (!attached && g_mime_content_type_is_type(type, "text", "plain"))
        target = state->plain;
    if (!target) {
        add_attachment(state, object);
        return;
    }
    gsize room = target->len < TEXT_MAX ? TEXT_MAX - target->len : 0;
    state->parts->truncated |= room == 0;
    if (room == 0)
        return;
    g_autofree char *text = part_text(part);
    if (target->len)
        g_string_append(target, "\n");
    g_string_append_len(target, text, (gssize)MIN(strlen(text), room));
}

/* The header of a message inside of this one: what a report is about. */
static void take_message(Walk *state, GMimeMessagePart *part)
{
    GMimeMessage *inside = g_mime_message_part_get_message(part);
    g_autofree char *headers = inside ? g_mime_object_get_headers(GMIME_OBJECT(inside), NULL) : NULL;
    if (headers) {
        g_autofree char *valid = text_make_valid(headers, -1);
        normalise(valid);
        append_fields(state->parts->original_headers, valid);
    }
    add_attachment(state, GMIME_OBJECT(part));
}

static void walk_children(Walk *state, GMimeMultipart *multipart, guint depth)
{
    for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
        walk(state, g_mime_multipart_get_part(multipart, i), depth + 1);
}

static void walk(Walk *state, GMimeObject *object, guint depth)
{
    if (depth > READ_MAX_DEPTH || ++state->seen > MAX_PARTS) {
        state->parts->truncated = TRUE;
        return;
    }
    if (GMIME_IS_MULTIPART(object))
        walk_children(state, GMIME_MULTIPART(object), depth);
    else if (GMIME_IS_MESSAGE_PART(object))
        take_message(state, GMIME_MESSAGE_PART(object));
    else if (GMIME_IS_PART(object))
        take_part(state, GMIME_PART(object));
}

/* A multipart whose boundary is nowhere has no parts: all of it is in front of them. */
static void take_broken_multipart(Walk *state, GMimeObject *body)
{
    if (!GMIME_IS_MULTIPART(body) || g_mime_multipart_get_count(GMIME_MULTIPART(body)) > 0)
        return;
    const char *prologue = g_mime_multipart_get_prologue(GMIME_MULTIPART(body));
    if (!prologue)
        return;
    gsize length = MIN(strlen(prologue), (gsize)TEXT_MAX);
    g_autofree char *copy = g_strndup(prologue, length);
    g_autofree char *text = to_utf8(copy, length, NULL);
    normalise(text);
    g_string_append(state->plain, text);
}

static void take_body(MailParts *parts)
{
    Walk state = {.parts = parts, .plain = g_string_new(NULL), .html = g_string_new(NULL)};
    GMimeObject *body = g_mime_message_get_mime_part(parts->message);
    if (body)
        walk(&state, body, 0);
    take_broken_multipart(&state, body);
    g_autofree char *plain = g_strstrip(g_strdup(state.plain->str));
    if (!*plain && state.html->len) {
        parts->text_is_html = TRUE;
        g_free(parts->text);
        parts->text = html_to_text(state.html->str, state.html->len, &parts->quote_at);
    } else {
        g_free(parts->text);
        parts->text = g_string_free(g_steal_pointer(&state.plain), FALSE);
    }
    if (state.plain)
        g_string_free(state.plain, TRUE);
    g_string_free(state.html, TRUE);
}

/* A message whose lines end in CR alone, as old Macintosh programs write them, with LF instead; NULL for all others. Caller frees. */
static char *with_line_feeds(const char *bytes, gsize len)
{
    if (len == 0 || memchr(bytes, '\n', len) || !memchr(bytes, '\r', len))
        return NULL;
    char *copy = g_memdup2(bytes, len);
    for (gsize i = 0; i < len; i++)
        if (copy[i] == '\r')
            copy[i] = '\n';
    return copy;
}

void mail_parts_init(MailParts *parts, const char *bytes, gsize len, gint64 now_ms)
{
    *parts = (MailParts){.now_ms = now_ms,
                         .text = g_strdup(""),
                         .quote_at = G_MAXSIZE,
                         .delivery_status = g_string_new(NULL),
                         .feedback_report = g_string_new(NULL),
                         .original_headers = g_string_new(NULL),
                         .attachments = g_ptr_array_new_with_free_func((GDestroyNotify)inbound_attachment_free)};
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        g_mime_init();
        g_once_init_leave(&once, 1);
    }
    parts->truncated = len > READ_MAX_MESSAGE;
    gsize looked_at = MIN(len, (gsize)READ_MAX_MESSAGE);
    g_autofree char *mended = with_line_feeds(bytes, looked_at);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(mended ? mended : bytes, looked_at);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    parts->message = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    if (parts->message)
        take_body(parts);
}

void mail_parts_clear(MailParts *parts)
{
    if (parts->message)
        g_object_unref(parts->message);
    g_free(parts->text);
    g_string_free(parts->delivery_status, TRUE);
    g_string_free(parts->feedback_report, TRUE);
    g_string_free(parts->original_headers, TRUE);
    g_clear_pointer(&parts->attachments, g_ptr_array_unref);
}

/* ---- headers --------------------------------------------------------------------------------------------------------- */

gboolean mail_parts_has_header(const MailParts *parts, const char *name)
{
    return parts->message && g_mime_object_get_header(GMIME_OBJECT(parts->message), name) != NULL;
}

/* At most max_bytes of it, cut between characters. Caller frees. */
static char *cut(const char *text, gsize max_bytes)
{
    gsize length = strlen(text);
    if (length <= max_bytes)
        return g_strdup(text);
    const char *end = g_utf8_find_prev_char(text, text + max_bytes + 1);
    return g_strndup(text, end ? (gsize)(end - text) : 0);
}

char *mail_parts_header(const MailParts *parts, const char *name)
{
    const char *value = parts->message ? g_mime_object_get_header(GMIME_OBJECT(parts->message), name) : NULL;
    if (!value)
        return g_strdup("");
    g_autofree char *valid = text_make_valid(value, -1);
    g_autofree char *line = text_one_line(valid);
    normalise(line);
    return cut(line, READ_MAX_HEADER);
}

char *mail_field(const char *fields, const char *name)
{
    gsize length = strlen(name);
    for (const char *line = fields; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (g_ascii_strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        GString *value = g_string_new(NULL);
        const char *at = line + length + 1;
        do {
            gsize part = strcspn(at, "\n");
            g_string_append_len(value, at, (gssize)part);
            at += part + (at[part] == '\n');
        } while (*at == ' ' || *at == '\t');
        g_autofree char *raw = g_string_free(value, FALSE);
        return text_one_line(raw);
    }
    return NULL;
}
