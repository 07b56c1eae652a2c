/*
 * Message templates: header lines, then a body in Mustache over Markdown or plain text. Immutable once parsed.
 */
#include "mail/template.h"

#include <string.h>

#include "base/text.h"
#include "mail/markdown.h"

enum { SUBJECT_MAX_CHARS = 300 };

typedef struct {
    char *name, *value;
} Default;

struct MailTemplate {
    TemplateKind kind;
    Mustache *subject, *body;
    GArray *defaults; /* Default */
};

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static void default_clear(gpointer data)
{
    Default *value = data;
    g_free(value->name);
    g_free(value->value);
}

static gboolean fault(GError **error, guint line, const char *what)
{
    g_set_error(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE, "line %u: %s", line, what);
    return FALSE;
}

/* "first_name = there" */
static gboolean read_default(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    const char *equals = strchr(value, '=');
    g_autofree char *name = equals ? g_strstrip(g_strndup(value, (gsize)(equals - value))) : NULL;
    if (!name || !*name || strpbrk(name, " \t{}"))
        return fault(error, line, "a default needs a name and a value; write Default: first_name = there");
    const Default entry = {.name = g_steal_pointer(&name), .value = g_strstrip(g_strdup(equals + 1))};
    g_array_append_val(parsed->defaults, entry);
    return TRUE;
}

static gboolean read_subject(MailTemplate *parsed, const char *value, guint line, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (parsed->subject)
        return fault(error, line, "there is a Subject: already; leave one out");
    if (!*value)
        return fault(error, line, "the subject is empty; write Subject: what the mail is about");
    parsed->subject = mustache_parse(value, &cause);
    if (parsed->subject)
        return TRUE;
    const char *colon = strchr(cause->message, ':');
    return fault(error, line, colon ? colon + 2 : cause->message);
}

static gboolean read_header(MailTemplate *parsed, const char *header, guint line, GError **error)
{
    static const char *const known[] = {"Subject", "Default", NULL};
    const char *colon = strchr(header, ':');
    if (!colon)
        return fault(error, line, "a header line has no colon; write Subject: …, and an empty line before the body");
    g_autofree char *name = g_strstrip(g_strndup(header, (gsize)(colon - header)));
    g_autofree char *value = g_strstrip(g_strdup(colon + 1));
    if (g_ascii_strcasecmp(name, "Subject") == 0)
        return read_subject(parsed, value, line, error);
    if (g_ascii_strcasecmp(name, "Default") == 0)
        return read_default(parsed, value, line, error);
    const char *nearest = text_nearest(name, known);
    g_autofree char *shown = text_escape(name, 40);
    g_autofree char *what = nearest ? g_strdup_printf("unknown header \"%s\"; did you mean \"%s\"?", shown, nearest)
                                    : g_strdup_printf("unknown header \"%s\"; write Subject: or Default:, and an empty line before the body", shown);
    return fault(error, line, what);
}

/* Reads header lines (folded ones joined) up to the empty line; *ret_body is behind it, *ret_line its number. */
static gboolean read_headers(MailTemplate *parsed, const char *text, const char **ret_body, guint *ret_line, GError **error)
{
    const char *at = text;
    guint line = 1;
    while (*at && *at != '\n') {
        guint first = line;
        GString *header = g_string_new(NULL);
        do {
            gsize length = strcspn(at, "\n");
            g_string_append_len(header, at, (gssize)length);
            at += length + (at[length] == '\n');
            line++;
        } while (*at == ' ' || *at == '\t');
        gboolean ok = read_header(parsed, header->str, first, error);
        g_string_free(header, TRUE);
        if (!ok)
            return FALSE;
    }
    if (*at != '\n')
        return fault(error, line, "there is no body; write an empty line behind the headers, then the text");
    *ret_body = at + 1;
    *ret_line = line + 1;
    return TRUE;
}

/* Moves "line 3: …" of the body to its line in the file. */
static void shift_line(GError **error, const GError *cause, guint first_line)
{
    guint64 line = 1;
    const char *colon = strchr(cause->message, ':');
    if (g_str_has_prefix(cause->message, "line "))
        line = g_ascii_strtoull(cause->message + 5, NULL, 10);
    fault(error, (guint)line + first_line - 1, colon ? colon + 2 : cause->message);
}

static char *normal_text(const char *text)
{
    GString *normal = g_string_new(g_str_has_prefix(text, "\xEF\xBB\xBF") ? text + 3 : text);
    g_string_replace(normal, "\r\n", "\n", 0);
    g_string_replace(normal, "\r", "\n", 0);
    return g_string_free(normal, FALSE);
}

