/*
 * Message templates: reading the header lines and the body. Immutable once parsed, so that any number of threads may render one at
 * once (template_render.c).
 */
#include "mail/template_parts.h"

#include <string.h>

#include "base/text.h"
#include "mail/template_files.h"

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

char *template_normal_text(const char *text)
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

static gboolean read_line_of(Mustache **field, const char *name, const char *value, guint line, GError **error)
{
    if (*field)
        return fault(error, line, "there is a %s: already; leave one of them out", name);
    *field = parse_part(value, line, error);
    return *field != NULL;
}

static gboolean read_subject(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    return read_line_of(&parsed->subject, "Subject", value, line, error);
}

static gboolean read_from_name(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    return read_line_of(&parsed->from_name, "From-Name", value, line, error);
}

static gboolean read_attach(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    return template_files_add(parsed->attachments, value, line, error);
}

typedef struct {
    const char *name, *when_empty;
    gboolean (*read)(MailTemplate *parsed, const char *value, guint line, GError **error);
} Header;

static const Header headers[] = {
    {"Subject", "the subject is empty; write what the mail is about behind \"Subject:\"", read_subject},
    {"Default", "a default needs the name of a variable and its text; write \"Default: first_name = there\"", read_default},
    {"From-Name", "the sender's name is empty; write \"From-Name: Anna from Example\", or leave the line out", read_from_name},
    {"Attach", "there is no name of a file; write \"Attach: offer.pdf\"", read_attach},
};

static const Header *header_named(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++)
        if (g_ascii_strcasecmp(name, headers[i].name) == 0)
            return &headers[i];
    return NULL;
}

static gboolean unknown_header(const char *name, guint line, GError **error)
{
    const char *known[G_N_ELEMENTS(headers) + 1] = {NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++)
        known[i] = headers[i].name;
    const char *nearest = text_nearest(name, known);
    g_autofree char *shown = text_escape(name, 40);
    if (nearest)
        return fault(error, line, "\"%s\" is no header of a template; did you mean \"%s\"?", shown, nearest);
    return fault(error, line,
                 "\"%s\" is no header of a template; write \"Subject:\", \"From-Name:\", \"Attach:\" or \"Default:\", and an "
                 "empty line before the text",
                 shown);
}

static gboolean read_header(MailTemplate *parsed, const char *text, guint line, GError **error)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return fault(error, line,
                     "this is no header line; a template begins with \"Subject: …\", and has an empty line before its text");
    g_autofree char *name = g_strstrip(g_strndup(text, (gsize)(colon - text)));
    g_autofree char *value = g_strstrip(g_strdup(colon + 1));
    const Header *header = header_named(name);
    if (!header)
        return unknown_header(name, line, error);
    return *value ? header->read(parsed, value, line, error) : fault(error, line, "%s", header->when_empty);
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
    g_autofree char *normal = template_normal_text(text);
    g_autoptr(MailTemplate) parsed = g_new0(MailTemplate, 1);
    parsed->kind = kind;
    parsed->defaults = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_node_unref);
    parsed->attachments = template_files_new();
    Reader reader = {.parsed = parsed, .at = normal, .line = 1};
    if (!read_headers(&reader, error))
        return NULL;
    if (!reader.at[strspn(reader.at, " \t\n")]) {
        fault(error, reader.line, "there is no text; write an empty line behind the headers, then the text");
        return NULL;
    }
    parsed->images = kind == TEMPLATE_MARKDOWN ? template_images_of(reader.at, reader.line, error) : template_files_new();
    if (!parsed->images)
        return NULL;
    parsed->body = parse_part(reader.at, reader.line, error);
    return parsed->body ? g_steal_pointer(&parsed) : NULL;
}

void mail_template_free(MailTemplate *mail_template)
{
    if (!mail_template)
        return;
    mustache_free(mail_template->subject);
    mustache_free(mail_template->body);
    mustache_free(mail_template->from_name);
    g_clear_pointer(&mail_template->attachments, g_ptr_array_unref);
    g_clear_pointer(&mail_template->images, g_ptr_array_unref);
    g_hash_table_unref(mail_template->defaults);
    g_free(mail_template);
}

TemplateKind mail_template_kind(const MailTemplate *mail_template)
{
    return mail_template->kind;
}

const GPtrArray *mail_template_attachments(const MailTemplate *mail_template)
{
    return mail_template->attachments;
}

const GPtrArray *mail_template_images(const MailTemplate *mail_template)
{
    return mail_template->images;
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
