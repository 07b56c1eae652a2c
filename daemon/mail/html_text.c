/*
 * HTML mail to plain text, by libxml2's HTML parser as a stream of events: no tree, no recursion, no network, no
 * entities from outside. The parser compares each end tag with all open elements, so their number is bounded: beyond it
 * the rest is left out.
 *
 * Pure; any thread.
 */
#include "html_text.h"

#include <libxml/HTMLparser.h>
#include <string.h>

enum {
    HTML_MAX_BYTES = 2 * 1024 * 1024, /* looked at */
    HTML_MAX_DEPTH = 400,             /* of open elements */
    HTML_MAX_QUOTES = 20,             /* ">" before a line */
    HTML_MAX_TAG_WORDS = 500,         /* in one tag: the parser compares each attribute with all before it */
    ATTRIBUTE_LOOKED_AT = 300
};

/* What an open element does to the text in it. */
typedef struct {
    gboolean hidden;
    gboolean quote;
    guint lines; /* line ends due before and behind it */
    gboolean outlook_line;
} Element;

typedef struct {
    htmlParserCtxtPtr parser;
    GString *out;
    gsize max_bytes;
    GArray *open;           /* Element, outermost first */
    guint quotes;           /* of them that quote */
    guint hidden;           /* of them that hide */
    guint pre;              /* open <pre> */
    gboolean rest_is_older; /* a divider was met: all below is quoted */
    guint line_ends;        /* due before the next text */
    gboolean space_due, at_start;
    gboolean cut;        /* by a limit, and the parser is stopped */
    gboolean cut_before; /* in what it was given */
} Writer;

/* ---- text out --------------------------------------------------------------------------------------------------------- */

static void want_lines(Writer *writer, guint lines)
{
    writer->line_ends = MAX(writer->line_ends, lines);
    writer->space_due = FALSE;
}

static void begin_line(Writer *writer)
{
    guint quotes = MIN(writer->quotes + (writer->rest_is_older ? 1 : 0), HTML_MAX_QUOTES);

    for (guint i = 0; i < quotes; i++)
        g_string_append(writer->out, i + 1 < quotes ? ">" : "> ");
    writer->at_start = FALSE;
}

static void begin_text(Writer *writer)
{
    if (writer->line_ends > 0 && writer->out->len > 0) {
        for (guint i = 0; i < writer->line_ends; i++)
            g_string_append_c(writer->out, '\n');
        writer->at_start = TRUE;
    }
    writer->line_ends = 0;
    if (writer->at_start)
        begin_line(writer);
    else if (writer->space_due)
        g_string_append_c(writer->out, ' ');
    writer->space_due = FALSE;
}

static void write_space(Writer *writer, gunichar c)
{
    if (writer->pre > 0 && c == '\n')
        want_lines(writer, writer->line_ends + 1);
    else
        writer->space_due = writer->space_due || (!writer->at_start && writer->line_ends == 0);
}

/* Zero-width characters pad the hidden preview texts of newsletters. */
static gboolean is_invisible(gunichar c)
{
    return c < 0x20 || c == 0x7f || c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0x34f || c == 0xfeff;
}

/* The run of ASCII letters and marks at text, as nearly all is; its length. */
static gsize write_plain(Writer *writer, const char *text, const char *end)
{
    gsize length = 0;
    while (text + length < end && text[length] > ' ' && text[length] < 0x7f)
        length++;
    if (length == 0)
        return 0;
    begin_text(writer);
    gsize room = writer->max_bytes - MIN(writer->out->len, writer->max_bytes);
    g_string_append_len(writer->out, text, (gssize)MIN(length, room));
    writer->cut = writer->cut || length > room;
    return length;
}

