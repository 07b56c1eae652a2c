/*
 * Mustache: from text to tree, in two passes. The scanner cuts the text into lines of tokens and finds the tags that stand alone
 * on their line (which then goes, as the specification says); the builder nests sections and blocks.
 *
 * Indentation is kept in the tree, not in the text: NODE_LINE_START says where a line begins, so that partials and blocks are
 * indented where they are used, and values never are.
 */
#include <string.h>

#include "base/text.h"
#include "mail/mustache_tree.h"

typedef enum { TAG_NONE, TAG_COMMENT, TAG_DELIMITERS, TAG_VARIABLE, TAG_RAW, TAG_OPEN, TAG_CLOSE, TAG_PARTIAL } TagKind;

typedef struct {
    TagKind tag;    /* TAG_NONE: text or the start of a line */
    NodeType type;  /* what it becomes; for TAG_NONE, TEXT or LINE_START */
    char *text;     /* text or name */
    char *indent;   /* once found to stand alone */
    gboolean begins_line;
    guint line;
} Token;

typedef struct {
    const char *at;
    guint line;
    char *open, *close; /* delimiters */
    GPtrArray *tokens;  /* Token* */
    guint line_first;   /* index of the current line's first token */
} Scanner;

static void token_free(gpointer data)
{
    Token *token = data;
    g_free(token->text);
    g_free(token->indent);
    g_free(token);
}

static Token *add_token(Scanner *scanner, TagKind tag, NodeType type, char *text)
{
    Token *token = g_new0(Token, 1);
    token->tag = tag;
    token->type = type;
    token->text = text;
    token->line = scanner->line;
    g_ptr_array_add(scanner->tokens, token);
    return token;
}

static gboolean fault(GError **error, guint line, const char *format, const char *what)
{
    g_autofree char *shown = text_escape(what, 60);
    GString *message = g_string_new(NULL);
    g_string_printf(message, "line %u: ", line);
    g_string_append(message, format);
    g_string_replace(message, "%", shown, 0);
    g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_TEMPLATE, message->str);
    g_string_free(message, TRUE);
    return FALSE;
}

/* ---- lines ----------------------------------------------------------------------------------------------------------- */

static gboolean is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static gboolean is_inheritance(const Token *token)
{
    return token->type == NODE_PARENT || token->type == NODE_BLOCK;
}

/* Whether the line holds nothing but one tag without output, or tags of inheritance that open or close what goes on elsewhere. */
static gboolean stands_alone(const Scanner *scanner)
{
    guint tags = 0, opened = 0, closed = 0;
    gboolean inheritance_only = TRUE;
    for (guint i = scanner->line_first; i < scanner->tokens->len; i++) {
        const Token *token = scanner->tokens->pdata[i];
        if (token->tag == TAG_NONE) {
            if (token->type == NODE_TEXT && !is_blank(token->text))
                return FALSE;
            continue;
        }
        if (token->tag == TAG_VARIABLE || token->tag == TAG_RAW)
            return FALSE;
        tags++;
        inheritance_only = inheritance_only && is_inheritance(token);
        opened += token->tag == TAG_OPEN && token->type == NODE_BLOCK;
        closed += token->tag == TAG_CLOSE && token->type == NODE_BLOCK;
    }
    return tags == 1 || (tags > 1 && inheritance_only && !(opened && closed));
}

/* The white space before the line's first tag, where nothing else stands before it; NULL else. */
static const char *leading_space(const Scanner *scanner, guint *ret_first_tag)
{
    const char *space = "";
    for (guint i = scanner->line_first; i < scanner->tokens->len; i++) {
        const Token *token = scanner->tokens->pdata[i];
        if (token->tag != TAG_NONE) {
            *ret_first_tag = i;
            return space;
        }
        if (token->type == NODE_TEXT) {
            if (!is_blank(token->text) || strpbrk(token->text, "\r\n"))
                return NULL;
            space = token->text;
        }
    }
    return NULL;
}

