/*
 * The plain text of a Markdown text, as somebody would have typed it: emphasis left out, lists, quotes and links kept
 * readable.
 *
 * A paragraph, heading or item is gathered in `block`, and written when it ends, each of its lines behind the prefixes
 * of the quotes and lists that it stands in.
 */
#include "mail/markdown_writers.h"

#include <string.h>

enum { MAX_PREFIXES = 20 }; /* deeper quotes and lists are written as if they stood at this depth */

/* What stands before each line inside of a quote or list item. */
typedef struct {
    char *first, *rest;
    gboolean used;
} Prefix;

typedef struct {
    gboolean ordered, tight;
    guint next;
} List;

struct TextWriter {
    GString *out;
    GString *block;
    GArray *prefixes;   /* Prefix */
    guint deeper;       /* quotes and items begun beyond MAX_PREFIXES */
    GArray *lists;      /* List */
    gboolean blank_due; /* an empty line comes before the next block */
    gsize link_start;   /* where the text of the link under way begins in block */
};

static void prefix_clear(gpointer data)
{
    Prefix *prefix = data;
    g_free(prefix->first);
    g_free(prefix->rest);
}

TextWriter *text_writer_new(void)
{
    TextWriter *writer = g_new0(TextWriter, 1);
    writer->out = g_string_sized_new(1024);
    writer->block = g_string_sized_new(512);
    writer->prefixes = g_array_new(FALSE, FALSE, sizeof(Prefix));
    writer->lists = g_array_new(FALSE, FALSE, sizeof(List));
    g_array_set_clear_func(writer->prefixes, prefix_clear);
    return writer;
}

static void append_prefixes(TextWriter *writer)
{
    for (guint i = 0; i < writer->prefixes->len; i++) {
        Prefix *prefix = &g_array_index(writer->prefixes, Prefix, i);
        g_string_append(writer->out, prefix->used ? prefix->rest : prefix->first);
        prefix->used = TRUE;
    }
}

/* Ends the line, without the spaces of prefixes that nothing stands behind. */
static void end_line(TextWriter *writer, gsize start)
{
    while (writer->out->len > start && writer->out->str[writer->out->len - 1] == ' ')
        g_string_truncate(writer->out, writer->out->len - 1);
    g_string_append_c(writer->out, '\n');
}

/* An empty line, behind the prefixes of what goes on over it. */
static void append_blank(TextWriter *writer)
{
    gsize start = writer->out->len;
    for (guint i = 0; i < writer->prefixes->len; i++) {
        const Prefix *prefix = &g_array_index(writer->prefixes, Prefix, i);
        if (prefix->used)
            g_string_append(writer->out, prefix->rest);
    }
    end_line(writer, start);
}

/* Writes the block under way. */
static void flush(TextWriter *writer, gboolean blank_after)
{
    if (writer->block->len == 0)
        return;
    if (writer->blank_due && writer->out->len > 0)
        append_blank(writer);
    const char *line = writer->block->str;
    do {
        gsize length = strcspn(line, "\n");
        gsize start = writer->out->len;
        append_prefixes(writer);
        g_string_append_len(writer->out, line, (gssize)length);
        end_line(writer, start);
        line += length + (line[length] == '\n');
    } while (*line);
    g_string_truncate(writer->block, 0);
    writer->blank_due = blank_after;
}

char *text_writer_free_to_text(TextWriter *writer)
{
    flush(writer, FALSE);
    char *text = g_string_free(writer->out, FALSE);
    g_string_free(writer->block, TRUE);
    g_array_unref(writer->prefixes);
    g_array_unref(writer->lists);
    g_free(writer);
    return text;
}

static void push_prefix(TextWriter *writer, char *first, char *rest)
{
    Prefix prefix = {.first = first, .rest = rest};
    if (writer->prefixes->len < MAX_PREFIXES) {
        g_array_append_val(writer->prefixes, prefix);
        return;
    }
    prefix_clear(&prefix);
    writer->deeper++;
}

static void pop_prefix(TextWriter *writer)
{
    if (writer->deeper > 0)
        writer->deeper--;
    else
        g_array_set_size(writer->prefixes, writer->prefixes->len - 1);
}

static List *current_list(TextWriter *writer)
{
    return writer->lists->len ? &g_array_index(writer->lists, List, writer->lists->len - 1) : NULL;
}

static void begin_list(TextWriter *writer, gboolean ordered, gboolean tight, guint start)
{
    const List list = {.ordered = ordered, .tight = tight, .next = start};
    flush(writer, FALSE);
    g_array_append_val(writer->lists, list);
}

static void end_list(TextWriter *writer)
{
    g_array_set_size(writer->lists, writer->lists->len - 1);
    const List *outer = current_list(writer);
    writer->blank_due = !outer || !outer->tight;
}

static void begin_item(TextWriter *writer)
{
    List *list = current_list(writer);
    char *bullet = list && list->ordered ? g_strdup_printf("%u. ", list->next++) : g_strdup("- ");
    push_prefix(writer, bullet, g_strnfill(strlen(bullet), ' '));
}

void text_writer_enter_block(TextWriter *writer, MD_BLOCKTYPE type, const void *detail)
{
    const MD_BLOCK_OL_DETAIL *ordered = type == MD_BLOCK_OL ? detail : NULL;
    const MD_BLOCK_UL_DETAIL *bullets = type == MD_BLOCK_UL ? detail : NULL;
    flush(writer, FALSE); /* the text of an item in which another block begins */
    if (type == MD_BLOCK_QUOTE)
        push_prefix(writer, g_strdup("> "), g_strdup("> "));
    else if (bullets)
        begin_list(writer, FALSE, bullets->is_tight != 0, 0);
    else if (ordered)
        begin_list(writer, TRUE, ordered->is_tight != 0, ordered->start);
    else if (type == MD_BLOCK_LI)
        begin_item(writer);
    else if (type == MD_BLOCK_HR)
        g_string_append(writer->block, "----");
}

void text_writer_leave_block(TextWriter *writer, MD_BLOCKTYPE type)
{
    const List *list = current_list(writer);
    switch (type) {
    case MD_BLOCK_LI:
        flush(writer, list && !list->tight);
        pop_prefix(writer);
        break;
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        end_list(writer);
        break;
    case MD_BLOCK_QUOTE:
        flush(writer, TRUE);
        pop_prefix(writer);
        break;
    default:
        flush(writer, TRUE);
    }
}

void text_writer_append(TextWriter *writer, const char *text, gsize length)
{
    g_string_append_len(writer->block, text, (gssize)length);
}

void text_writer_begin_link(TextWriter *writer)
{
    writer->link_start = writer->block->len;
}

void text_writer_end_link(TextWriter *writer, const char *url)
{
    const char *text = writer->block->str + writer->link_start;
    const char *shown = g_str_has_prefix(url, "mailto:") ? url + strlen("mailto:")
                        : g_str_has_prefix(url, "tel:")  ? url + strlen("tel:")
                                                         : url;
    if (!g_str_equal(text, shown) && !g_str_equal(text, url))
        g_string_append_printf(writer->block, *text ? " (%s)" : "%s", shown);
}
