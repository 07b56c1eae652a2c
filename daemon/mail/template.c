/*
 * Message templates: header lines, then a body in Mustache over Markdown or plain text. Immutable once parsed, so that any
 * number of threads may render one at once.
 */
#include "mail/template.h"

#include <string.h>

#include "base/text.h"
#include "mail/markdown.h"

enum { SUBJECT_MAX_CHARS = 500 };

struct MailTemplate {
    TemplateKind kind;
    Mustache *subject, *body;
    GHashTable *defaults; /* name -> JsonNode* */
};

/* The header lines under reading. */
typedef struct {
    MailTemplate *parsed;
    const char *at;
    guint line; /* of at */
} Reader;

static gboolean fault(GError **error, guint line, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean fault(GError **error, guint line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE, "line %u: %s", line, what);
    return FALSE;
}

/* Parses a part that begins on the file's first_line, so that errors name the file's lines. */
static Mustache *parse_part(const char *text, guint first_line, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Mustache *mustache = mustache_parse(text, &cause);
    if (mustache)
        return mustache;
    const char *colon = strchr(cause->message, ':'); /* "line 3: what" */
    guint64 line = g_ascii_strtoull(cause->message + strlen("line "), NULL, 10);
    fault(error, (guint)line + first_line - 1, "%s", colon + 2);
    return NULL;
}

/* Without byte order mark, LF line ends. Caller frees. */
static char *normal_text(const char *text)
{
    GString *normal = g_string_sized_new(strlen(text));
    const char *p = g_str_has_prefix(text, "\xEF\xBB\xBF") ? text + 3 : text;
    for (;;) {
        gsize plain = strcspn(p, "\r");
        g_string_append_len(normal, p, (gssize)plain);
        p += plain;
        if (!*p)
            return g_string_free(normal, FALSE);
        g_string_append_c(normal, '\n');
        p += p[1] == '\n' ? 2 : 1;
    }
}

/* ---- headers ------------------------------------------------------------------------------------------------------ */

/* "first_name = there" */
static gboolean read_default(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    const char *equals = strchr(value, '=');
    g_autofree char *name = g_strstrip(equals ? g_strndup(value, (gsize)(equals - value)) : g_strdup(""));
    g_autofree char *text = g_strstrip(g_strdup(equals ? equals + 1 : ""));
    if (!*name || strpbrk(name, " \t{}"))
        return fault(error, line,
                     "a default needs the name of a variable and its text; write \"Default: first_name = there\"");
    if (!*text)
        return fault(error, line,
                     "the default of \"%s\" is empty; write a text, or {{#%s}}…{{/%s}} around what needs a value", name,
                     name, name);
    if (strstr(text, "{{"))
        return fault(error, line, "the default of \"%s\" holds {{, but defaults are plain text; write it without", name);
    if (g_hash_table_contains(parsed->defaults, name))
        return fault(error, line, "\"%s\" has a default already; leave one of them out", name);
    g_hash_table_insert(parsed->defaults, g_steal_pointer(&name), json_node_init_string(json_node_alloc(), text));
    return TRUE;
}

static gboolean read_subject(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    if (parsed->subject)
        return fault(error, line, "there is a Subject: already; leave one of them out");
    if (!*value)
        return fault(error, line, "the subject is empty; write what the mail is about behind \"Subject:\"");
    parsed->subject = parse_part(value, line, error);
    return parsed->subject != NULL;
}

static gboolean read_header(MailTemplate *parsed, const char *header, guint line, GError **error)
{
    static const char *const known[] = {"Subject", "Default", NULL};
    const char *colon = strchr(header, ':');
    if (!colon)
        return fault(error, line,
                     "this is no header line; a template begins with \"Subject: …\", and has an empty line before its text");
    g_autofree char *name = g_strstrip(g_strndup(header, (gsize)(colon - header)));
    g_autofree char *value = g_strstrip(g_strdup(colon + 1));
    if (g_ascii_strcasecmp(name, "Subject") == 0)
        return read_subject(parsed, value, line, error);
    if (g_ascii_strcasecmp(name, "Default") == 0)
        return read_default(parsed, value, line, error);
    const char *nearest = text_nearest(name, known);
    g_autofree char *shown = text_escape(name, 40);
    if (nearest)
        return fault(error, line, "\"%s\" is no header of a template; did you mean \"%s\"?", shown, nearest);
    return fault(error, line,
                 "\"%s\" is no header of a template; write \"Subject:\" or \"Default:\", and an empty line before the text",
                 shown);
}

static gboolean is_blank_line(const char *at)
{
    at += strspn(at, " \t");
    return *at == '\n' || *at == '\0';
}

static void append_line(Reader *reader, GString *out)
{
    gsize length = strcspn(reader->at, "\n");
    g_string_append_len(out, reader->at, (gssize)length);
    gboolean ended = reader->at[length] == '\n';
    reader->at += length + (ended ? 1 : 0);
    reader->line += ended ? 1 : 0;
}

/* Reads header lines, those that begin with white space joined to the one before, and the empty line behind them. */
static gboolean read_headers(Reader *reader, GError **error)
{
    while (!is_blank_line(reader->at)) {
        guint first = reader->line;
        g_autoptr(GString) header = g_string_new(NULL);
        append_line(reader, header);
        while ((*reader->at == ' ' || *reader->at == '\t') && !is_blank_line(reader->at))
            append_line(reader, header);
        if (!read_header(reader->parsed, header->str, first, error))
            return FALSE;
    }
    if (!reader->parsed->subject)
        return fault(error, 1, "there is no subject; write \"Subject: …\" on the first line");
    g_autoptr(GString) empty = g_string_new(NULL);
    append_line(reader, empty);
    return TRUE;
}

