/*
 * Rendering message templates: Mustache, then Markdown where the piece is some; the signature is a piece of its own. Any thread.
 */
#include "mail/template_parts.h"

#include <string.h>

#include "base/text.h"
#include "mail/markdown.h"

enum { LINE_MAX_CHARS = 500 };

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
static char *clean_line(const char *rendered)
{
    g_autofree char *valid = text_make_valid(rendered, -1);
    g_autoptr(GString) safe = g_string_sized_new(strlen(valid));
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(safe, leaves_its_line(c) ? ' ' : c);
    }
    g_autofree char *line = text_one_line(safe->str);
    return g_utf8_strlen(line, -1) > LINE_MAX_CHARS ? g_utf8_substring(line, 0, LINE_MAX_CHARS) : g_steal_pointer(&line);
}

/* A partial may have come with other line ends, and a value with bytes that are no text. Takes body. Caller frees. */
static char *clean_body(char *body)
{
    if (g_utf8_validate(body, -1, NULL) && !strchr(body, '\r'))
        return body;
    g_autofree char *valid = text_make_valid(body, -1);
    g_free(body);
    return template_normal_text(valid);
}

/* A text's lines as HTML. Caller frees. */
static char *text_as_html(const char *text)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    GString *escaped = g_string_new("<p>");
    mustache_escape_html(trimmed, escaped);
    g_string_replace(escaped, "\n", "<br>\n", 0);
    g_string_append(escaped, "</p>\n");
    return g_string_free(escaped, FALSE);
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
    g_clear_pointer(&rendered->from_name, g_free);
    g_clear_pointer(&rendered->text, g_free);
    g_clear_pointer(&rendered->html, g_free);
    g_clear_pointer(&rendered->images, g_ptr_array_unref);
}

/* One rendering: what its pieces share. */
typedef struct {
    const MailTemplate *mail_template;
    JsonNode *variables;
    const TemplateSources *sources;
    MarkdownImages images;
} Rendering;

/* The partials of a piece are of its own kind. */
typedef struct {
    const TemplateSources *sources;
    TemplateKind kind;
} PartialsOfKind;

static const char *partial_of_kind(const char *name, gpointer data)
{
    const PartialsOfKind *partials = data;
    return partials->sources->partial(name, partials->kind, partials->sources->data);
}

static char *render_piece(const Rendering *rendering, const Mustache *piece, TemplateKind kind,
                          void (*escape)(const char *value, GString *out), GError **error)
{
    PartialsOfKind partials = {.sources = rendering->sources, .kind = kind};
    const MustacheOptions options = {.escape = escape,
                                     .partial = rendering->sources->partial ? partial_of_kind : NULL,
                                     .data = &partials,
                                     .variable = rendering->sources->variable,
                                     .variables = rendering->sources->variables,
                                     .missing_is_error = TRUE,
                                     .defaults = rendering->mail_template->defaults};
    return mustache_render(piece, rendering->variables, &options, error);
}

static char *render_line(const Rendering *rendering, const Mustache *piece, const char *what, GError **error)
{
    g_autofree char *raw = render_piece(rendering, piece, rendering->mail_template->kind, append_as_is, error);
    g_autofree char *line = raw ? clean_line(raw) : NULL;
    return line && check_not_empty(line, what, error) ? g_steal_pointer(&line) : NULL;
}

static char *render_body(const Rendering *rendering, const Mustache *piece, TemplateKind kind, GError **error)
{
    char *body = render_piece(rendering, piece, kind, kind == TEMPLATE_MARKDOWN ? markdown_veil : append_text_value, error);
    return body ? clean_body(body) : NULL;
}

/* Into text, and HTML where ret_html is not NULL. */
static void write_body(Rendering *rendering, const char *body, TemplateKind kind, char **ret_text, char **ret_html)
{
    g_autofree char *html = NULL;
    if (kind == TEMPLATE_MARKDOWN)
        markdown_render(body, rendering->sources->image && ret_html ? &rendering->images : NULL, ret_text, &html);
    else
        *ret_text = g_strdup(body);
    if (ret_html)
        *ret_html = html ? g_steal_pointer(&html) : text_as_html(body);
}

static void append_behind(char **text, const char *between, const char *more)
{
    char *whole = g_strconcat(g_strchomp(*text), between, more, NULL);
    g_free(*text);
    *text = whole;
}

/* One that is empty for this contact is left out. */
static gboolean append_signature(Rendering *rendering, RenderedTemplate *rendered, GError **error)
{
    const TemplateSources *sources = rendering->sources;
    g_autofree char *text = NULL;
    g_autofree char *html = NULL;
    if (!sources->signature)
        return TRUE;
    g_autofree char *body = render_body(rendering, sources->signature, sources->signature_kind, error);
    if (!body)
        return FALSE;
    if (!body[strspn(body, " \t\n")])
        return TRUE;
    write_body(rendering, body, sources->signature_kind, &text, rendered->html ? &html : NULL);
    append_behind(&rendered->text, "\n\n", text);
    if (html)
        append_behind(&rendered->html, "\n", html);
    return TRUE;
}

static gboolean take_images(Rendering *rendering, RenderedTemplate *rendered, GError **error)
{
    rendered->images = g_steal_pointer(&rendering->images.used);
    if (!rendering->images.missing)
        return TRUE;
    g_autofree char *shown = text_escape(rendering->images.missing, 80);
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_MISSING,
                "the image \"%s\" is not one that the template itself names; write ![…](…) with the name of a file, without "
                "variables",
                shown);
    return FALSE;
}

static gboolean render_all(Rendering *rendering, RenderedTemplate *rendered, GError **error)
{
    const MailTemplate *mail_template = rendering->mail_template;
    rendered->subject = render_line(rendering, mail_template->subject, "subject", error);
    if (!rendered->subject)
        return FALSE;
    if (mail_template->from_name &&
        !(rendered->from_name = render_line(rendering, mail_template->from_name, "sender's name", error)))
        return FALSE;
    g_autofree char *body = render_body(rendering, mail_template->body, mail_template->kind, error);
    if (!body || !check_not_empty(body, "text", error))
        return FALSE;
    write_body(rendering, body, mail_template->kind, &rendered->text,
               mail_template->kind == TEMPLATE_MARKDOWN ? &rendered->html : NULL);
    return append_signature(rendering, rendered, error) && take_images(rendering, rendered, error);
}

gboolean mail_template_render(const MailTemplate *mail_template, JsonObject *context, const TemplateSources *sources,
                              RenderedTemplate *ret_rendered, GError **error)
{
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), context);
    Rendering rendering = {.mail_template = mail_template, .variables = root, .sources = sources};
    RenderedTemplate rendered = {0};
    rendering.images = (MarkdownImages){.find = sources->image, .data = sources->data};
    gboolean ok = render_all(&rendering, &rendered, error);
    g_clear_pointer(&rendering.images.used, g_ptr_array_unref);
    g_free(rendering.images.missing);
    if (ok)
        *ret_rendered = rendered;
    else
        rendered_template_clear(&rendered);
    return ok;
}
