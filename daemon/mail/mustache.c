/*
 * Mustache: rendering. A tree is read only, so that any number of threads may render it at once.
 */
#include "mail/mustache.h"

#include <string.h>

#include "mail/mustache_tree.h"

enum { MAX_PARTIALS = 50, MAX_OUTPUT = 8 * 1024 * 1024, MAX_STEPS = 2000000 };

typedef struct Overrides Overrides;

/* Blocks that a child gave to a parent; outer ones win. */
struct Overrides {
    const GPtrArray *nodes; /* children of a NODE_PARENT */
    const Overrides *outer;
};

typedef struct {
    const MustacheOptions *options;
    GString *out;
    GPtrArray *stack;   /* JsonNode*, innermost last */
    GString *indent;    /* current */
    GPtrArray *parsed;  /* Mustache*: partials, kept until the end, since overrides point into them */
    guint depth;        /* of partials and blocks */
    guint steps;
    const Overrides *overrides;
    GError **error;
} Renderer;

static gboolean render_nodes(Renderer *renderer, const GPtrArray *nodes, gboolean skip_first_start);

Mustache *mustache_parse(const char *text, GError **error)
{
    GPtrArray *nodes = mustache_tree_parse(text, error);
    if (!nodes)
        return NULL;
    Mustache *mustache = g_new0(Mustache, 1);
    mustache->nodes = nodes;
    return mustache;
}

void mustache_free(Mustache *mustache)
{
    if (!mustache)
        return;
    g_ptr_array_unref(mustache->nodes);
    g_free(mustache);
}

void mustache_escape_html(const char *value, GString *out)
{
    for (const char *p = value; *p; p++) {
        switch (*p) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        default:
            g_string_append_c(out, *p);
        }
    }
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

static JsonNode *member_of(JsonNode *node, const char *name)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), name) : NULL;
}

/* "a.b.c": a from the innermost context that has it, the rest inside. NULL: there is none. */
static JsonNode *look_up(const Renderer *renderer, const char *name)
{
    if (g_str_equal(name, "."))
        return renderer->stack->pdata[renderer->stack->len - 1];
    g_auto(GStrv) parts = g_strsplit(name, ".", -1);
    JsonNode *node = NULL;
    for (guint i = renderer->stack->len; i > 0 && !node; i--)
        node = member_of(renderer->stack->pdata[i - 1], parts[0]);
    for (guint i = 1; node && parts[i]; i++)
        node = member_of(node, parts[i]);
    return node;
}

static char *number_text(double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];
        g_snprintf(format, sizeof(format), "%%.%dg", digits);
        g_ascii_formatd(text, sizeof(text), format, number);
        if (g_ascii_strtod(text, NULL) == number)
            break;
    }
    return g_strdup(text);
}

/* The text of a value; NULL for what prints as nothing. Caller frees. */
static char *text_of(JsonNode *node)
{
    if (node && JSON_NODE_HOLDS_OBJECT(node))
        node = member_of(node, "");
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return NULL;
    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_STRING)
        return json_node_dup_string(node);
    if (type == G_TYPE_BOOLEAN)
        return g_strdup(json_node_get_boolean(node) ? "true" : "false");
    if (type == G_TYPE_INT64)
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
    return number_text(json_node_get_double(node));
}

static gboolean is_true(JsonNode *node)
{
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return FALSE;
    if (JSON_NODE_HOLDS_ARRAY(node))
        return json_array_get_length(json_node_get_array(node)) > 0;
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        JsonNode *own = member_of(node, "");
        return !own || is_true(own);
    }
    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_BOOLEAN)
        return json_node_get_boolean(node);
    return type != G_TYPE_STRING || *json_node_get_string(node);
}

/* ---- nodes ----------------------------------------------------------------------------------------------------------- */

