/*
 * Composing: rendered text to an RFC 5322 message, on GMime. Pure but for the random Message-ID; any thread.
 *
 * The bytes are told by the input alone (boundaries come from the Message-ID), so that composing twice gives the same message.
 */
#include "mail/compose.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/ids.h"
#include "base/text.h"
#include "mail/address.h"

enum {
    NAME_MAX_CHARS = 100,
    LINE_7BIT_MAX = 900, /* RFC 5322 allows 998 */
    MESSAGE_MAX_BYTES = 20 * 1024 * 1024,
    REFERENCES_KEPT = 20,
    ID_RANDOM_BYTES = 16
};

/* ---- footer ---------------------------------------------------------------------------------------------------------- */

static gboolean is_norwegian(const char *language)
{
    return g_str_has_prefix(language, "nb") || g_str_has_prefix(language, "nn") || g_str_has_prefix(language, "no");
}

static const char *stop_sentence(const ComposeInput *input)
{
    if (!input->unsubscribe_mailto)
        return NULL;
    return is_norwegian(input->language) ? "Svar «stopp» om du heller vil slippe å høre fra oss."
                                         : "Reply with “stop” if you would rather not hear from us.";
}

static char *text_with_footer(const ComposeInput *input)
{
    const char *stop = stop_sentence(input);
    g_autofree char *body = g_strchomp(g_strdup(input->rendered->text));
    return g_strdup_printf("%s\n\n----\n%s\n%s\n%s%s", body, input->organisation, input->postal_address, stop ? stop : "", stop ? "\n" : "");
}

static void append_html_line(GString *html, const char *line)
{
    mustache_escape_html(line, html);
    g_string_append(html, "<br>\n");
}

static char *html_with_footer(const ComposeInput *input)
{
    const char *stop = stop_sentence(input);
    GString *html = g_string_new(NULL);
    g_string_printf(html, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\"></head>\n<body>\n",
                    is_norwegian(input->language) ? "nb" : "en");
    g_string_append(html, input->rendered->html);
    g_string_append(html, "<hr>\n<p style=\"font-size: small; color: #555\">\n");
    append_html_line(html, input->organisation);
    append_html_line(html, input->postal_address);
    if (stop)
        append_html_line(html, stop);
    g_string_append(html, "</p>\n</body>\n</html>\n");
    return g_string_free(html, FALSE);
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    gsize eight_bit, longest_line;
} TextShape;

static TextShape shape_of(const char *text)
{
    TextShape shape = {0};
    gsize line = 0;
    for (const char *p = text; *p; p++) {
        shape.eight_bit += (guchar)*p >= 0x80;
        line = *p == '\n' ? 0 : line + 1;
        shape.longest_line = MAX(shape.longest_line, line);
    }
    return shape;
}

/* As it is where that is safe; else the smaller of the two encodings. "From " at a line's start is changed by old mail stores, and so hidden. */
static GMimeContentEncoding encoding_for(const char *text)
{
    TextShape shape = shape_of(text);
    if (shape.eight_bit == 0 && shape.longest_line <= LINE_7BIT_MAX && !g_str_has_prefix(text, "From ") && !strstr(text, "\nFrom "))
        return GMIME_CONTENT_ENCODING_7BIT;
    return shape.eight_bit * 6 > strlen(text) ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
}

static GMimeObject *text_part(const char *subtype, const char *text)
{
    GMimeContentEncoding encoding = encoding_for(text);
    g_autoptr(GString) content = g_string_new(text);
    if (encoding == GMIME_CONTENT_ENCODING_BASE64) /* RFC 2045, 6.8: line ends are CRLF before they are encoded */
        g_string_replace(content, "\n", "\r\n", 0);
    GMimePart *part = g_mime_part_new_with_type("text", subtype);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(content->str, content->len);
    GMimeDataWrapper *wrapper = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_mime_part_set_content(part, wrapper);
    g_mime_part_set_content_encoding(part, encoding);
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
    g_object_unref(wrapper);
    g_object_unref(stream);
    return GMIME_OBJECT(part);
}

static GMimeObject *body_of(const ComposeInput *input, const char *text)
{
    if (!input->rendered->html)
        return text_part("plain", text);
    g_autofree char *html = html_with_footer(input);
    g_autofree char *boundary = g_compute_checksum_for_string(G_CHECKSUM_SHA256, input->message_id, -1);
    boundary[32] = '\0';
    g_autofree char *marked = g_strconcat("=_", boundary, NULL);
    GMimeMultipart *multipart = g_mime_multipart_new_with_subtype("alternative");
    GMimeObject *parts[] = {text_part("plain", text), text_part("html", html)};
    g_mime_multipart_set_boundary(multipart, marked);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_mime_multipart_add(multipart, parts[i]);
        g_object_unref(parts[i]);
    }
    return GMIME_OBJECT(multipart);
}

/* ---- header ---------------------------------------------------------------------------------------------------------- */

/* One line without controls or marks that turn the direction of writing. Caller frees. */
static char *clean_name(const char *name)
{
    GString *safe = g_string_new(NULL);
    for (const char *p = name; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean unsafe = g_unichar_iscntrl(c) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        g_string_append_unichar(safe, unsafe ? ' ' : c);
    }
    g_autofree char *line = text_one_line(safe->str);
    g_string_free(safe, TRUE);
    if (g_utf8_strlen(line, -1) <= NAME_MAX_CHARS)
        return g_steal_pointer(&line);
    return g_utf8_substring(line, 0, NAME_MAX_CHARS);
}

