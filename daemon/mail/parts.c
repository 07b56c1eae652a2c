/*
 * Taking a received message apart with GMime, under limits. Pure; any thread. Every text that leaves here is valid UTF-8
 * with LF line ends.
 */
#include "mail/parts.h"

#include <string.h>

#include "base/text.h"
#include "mail/attachment.h"
#include "mail/html_text.h"
#include "mail/introduced.h"
#include "mail/parse_bound.h"
#include "mail/parse_charset.h"
#include "mail/parse_flowed.h"
#include "mail/parse_header.h"
#include "mail/read.h"
#include "mail/tnef.h"

enum {
    MAX_PARTS = 200,
    MAX_FIELDS = 64 * 1024,
    PART_MAX_TEXT = 4 * READ_MAX_TEXT,
    HTML_MAX_TOTAL = 8 * READ_MAX_TEXT,
    PART_MAX_BYTES = 8 * READ_MAX_TEXT, META_LOOKED_AT = 1024, CALENDAR_LOOKED_AT = 4096
};

typedef struct {
    MailParts *parts;
    GString *text; /* of the parts met so far */
    GPtrArray
        *also_html;   /* GMimePart*, owned by the message: HTML that stands beside a plain text in a multipart/alternative */
    gsize html_bytes; /* decoded so far, all parts together */
    guint seen;
} Walk;

/* Where a part stands. */
typedef struct {
    guint depth;
    gboolean is_alternative; /* inside of a multipart/alternative, perhaps deeper */
} Place;

static void walk(Walk *state, GMimeObject *object, Place place);

/* ---- text ------------------------------------------------------------------------------------------------------------ */

/* The first octets of the part, decoded. */
static GByteArray *decoded_bytes(GMimePart *part, gsize max_bytes, gboolean *ret_cut)
{
    GByteArray *array = g_byte_array_new();
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    if (content == NULL)
        return array;
    GMimeStream *source = g_mime_data_wrapper_get_stream(content), *decoded = g_mime_stream_filter_new(source);
    GMimeFilter *filter = g_mime_filter_basic_new(g_mime_data_wrapper_get_encoding(content), FALSE);
    char buffer[8192];
    gssize length;

    g_mime_stream_filter_add(GMIME_STREAM_FILTER(decoded), filter);
    g_mime_stream_reset(source);
    while (array->len < max_bytes && (length = g_mime_stream_read(decoded, buffer, sizeof buffer)) > 0)
        g_byte_array_append(array, (const guint8 *)buffer, (guint)length);
    if (array->len >= max_bytes && !g_mime_stream_eos(decoded))
        *ret_cut = TRUE;
    g_object_unref(filter);
    g_object_unref(decoded);
    return array;
}

/* The charset that HTML names in itself, where its part names none. NULL: none. Caller frees. */
static char *html_charset(const GByteArray *bytes)
{
    g_autofree char *start = g_strndup((const char *)bytes->data, MIN(bytes->len, (gsize)META_LOOKED_AT));
    g_autofree char *lower = g_ascii_strdown(start, -1);
    const char *meta = strstr(lower, "charset=");

    if (meta == NULL)
        return NULL;
    meta += strlen("charset=");
    meta += strspn(meta, "\"' ");
    return g_strndup(meta, strcspn(meta, "\"'> ;/"));
}