/* Takes the text tokens from first to last (exclusive) off the line, its start included. */
static void drop_text(Scanner *scanner, guint first, guint last)
{
    for (guint i = last; i > first; i--)
        if (((Token *)scanner->tokens->pdata[i - 1])->tag == TAG_NONE)
            g_ptr_array_remove_index(scanner->tokens, i - 1);
}

/* The line is complete: a lone tag takes its line with it, a block at a line's beginning its indentation. */
static void end_line(Scanner *scanner)
{
    guint first_tag = 0;
    const char *space = leading_space(scanner, &first_tag);
    if (space) {
        Token *first = scanner->tokens->pdata[first_tag];
        gboolean alone = stands_alone(scanner);
        if (alone || (first->tag == TAG_OPEN && first->type == NODE_BLOCK)) {
            g_free(first->indent);
            first->indent = g_strdup(space);
            first->begins_line = TRUE;
            for (guint i = first_tag + 1; alone && i < scanner->tokens->len; i++) { /* {{<parent}}{{$block}} */
                Token *token = scanner->tokens->pdata[i];
                token->begins_line = token->tag != TAG_NONE;
            }
            drop_text(scanner, scanner->line_first, alone ? scanner->tokens->len : first_tag);
        }
    }
    scanner->line_first = scanner->tokens->len;
}

/* ---- scanning -------------------------------------------------------------------------------------------------------- */

static void begin_line_if_new(Scanner *scanner)
{
    if (scanner->tokens->len == scanner->line_first)
        add_token(scanner, TAG_NONE, NODE_LINE_START, NULL);
}

/* Text up to the next tag or the line's end, whichever comes first. */
static void scan_text(Scanner *scanner)
{
    const char *tag = strstr(scanner->at, scanner->open);
    const char *newline = strchr(scanner->at, '\n');
    const char *end = newline && (!tag || newline < tag) ? newline + 1 : tag ? tag : scanner->at + strlen(scanner->at);
    begin_line_if_new(scanner);
    if (end > scanner->at)
        add_token(scanner, TAG_NONE, NODE_TEXT, g_strndup(scanner->at, (gsize)(end - scanner->at)));
    scanner->at = end;
    if (end[-1] == '\n' && end != tag) {
        end_line(scanner);
        scanner->line++;
    } else if (newline && end == newline + 1) {
        end_line(scanner);
        scanner->line++;
    }
}

static gboolean set_delimiters(Scanner *scanner, const char *content, GError **error)
{
    gsize length = strlen(content);
    g_auto(GStrv) parts = NULL;
    g_autofree char *inside = length >= 2 && content[length - 1] == '=' ? g_strndup(content + 1, length - 2) : g_strdup("");
    g_autofree char *line = text_one_line(inside);
    parts = g_strsplit(line, " ", 3);
    if (g_strv_length(parts) != 2 || strchr(line, '='))
        return fault(error, scanner->line, "{{%}} sets no delimiters; write {{=<% %>=}}", content);
    g_free(scanner->open);
    g_free(scanner->close);
    scanner->open = g_strdup(parts[0]);
    scanner->close = g_strdup(parts[1]);
    return TRUE;
}

/* The kind of tag by its first character; *content moves behind it. */
static TagKind kind_of(const char **content, NodeType *ret_type)
{
    static const struct {
        char mark;
        TagKind tag;
        NodeType type;
    } kinds[] = {{'!', TAG_COMMENT, NODE_TEXT}, {'=', TAG_DELIMITERS, NODE_TEXT}, {'&', TAG_RAW, NODE_RAW},
                 {'#', TAG_OPEN, NODE_SECTION}, {'^', TAG_OPEN, NODE_INVERTED},   {'<', TAG_OPEN, NODE_PARENT},
                 {'$', TAG_OPEN, NODE_BLOCK},   {'/', TAG_CLOSE, NODE_TEXT},      {'>', TAG_PARTIAL, NODE_PARTIAL}};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (**content == kinds[i].mark) {
            (*content)++;
            *ret_type = kinds[i].type;
            return kinds[i].tag;
        }
    *ret_type = NODE_VARIABLE;
    return TAG_VARIABLE;
}