MailTemplate *mail_template_parse(const char *text, TemplateKind kind, GError **error)
{
    g_autoptr(MailTemplate) parsed = g_new0(MailTemplate, 1);
    g_autofree char *normal = normal_text(text);
    g_autoptr(GError) cause = NULL;
    const char *body = NULL;
    guint line = 0;
    parsed->kind = kind;
    parsed->defaults = g_array_new(FALSE, FALSE, sizeof(Default));
    g_array_set_clear_func(parsed->defaults, default_clear);
    if (!read_headers(parsed, normal, &body, &line, error))
        return NULL;
    if (!parsed->subject) {
        fault(error, 1, "there is no Subject:; write it on the first line");
        return NULL;
    }
    parsed->body = mustache_parse(body, &cause);
    if (!parsed->body) {
        shift_line(error, cause, line);
        return NULL;
    }
    return g_steal_pointer(&parsed);
}

void mail_template_free(MailTemplate *mail_template)
{
    if (!mail_template)
        return;
    mustache_free(mail_template->subject);
    mustache_free(mail_template->body);
    g_array_unref(mail_template->defaults);
    g_free(mail_template);
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

/* ---- defaults -------------------------------------------------------------------------------------------------------- */

static void copy_member(JsonObject *object, const char *name, JsonNode *node, gpointer data)
{
    (void)object;
    json_object_set_member(data, name, json_node_copy(node));
}

/* A copy that shares its members' objects. */
static JsonObject *shallow_copy(JsonObject *object)
{
    JsonObject *copy = json_object_new();
    if (object)
        json_object_foreach_member(object, copy_member, copy);
    return copy;
}

static gboolean has_value(JsonNode *node)
{
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return FALSE;
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        JsonObject *object = json_node_get_object(node);
        return !json_object_has_member(object, "") || has_value(json_object_get_member(object, ""));
    }
    return !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING || *json_node_get_string(node);
}

/* Gives object.path[0].path[1]… the value where it has none. object is a copy of the caller's own. */
static void set_default(JsonObject *object, char **path, const char *value)
{
    JsonNode *node = json_object_has_member(object, path[0]) ? json_object_get_member(object, path[0]) : NULL;
    gboolean is_object = node && JSON_NODE_HOLDS_OBJECT(node);
    if (!path[1] && has_value(node))
        return;
    if (!path[1] && !is_object) {
        json_object_set_string_member(object, path[0], value);
        return;
    }
    if (path[1] && node && !is_object)
        return;
    JsonObject *inside = shallow_copy(is_object ? json_node_get_object(node) : NULL);
    char *own[] = {(char *)"", NULL};
    set_default(inside, path[1] ? path + 1 : own, value);
    json_object_set_object_member(object, path[0], inside);
}

static JsonNode *with_defaults(const MailTemplate *mail_template, JsonObject *context)
{
    JsonObject *copy = shallow_copy(context);
    for (guint i = 0; i < mail_template->defaults->len; i++) {
        const Default *entry = &g_array_index(mail_template->defaults, Default, i);
        g_auto(GStrv) path = g_strsplit(entry->name, ".", -1);
        set_default(copy, path, entry->value);
    }
    JsonNode *root = json_node_alloc();
    json_node_init_object(root, copy);
    json_object_unref(copy);
    return root;
}

/* ---- rendering ------------------------------------------------------------------------------------------------------- */

/* Line ends, controls and marks that turn the direction of writing become a space: a value cannot leave its line. */
static void escape_line(const char *value, GString *out)
{
    for (const char *p = value; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean unsafe = g_unichar_iscntrl(c) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        g_string_append_unichar(out, unsafe ? ' ' : c);
    }
}

/* A value in a text body: its own line ends are kept, controls are not. */
static void escape_text(const char *value, GString *out)
{
    for (const char *p = value; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' || c == '\t' || !g_unichar_iscntrl(c))
            g_string_append_unichar(out, c);
    }
}

static char *clean_subject(const char *rendered)
{
    GString *safe = g_string_new(NULL);
    escape_line(rendered, safe);
    g_autofree char *line = text_one_line(safe->str);
    g_string_free(safe, TRUE);
    if (g_utf8_strlen(line, -1) <= SUBJECT_MAX_CHARS)
        return g_steal_pointer(&line);
    return g_utf8_substring(line, 0, SUBJECT_MAX_CHARS);
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
    MustacheOptions options = {.escape = escape_line, .partial = partial, .data = data, .missing_is_error = TRUE};
    g_autoptr(JsonNode) root = with_defaults(mail_template, context);
    g_autofree char *subject = mustache_render(mail_template->subject, root, &options, error);
    if (!subject)
        return FALSE;
    options.escape = is_markdown ? markdown_escape : escape_text;
    g_autofree char *body = mustache_render(mail_template->body, root, &options, error);
    if (!body)
        return FALSE;
    ret_rendered->subject = clean_subject(subject);
    ret_rendered->text = is_markdown ? markdown_to_text(body) : g_steal_pointer(&body);
    ret_rendered->html = is_markdown ? markdown_to_html(body) : NULL;
    return TRUE;
}
