/*
 * Mustache: from text to tree, in one pass over the text with a stack of the sections that are open.
 *
 * A tag without output that stands alone on its line takes the line with it, as the specification says. Indentation is
 * kept in the tree, not in the text: a text node knows whether a line of the template begins with it, so that the lines
 * of partials and blocks are indented where they are used, and values never are. A block's content is freed of the
 * indentation that it has where it is written ("dedented").
 */
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "mail/mustache_tree.h"

typedef struct {
    char mark;               /* '#', '^', … as written; '\0': a variable */
    char *name;              /* or the content of a comment or of set delimiters */
    const char *start, *end; /* of the tag in the text */
    const char *line_begin;  /* where its line begins, if only white space stands before it; NULL else */
    const char *line_end;    /* behind its line's end, if only white space stands behind it; NULL else */
    guint line;
} Tag;

typedef struct {
    MustacheNode *node;
    guint line;
    const char *start, *end; /* of the opening tag */
    const char *line_begin;  /* as Tag's */
    const char *content;     /* BLOCK that is opened on a line of its own: the line behind it; NULL else */
} Frame;

typedef struct {
    const char *text, *at, *text_end;
    guint line;           /* of at */
    char *open, *close;   /* delimiters */
    const char *next_tag; /* the next open delimiter at or behind at; NULL: there is none */
    GArray *frames;       /* Frame: what is open, innermost last */
    GPtrArray *root;
} Parser;

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

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

static void node_free(gpointer data)
{
    MustacheNode *node = data;
    g_clear_pointer(&node->overrides, g_hash_table_unref);
    g_clear_pointer(&node->children, g_ptr_array_unref);
    g_strfreev(node->path);
    g_free(node->text);
    g_free(node->indent);
    g_free(node);
}

static Frame *innermost(const Parser *parser)
{
    return parser->frames->len ? &g_array_index(parser->frames, Frame, parser->frames->len - 1) : NULL;
}

static GPtrArray *container(const Parser *parser)
{
    const Frame *frame = innermost(parser);
    return frame ? frame->node->children : parser->root;
}

/* Text directly inside of a parent is ignored. */
static gboolean is_in_parent(const Parser *parser)
{
    const Frame *frame = innermost(parser);
    return frame && frame->node->type == NODE_PARENT;
}

static void add_text(Parser *parser, const char *from, const char *to)
{
    if (is_in_parent(parser))
        return;
    MustacheNode *node = g_new0(MustacheNode, 1);
    node->type = NODE_TEXT;
    node->length = (gsize)(to - from);
    node->text = g_strndup(from, node->length);
    node->line_start = from == parser->text || from[-1] == '\n';
    g_ptr_array_add(container(parser), node);
}

static MustacheNode *add_node(Parser *parser, NodeType type, const char *name)
{
    MustacheNode *node = g_new0(MustacheNode, 1);
    node->type = type;
    node->text = g_strdup(name);
    node->indent = g_strdup("");
    if (type == NODE_VARIABLE || type == NODE_RAW || type == NODE_SECTION || type == NODE_INVERTED)
        node->path = g_str_equal(name, ".") ? g_new0(char *, 1) : g_strsplit(name, ".", -1);
    if (type == NODE_SECTION || type == NODE_INVERTED || type == NODE_PARENT || type == NODE_BLOCK)
        node->children = g_ptr_array_new_with_free_func(node_free);
    if (type == NODE_PARENT)
        node->overrides = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(container(parser), node);
    return node;
}

static void set_indent(MustacheNode *node, const char *indent, gsize length)
{
    char *own = g_strndup(indent, length); /* indent may be a part of the node's present one */
    g_free(node->indent);
    node->indent = own;
}

/* ---- indentation of blocks ---------------------------------------------------------------------------------------- */

static gsize common_prefix(const char *text, const char *prefix)
{
    gsize n = 0;
    while (prefix[n] && text[n] == prefix[n])
        n++;
    return n;
}

static void dedent_text(MustacheNode *node, const char *indent)
{
    GString *text = g_string_sized_new(node->length);
    const char *p = node->text;
    gboolean line_start = node->line_start;
    while (*p) {
        if (line_start)
            p += common_prefix(p, indent);
        gsize length = strcspn(p, "\n");
        length += p[length] == '\n';
        g_string_append_len(text, p, (gssize)length);
        p += length;
        line_start = TRUE;
    }
    g_free(node->text);
    node->length = text->len;
    node->text = g_string_free(text, FALSE);
}

