/*
 * Composing: rendered text to an RFC 5322 message. Pure but for the random Message-ID; any thread.
 *
 * The bytes are told by the input alone (boundaries come from the Message-ID), so that composing twice gives the same
 * message. They are written here rather than through GMime's tree of objects: that took six times as long, and chose
 * charsets and places to fold by itself. The tests have every message read by a strict parser that is not ours.
 */
#include "mail/compose.h"

#include <string.h>

#include "base/ids.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/mime_header.h"
#include "mail/mime_tree.h"

enum {
    BODY_MAX_BYTES = 8 * 1024 * 1024,
    HEADER_TEXT_MAX_BYTES = 64 * 1024,
    ID_MAX_BYTES = 900, /* of the 998 that a line may have */
    REFERENCES_KEPT = 20,
    LANGUAGE_MAX_BYTES = 35, /* RFC 5646 */
    ID_RANDOM_BYTES = 16
};

/* What goes into the headers, checked and cleaned. */
typedef struct {
    char *from_name, *from_address, *to_name, *to_address, *reply_to_name, *reply_to, *subject;
    char *language; /* a language tag */
    gboolean is_norwegian;
} Checked;

static void checked_clear(Checked *checked)
{
    g_free(checked->from_name);
    g_free(checked->from_address);
    g_free(checked->to_name);
    g_free(checked->to_address);
    g_free(checked->reply_to_name);
    g_free(checked->reply_to);
    g_free(checked->subject);
    g_free(checked->language);
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

/* What can stand between "<" and ">" in a header without leaving it. */
static gboolean is_bracketable(const char *text)
{
    if (!*text || strlen(text) > ID_MAX_BYTES)
        return FALSE;
    for (const char *p = text; *p; p++)
        if (!g_ascii_isgraph(*p) || *p == '<' || *p == '>')
            return FALSE;
    return TRUE;
}

static gboolean is_message_id(const char *id)
{
    return is_bracketable(id) && strchr(id, '@');
}

/* The address in its canonical form, if a header that is 7-bit can bear it; NULL and an error else. */
static char *writable_address(const char *address, GError **error)
{
    g_autofree char *canonical = address_canonical(address, error);
    if (!canonical)
        return NULL;
    if (g_str_is_ascii(canonical))
        return g_steal_pointer(&canonical);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_ADDRESS,
                "\"%s\" has letters before the @ that mail servers need an extension for (SMTPUTF8); use another address of "
                "this person",
                canonical);
    return NULL;
}

static char *clean_text(const char *text, const char *what, GError **error)
{
    char *clean = mime_header_clean(text);
    if (strlen(clean) <= HEADER_TEXT_MAX_BYTES)
        return clean;
    g_free(clean);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "the %s is longer than 64 kB; write a shorter one", what);
    return NULL;
}

static gboolean is_language(const char *language, const char *wanted)
{
    gsize length = strlen(wanted);
    return g_ascii_strncasecmp(language, wanted, length) == 0 && (!language[length] || language[length] == '-');
}

static char *language_tag(const char *language)
{
    gsize length = strlen(language);
    gboolean valid = length > 0 && length <= LANGUAGE_MAX_BYTES &&
                     strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == length;
    return g_strdup(valid ? language : "en");
}

static gboolean check_limits(const ComposeInput *input, GError **error)
{
    const char *html = input->rendered->html;
    if (strlen(input->rendered->text) <= BODY_MAX_BYTES && (!html || strlen(html) <= BODY_MAX_BYTES))
        return TRUE;
    g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_LIMIT, "the text is larger than 8 MiB; write a shorter template");
    return FALSE;
}

static gboolean check_ids(const ComposeInput *input, GError **error)
{
    gboolean ids = is_message_id(input->message_id);
    if (ids && (!input->unsubscribe_mailto || is_bracketable(input->unsubscribe_mailto)))
        return TRUE;
    g_autofree char *shown = text_escape(ids ? input->unsubscribe_mailto : input->message_id, 80);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_ADDRESS, "\"%s\" cannot stand in a header as %s", shown,
                ids ? "an address to unsubscribe at" : "a Message-ID");
    return FALSE;
}

