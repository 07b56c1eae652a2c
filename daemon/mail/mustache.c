/*
 * Mustache: rendering. A tree is read only, so that any number of threads may render it at once; all state of one
 * rendering is in its Renderer.
 *
 * Everything is bounded, for templates that call themselves as well: depth by MAX_DEPTH and MAX_PARTIALS, work by a
 * budget that each node and each look-up spends from, the result by MAX_OUTPUT.
 */
#include "mail/mustache.h"

#include <string.h>

#include "mail/mustache_tree.h"

enum {
    MAX_PARTIALS = 50,
    MAX_DEPTH = 256, /* of nodes within nodes, through partials: some 100 kB of the thread's stack */
    MAX_OUTPUT = 8 * 1024 * 1024,
    MAX_WORK = 2000000
};

/* What the first line of a block's content is to do: as the content says, or as the place says where it is put. */
typedef enum { LINE_AS_WRITTEN, LINE_INDENTED, LINE_CONTINUED } FirstLine;

/* Blocks that a child gave to a parent; outer ones win. */
typedef struct Overrides {
    GHashTable *blocks;
    const struct Overrides *outer;
} Overrides;

typedef struct {
    const MustacheOptions *options;
    GString *out;
    GPtrArray *stack;   /* JsonNode*, innermost last */
    const char *indent; /* of the lines of the partial or block under way */
    FirstLine first_line;
    GHashTable *partials; /* name -> Mustache*, NULL for none: each is parsed once, and kept since overrides point into it */
    const Overrides *overrides;
    guint depth, partial_depth;
    guint work;
    GError **error;
} Renderer;

static gboolean render_nodes(Renderer *renderer, const GPtrArray *nodes);

static gboolean fail(const Renderer *renderer, MailError code, const char *message)
{
    g_set_error_literal(renderer->error, MAIL_ERROR, (gint)code, message);
    return FALSE;
}

static gboolean spend(Renderer *renderer, guint amount)
{
    renderer->work += amount;
    if (renderer->work > MAX_WORK)
        return fail(renderer, MAIL_ERROR_LIMIT, "the template does too much; write it with fewer loops and partials");
    if (renderer->out->len > MAX_OUTPUT)
        return fail(renderer, MAIL_ERROR_LIMIT, "the text grows beyond 8 MiB; write a shorter template");
    return TRUE;
}

void mustache_escape_html(const char *value, GString *out)
{
    for (;;) {
        gsize plain = strcspn(value, "&<>\"");
        g_string_append_len(out, value, (gssize)plain);
        value += plain;
        if (!*value)
            return;
        g_string_append(out, *value == '&' ? "&amp;" : *value == '<' ? "&lt;" : *value == '>' ? "&gt;" : "&quot;");
        value++;
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static JsonNode *member_of(JsonNode *node, const char *name)
{
    return JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), name) : NULL;
}

/* "a.b.c": a from the innermost context that has it, else as the caller knows it, the rest inside. NULL: there is none. */
static JsonNode *look_up(Renderer *renderer, char *const *path)
{
    guint level = renderer->stack->len;
    JsonNode *node = path[0] ? NULL : renderer->stack->pdata[level - 1];
    while (path[0] && !node && level > 0)
        node = member_of(renderer->stack->pdata[--level], path[0]);
    renderer->work += renderer->stack->len - level;
    if (path[0] && !node && renderer->options->variable)
        node = renderer->options->variable(path[0], renderer->options->variables);
    for (guint i = 1; path[0] && node && path[i]; i++)
        node = member_of(node, path[i]);
    return node;
}

/* What the node prints as: itself, or an object's member "". NULL for nothing. */
static JsonNode *printed_by(JsonNode *node)
{
    if (node && JSON_NODE_HOLDS_OBJECT(node))
        node = member_of(node, "");
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return NULL;
    if (json_node_get_value_type(node) != G_TYPE_STRING)
        return node;
    const char *text = json_node_get_string(node);
    return text && *text ? node : NULL;
}

static JsonNode *default_of(const Renderer *renderer, const char *name)
{
    return renderer->options->defaults ? g_hash_table_lookup(renderer->options->defaults, name) : NULL;
}

static gboolean is_true(JsonNode *node)
{
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return FALSE;
    if (JSON_NODE_HOLDS_ARRAY(node))
        return json_array_get_length(json_node_get_array(node)) > 0;
    if (JSON_NODE_HOLDS_OBJECT(node) && !member_of(node, ""))
        return TRUE;
    JsonNode *printed = printed_by(node);
    return printed && (json_node_get_value_type(printed) != G_TYPE_BOOLEAN || json_node_get_boolean(printed));
}