/* Takes the indentation off each line; blocks within that have done so for themselves move as a whole. */
static void dedent(GPtrArray *nodes, const char *indent)
{
    for (guint i = 0; i < nodes->len; i++) {
        MustacheNode *node = nodes->pdata[i];
        if (node->type == NODE_TEXT) {
            dedent_text(node, indent);
            continue;
        }
        gsize taken = common_prefix(node->indent, indent);
        set_indent(node, node->indent + taken, strlen(node->indent) - taken);
        if (node->children && node->type != NODE_PARENT && !node->dedented)
            dedent(node->children, indent);
    }
}

/* The white space that begins the first line with something on it; FALSE where there is none before end. */
static gboolean find_indentation(const char *from, const char *end, const char **ret_indent, gsize *ret_length)
{
    while (from < end) {
        gsize blank = strspn(from, " \t");
        const char *behind = from + blank;
        if (behind >= end)
            return FALSE;
        if (*behind != '\n' && *behind != '\r') {
            *ret_indent = from;
            *ret_length = blank;
            return TRUE;
        }
        from = behind + 1;
    }
    return FALSE;
}

/* White space before a tag that turned out to be indentation is taken off the text that was added last before it. */
static void take_back_indentation(const Parser *parser, gsize length)
{
    GPtrArray *nodes = container(parser);
    MustacheNode *before = nodes->len > 1 ? nodes->pdata[nodes->len - 2] : NULL;
    if (!before || before->type != NODE_TEXT || before->length < length)
        return; /* in a parent, where no text is kept */
    before->length -= length;
    before->text[before->length] = '\0';
    if (before->length == 0)
        g_ptr_array_remove_index(nodes, nodes->len - 2);
}

/* ---- tags --------------------------------------------------------------------------------------------------------- */

static guint count_lines(const char *from, const char *to)
{
    guint lines = 0;
    for (const char *p = memchr(from, '\n', (gsize)(to - from)); p; p = memchr(p + 1, '\n', (gsize)(to - p - 1)))
        lines++;
    return lines;
}

static void advance(Parser *parser, const char *to)
{
    parser->line += count_lines(parser->at, to);
    parser->at = to;
}

/* The first one of what in the text from `from` on; NULL: there is none. */
static const char *find(const Parser *parser, const char *from, const char *what)
{
    gsize length = strlen(what);
    while ((from = memchr(from, *what, (gsize)(parser->text_end - from))) && strncmp(from, what, length) != 0)
        from++;
    return from;
}

static const char *line_begin_before(const Parser *parser, const char *tag)
{
    while (tag > parser->text && (tag[-1] == ' ' || tag[-1] == '\t'))
        tag--;
    return tag == parser->text || tag[-1] == '\n' ? tag : NULL;
}

static const char *line_end_behind(const char *tag_end)
{
    tag_end += strspn(tag_end, " \t");
    if (*tag_end == '\0')
        return tag_end;
    tag_end += *tag_end == '\r';
    return *tag_end == '\n' ? tag_end + 1 : NULL;
}

static gboolean check_name(const Tag *tag, GError **error)
{
    g_autofree char *shown = text_escape(tag->name, 60);
    if (!*tag->name)
        return fault(error, tag->line, "a tag has no name; write {{first_name}}, say");
    if (strlen(tag->name) > MUSTACHE_MAX_NAME)
        return fault(error, tag->line, "the name \"%s\" is too long; write at most %d characters", shown, MUSTACHE_MAX_NAME);
    if (strpbrk(tag->name, "{}"))
        return fault(error, tag->line,
                     "\"%s\" is no name; write {{name}}, or {{{name}}} for a value that is inserted as it is", shown);
    if (strpbrk(tag->name, " \t\r\n")) {
        g_autofree char *joined = g_strdelimit(text_one_line(shown), " ", '_');
        return fault(error, tag->line, "the name \"%s\" has a space in it; write %s", shown, joined);
    }
    gboolean is_path = !tag->mark || strchr("{&#^", tag->mark);
    gsize length = strlen(tag->name);
    if (is_path && length > 1 && (tag->name[0] == '.' || tag->name[length - 1] == '.' || strstr(tag->name, "..")))
        return fault(error, tag->line, "the name \"%s\" has a dot too many; write it as company.name", shown);
    return TRUE;
}