static gboolean fail(Renderer *renderer, MailError code, const char *format, const char *what)
{
    g_autofree char *shown = g_strdup(what);
    GString *message = g_string_new(format);
    g_string_replace(message, "%", shown, 1);
    g_set_error_literal(renderer->error, MAIL_ERROR, (gint)code, message->str);
    g_string_free(message, TRUE);
    return FALSE;
}

static gboolean render_variable(Renderer *renderer, const MustacheNode *node)
{
    g_autofree char *text = text_of(look_up(renderer, node->text));
    if (!text || !*text)
        return !renderer->options->missing_is_error ||
               fail(renderer, MAIL_ERROR_MISSING, "\"%\" has no value for this contact; give it one, or a default (Default: name = value)",
                    node->text);
    if (node->type == NODE_VARIABLE)
        renderer->options->escape(text, renderer->out);
    else
        g_string_append(renderer->out, text);
    return TRUE;
}

static gboolean render_inside(Renderer *renderer, JsonNode *context, const GPtrArray *nodes)
{
    g_ptr_array_add(renderer->stack, context);
    gboolean ok = render_nodes(renderer, nodes, FALSE);
    g_ptr_array_set_size(renderer->stack, (int)renderer->stack->len - 1);
    return ok;
}

static gboolean render_section(Renderer *renderer, const MustacheNode *node)
{
    JsonNode *value = look_up(renderer, node->text);
    if (!is_true(value))
        return TRUE;
    if (!JSON_NODE_HOLDS_ARRAY(value))
        return render_inside(renderer, value, node->children);
    JsonArray *array = json_node_get_array(value);
    for (guint i = 0; i < json_array_get_length(array); i++)
        if (!render_inside(renderer, json_array_get_element(array, i), node->children))
            return FALSE;
    return TRUE;
}

/* The tree of the partial; NULL: there is none, or (error set) it is no template. */
static const Mustache *load_partial(Renderer *renderer, const char *name)
{
    const char *text = renderer->options->partial ? renderer->options->partial(name, renderer->options->data) : NULL;
    Mustache *mustache = text ? mustache_parse(text, renderer->error) : NULL;
    if (mustache)
        g_ptr_array_add(renderer->parsed, mustache);
    return mustache;
}

static gboolean render_indented(Renderer *renderer, const GPtrArray *nodes, const char *indent, gboolean skip_first_start)
{
    gsize before = renderer->indent->len;
    g_string_append(renderer->indent, indent);
    gboolean ok = render_nodes(renderer, nodes, skip_first_start);
    g_string_truncate(renderer->indent, before);
    return ok;
}

static gboolean render_partial(Renderer *renderer, const MustacheNode *node)
{
    g_autoptr(GError) cause = NULL;
    GError **outer = renderer->error;
    renderer->error = &cause;
    const Mustache *partial = load_partial(renderer, node->text);
    renderer->error = outer;
    if (cause) {
        g_propagate_prefixed_error(outer, g_steal_pointer(&cause), "partial %s: ", node->text);
        return FALSE;
    }
    if (!partial)
        return TRUE;
    const Overrides *before = renderer->overrides;
    const Overrides own = {.nodes = node->children, .outer = before};
    renderer->overrides = node->type == NODE_PARENT ? &own : NULL; /* blocks reach into parents, not into partials */
    gboolean ok = render_indented(renderer, partial->nodes, node->indent, !node->begins_line);
    renderer->overrides = before;
    return ok;
}

/* What the outermost child says that stands in the block; the block's own content where none says anything. */
static const GPtrArray *content_of(const Renderer *renderer, const MustacheNode *block)
{
    const GPtrArray *content = block->children;
    for (const Overrides *level = renderer->overrides; level; level = level->outer)
        for (guint i = 0; i < level->nodes->len; i++) {
            const MustacheNode *node = level->nodes->pdata[i];
            if (node->type == NODE_BLOCK && g_str_equal(node->text, block->text))
                content = node->children;
        }
    return content;
}

