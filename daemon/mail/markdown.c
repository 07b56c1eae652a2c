/*
 * Markdown by md4c. HTML is md4c's own rendering; the plain text is written by the callbacks below. Pure, any thread.
 */
#include "mail/markdown.h"

#include <libxml/HTMLparser.h>
#include <md4c-html.h>
#include <md4c.h>
#include <string.h>

#include "base/text.h"

enum { PARSER_FLAGS = MD_FLAG_NOHTML | MD_FLAG_PERMISSIVEURLAUTOLINKS | MD_FLAG_PERMISSIVEEMAILAUTOLINKS | MD_FLAG_STRIKETHROUGH };

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* The length of a scheme that runs something where it is clicked, with its colon; 0 for none. */
static gsize dangerous_scheme(const char *value)
{
    static const char *const schemes[] = {"javascript:", "vbscript:", "data:"};
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (g_ascii_strncasecmp(value, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    return 0;
}

void markdown_escape(const char *value, GString *out)
{
    g_autofree char *line = text_one_line(value);
    const char *p = line;
    gsize scheme = dangerous_scheme(p);
    if (scheme) { /* as a link's target it leads nowhere */
        g_string_append_len(out, p, (gssize)scheme - 1);
        g_string_append(out, "%3A");
        p += scheme;
    }
    for (; *p; p++) {
        if (g_ascii_ispunct(*p))
            g_string_append_c(out, '\\');
        if ((guchar)*p >= 0x20 && *p != 0x7f)
            g_string_append_c(out, *p);
    }
}

/* ---- HTML ------------------------------------------------------------------------------------------------------------ */

static void on_html(const MD_CHAR *text, MD_SIZE size, void *data)
{
    g_string_append_len(data, text, size);
}

char *markdown_to_html(const char *markdown)
{
    GString *html = g_string_new(NULL);
    int rc = md_html(markdown, (MD_SIZE)strlen(markdown), on_html, html, PARSER_FLAGS, 0);
    g_assert(rc == 0); /* it fails for want of memory alone */
    return g_string_free(html, FALSE);
}

/* ---- plain text ------------------------------------------------------------------------------------------------------ */

/* What stands before each line inside of a quote or list item. */
typedef struct {
    char *first, *rest;
    gboolean used;
} Prefix;

typedef struct {
    gboolean ordered, tight;
    guint next;
} List;

typedef struct {
    GString *out;
    GString *block;      /* the text of the paragraph, heading or item under way */
    GArray *prefixes;    /* Prefix */
    GArray *lists;       /* List */
    gboolean blank_due;  /* an empty line comes before the next block */
    char *href;          /* of the link under way; NULL: none */
    gsize link_start;    /* where its text begins in block */
} Writer;

static void prefix_clear(gpointer data)
{
    Prefix *prefix = data;
    g_free(prefix->first);
    g_free(prefix->rest);
}

static void append_prefixes(Writer *writer)
{
    for (guint i = 0; i < writer->prefixes->len; i++) {
        Prefix *prefix = &g_array_index(writer->prefixes, Prefix, i);
        g_string_append(writer->out, prefix->used ? prefix->rest : prefix->first);
        prefix->used = TRUE;
    }
}

static void append_blank(Writer *writer)
{
    gsize start = writer->out->len;
    for (guint i = 0; i < writer->prefixes->len; i++) {
        const Prefix *prefix = &g_array_index(writer->prefixes, Prefix, i);
        if (prefix->used)
            g_string_append(writer->out, prefix->rest);
    }
    while (writer->out->len > start && writer->out->str[writer->out->len - 1] == ' ')
        g_string_truncate(writer->out, writer->out->len - 1);
    g_string_append_c(writer->out, '\n');
}

/* Writes the block under way, each of its lines behind the prefixes. */
static void flush(Writer *writer, gboolean blank_after)
{
    if (writer->block->len == 0)
        return;
    if (writer->blank_due && writer->out->len > 0)
        append_blank(writer);
    g_auto(GStrv) lines = g_strsplit(writer->block->str, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!**line && !line[1])
            break; /* the line end of a code block */
        append_prefixes(writer);
        g_string_append(writer->out, g_strchomp(*line));
        g_string_append_c(writer->out, '\n');
    }
    g_string_truncate(writer->block, 0);
    writer->blank_due = blank_after;
}

static void push_prefix(Writer *writer, char *first, char *rest)
{
    const Prefix prefix = {.first = first, .rest = rest};
    g_array_append_val(writer->prefixes, prefix);
}

static void pop_prefix(Writer *writer)
{
    g_array_set_size(writer->prefixes, writer->prefixes->len - 1);
}

static List *current_list(Writer *writer)
{
    return writer->lists->len ? &g_array_index(writer->lists, List, writer->lists->len - 1) : NULL;
}

static void begin_list(Writer *writer, gboolean ordered, gboolean tight, guint start)
{
    const List list = {.ordered = ordered, .tight = tight, .next = start};
    flush(writer, FALSE);
    g_array_append_val(writer->lists, list);
}

static void begin_item(Writer *writer)
{
    List *list = current_list(writer);
    char *bullet = list->ordered ? g_strdup_printf("%u. ", list->next++) : g_strdup("- ");
    push_prefix(writer, bullet, g_strnfill(strlen(bullet), ' '));
}

static int on_enter_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    Writer *writer = data;
    if (type == MD_BLOCK_QUOTE)
        push_prefix(writer, g_strdup("> "), g_strdup("> "));
    else if (type == MD_BLOCK_UL)
        begin_list(writer, FALSE, ((MD_BLOCK_UL_DETAIL *)detail)->is_tight != 0, 0);
    else if (type == MD_BLOCK_OL)
        begin_list(writer, TRUE, ((MD_BLOCK_OL_DETAIL *)detail)->is_tight != 0, ((MD_BLOCK_OL_DETAIL *)detail)->start);
    else if (type == MD_BLOCK_LI)
        begin_item(writer);
    else if (type == MD_BLOCK_HR)
        g_string_append(writer->block, "----");
    return 0;
}