static void add_mailbox(GMimeMessage *message, GMimeAddressType type, const char *name, const char *address)
{
    g_autofree char *clean = clean_name(name);
    g_mime_message_add_mailbox(message, type, *clean ? clean : NULL, address);
}

/* An id that could leave its header is no id. */
static gboolean is_message_id(const char *id)
{
    if (!*id || strlen(id) > 500 || !strchr(id, '@'))
        return FALSE;
    for (const char *p = id; *p; p++)
        if ((guchar)*p <= 0x20 || (guchar)*p >= 0x7f || *p == '<' || *p == '>')
            return FALSE;
    return TRUE;
}

/* "<first> <…> <last>": the first one and the newest, each on a line of its own. Caller frees; "" where there is none. */
static char *references_header(const char *references)
{
    g_auto(GStrv) ids = g_strsplit(references, " ", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (char **id = ids; *id; id++)
        if (is_message_id(*id))
            g_ptr_array_add(kept, *id);
    while (kept->len > REFERENCES_KEPT)
        g_ptr_array_remove_index(kept, 1);
    GString *header = g_string_new(NULL);
    for (guint i = 0; i < kept->len; i++)
        g_string_append_printf(header, "%s<%s>", i ? "\n " : "", (const char *)kept->pdata[i]);
    return g_string_free(header, FALSE);
}

/* The value as it stands, already safe and folded: GMime would fold at its own places. */
static void add_raw_header(GMimeMessage *message, const char *name, const char *value)
{
    g_autofree char *raw = g_strdup_printf(" %s\n", value);
    g_mime_object_append_header(GMIME_OBJECT(message), name, value, "us-ascii");
    GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
    g_mime_header_set_raw_value(g_mime_header_list_get_header(headers, name), raw);
}

static void add_thread(GMimeMessage *message, const ComposeInput *input)
{
    g_autofree char *references = references_header(input->references);
    if (is_message_id(input->in_reply_to)) {
        g_autofree char *value = g_strdup_printf("<%s>", input->in_reply_to);
        add_raw_header(message, "In-Reply-To", value);
    }
    if (*references)
        add_raw_header(message, "References", references);
}

static void add_headers(GMimeMessage *message, const ComposeInput *input)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(input->date_ms / 1000);
    g_autoptr(GDateTime) date = g_date_time_to_timezone(utc, input->date_zone);
    add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, input->from_name, input->from_address);
    if (*input->reply_to)
        add_mailbox(message, GMIME_ADDRESS_TYPE_REPLY_TO, input->from_name, input->reply_to);
    add_mailbox(message, GMIME_ADDRESS_TYPE_TO, input->to_name, input->to_address);
    g_mime_message_set_subject(message, input->rendered->subject, "utf-8");
    g_mime_message_set_date(message, date);
    g_mime_message_set_message_id(message, input->message_id);
    add_thread(message, input);
    if (input->auto_submitted)
        add_raw_header(message, "Auto-Submitted", "auto-generated");
    if (input->unsubscribe_mailto) {
        g_autofree char *value = g_strdup_printf("<mailto:%s>", input->unsubscribe_mailto);
        add_raw_header(message, "List-Unsubscribe", value);
    }
    add_raw_header(message, "Content-Language", is_norwegian(input->language) ? "nb" : "en");
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

static GBytes *write_message(GMimeMessage *message)
{
    GMimeFormatOptions *format = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    GByteArray *array = g_byte_array_new();
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(array);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), format, stream);
    g_object_unref(stream);
    g_mime_format_options_free(format);
    return g_byte_array_free_to_bytes(array);
}

static gboolean check_addresses(const ComposeInput *input, GError **error)
{
    const char *addresses[] = {input->from_address, input->to_address, *input->reply_to ? input->reply_to : input->from_address};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *canonical = address_canonical(addresses[i], error);
        if (!canonical)
            return FALSE;
    }
    if (is_message_id(input->message_id))
        return TRUE;
    g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_ADDRESS, "the Message-ID is none");
    return FALSE;
}

static void initialise(void)
{
    static gsize once = 0;
    if (g_once_init_enter(&once)) {
        g_mime_init();
        g_once_init_leave(&once, 1);
    }
}

gboolean mail_compose(const ComposeInput *input, ComposedMessage *ret_message, GError **error)
{
    if (!check_addresses(input, error))
        return FALSE;
    if (strlen(input->rendered->text) > MESSAGE_MAX_BYTES / 4) {
        g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "the text is larger than 5 MB; write a shorter template");
        return FALSE;
    }
    initialise();
    g_autofree char *text = text_with_footer(input);
    GMimeMessage *message = g_mime_message_new(FALSE);
    GMimeObject *body = body_of(input, text);
    add_headers(message, input);
    g_mime_message_set_mime_part(message, body);
    ret_message->bytes = write_message(message);
    ret_message->subject = g_strdup(input->rendered->subject);
    ret_message->text = g_steal_pointer(&text);
    g_object_unref(body);
    g_object_unref(message);
    return TRUE;
}

char *mail_new_message_id(const char *domain)
{
    g_autofree char *left = id_random(ID_RANDOM_BYTES);
    return g_strdup_printf("%s@%s", left, domain);
}
