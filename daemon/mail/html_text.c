/*
 * HTML mail to plain text, by libxml2's forgiving parser. Pure; the walk is a loop, so that deep nesting costs no stack.
 */
#include "mail/html_text.h"

#include <libxml/HTMLparser.h>
#include <string.h>

enum { HTML_MAX_BYTES = 2 * 1024 * 1024, TEXT_MAX_BYTES = 1024 * 1024, STYLE_LOOKED_AT = 400 };

typedef struct {
    GString *out;
    guint quotes;        /* depth of blockquote */
    guint line_ends;     /* due before the next text: 1 a new line, 2 an empty one between */
    gboolean space_due;
    gboolean at_start;   /* of a line */
    gsize quote_at;      /* octet of out where the earlier message begins; G_MAXSIZE */
} Writer;

static gboolean is_one_of(const xmlChar *name, const char *const *names)
{
    for (; *names; names++)
        if (g_ascii_strcasecmp((const char *)name, *names) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_hidden(const xmlNode *node)
{
    static const char *const names[] = {"script", "style", "head", "title", "noscript", "template", NULL};
    return node->type != XML_ELEMENT_NODE || is_one_of(node->name, names);
}

static gboolean is_block(const xmlNode *node)
{
    static const char *const names[] = {"div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre",
                                        "blockquote", "section", "article", "header", "footer", "dl", "dt", "dd", "form", NULL};
    return is_one_of(node->name, names);
}

static gboolean is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && g_ascii_strcasecmp((const char *)node->name, name) == 0;
}

static void want_lines(Writer *writer, guint lines)
{
    writer->line_ends = MAX(writer->line_ends, lines);
    writer->space_due = FALSE;
}

static void want_lines_around(Writer *writer, guint lines)
{
    if (lines)
        want_lines(writer, lines);
}

static void begin_text(Writer *writer)
{
    if (writer->line_ends && writer->out->len) {
        for (guint i = 0; i < writer->line_ends; i++)
            g_string_append_c(writer->out, '\n');
        writer->at_start = TRUE;
    }
    writer->line_ends = 0;
    if (writer->at_start) {
        for (guint i = 0; i < writer->quotes; i++)
            g_string_append(writer->out, "> ");
        writer->at_start = FALSE;
    } else if (writer->space_due) {
        g_string_append_c(writer->out, ' ');
    }
    writer->space_due = FALSE;
}

static void write_text(Writer *writer, const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == 0xa0) {
            writer->space_due = writer->space_due || !writer->at_start;
            continue;
        }
        if (c < 0x20 || c == 0x200b || c == 0xfeff)
            continue;
        begin_text(writer);
        g_string_append_unichar(writer->out, c);
    }
}

static gboolean attribute_has(const xmlNode *node, const char *name, const char *const *words)
{
    xmlChar *value = xmlGetProp(node, (const xmlChar *)name);
    gboolean found = FALSE;
    g_autofree char *lower = value ? g_ascii_strdown((const char *)value, (gssize)strnlen((const char *)value, STYLE_LOOKED_AT)) : NULL;
    for (; lower && *words && !found; words++)
        found = strstr(lower, *words) != NULL;
    if (value)
        xmlFree(value);
    return found;
}

/* Whether a program sets off the earlier message by this element. Gmail's and Apple's quotes are no such: answers may stand between these. */
static gboolean begins_earlier_message(const xmlNode *node)
{
    static const char *const ids[] = {"divrplyfwdmsg", "appendonsend", "stopspelling", "olk_src_body_section", "mail-editor-reference-message",
                                      "ms-outlook-mobile-reference-message", "replysplit", NULL};
    static const char *const classes[] = {"yahoo_quoted", "ms-outlook-mobile-reference-message", "zmail_extra", NULL};
    static const char *const styles[] = {"border:none;border-top:solid #e1e1e1 1", "border:none;border-top:solid #b5c4df 1",
                                         "border: none; border-top: solid #e1e1e1 1", "border-top-color: rgb(229, 229, 229); border-top-width: 1px",
                                         "border-top:#b5c4df 1pt solid", NULL};
    if (!node->properties || !(is_block(node) || is_named(node, "span")))
        return FALSE;
    return attribute_has(node, "id", ids) || attribute_has(node, "name", ids) || attribute_has(node, "class", classes) ||
           attribute_has(node, "style", styles);
}

/* Outlook writes each line as a paragraph without margins, and an empty line as one that holds a hard space. */
static gboolean is_outlook_line(const xmlNode *node)
{
    static const char *const classes[] = {"msonormal", "msoplaintext", NULL};
    return is_named(node, "p") && attribute_has(node, "class", classes);
}

static guint lines_around(const xmlNode *node)
{
    if (is_named(node, "p"))
        return is_outlook_line(node) ? 1 : 2;
    return is_block(node) ? 1 : 0;
}

static void enter(Writer *writer, const xmlNode *node)
{
    if (writer->quote_at == G_MAXSIZE && writer->out->len && begins_earlier_message(node))
        writer->quote_at = writer->out->len;
    if (is_named(node, "br")) {
        if (writer->line_ends == 0 || !writer->out->len)
            want_lines(writer, 1);
        else
            writer->line_ends = MIN(writer->line_ends + 1, 2);
        return;
    }
    want_lines_around(writer, lines_around(node));
    if (is_named(node, "blockquote"))
        writer->quotes++;
    if (is_named(node, "li")) {
        write_text(writer, "-");
        writer->space_due = TRUE;
    }
    if (is_named(node, "td"))
        writer->space_due = !writer->at_start;
}

static void leave(Writer *writer, const xmlNode *node)
{
    gboolean is_empty_line = writer->line_ends > 0 && is_outlook_line(node);
    want_lines_around(writer, is_empty_line ? 2 : lines_around(node));
    if (is_named(node, "blockquote"))
        writer->quotes--;
}

/* Depth first, without recursion. */
static void walk(Writer *writer, const xmlNode *root)
{
    const xmlNode *node = root;
    while (node && writer->out->len < TEXT_MAX_BYTES) {
        gboolean element = node->type == XML_ELEMENT_NODE && !is_hidden(node);
        if (node->type == XML_TEXT_NODE && node->content && g_utf8_validate((const char *)node->content, -1, NULL))
            write_text(writer, (const char *)node->content);
        if (element)
            enter(writer, node);
        if (element && node->children) {
            node = node->children;
            continue;
        }
        if (element)
            leave(writer, node);
        while (node != root && !node->next) {
            node = node->parent;
            leave(writer, node);
        }
        node = node == root ? NULL : node->next;
    }
}

char *html_to_text(const char *html, gsize len, gsize *ret_quote_at)
{
    Writer writer = {.out = g_string_new(NULL), .at_start = TRUE, .quote_at = G_MAXSIZE};
    htmlDocPtr document = htmlReadMemory(html, (int)MIN(len, (gsize)HTML_MAX_BYTES), NULL, "UTF-8",
                                         HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    if (root)
        walk(&writer, root);
    if (document)
        xmlFreeDoc(document);
    if (writer.out->len)
        g_string_append_c(writer.out, '\n');
    *ret_quote_at = writer.quote_at;
    return g_string_free(writer.out, FALSE);
}