static gboolean check_encoding(const char *text, GError **error)
{
    const char *bad = NULL;
    guint line = 1;
    if (g_utf8_validate(text, -1, &bad))
        return TRUE;
    for (const char *p = text; p < bad; p++)
        line += *p == '\n';
    return fault(error, line, "a character is not UTF-8; save the file with the encoding UTF-8");
}

MailTemplate *mail_template_parse(const char *text, TemplateKind kind, GError **error)
{
    if (!check_encoding(text, error))
        return NULL;
    g_autofree char *normal = normal_text(text);
    g_autoptr(MailTemplate) parsed = g_new0(MailTemplate, 1);
    parsed->kind = kind;
    parsed->defaults = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_node_unref);
    Reader reader = {.parsed = parsed, .at = normal, .line = 1};
    if (!read_headers(&reader, error))
        return NULL;
    if (!reader.at[strspn(reader.at, " \t\n")]) {
        fault(error, reader.line, "there is no text; write an empty line behind the headers, then the text");
        return NULL;
    }
    parsed->body = parse_part(reader.at, reader.line, error);
    return parsed->body ? g_steal_pointer(&parsed) : NULL;
}

void mail_template_free(MailTemplate *mail_template)
{
    if (!mail_template)
        return;
    mustache_free(mail_template->subject);
    mustache_free(mail_template->body);
    g_hash_table_unref(mail_template->defaults);
    g_free(mail_template);
}

TemplateKind mail_template_kind(const MailTemplate *mail_template)
{
    return mail_template->kind;
}

char **mail_template_partials(const MailTemplate *mail_template)
{
    g_auto(GStrv) subject = mustache_partials(mail_template->subject);
    g_auto(GStrv) body = mustache_partials(mail_template->body);
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    g_strv_builder_addv(all, (const char **)body);
    for (char **name = subject; *name; name++)
        if (!g_strv_contains((const char *const *)body, *name))
            g_strv_builder_add(all, *name);
    return g_strv_builder_end(all);
}

/* ---- rendering ---------------------------------------------------------------------------------------------------- */

static void append_as_is(const char *value, GString *out)
{
    g_string_append(out, value);
}

/* A value in a text body: its line ends are kept, other controls are not. */
static void append_text_value(const char *value, GString *out)
{
    for (const char *p = value; *p; p++) {
        if (*p == '\r')
            g_string_append(out, p[1] == '\n' ? "" : "\n");
        else if (*p == '\n' || *p == '\t' || !g_ascii_iscntrl(*p))
            g_string_append_c(out, *p);
    }
}

/* Controls, ends of lines and paragraphs, and what turns the direction of writing beyond the text it stands in. */
static gboolean leaves_its_line(gunichar c)
{
    return g_unichar_iscntrl(c) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* One line, whatever a value held. Caller frees. */
static char *clean_subject(const char *rendered)
{
    g_autofree char *valid = text_make_valid(rendered, -1);
    g_autoptr(GString) safe = g_string_sized_new(strlen(valid));
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(safe, leaves_its_line(c) ? ' ' : c);
    }
    g_autofree char *line = text_one_line(safe->str);
    return g_utf8_strlen(line, -1) > SUBJECT_MAX_CHARS ? g_utf8_substring(line, 0, SUBJECT_MAX_CHARS)
                                                       : g_steal_pointer(&line);
}

/* A partial may have come with other line ends, and a value with bytes that are no text. Takes body. Caller frees. */
static char *clean_body(char *body)
{
    if (g_utf8_validate(body, -1, NULL) && !strchr(body, '\r'))
        return body;
    g_autofree char *valid = text_make_valid(body, -1);
    g_free(body);
    return normal_text(valid);
}

static gboolean check_not_empty(const char *text, const char *what, GError **error)
{
    if (text[strspn(text, " \t\n")])
        return TRUE;
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_MISSING,
                "the %s is empty for this contact; write something outside of {{#…}} as well", what);
    return FALSE;
}

void rendered_template_clear(RenderedTemplate *rendered)
{
    g_clear_pointer(&rendered->subject, g_free);
    g_clear_pointer(&rendered->text, g_free);
    g_clear_pointer(&rendered->html, g_free);
}

gboolean mail_template_render(const MailTemplate *mail_template, JsonObject *context,
                              const char *(*partial)(const char *name, gpointer data), gpointer data,
                              RenderedTemplate *ret_rendered, GError **error)
{
    gboolean is_markdown = mail_template->kind == TEMPLATE_MARKDOWN;
    MustacheOptions options = {.escape = append_as_is,
                               .partial = partial,
                               .data = data,
                               .missing_is_error = TRUE,
                               .defaults = mail_template->defaults};
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), context);
    g_autofree char *raw_subject = mustache_render(mail_template->subject, root, &options, error);
    if (!raw_subject)
        return FALSE;
    options.escape = is_markdown ? markdown_veil : append_text_value;
    g_autofree char *body = mustache_render(mail_template->body, root, &options, error);
    if (!body)
        return FALSE;
    body = clean_body(g_steal_pointer(&body));
    g_autofree char *subject = clean_subject(raw_subject);
    if (!check_not_empty(subject, "subject", error) || !check_not_empty(body, "text", error))
        return FALSE;
    *ret_rendered = (RenderedTemplate){.subject = g_steal_pointer(&subject)};
    if (is_markdown)
        markdown_render(body, &ret_rendered->text, &ret_rendered->html);
    else
        ret_rendered->text = g_steal_pointer(&body);
    return TRUE;
}