static gboolean render_block(Renderer *renderer, const MustacheNode *node)
{
    const GPtrArray *content = content_of(renderer, node);
    const MustacheNode *first = content->len > 0 ? content->pdata[0] : NULL;
    gboolean starts_line = first && first->type == NODE_LINE_START;
    if (node->begins_line && first && !starts_line && first->type != NODE_BLOCK) {
        g_string_append(renderer->out, renderer->indent->str);
        g_string_append(renderer->out, node->indent);
    }
    return render_indented(renderer, content, node->indent, !node->begins_line);
}

static gboolean render_nested(Renderer *renderer, const MustacheNode *node)
{
    if (++renderer->depth > MAX_PARTIALS)
        return fail(renderer, MAIL_ERROR_LIMIT, "partial \"%\" calls itself, or partials are nested too deep", node->text);
    gboolean ok = node->type == NODE_BLOCK ? render_block(renderer, node) : render_partial(renderer, node);
    renderer->depth--;
    return ok;
}

static gboolean render_node(Renderer *renderer, const MustacheNode *node)
{
    switch (node->type) {
    case NODE_TEXT:
        g_string_append(renderer->out, node->text);
        return TRUE;
    case NODE_LINE_START:
        g_string_append_len(renderer->out, renderer->indent->str, (gssize)renderer->indent->len);
        return TRUE;
    case NODE_VARIABLE:
    case NODE_RAW:
        return render_variable(renderer, node);
    case NODE_SECTION:
        return render_section(renderer, node);
    case NODE_INVERTED:
        return is_true(look_up(renderer, node->text)) || render_nodes(renderer, node->children, FALSE);
    case NODE_PARTIAL:
    case NODE_PARENT:
    case NODE_BLOCK:
        return render_nested(renderer, node);
    }
    g_assert_not_reached();
}

static gboolean render_nodes(Renderer *renderer, const GPtrArray *nodes, gboolean skip_first_start)
{
    for (guint i = 0; i < nodes->len; i++) {
        const MustacheNode *node = nodes->pdata[i];
        if (i == 0 && skip_first_start && node->type == NODE_LINE_START)
            continue;
        if (renderer->out->len > MAX_OUTPUT || ++renderer->steps > MAX_STEPS)
            return fail(renderer, MAIL_ERROR_LIMIT, "the message would be larger than a mail may be", "");
        if (!render_node(renderer, node))
            return FALSE;
    }
    return TRUE;
}

char *mustache_render(const Mustache *mustache, JsonNode *context, const MustacheOptions *options, GError **error)
{
    g_autoptr(GError) cause = NULL;
    Renderer renderer = {.options = options,
                         .out = g_string_new(NULL),
                         .stack = g_ptr_array_new(),
                         .indent = g_string_new(NULL),
                         .parsed = g_ptr_array_new_with_free_func((GDestroyNotify)mustache_free),
                         .error = &cause};
    g_ptr_array_add(renderer.stack, context);
    gboolean ok = render_nodes(&renderer, mustache->nodes, FALSE);
    g_ptr_array_unref(renderer.stack);
    g_ptr_array_unref(renderer.parsed);
    g_string_free(renderer.indent, TRUE);
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    return g_string_free(renderer.out, !ok);
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static void collect_partials(const GPtrArray *nodes, GHashTable *names)
{
    for (guint i = 0; i < nodes->len; i++) {
        const MustacheNode *node = nodes->pdata[i];
        if (node->type == NODE_PARTIAL || node->type == NODE_PARENT)
            g_hash_table_add(names, node->text);
        if (node->children)
            collect_partials(node->children, names);
    }
}

char **mustache_partials(const Mustache *mustache)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    collect_partials(mustache->nodes, names);
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(names), (GCompareFunc)strcmp);
    for (GList *key = keys; key; key = key->next)
        g_strv_builder_add(builder, key->data);
    return g_strv_builder_end(builder);
}