/* What the sender and the recipient of answers are called. */
static gboolean check_names(const ComposeInput *input, Checked *checked, GError **error)
{
    const char *own = input->rendered->from_name;
    const char *answers = *input->reply_to && input->reply_to_name ? input->reply_to_name : "";
    return (checked->from_name = clean_text(own ? own : input->from_name, "sender's name", error)) &&
           (checked->reply_to_name = *answers ? clean_text(answers, "name for answers", error) : g_strdup(checked->from_name)) &&
           (checked->to_name = clean_text(input->to_name, "recipient's name", error));
}

static gboolean check(const ComposeInput *input, Checked *checked, GError **error)
{
    checked->is_norwegian =
        is_language(input->language, "nb") || is_language(input->language, "nn") || is_language(input->language, "no");
    checked->language = language_tag(input->language);
    checked->reply_to = *input->reply_to ? writable_address(input->reply_to, error) : g_strdup("");
    return checked->reply_to && check_limits(input, error) && check_ids(input, error) &&
           (checked->from_address = writable_address(input->from_address, error)) &&
           (checked->to_address = writable_address(input->to_address, error)) &&
           check_names(input, checked, error) &&
           (checked->subject = clean_text(input->rendered->subject, "subject", error));
}

/* ---- footer ------------------------------------------------------------------------------------------------------- */

static const char *stop_sentence(const ComposeInput *input, const Checked *checked)
{
    if (!input->unsubscribe_mailto)
        return NULL;
    return checked->is_norwegian ? "Svar «stopp» om du heller vil slippe å høre fra oss."
                                 : "Reply with \"stop\" if you would rather not hear from us.";
}

/* Valid UTF-8, LF line ends, no white space at its end. Caller frees. */
static char *clean_body(const char *text)
{
    g_autofree char *valid = g_utf8_validate(text, -1, NULL) ? g_strdup(text) : text_make_valid(text, -1);
    if (strchr(valid, '\r')) {
        GString *lines = g_string_new(valid);
        g_string_replace(lines, "\r\n", "\n", 0);
        g_string_replace(lines, "\r", "\n", 0);
        g_free(valid);
        valid = g_string_free(lines, FALSE);
    }
    return g_strchomp(g_steal_pointer(&valid));
}

static char *text_with_footer(const ComposeInput *input, const Checked *checked)
{
    g_autofree char *body = clean_body(input->rendered->text);
    g_autofree char *organisation = clean_body(input->organisation);
    g_autofree char *postal_address = clean_body(input->postal_address);
    const char *stop = stop_sentence(input, checked);
    return g_strconcat(body, "\n\n----\n", organisation, "\n", postal_address, "\n", stop ? stop : "", stop ? "\n" : "",
                       NULL);
}

static void append_html_lines(GString *html, const char *text)
{
    g_autofree char *clean = clean_body(text);
    for (const char *line = clean; *line;) {
        gsize length = strcspn(line, "\n");
        g_autofree char *one = g_strndup(line, length);
        mustache_escape_html(one, html);
        g_string_append(html, "<br>\n");
        line += length + (line[length] == '\n');
    }
}

static char *html_with_footer(const ComposeInput *input, const Checked *checked)
{
    g_autofree char *body = clean_body(input->rendered->html);
    const char *stop = stop_sentence(input, checked);
    GString *html = g_string_sized_new(strlen(body) + 1024);
    g_string_append_printf(html, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
                           checked->language);
    mustache_escape_html(checked->subject, html);
    g_string_append(html, "</title>\n</head>\n<body>\n");
    g_string_append(html, body);
    g_string_append(html, "\n<hr>\n<p style=\"color: #666; font-size: small\">\n");
    append_html_lines(html, input->organisation);
    append_html_lines(html, input->postal_address);
    g_string_append(html, stop ? stop : "");
    g_string_append(html, "</p>\n</body>\n</html>\n");
    return g_string_free(html, FALSE);
}