/* What a section is about; NULL where it is false. */
static JsonNode *section_value(Renderer *renderer, const MustacheNode *node)
{
    JsonNode *value = look_up(renderer, node->path);
    if (is_true(value))
        return value;
    JsonNode *fallback = printed_by(value) ? NULL : default_of(renderer, node->text);
    return fallback && value && JSON_NODE_HOLDS_OBJECT(value) ? value : fallback;
}

/* The shortest text that reads as the same number. */
static void format_number(double number, char *text, gsize size)
{
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, (gint)size, formats[i], number);
        if (g_ascii_strtod(text, NULL) == number)
            return;
    }
}

/* The value's text: its own, or written into buffer. */
static const char *text_of(JsonNode *value, char *buffer, gsize size)
{
    GType type = json_node_get_value_type(value);
    if (type == G_TYPE_STRING)
        return json_node_get_string(value);
    if (type == G_TYPE_BOOLEAN)
        return json_node_get_boolean(value) ? "true" : "false";
    if (type == G_TYPE_INT64)
        g_snprintf(buffer, size, "%" G_GINT64_FORMAT, json_node_get_int(value));
    else
        format_number(json_node_get_double(value), buffer, size);
    return buffer;
}

/* ---- text and variables ------------------------------------------------------------------------------------------- */

static gboolean takes_indent(Renderer *renderer, gboolean line_start)
{
    FirstLine first = renderer->first_line;
    renderer->first_line = LINE_AS_WRITTEN;
    return first == LINE_AS_WRITTEN ? line_start : first == LINE_INDENTED;
}

static gboolean render_text(Renderer *renderer, const MustacheNode *node)
{
    gboolean indented = takes_indent(renderer, node->line_start);
    if (!*renderer->indent) {
        g_string_append_len(renderer->out, node->text, (gssize)node->length);
        return TRUE;
    }
    const char *line = node->text;
    do {
        const char *newline = strchr(line, '\n');
        gsize length = newline ? (gsize)(newline + 1 - line) : strlen(line);
        if (indented)
            g_string_append(renderer->out, renderer->indent);
        g_string_append_len(renderer->out, line, (gssize)length);
        if (!spend(renderer, 1))
            return FALSE;
        line += length;
        indented = TRUE;
    } while (*line);
    return TRUE;
}

static gboolean render_variable(Renderer *renderer, const MustacheNode *node)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    JsonNode *value = printed_by(look_up(renderer, node->path));
    if (!value)
        value = printed_by(default_of(renderer, node->text));
    if (takes_indent(renderer, FALSE))
        g_string_append(renderer->out, renderer->indent);
    if (!value && renderer->options->missing_is_error) {
        g_autofree char *message =
            g_strdup_printf("the variable \"%s\" has no value for this contact; give it one, or write "
                            "\"Default: %s = …\" in the template",
                            node->text, node->text);
        return fail(renderer, MAIL_ERROR_MISSING, message);
    }
    if (!value)
        return TRUE;
    const char *text = text_of(value, buffer, sizeof(buffer));
    if (strlen(text) > MAX_OUTPUT - MIN(renderer->out->len, MAX_OUTPUT))
        return fail(renderer, MAIL_ERROR_LIMIT, "the text grows beyond 8 MiB; write a shorter template");
    if (node->type == NODE_VARIABLE)
        renderer->options->escape(text, renderer->out);
    else
        g_string_append(renderer->out, text);
    return TRUE;
}

/* ---- sections ----------------------------------------------------------------------------------------------------- */

static gboolean render_inside(Renderer *renderer, JsonNode *context, const GPtrArray *nodes)
{
    g_ptr_array_add(renderer->stack, context);
    gboolean ok = render_nodes(renderer, nodes);
    g_ptr_array_set_size(renderer->stack, (gint)renderer->stack->len - 1);
    return ok;
}

static gboolean render_section(Renderer *renderer, const MustacheNode *node)
{
    JsonNode *value = section_value(renderer, node);
    if (!value)
        return TRUE;
    if (!JSON_NODE_HOLDS_ARRAY(value))
        return render_inside(renderer, value, node->children);
    JsonArray *array = json_node_get_array(value);
    for (guint i = 0; i < json_array_get_length(array); i++)
        if (!spend(renderer, 1) || !render_inside(renderer, json_array_get_element(array, i), node->children))
            return FALSE;
    return TRUE;
}

/* ---- partials, parents and blocks --------------------------------------------------------------------------------- */

/* *ret_partial is NULL where there is none, which renders as nothing. FALSE: it is no template. */
static gboolean find_partial(Renderer *renderer, const char *name, const Mustache **ret_partial)
{
    gpointer known = NULL;
    if (g_hash_table_lookup_extended(renderer->partials, name, NULL, &known)) {
        *ret_partial = known;
        return TRUE;
    }
    const char *text = renderer->options->partial ? renderer->options->partial(name, renderer->options->data) : NULL;
    Mustache *partial = text ? mustache_parse(text, renderer->error) : NULL;
    if (text && !partial) {
        g_prefix_error(renderer->error, "partial \"%s\": ", name);
        return FALSE;
    }
    g_hash_table_insert(renderer->partials, g_strdup(name), partial);
    *ret_partial = partial;
    return TRUE;
}