static char *part_text(GMimePart *part, gboolean *ret_cut)
{
    GMimeObject *object = GMIME_OBJECT(part);
    GByteArray *bytes = decoded_bytes(part, PART_MAX_BYTES, ret_cut);
    g_autofree char *charset = g_strdup(g_mime_object_get_content_type_parameter(object, "charset"));

    if (charset == NULL && bytes->len > 0 && g_mime_content_type_is_type(g_mime_object_get_content_type(object), "text", "html"))
        charset = html_charset(bytes);
    char *text = parse_charset_to_utf8(bytes->len > 0 ? (const char *)bytes->data : "", bytes->len, charset, PART_MAX_TEXT, ret_cut);
    g_byte_array_unref(bytes);
    const char *format = g_mime_object_get_content_type_parameter(object, "format");
    if (format && g_ascii_strcasecmp(format, "flowed") == 0) {
        const char *delete_space = g_mime_object_get_content_type_parameter(object, "delsp");
        char *flat = parse_flowed(text, delete_space && g_ascii_strcasecmp(delete_space, "yes") == 0);
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

static void append_text(Walk *state, const char *text)
{
    gsize length = strlen(text), room = PART_MAX_TEXT - MIN(state->text->len, (gsize)PART_MAX_TEXT);
    gsize kept = parse_charset_cut(text, length, room);

    if (kept < length)
        state->parts->truncated = TRUE;
    if (state->text->len > 0 && kept > 0)
        g_string_append_c(state->text, '\n');
    g_string_append_len(state->text, text, (gssize)kept);
}

static gboolean has_room(Walk *state)
{
    gboolean room = state->parts->attachments->len < READ_MAX_ATTACHMENTS;
    state->parts->truncated |= !room;
    return room;
}

static void add_attachment(Walk *state, GMimeObject *object)
{
    if (has_room(state))
        g_ptr_array_add(state->parts->attachments, attachment_of(object));
}

/* winmail.dat: what is in it stands for it, and its text where the message has none besides. FALSE: it holds nothing that is attached. */
static gboolean take_tnef(Walk *state, GMimePart *part)
{
    gboolean cut = FALSE; /* tells itself by what is missing */
    GByteArray *bytes = decoded_bytes(part, READ_MAX_MESSAGE, &cut);
    Tnef tnef;
    gboolean any = bytes->len > 0 && tnef_read(bytes->data, bytes->len, &tnef);
    if (any) {
        if (tnef.text != NULL && state->text->len == 0)
            append_text(state, tnef.text);
        any = tnef.attachments->len > 0;
        while (tnef.attachments->len > 0 && has_room(state))
            g_ptr_array_add(state->parts->attachments, g_ptr_array_steal_index(tnef.attachments, 0));
    }
    if (bytes->len > 0)
        tnef_clear(&tnef);
    g_byte_array_unref(bytes);
    return any;
}

/* The method of a meeting's message stands in the type or, where a program leaves it out, within (RFC 5546). */
static void take_calendar(MailParts *parts, GMimePart *part)
{
    gboolean cut = FALSE; /* more than its begin is not looked at */
    const char *given = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "method");
    GByteArray *bytes = decoded_bytes(part, CALENDAR_LOOKED_AT, &cut);
    g_autofree char *text = g_ascii_strdown(bytes->len > 0 ? (const char *)bytes->data : "", bytes->len);
    const char *within = strstr(text, "\nmethod:");
    const char *method = given != NULL ? given : within != NULL ? within + strlen("\nmethod:") : "";
    parts->is_calendar = TRUE;
    parts->is_calendar_answer |= g_ascii_strncasecmp(method, "reply", 5) == 0 || g_ascii_strncasecmp(method, "counter", 7) == 0;
    g_byte_array_unref(bytes);
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
    if (g_mime_content_type_is_type(type, "text", "calendar"))
        take_calendar(parts, part);
    if (!fields)
        return FALSE;
    g_autofree char *text = part_text(part, &state->parts->truncated);
    append_fields(fields, text);
    return TRUE;
}

static void append_html(Walk *state, GMimePart *part)
{
    if (state->html_bytes >= HTML_MAX_TOTAL || state->text->len >= PART_MAX_TEXT) {
        state->parts->truncated = TRUE;
        return;
    }
    g_autofree char *html = part_text(part, &state->parts->truncated);
    state->html_bytes += strlen(html);
    g_autofree char *text = html_to_text(html, strlen(html), READ_MAX_TEXT, &state->parts->truncated);
    append_text(state, text);
    state->parts->text_is_html = TRUE;
}

/* HTML that a program sends under the name of plain text, or of none: by how whole documents begin. */
static gboolean begins_as_html(const char *text)
{
    const char *start = text + strspn(text, " \t\n");
    return g_ascii_strncasecmp(start, "<!doctype html", strlen("<!doctype html")) == 0 || g_ascii_strncasecmp(start, "<html", strlen("<html")) == 0;
}

static void take_text_part(Walk *state, GMimePart *part, gboolean is_html, Place place)
{
    if (is_html && place.is_alternative) {
        g_ptr_array_add(state->also_html, part);
    } else if (is_html) {
        append_html(state, part);
    } else if (state->text->len >= PART_MAX_TEXT) {
        state->parts->truncated = TRUE;
    } else {
        g_autofree char *text = part_text(part, &state->parts->truncated);
        if (begins_as_html(text))
            append_html(state, part);
        else
            append_text(state, text);
    }
}

/* A text file that is shown in the message, as some programs attach these: it has a name, and the message's own text stands before it. */
static gboolean is_named_beside(const Walk *state, GMimeObject *object, Place place)
{
    if (state->text->len == 0 || place.is_alternative)
        return FALSE;
    g_autofree char *name = attachment_given_name(object);
    return name != NULL;
}

/* Whether a part is a vCard: by its type, or by its name where a program knew no type. */
static gboolean is_card(GMimeContentType *type, GMimeObject *object)
{
    static const char *const subtypes[] = {"vcard", "x-vcard", "directory"};
    for (guint i = 0; i < G_N_ELEMENTS(subtypes); i++)
        if (g_mime_content_type_is_type(type, "text", subtypes[i]))
            return TRUE;
    g_autofree char *name = attachment_given_name(object);
    gsize length = name != NULL ? strlen(name) : 0;
    return length > 4 && g_ascii_strcasecmp(name + length - 4, ".vcf") == 0 && GMIME_IS_PART(object);
}

static void add_card(MailParts *parts, GMimePart *part)
{
    gboolean cut = FALSE; /* a long one has a photo, which nobody reads here */
    if (parts->cards->len >= INTRODUCED_MAX_CARDS)
        return;
    GByteArray *bytes = decoded_bytes(part, INTRODUCED_MAX_CARD, &cut);
    const char *charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    g_ptr_array_add(parts->cards, parse_charset_to_utf8(bytes->len > 0 ? (const char *)bytes->data : "", bytes->len, charset, INTRODUCED_MAX_CARD, &cut));
    g_byte_array_unref(bytes);
}

static void take_part(Walk *state, GMimePart *part, Place place)
{
    GMimeObject *object = GMIME_OBJECT(part);
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *disposition = g_mime_object_get_disposition(object);
    gboolean attached = disposition != NULL && g_ascii_strcasecmp(disposition, "attachment") == 0;

    if (take_report_part(state, type, part))
        return;
    if (is_card(type, object))
        add_card(state->parts, part);
    gboolean is_html = g_mime_content_type_is_type(type, "text", "html");
    gboolean is_text = is_html || g_mime_content_type_is_type(type, "text", "plain") || g_mime_content_type_is_type(type, "text", "enriched");
    if (!attached && is_text && !is_named_beside(state, object, place)) {
        take_text_part(state, part, is_html, place);
        return;
    }
    gboolean is_tnef = g_mime_content_type_is_type(type, "application", "ms-tnef") ||
                       g_mime_content_type_is_type(type, "application", "vnd.ms-tnef");
    if (!is_tnef || !take_tnef(state, part))
        add_attachment(state, object);
}

/* The header of a message inside of this one: what a report is about. */
static void take_message(Walk *state, GMimeMessagePart *part)
{
    GMimeMessage *inside = g_mime_message_part_get_message(part);
    g_autofree char *headers = inside ? g_mime_object_get_headers(GMIME_OBJECT(inside), NULL) : NULL;
    if (headers) {
        g_autofree char *valid = parse_charset_to_utf8(headers, strlen(headers), NULL, MAX_FIELDS, &state->parts->truncated);
        append_fields(state->parts->original_headers, valid);
    }
    add_attachment(state, GMIME_OBJECT(part));
}

/* Of alternatives the plain one is read; HTML where there is none, or nothing in it. */
static void walk_children(Walk *state, GMimeMultipart *multipart, Place place)
{
    gboolean alternative =
        g_mime_content_type_is_type(g_mime_object_get_content_type(GMIME_OBJECT(multipart)), "multipart", "alternative");
    gboolean outermost = alternative && !place.is_alternative;
    Place inside = {.depth = place.depth + 1, .is_alternative = place.is_alternative || alternative};
    gsize before = state->text->len;

    for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
        walk(state, g_mime_multipart_get_part(multipart, i), inside);
    if (!outermost)
        return;
    const char *plain = state->text->str + MIN(before, state->text->len);
    gboolean blank = plain[strspn(plain, " \t\n")] == '\0';
    if (!blank && state->also_html->len > 0 && state->parts->html_beside == NULL)
        state->parts->html_beside = g_ptr_array_index(state->also_html, 0);
    for (guint i = 0; blank && i < state->also_html->len; i++)
        append_html(state, g_ptr_array_index(state->also_html, i));
    g_ptr_array_set_size(state->also_html, 0);
}

static void walk(Walk *state, GMimeObject *object, Place place)
{
    if (place.depth > READ_MAX_DEPTH || ++state->seen > MAX_PARTS) {
        state->parts->truncated = TRUE;
        return;
    }
    if (GMIME_IS_MULTIPART(object))
        walk_children(state, GMIME_MULTIPART(object), place);
    else
        state->parts->leaves++;
    if (GMIME_IS_MESSAGE_PART(object))
        take_message(state, GMIME_MESSAGE_PART(object));
    else if (GMIME_IS_PART(object))
        take_part(state, GMIME_PART(object), place);
}

static void take_body(MailParts *parts)
{
    Walk state = {.parts = parts, .text = g_string_new(NULL), .also_html = g_ptr_array_new()};
    GMimeObject *body = g_mime_message_get_mime_part(parts->message);

    if (body != NULL)
        walk(&state, body, (Place){0});
    g_free(parts->text);
    parts->text = g_string_free(state.text, FALSE);
    g_ptr_array_unref(state.also_html);
}

/* What is there although the structure is not: a multipart whose boundary never comes, a body of no known encoding. */
static void take_raw_body(MailParts *parts, const GByteArray *bytes)
{
    if (bytes->len == 0)
        return; /* no data either */
    gsize at = parse_bound_body((const char *)bytes->data, bytes->len);
    g_free(parts->text);
    parts->text =
        parse_charset_to_utf8((const char *)bytes->data + at, bytes->len - at, NULL, PART_MAX_TEXT, &parts->truncated);
}

void mail_parts_init(MailParts *parts, const char *bytes, gsize len, gint64 now_ms)
{
    *parts = (MailParts){.now_ms = now_ms,
                         .text = g_strdup(""),
                         .delivery_status = g_string_new(NULL),
                         .feedback_report = g_string_new(NULL),
                         .original_headers = g_string_new(NULL),
                         .cards = g_ptr_array_new_with_free_func(g_free),
                         .attachments = g_ptr_array_new_with_free_func((GDestroyNotify)inbound_attachment_free)};
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        g_mime_init();
        g_once_init_leave(&once, 1);
    }
    GByteArray *bounded = parse_bound(bytes, len, &parts->truncated);
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bounded); /* which owns it now */
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    parts->message = g_mime_parser_construct_message(parser, NULL);
    if (parts->message)
        take_body(parts);
    if (parts->leaves == 0)
        take_raw_body(parts, bounded);
    g_object_unref(parser);
    g_object_unref(stream);
}