/* ---- headers ------------------------------------------------------------------------------------------------------ */

static void append_bracketed(GString *out, const char *field, const char *before, const char *text)
{
    g_autofree char *word = g_strconcat("<", before, text, ">", NULL);
    const char *words[] = {word};
    mime_header_append_words(out, field, words, 1);
}

/* The ids are a remote's: those that could leave the header are left out. */
static void append_references(GString *out, const char *references)
{
    g_auto(GStrv) ids = g_strsplit(references, " ", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    for (char **id = ids; *id; id++)
        if (is_message_id(*id))
            g_ptr_array_add(kept, g_strconcat("<", *id, ">", NULL));
    if (kept->len > REFERENCES_KEPT) /* the first, which names the thread, and the newest */
        g_ptr_array_remove_range(kept, 1, kept->len - REFERENCES_KEPT);
    if (kept->len > 0)
        mime_header_append_words(out, "References", (const char *const *)kept->pdata, kept->len);
}

static void append_headers(GString *out, const ComposeInput *input, const Checked *checked)
{
    mime_header_append_mailbox(out, "From", checked->from_name, checked->from_address);
    mime_header_append_mailbox(out, "To", checked->to_name, checked->to_address);
    if (*checked->reply_to)
        mime_header_append_mailbox(out, "Reply-To", checked->reply_to_name, checked->reply_to);
    mime_header_append_text(out, "Subject", checked->subject);
    mime_header_append_date(out, input->date_ms, input->date_zone);
    append_bracketed(out, "Message-ID", "", input->message_id);
    if (is_message_id(input->in_reply_to))
        append_bracketed(out, "In-Reply-To", "", input->in_reply_to);
    append_references(out, input->references);
    if (input->unsubscribe_mailto)
        append_bracketed(out, "List-Unsubscribe", "mailto:", input->unsubscribe_mailto);
    if (input->auto_submitted)
        g_string_append(out, "Auto-Submitted: auto-generated\r\n");
    g_string_append_printf(out, "Content-Language: %s\r\nMIME-Version: 1.0\r\n", checked->language);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static GBytes *write_message(const ComposeInput *input, const Checked *checked, const char *text)
{
    g_autofree char *html = input->rendered->html ? html_with_footer(input, checked) : NULL;
    const MimeTree tree = {.text = text,
                           .html = html,
                           .images = input->rendered->images,
                           .attachments = input->attachments,
                           .key = input->message_id};
    GString *out = g_string_sized_new(mime_tree_room(&tree));
    append_headers(out, input, checked);
    mime_tree_append(out, &tree);
    return g_string_free_to_bytes(out);
}

static gboolean compose(const ComposeInput *input, gboolean with_bytes, ComposedMessage *ret_message, GError **error)
{
    Checked checked = {0};
    gboolean ok = check(input, &checked, error);
    if (ok) {
        g_autofree char *text = text_with_footer(input, &checked);
        ret_message->bytes = with_bytes ? write_message(input, &checked, text) : NULL;
        ret_message->subject = g_strdup(checked.subject);
        ret_message->text = g_steal_pointer(&text);
    }
    checked_clear(&checked);
    return ok;
}

gboolean mail_compose(const ComposeInput *input, ComposedMessage *ret_message, GError **error)
{
    return compose(input, TRUE, ret_message, error);
}

gboolean mail_compose_words(const ComposeInput *input, ComposedMessage *ret_message, GError **error)
{
    return compose(input, FALSE, ret_message, error);
}

char *mail_new_message_id(const char *domain, gint64 now_ms)
{
    g_autofree char *left = id_random(ID_RANDOM_BYTES);
    return g_strdup_printf("%011" G_GINT64_MODIFIER "x.%s@%s", now_ms, left, domain);
}