static void write_text(Writer *writer, const char *text, gsize len)
{
    const char *end = text + len;

    for (const char *p = text; p < end; p = g_utf8_next_char(p)) {
        p += writer->out->len < writer->max_bytes ? write_plain(writer, p, end) : 0;
        if (p == end || writer->cut)
            return;
        gunichar c = g_utf8_get_char_validated(p, end - p);
        if (c == (gunichar)-1 || c == (gunichar)-2)
            return; /* the parser gives whole, valid characters */
        if (writer->out->len >= writer->max_bytes) {
            writer->cut = TRUE;
            return;
        }
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == 0xa0) {
            write_space(writer, c);
        } else if (!is_invisible(c)) {
            begin_text(writer);
            g_string_append_unichar(writer->out, c);
        }
    }
}

/* ---- elements --------------------------------------------------------------------------------------------------------- */

static gboolean is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (g_ascii_strcasecmp(name, *names) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_hidden_element(const char *name)
{
    static const char *const names[] = {"script",   "style",  "head", "title",  "noscript",
                                        "template", "object", "svg",  "select", NULL};
    return is_one_of(name, names);
}

static gboolean is_block(const char *name)
{
    static const char *const names[] = {
        "div", "tr", "li", "ul",   "ol", "table",   "h1",         "h2",      "h3",     "h4",     "h5",     "h6",      "pre",
        "dl",  "dt", "dd", "form", "hr", "section", "blockquote", "article", "header", "footer", "center", "address", NULL};
    return is_one_of(name, names);
}

/* What mail programs tell of an element, in lower case, bounded; "" where it has no such attribute. */
typedef struct {
    char *class, *id, *style, *name;
} Attributes;

static void attributes_init(Attributes *told, const xmlChar **attributes)
{
    const struct {
        const char *name;
        char **value;
    } wanted[] = {{"class", &told->class}, {"id", &told->id}, {"style", &told->style}, {"name", &told->name}};

    *told = (Attributes){0};
    for (; attributes != NULL && attributes[0] != NULL; attributes += 2)
        for (guint i = 0; attributes[1] != NULL && i < G_N_ELEMENTS(wanted); i++)
            if (*wanted[i].value == NULL && g_ascii_strcasecmp((const char *)attributes[0], wanted[i].name) == 0)
                *wanted[i].value = g_ascii_strdown((const char *)attributes[1], (gssize)strnlen((const char *)attributes[1], ATTRIBUTE_LOOKED_AT));
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (*wanted[i].value == NULL)
            *wanted[i].value = g_strdup("");
}

static void attributes_clear(Attributes *told)
{
    g_free(told->class);
    g_free(told->id);
    g_free(told->style);
    g_free(told->name);
}

static gboolean has_word(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strstr(text, *words) != NULL)
            return TRUE;
    return FALSE;
}

/* Containers that hold an older message, or the line that introduces one, by the class or id that mail programs give
 * them. */
static gboolean is_older_container(const char *class, const char *id)
{
    static const char *const classes[] = {"gmail_attr",
                                          "moz-cite-prefix",
                                          "yahoo_quoted",
                                          "protonmail_quote",
                                          "tutanota_quote",
                                          "zmail_extra",
                                          "outlookmessageheader",
                                          "moz-email-headers-table",
                                          "cite_prefix",
                                          "mail_quote",
                                          "mail_android_quote",
                                          "bloop_original",
                                          "ms-outlook-mobile-reference-message",
                                          "ydp-quoted",
                                          NULL};
    static const char *const ids[] = {"mail-editor-reference-message",
                                      "ms-outlook-mobile-reference-message",
                                      "reply-intro",
                                      "replysplit",
                                      "olk_src_body_section",
                                      "isreplycontent",
                                      "yahoo_quoted",
                                      "orimsghtmlseperator",
                                      NULL};
    return has_word(class, classes) || has_word(id, ids);
}

/* A divider above an older message, which lies beside, not inside of it: Outlook's. */
static gboolean is_divider(const char *name, const char *id, const char *style)
{
    static const char *const ids[] = {"divrplyfwdmsg", "appendonsend", "stopspelling", NULL};
    if (has_word(id, ids))
        return TRUE;
    return g_ascii_strcasecmp(name, "div") == 0 && strstr(style, "border-top:") != NULL && strstr(style, "solid") != NULL &&
           (strstr(style, "#b5c4df") != NULL || strstr(style, "#e1e1e1") != NULL ||
            strstr(style, "rgb(229, 229, 229)") != NULL || strstr(style, "rgb(225, 225, 225)") != NULL);
}