/* Reads the tag that begins at parser->next_tag. Free tag->name. */
static gboolean read_tag(const Parser *parser, Tag *tag, GError **error)
{
    const char *start = parser->next_tag + strlen(parser->open);
    const char *content = start + strspn(start, " \t\r\n");
    char mark = *content && strchr("!#^/>&<$", *content) ? *content : *start == '{' || *start == '=' ? *start : '\0';
    const char *mirror = mark == '{' ? "}" : mark == '=' ? "=" : "";
    g_autofree char *close = g_strconcat(mirror, parser->close, NULL);
    content += mark != '\0';
    const char *end = find(parser, content, close);
    guint line = parser->line + count_lines(parser->at, parser->next_tag);
    g_autofree char *inside = g_strstrip(g_strndup(content, end ? (gsize)(end - content) : strlen(content)));
    if (!end || (mark != '!' && strstr(inside, parser->open))) {
        g_autofree char *shown = text_escape(inside, 40);
        return fault(error, line, "the tag %s%s is not closed; write %s behind its name", parser->open, shown, close);
    }
    *tag = (Tag){
        .mark = mark, .name = g_steal_pointer(&inside), .start = parser->next_tag, .end = end + strlen(close), .line = line};
    tag->line_begin = line_begin_before(parser, tag->start);
    tag->line_end = line_end_behind(tag->end);
    return mark == '!' || mark == '=' || check_name(tag, error);
}

static gboolean set_delimiters(Parser *parser, const Tag *tag, GError **error)
{
    gsize first = strcspn(tag->name, " \t\r\n");
    const char *second = tag->name + first + strspn(tag->name + first, " \t\r\n");
    if (!first || !*second || strpbrk(second, " \t\r\n") || strchr(tag->name, '=') || strlen(tag->name) > MUSTACHE_MAX_NAME)
        return fault(error, tag->line, "a change of delimiters needs two of them; write {{=<%% %%>=}}, say");
    g_free(parser->open);
    g_free(parser->close);
    parser->open = g_strndup(tag->name, first);
    parser->close = g_strdup(second);
    return TRUE;
}

/* Adds the text before the tag. A tag that is alone on its line takes the line with it; else, where it begins a line, an
 * empty text marks that. */
static void pass_tag(Parser *parser, const Tag *tag, gboolean alone)
{
    const char *text_end = alone ? tag->line_begin : tag->start;
    if (text_end > parser->at)
        add_text(parser, parser->at, text_end);
    if (!alone && tag->line_begin == tag->start)
        add_text(parser, tag->start, tag->start);
    advance(parser, alone ? tag->line_end : tag->end);
}

static void add_partial(Parser *parser, const Tag *tag)
{
    gboolean alone = tag->line_begin && tag->line_end;
    pass_tag(parser, tag, alone);
    MustacheNode *node = add_node(parser, NODE_PARTIAL, tag->name);
    node->standalone = alone;
    if (alone)
        set_indent(node, tag->line_begin, (gsize)(tag->start - tag->line_begin));
}

/* ---- sections, parents and blocks --------------------------------------------------------------------------------- */

/* Whether the opening tag takes its line with it. A parent's line is known when it is closed; beside a block that is
 * given to a parent there is nothing that counts. */
static gboolean opens_alone(const Parser *parser, const Tag *tag, NodeType type)
{
    if (type == NODE_PARENT)
        return FALSE;
    if (type == NODE_BLOCK && is_in_parent(parser))
        return tag->line_end != NULL;
    return tag->line_begin && tag->line_end;
}

static gboolean open_node(Parser *parser, const Tag *tag, NodeType type, GError **error)
{
    if (parser->frames->len >= MUSTACHE_MAX_NESTING)
        return fault(error, tag->line, "sections are nested more than %d deep; write fewer inside each other",
                     MUSTACHE_MAX_NESTING);
    gboolean alone = opens_alone(parser, tag, type);
    gboolean in_parent = is_in_parent(parser);
    Frame frame = {.line = tag->line, .start = tag->start, .end = tag->end, .line_begin = tag->line_begin};
    if (alone && type == NODE_BLOCK)
        frame.content = tag->line_end;
    if (in_parent)
        advance(parser, alone ? tag->line_end : tag->end);
    else
        pass_tag(parser, tag, alone);
    frame.node = add_node(parser, type, tag->name);
    if (alone && type == NODE_BLOCK && tag->line_begin)
        set_indent(frame.node, tag->line_begin, (gsize)(tag->start - tag->line_begin));
    frame.node->standalone = alone;
    g_array_append_val(parser->frames, frame);
    return TRUE;
}

static void close_parent(Parser *parser, const Frame *frame, const Tag *tag)
{
    advance(parser, tag->end);
    if (!frame->line_begin || !tag->line_end)
        return;
    gsize indentation = (gsize)(frame->start - frame->line_begin);
    frame->node->standalone = TRUE;
    set_indent(frame->node, frame->line_begin, indentation);
    take_back_indentation(parser, indentation);
    advance(parser, tag->line_end);
}