/* Where the tag that begins at scanner->at ends: *ret_content is what stands inside. NULL: nowhere. */
static const char *find_tag_end(const Scanner *scanner, char **ret_content, gboolean *ret_triple)
{
    const char *start = scanner->at + strlen(scanner->open);
    gboolean triple = *start == '{' && g_str_equal(scanner->open, "{{");
    g_autofree char *close = triple ? g_strdup("}}}") : *start == '=' ? g_strconcat("=", scanner->close, NULL) : g_strdup(scanner->close);
    const char *end = strstr(start + 1, close);
    if (!*start || !end)
        return NULL;
    gsize kept = *start == '=' ? 1 : 0; /* the second "=" belongs to the content */
    *ret_content = g_strstrip(g_strndup(start + (triple ? 1 : 0), (gsize)(end - start) - (triple ? 1 : 0) + kept));
    *ret_triple = triple;
    return end + strlen(close);
}

static guint count_lines(const char *from, const char *to)
{
    guint lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

static gboolean scan_tag(Scanner *scanner, GError **error)
{
    g_autofree char *content = NULL;
    gboolean triple = FALSE;
    NodeType type;
    const char *end = find_tag_end(scanner, &content, &triple);
    if (!end)
        return fault(error, scanner->line, "% is opened and never closed; write {{name}}", scanner->open);
    guint lines = count_lines(scanner->at, end);
    begin_line_if_new(scanner);
    const char *name = content;
    TagKind tag = triple ? TAG_RAW : kind_of(&name, &type);
    if (triple)
        type = NODE_RAW;
    if (tag == TAG_DELIMITERS && !set_delimiters(scanner, content, error))
        return FALSE;
    g_autofree char *trimmed = g_strstrip(g_strdup(name));
    if (!*trimmed && tag != TAG_COMMENT && tag != TAG_DELIMITERS)
        return fault(error, scanner->line, "{{%}} has no name; write {{name}}", content);
    add_token(scanner, tag, type, g_steal_pointer(&trimmed));
    scanner->at = end;
    scanner->line += lines;
    return TRUE;
}

/* What a closing tag closes decides whether its line can stand alone, so it is told before the line ends. */
static void note_closed(GPtrArray *open, Token *token)
{
    if (token->tag == TAG_OPEN) {
        g_ptr_array_add(open, token);
    } else if (token->tag == TAG_CLOSE && open->len > 0) {
        token->type = ((Token *)open->pdata[open->len - 1])->type;
        g_ptr_array_set_size(open, (int)open->len - 1);
    }
}

static gboolean scan(Scanner *scanner, GError **error)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    while (*scanner->at) {
        if (g_str_has_prefix(scanner->at, scanner->open)) {
            if (!scan_tag(scanner, error))
                return FALSE;
            note_closed(open, scanner->tokens->pdata[scanner->tokens->len - 1]);
        } else {
            scan_text(scanner);
        }
    }
    end_line(scanner);
    return TRUE;
}

/* ---- building -------------------------------------------------------------------------------------------------------- */

static void node_free(gpointer data)
{
    MustacheNode *node = data;
    if (node->children)
        g_ptr_array_unref(node->children);
    g_free(node->text);
    g_free(node->indent);
    g_free(node);
}

static MustacheNode *node_new(const Token *token)
{
    MustacheNode *node = g_new0(MustacheNode, 1);
    node->type = token->type;
    node->text = g_strdup(token->text);
    node->indent = g_strdup(token->indent ? token->indent : "");
    node->begins_line = token->begins_line;
    node->line = token->line;
    if (token->tag == TAG_OPEN)
        node->children = g_ptr_array_new_with_free_func(node_free);
    return node;
}

static gsize common_prefix(const char *text, const char *prefix)
{
    gsize n = 0;
    while (prefix[n] && text[n] == prefix[n])
        n++;
    return n;
}