void mail_parts_clear(MailParts *parts)
{
    if (parts->message)
        g_object_unref(parts->message);
    g_free(parts->text);
    g_string_free(parts->delivery_status, TRUE);
    g_string_free(parts->feedback_report, TRUE);
    g_string_free(parts->original_headers, TRUE);
    g_clear_pointer(&parts->cards, g_ptr_array_unref);
    g_clear_pointer(&parts->attachments, g_ptr_array_unref);
}

/* ---- headers --------------------------------------------------------------------------------------------------------- */

gboolean mail_parts_has_header(const MailParts *parts, const char *name)
{
    return parts->message && g_mime_object_get_header(GMIME_OBJECT(parts->message), name) != NULL;
}

static const char *raw_value(const MailParts *parts, const char *name)
{
    GMimeHeaderList *headers = parts->message != NULL ? g_mime_object_get_header_list(GMIME_OBJECT(parts->message)) : NULL;
    GMimeHeader *header = headers != NULL ? g_mime_header_list_get_header(headers, name) : NULL;
    return header != NULL ? g_mime_header_get_raw_value(header) : NULL;
}

gboolean mail_parts_is_encoded(const MailParts *parts, const char *name)
{
    const char *raw = raw_value(parts, name);
    return raw != NULL && strstr(raw, "=?") != NULL;
}

char *mail_parts_header(const MailParts *parts, const char *name)
{
    const char *raw = raw_value(parts, name);
    return raw != NULL ? parse_header_decode(raw, READ_MAX_HEADER) : g_strdup("");
}

char *mail_parts_html_beside(const MailParts *parts)
{
    gboolean cut = FALSE; /* of a second reading: what matters is whether the first was cut */
    if (parts->html_beside == NULL)
        return NULL;
    g_autofree char *html = part_text(parts->html_beside, &cut);
    return html_to_text(html, strlen(html), READ_MAX_TEXT, &cut);
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