/* The nodes, each of their lines indented by what is in force and by indent. */
static gboolean render_indented(Renderer *renderer, const GPtrArray *nodes, const char *indent)
{
    const char *before = renderer->indent;
    g_autofree char *both = *indent && *before ? g_strconcat(before, indent, NULL) : NULL;
    renderer->indent = both ? both : *indent ? indent : before;
    gboolean ok = render_nodes(renderer, nodes);
    renderer->indent = before;
    return ok;
}

static gboolean render_partial(Renderer *renderer, const MustacheNode *node)
{
    const Mustache *partial = NULL;
    if (!find_partial(renderer, node->text, &partial))
        return FALSE;
    if (!partial)
        return TRUE;
    const Overrides *outer = renderer->overrides;
    const Overrides own = {.blocks = node->overrides, .outer = outer};
    const char *indent = renderer->indent;
    if (!node->standalone)
        renderer->indent = ""; /* a text of its own, in the middle of a line */
    if (node->overrides)
        renderer->overrides = &own;
    gboolean ok = render_indented(renderer, partial->nodes, node->indent);
    renderer->overrides = outer;
    renderer->indent = indent;
    return ok;
}

/* The block that stands in this one's place: the outermost child's; NULL where none says anything. */
static const MustacheNode *find_override(Renderer *renderer, const MustacheNode *block)
{
    const MustacheNode *found = NULL;
    for (const Overrides *level = renderer->overrides; level; level = level->outer) {
        const MustacheNode *own = g_hash_table_lookup(level->blocks, block->text);
        found = own ? own : found;
        renderer->work++;
    }
    return found;
}

static gboolean render_block(Renderer *renderer, const MustacheNode *node)
{
    const MustacheNode *override = find_override(renderer, node);
    if (override && override->children->len > 0 && renderer->first_line == LINE_AS_WRITTEN)
        renderer->first_line = node->standalone ? LINE_INDENTED : LINE_CONTINUED;
    gboolean ok = render_indented(renderer, override ? override->children : node->children, node->indent);
    if (override)
        renderer->first_line = LINE_AS_WRITTEN;
    return ok;
}

static gboolean render_nested(Renderer *renderer, const MustacheNode *node)
{
    if (renderer->partial_depth >= MAX_PARTIALS) {
        g_autofree char *message = g_strdup_printf(
            "\"%s\" calls itself, or partials are nested more than %d deep; take one of them out", node->text, MAX_PARTIALS);
        return fail(renderer, MAIL_ERROR_LIMIT, message);
    }
    renderer->partial_depth++;
    gboolean ok = node->type == NODE_BLOCK ? render_block(renderer, node) : render_partial(renderer, node);
    renderer->partial_depth--;
    return ok;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static gboolean render_node(Renderer *renderer, const MustacheNode *node)
{
    switch (node->type) {
    case NODE_TEXT:
        return render_text(renderer, node);
    case NODE_VARIABLE:
    case NODE_RAW:
        return render_variable(renderer, node);
    case NODE_SECTION:
        return render_section(renderer, node);
    case NODE_INVERTED:
        return section_value(renderer, node) || render_nodes(renderer, node->children);
    case NODE_PARTIAL:
    case NODE_PARENT:
    case NODE_BLOCK:
        return render_nested(renderer, node);
    }
    g_assert_not_reached();
}

static gboolean render_nodes(Renderer *renderer, const GPtrArray *nodes)
{
    if (renderer->depth >= MAX_DEPTH)
        return fail(renderer, MAIL_ERROR_LIMIT, "sections and partials are nested too deep; write fewer inside each other");
    gboolean ok = TRUE;
    renderer->depth++;
    for (guint i = 0; i < nodes->len && ok; i++)
        ok = spend(renderer, 1) && render_node(renderer, nodes->pdata[i]);
    renderer->depth--;
    return ok;
}

char *mustache_render(const Mustache *mustache, JsonNode *context, const MustacheOptions *options, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Renderer renderer = {.options = options,
                         .out = g_string_sized_new(2048),
                         .stack = g_ptr_array_new(),
                         .indent = "",
                         .partials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)mustache_free),
                         .error = &cause};
    g_ptr_array_add(renderer.stack, context);
    gboolean ok = render_nodes(&renderer, mustache->nodes) && spend(&renderer, 0);
    g_ptr_array_unref(renderer.stack);
    g_hash_table_unref(renderer.partials);
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    return g_string_free(renderer.out, !ok);
}
