/*
 * libFuzzer: any bytes as a template, a partial and a value, through Mustache, Markdown and composing. What comes out
 * must be a message that is 7-bit, in lines of at most 998 octets, with CRLF and without a header that we did not write.
 *
 * The input is cut at NULs: template, partial, value.
 */
#include <json-glib/json-glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mail/compose.h"
#include "mail/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    char *template_text, *partial, *value;
} Input;

static const char *partial_of(const char *name, gpointer data)
{
    return *name == 'n' ? NULL : data;
}

static const char *partial_of_kind(const char *name, TemplateKind kind, gpointer data)
{
    (void)kind;
    return partial_of(name, data);
}

static MailFile *image; /* the one that every template finds */

static const MailFile *image_of(const char *path, gpointer data)
{
    (void)data;
    return *path == 'n' ? NULL : image;
}

/* The next part of the bytes up to a NUL. Caller frees. */
static char *take_part(const char **at, const char *end)
{
    const char *nul = *at < end ? memchr(*at, 0, (size_t)(end - *at)) : NULL;
    const char *stop = nul ? nul : end;
    char *part = g_strndup(*at, (gsize)(stop - *at));
    *at = nul ? nul + 1 : end;
    return part;
}

static JsonObject *context_of(const char *value)
{
    JsonObject *context = json_object_new();
    JsonObject *company = json_object_new();
    JsonArray *list = json_array_new();
    json_array_add_int_element(list, 1);
    json_array_add_string_element(list, value);
    json_object_set_string_member(company, "", value);
    json_object_set_string_member(company, "b", value);
    json_object_set_string_member(context, "x", value);
    json_object_set_double_member(context, "d", 1.21);
    json_object_set_object_member(context, "a", company);
    json_object_set_array_member(context, "l", list);
    return context;
}

static void check_message(GBytes *bytes)
{
    gsize size = 0, line = 0;
    const char *raw = g_bytes_get_data(bytes, &size);
    for (gsize i = 0; i < size; i++) {
        g_assert(raw[i] > 0 && (raw[i] != '\n' || (i > 0 && raw[i - 1] == '\r')) &&
                 (raw[i] != '\r' || (i + 1 < size && raw[i + 1] == '\n')));
        line = raw[i] == '\n' ? 0 : line + 1;
        g_assert(line <= 999); /* with its CR */
    }
    g_autofree char *text = g_strndup(raw, size);
    g_auto(GStrv) parts = g_strsplit(text, "\r\n\r\n", 2);
    g_auto(GStrv) lines = g_strsplit(parts[0], "\r\n", -1);
    for (char **header = lines; *header; header++)
        g_assert(**header == ' ' ||
                 g_regex_match_simple("^(From|To|Reply-To|Subject|Date|Message-ID|Content-[A-Za-z-]+|MIME-Version):", *header, 0, 0));
}

static void compose(const RenderedTemplate *rendered, const char *name)
{
    g_autoptr(MailFile) file = mail_file_new(name, name, (const guchar *)name, strlen(name));
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    g_ptr_array_add(files, file);
    const ComposeInput input = {.rendered = rendered,
                                .from_name = name,
                                .from_address = "anna@example.com",
                                .to_name = name,
                                .to_address = "kare@example.no",
                                .reply_to = "sales@example.com",
                                .reply_to_name = name,
                                .attachments = files,
                                .message_id = "1@example.com",
                                .in_reply_to = name,
                                .references = name,
                                .organisation = name,
                                .postal_address = name,
                                .language = name};
    ComposedMessage message = {0};
    ComposeInput safe = input;
    safe.in_reply_to = safe.references = "";
    if (mail_compose(&safe, &message, NULL)) {
        check_message(message.bytes);
        composed_message_clear(&message);
    }
    if (mail_compose(&input, &message, NULL)) /* ids of a remote */
        composed_message_clear(&message);
}

static void try_template(const Input *input, JsonObject *context, TemplateKind kind)
{
    RenderedTemplate rendered = {0};
    const TemplateSources sources = {.partial = partial_of_kind, .image = image_of, .data = input->partial};
    g_autofree char *text = g_strconcat("Subject: {{x}}\nFrom-Name: {{x}}\nDefault: y = z\n\n", input->template_text, NULL);
    g_autoptr(MailTemplate) parsed = mail_template_parse(text, kind, NULL);
    if (parsed && mail_template_render(parsed, context, &sources, &rendered, NULL)) {
        g_assert(g_utf8_validate(rendered.text, -1, NULL) && !strchr(rendered.text, '\r'));
        g_assert(!rendered.html || (g_utf8_validate(rendered.html, -1, NULL) && !strstr(rendered.html, "javascript:\"")));
        compose(&rendered, input->value);
        rendered_template_clear(&rendered);
    }
}

static void try_mustache(const Input *input, JsonObject *context)
{
    const MustacheOptions options = {.escape = mustache_escape_html, .partial = partial_of, .data = input->partial};
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), context);
    g_autoptr(Mustache) mustache = mustache_parse(input->template_text, &error);
    g_assert((mustache == NULL) == g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE));
    g_assert(mustache || g_str_has_prefix(error->message, "line "));
    if (mustache) {
        g_strfreev(mustache_partials(mustache));
        g_free(mustache_render(mustache, root, &options, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!image)
        image = mail_file_new("logo.png", "image/png", (const guchar *)"x", 1);
    const char *at = (const char *)data, *end = at + size;
    if (size == 0)
        return 0;
    Input input = {.template_text = take_part(&at, end), .partial = take_part(&at, end), .value = take_part(&at, end)};
    g_autoptr(JsonObject) context = context_of(input.value);
    try_mustache(&input, context);
    try_template(&input, context, TEMPLATE_MARKDOWN);
    try_template(&input, context, TEMPLATE_TEXT);
    g_free(input.template_text);
    g_free(input.partial);
    g_free(input.value);
    return 0;
}