static int on_leave_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    (void)detail;
    Writer *writer = data;
    const List *list = current_list(writer);
    switch (type) {
    case MD_BLOCK_LI:
        flush(writer, list && !list->tight);
        pop_prefix(writer);
        break;
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        g_array_set_size(writer->lists, writer->lists->len - 1);
        list = current_list(writer);
        writer->blank_due = !list || !list->tight;
        break;
    case MD_BLOCK_QUOTE:
        pop_prefix(writer);
        break;
    default:
        flush(writer, TRUE);
    }
    return 0;
}

static char *attribute_text(const MD_ATTRIBUTE *attribute)
{
    return g_strndup(attribute->text, attribute->size);
}

static int on_enter_span(MD_SPANTYPE type, void *detail, void *data)
{
    Writer *writer = data;
    if (type == MD_SPAN_A && !writer->href) {
        writer->href = attribute_text(&((MD_SPAN_A_DETAIL *)detail)->href);
        writer->link_start = writer->block->len;
    }
    return 0;
}

/* "text (url)", or the text alone where it is the address itself. */
static int on_leave_span(MD_SPANTYPE type, void *detail, void *data)
{
    (void)detail;
    Writer *writer = data;
    if (type != MD_SPAN_A || !writer->href)
        return 0;
    const char *text = writer->block->str + writer->link_start;
    const char *shown = g_str_has_prefix(writer->href, "mailto:") ? writer->href + strlen("mailto:") : writer->href;
    if (*shown && !g_str_equal(text, shown) && !g_str_equal(text, writer->href))
        g_string_append_printf(writer->block, " (%s)", shown);
    g_clear_pointer(&writer->href, g_free);
    return 0;
}

/* "&amp;", "&#8211;", "&ndash;" */
static void append_entity(GString *out, const char *entity, gsize size)
{
    g_autofree char *name = size > 2 ? g_strndup(entity + 1, size - 2) : g_strdup("");
    gunichar c = 0;
    if (name[0] == '#') {
        gboolean is_hex = name[1] == 'x' || name[1] == 'X';
        c = (gunichar)g_ascii_strtoull(name + (is_hex ? 2 : 1), NULL, is_hex ? 16 : 10);
    } else {
        const htmlEntityDesc *known = htmlEntityLookup(BAD_CAST name);
        c = known ? known->value : 0;
    }
    if (c >= 0x20 && g_unichar_validate(c))
        g_string_append_unichar(out, c);
    else
        g_string_append_len(out, entity, (gssize)size);
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *data)
{
    Writer *writer = data;
    switch (type) {
    case MD_TEXT_BR:
        g_string_append_c(writer->block, '\n');
        break;
    case MD_TEXT_SOFTBR:
        g_string_append_c(writer->block, ' ');
        break;
    case MD_TEXT_NULLCHAR:
        g_string_append(writer->block, "\xEF\xBF\xBD");
        break;
    case MD_TEXT_ENTITY:
        append_entity(writer->block, text, size);
        break;
    default:
        g_string_append_len(writer->block, text, size);
    }
    return 0;
}

char *markdown_to_text(const char *markdown)
{
    const MD_PARSER parser = {.flags = PARSER_FLAGS,
                              .enter_block = on_enter_block,
                              .leave_block = on_leave_block,
                              .enter_span = on_enter_span,
                              .leave_span = on_leave_span,
                              .text = on_text};
    Writer writer = {.out = g_string_new(NULL),
                     .block = g_string_new(NULL),
                     .prefixes = g_array_new(FALSE, FALSE, sizeof(Prefix)),
                     .lists = g_array_new(FALSE, FALSE, sizeof(List))};
    g_array_set_clear_func(writer.prefixes, prefix_clear);
    int rc = md_parse(markdown, (MD_SIZE)strlen(markdown), &parser, &writer);
    g_assert(rc == 0);
    flush(&writer, FALSE);
    g_string_free(writer.block, TRUE);
    g_array_unref(writer.prefixes);
    g_array_unref(writer.lists);
    g_free(writer.href);
    return g_string_free(writer.out, FALSE);
}