/* The frame is off the stack already: container() is where the block stands. */
static void close_block(Parser *parser, const Frame *frame, const Tag *tag)
{
    MustacheNode *node = frame->node;
    const char *indent = NULL;
    gsize length = 0;
    if (is_in_parent(parser)) {
        g_hash_table_insert(innermost(parser)->node->overrides, node->text, node);
    } else if (!frame->content && frame->line_begin && tag->start == frame->end && tag->line_end) {
        length = (gsize)(frame->start - frame->line_begin);
        node->standalone = TRUE; /* {{$block}}{{/block}} alone on its line: the line's end stays */
        set_indent(node, frame->line_begin, length);
        take_back_indentation(parser, length);
    }
    if (frame->content &&
        find_indentation(frame->content, tag->line_begin ? tag->line_begin : tag->start, &indent, &length)) {
        set_indent(node, indent, length);
        dedent(node->children, node->indent);
    }
    node->dedented = frame->content != NULL;
}

static gboolean close_node(Parser *parser, const Tag *tag, GError **error)
{
    if (parser->frames->len == 0)
        return fault(error, tag->line,
                     "{{/%s}} closes a section that was never opened; take it out, or write {{#%s}} where it begins",
                     tag->name, tag->name);
    const Frame frame = *innermost(parser);
    if (!g_str_equal(tag->name, frame.node->text))
        return fault(error, tag->line, "{{/%s}} stands where \"%s\" of line %u is to be closed; write {{/%s}}", tag->name,
                     frame.node->text, frame.line, frame.node->text);
    gboolean is_block = frame.node->type == NODE_BLOCK;
    gboolean given = is_block && parser->frames->len > 1 &&
                     g_array_index(parser->frames, Frame, parser->frames->len - 2).node->type == NODE_PARENT;
    Tag own = *tag;
    if (given && !own.line_end)
        own.line_end = own.end; /* what stands behind it is not kept anyway */
    if (frame.node->type != NODE_PARENT)
        pass_tag(parser, &own, own.line_begin && own.line_end);
    g_array_set_size(parser->frames, parser->frames->len - 1);
    if (frame.node->type == NODE_PARENT)
        close_parent(parser, &frame, tag);
    else if (is_block)
        close_block(parser, &frame, tag);
    return TRUE;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static gboolean take_tag(Parser *parser, const Tag *tag, GError **error)
{
    switch (tag->mark) {
    case '#':
        return open_node(parser, tag, NODE_SECTION, error);
    case '^':
        return open_node(parser, tag, NODE_INVERTED, error);
    case '<':
        return open_node(parser, tag, NODE_PARENT, error);
    case '$':
        return open_node(parser, tag, NODE_BLOCK, error);
    case '/':
        return close_node(parser, tag, error);
    case '>':
        add_partial(parser, tag);
        return TRUE;
    case '!':
        pass_tag(parser, tag, tag->line_begin && tag->line_end);
        return TRUE;
    case '=':
        pass_tag(parser, tag, tag->line_begin && tag->line_end);
        return set_delimiters(parser, tag, error);
    default:
        pass_tag(parser, tag, FALSE);
        add_node(parser, tag->mark ? NODE_RAW : NODE_VARIABLE, tag->name);
        return TRUE;
    }
}

static gboolean parse_all(Parser *parser, GError **error)
{
    while ((parser->next_tag = find(parser, parser->at, parser->open))) {
        Tag tag = {0};
        gboolean ok = read_tag(parser, &tag, error) && take_tag(parser, &tag, error);
        g_free(tag.name);
        if (!ok)
            return FALSE;
    }
    const Frame *open = innermost(parser);
    if (open)
        return fault(error, open->line, "\"%s\" is opened here and never closed; write {{/%s}} where it ends",
                     open->node->text, open->node->text);
    if (*parser->at)
        add_text(parser, parser->at, parser->at + strlen(parser->at));
    return TRUE;
}

Mustache *mustache_parse(const char *text, GError **error)
{
    Parser parser = {.text = text,
                     .at = text,
                     .text_end = text + strlen(text),
                     .line = 1,
                     .open = g_strdup("{{"),
                     .close = g_strdup("}}"),
                     .frames = g_array_new(FALSE, FALSE, sizeof(Frame)),
                     .root = g_ptr_array_new_with_free_func(node_free)};
    gboolean ok = parse_all(&parser, error);
    g_array_unref(parser.frames);
    g_free(parser.open);
    g_free(parser.close);
    if (!ok) {
        g_ptr_array_unref(parser.root);
        return NULL;
    }
    Mustache *mustache = g_new0(Mustache, 1);
    mustache->nodes = parser.root;
    return mustache;
}

void mustache_free(Mustache *mustache)
{
    if (!mustache)
        return;
    g_ptr_array_unref(mustache->nodes);
    g_free(mustache);
}

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