static gboolean is_signature(const char *class, const char *id)
{
    static const char *const classes[] = {"gmail_signature", "moz-signature", "protonmail_signature_block",
                                          "android_signature", NULL};
    static const char *const ids[] = {"applemailsignature", "ms-outlook-mobile-signature", "ymail_android_signature", NULL};
    return (has_word(class, classes) && strstr(class, "signature_prefix") == NULL) || has_word(id, ids) ||
           g_str_equal(id, "signature") || g_str_equal(id, "x_signature");
}

static gboolean is_invisible_style(const char *style)
{
    g_autofree char *packed = g_strdup(style);
    char *out = packed;
    for (const char *p = style; *p != '\0'; p++)
        if (*p != ' ')
            *out++ = *p;
    *out = '\0';
    return strstr(packed, "display:none") != NULL || strstr(packed, "visibility:hidden") != NULL;
}

static void write_signature_mark(Writer *writer)
{
    if (writer->out->len == 0 || writer->quotes > 0 || writer->rest_is_older)
        return;
    want_lines(writer, 1);
    begin_text(writer);
    g_string_append(writer->out, "-- ");
    want_lines(writer, 1);
}

/* By the attributes that mail programs set. */
static void read_attributes(Writer *writer, const char *name, const Attributes *told, Element *element)
{
    /* Outlook writes each line as a paragraph without margins, and an empty line as one that holds a hard space */
    element->outlook_line =
        g_str_equal(name, "p") && (strstr(told->class, "msonormal") != NULL || strstr(told->class, "msoplaintext") != NULL);
    if (element->outlook_line)
        element->lines = 1;
    element->hidden = element->hidden || (*told->style != '\0' && is_invisible_style(told->style));
    if (element->hidden || writer->hidden > 0)
        return;
    element->quote = element->quote || is_older_container(told->class, told->id) || g_str_equal(told->name, "quote"); /* the last: GMX, mail.com */
    if (is_divider(name, told->id, told->style) && writer->out->len > 0)
        writer->rest_is_older = TRUE;
    if (is_signature(told->class, told->id))
        write_signature_mark(writer);
}

static void break_line(Writer *writer)
{
    if (writer->line_ends == 0 || writer->out->len == 0)
        want_lines(writer, 1);
    else
        writer->line_ends = MIN(writer->line_ends + 1, 2);
}

static void open_block(Writer *writer, const char *name, guint lines)
{
    if (g_str_equal(name, "br")) {
        break_line(writer);
    } else if (lines > 0) {
        want_lines(writer, lines);
    } else if (g_str_equal(name, "td") || g_str_equal(name, "th")) {
        write_space(writer, ' ');
    }
    if (g_str_equal(name, "li") && writer->hidden == 0) {
        write_text(writer, "-", 1);
        writer->space_due = TRUE;
    }
}

static void on_start(void *data, const xmlChar *raw_name, const xmlChar **attributes)
{
    Writer *writer = data;
    const char *name = (const char *)raw_name;
    Element element = {.hidden = is_hidden_element(name),
                       .quote = g_ascii_strcasecmp(name, "blockquote") == 0,
                       .lines = g_str_equal(name, "p") ? 2
                                : is_block(name)       ? 1
                                                       : 0};

    if (writer->open->len >= HTML_MAX_DEPTH || writer->cut) {
        writer->cut = TRUE;
        xmlStopParser(writer->parser);
        return;
    }
    if (attributes != NULL) {
        Attributes told;
        attributes_init(&told, attributes);
        read_attributes(writer, name, &told, &element);
        attributes_clear(&told);
    }
    open_block(writer, name, element.lines);
    writer->hidden += element.hidden ? 1 : 0;
    writer->quotes += element.quote ? 1 : 0;
    writer->pre += g_str_equal(name, "pre");
    g_array_append_val(writer->open, element);
}