/* Takes the indentation off the beginning of each line of the nodes. */
static void dedent(GPtrArray *nodes, const char *indent)
{
    gboolean at_start = FALSE;
    for (guint i = 0; i < nodes->len; i++) {
        MustacheNode *node = nodes->pdata[i];
        if (node->type == NODE_TEXT && at_start)
            memmove(node->text, node->text + common_prefix(node->text, indent), strlen(node->text) - common_prefix(node->text, indent) + 1);
        if (*node->indent)
            memmove(node->indent, node->indent + common_prefix(node->indent, indent),
                    strlen(node->indent) - common_prefix(node->indent, indent) + 1);
        if (node->children && node->type != NODE_BLOCK)
            dedent(node->children, indent);
        at_start = node->type == NODE_LINE_START;
    }
}

/* A block is kept without its own indentation, and indented anew where it is used. */
static void normalise_block(MustacheNode *block)
{
    const MustacheNode *first = block->children->len > 1 ? block->children->pdata[0] : NULL;
    const MustacheNode *text = first && first->type == NODE_LINE_START ? block->children->pdata[1] : NULL;
    if (!text)
        return;
    g_autofree char *own = text->type == NODE_TEXT ? g_strndup(text->text, strspn(text->text, " \t")) : g_strdup(text->indent);
    dedent(block->children, own);
    if (block->begins_line) {
        g_free(block->indent);
        block->indent = g_steal_pointer(&own);
    }
}

typedef struct {
    GPtrArray *tokens;
    guint next;
    guint depth;
} Builder;

static gboolean build(Builder *builder, GPtrArray *nodes, const Token *inside, GError **error);

static gboolean build_open(Builder *builder, GPtrArray *nodes, const Token *token, GError **error)
{
    MustacheNode *node = node_new(token);
    g_ptr_array_add(nodes, node);
    if (++builder->depth > MUSTACHE_MAX_NESTING)
        return fault(error, token->line, "{{%}} is nested too deep; write fewer sections inside each other", token->text);
    if (!build(builder, node->children, token, error))
        return FALSE;
    builder->depth--;
    if (node->type == NODE_BLOCK)
        normalise_block(node);
    return TRUE;
}

static gboolean build_close(const Token *token, const Token *inside, GError **error)
{
    if (!inside)
        return fault(error, token->line, "{{/%}} closes what was never opened; take it out", token->text);
    if (!g_str_equal(token->text, inside->text)) {
        g_autofree char *advice = g_strdup_printf("{{/%%}} closes \"%s\" of line %u; write {{/%s}}", inside->text, inside->line, inside->text);
        return fault(error, token->line, advice, token->text);
    }
    return TRUE;
}

static gboolean build(Builder *builder, GPtrArray *nodes, const Token *inside, GError **error)
{
    while (builder->next < builder->tokens->len) {
        const Token *token = builder->tokens->pdata[builder->next++];
        if (token->tag == TAG_COMMENT || token->tag == TAG_DELIMITERS)
            continue;
        if (token->tag == TAG_CLOSE)
            return build_close(token, inside, error);
        if (token->tag != TAG_OPEN)
            g_ptr_array_add(nodes, node_new(token));
        else if (!build_open(builder, nodes, token, error))
            return FALSE;
    }
    if (inside)
        return fault(error, inside->line, "the section % is never closed; write {{/%}} where it ends", inside->text);
    return TRUE;
}

GPtrArray *mustache_tree_parse(const char *text, GError **error)
{
    Scanner scanner = {.at = text, .line = 1, .open = g_strdup("{{"), .close = g_strdup("}}"),
                       .tokens = g_ptr_array_new_with_free_func(token_free)};
    GPtrArray *nodes = g_ptr_array_new_with_free_func(node_free);
    Builder builder = {.tokens = scanner.tokens};
    gboolean ok = scan(&scanner, error) && build(&builder, nodes, NULL, error);
    g_free(scanner.open);
    g_free(scanner.close);
    g_ptr_array_unref(scanner.tokens);
    if (ok)
        return nodes;
    g_ptr_array_unref(nodes);
    return NULL;
}