/* The parser gives an end for every start, implied ones included, in order. */
static void on_end(void *data, const xmlChar *raw_name)
{
    Writer *writer = data;
    const char *name = (const char *)raw_name;

    if (writer->open->len == 0)
        return;
    Element element = g_array_index(writer->open, Element, writer->open->len - 1);
    g_array_set_size(writer->open, writer->open->len - 1);
    writer->hidden -= element.hidden ? 1 : 0;
    writer->quotes -= element.quote ? 1 : 0;
    writer->pre -= writer->pre > 0 && g_str_equal(name, "pre");
    if (element.outlook_line && writer->line_ends > 0)
        want_lines(writer, 2);
    else if (element.lines > 0)
        want_lines(writer, element.lines);
    else if (element.quote)
        want_lines(writer, 1);
}

static void on_text(void *data, const xmlChar *text, int len)
{
    Writer *writer = data;
    if (writer->hidden == 0 && len > 0)
        write_text(writer, (const char *)text, (gsize)len);
}

/* Behind the tag that begins at tag, quoted values passed over as the parser does; *words: how many it has outside of
 * these. */
static const char *tag_end(const char *tag, const char *end, guint *words)
{
    gboolean value = FALSE; /* behind "=", where a quote opens a value */

    *words = 0;
    for (const char *c = tag + 1; c < end; c++) {
        if (*c == '>')
            return c + 1;
        if (value && (*c == '"' || *c == '\'')) {
            c = memchr(c + 1, *c, (gsize)(end - c - 1));
            if (c == NULL)
                return end;
            *words += 1;
            value = FALSE;
        } else if (g_ascii_isspace(*c) || *c == '/') {
            *words += 1;
        } else {
            value = *c == '=';
        }
    }
    return end;
}

/* The HTML without tags that have more words than is good. *cut is set where there were such. Caller frees. */
static GString *without_huge_tags(const char *html, gsize len, gboolean *cut)
{
    GString *out = g_string_sized_new(len);
    const char *end = html + len;

    for (const char *p = html; p < end;) {
        const char *tag = memchr(p, '<', (gsize)(end - p));
        if (tag == NULL)
            tag = end;
        g_string_append_len(out, p, tag - p);
        p = tag;
        if (tag + 1 >= end || !g_ascii_isalpha(tag[1])) { /* a comment, an end, or no tag at all */
            g_string_append_len(out, tag, tag < end ? 1 : 0);
            p += tag < end ? 1 : 0;
            continue;
        }
        guint words;
        p = tag_end(tag, end, &words);
        if (words <= HTML_MAX_TAG_WORDS)
            g_string_append_len(out, tag, p - tag);
        else
            *cut = TRUE;
    }
    return out;
}

char *html_to_text(const char *html, gsize len, gsize max_bytes, gboolean *ret_cut)
{
    Writer writer = {
        .out = g_string_new(NULL), .max_bytes = max_bytes, .at_start = TRUE, .cut_before = len > HTML_MAX_BYTES};
    htmlParserCtxtPtr parser = htmlNewParserCtxt();

    writer.open = g_array_new(FALSE, FALSE, sizeof(Element));
    writer.parser = parser;
    if (parser != NULL && len > 0) {
        memset(parser->sax, 0, sizeof *parser->sax);
        parser->sax->startElement = on_start;
        parser->sax->endElement = on_end;
        parser->sax->characters = parser->sax->ignorableWhitespace = on_text;
        parser->userData = &writer;
        g_autoptr(GString) bounded = without_huge_tags(html, MIN(len, (gsize)HTML_MAX_BYTES), &writer.cut_before);
        htmlDocPtr document =
            htmlCtxtReadMemory(parser, bounded->str, (int)bounded->len, NULL, "UTF-8",
                               HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
        if (document != NULL)
            xmlFreeDoc(document);
    }
    if (parser != NULL)
        htmlFreeParserCtxt(parser);
    g_array_free(writer.open, TRUE);
    if (writer.cut || writer.cut_before)
        *ret_cut = TRUE;
    if (writer.out->len > 0)
        g_string_append_c(writer.out, '\n');
    return g_string_free(writer.out, FALSE);
}
