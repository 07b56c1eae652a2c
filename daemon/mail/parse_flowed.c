/*
 * format=flowed: lines that a mail program wrapped are joined again, quotes by their depth. Pure; any thread.
 */
#include "parse_flowed.h"

#include <string.h>

typedef struct {
    GString *out;
    guint depth;   /* of the paragraph that is open */
    gboolean open; /* the line before goes on in this one */
} Paragraph;

/* The depth of ">" quoting; *ret_rest is behind it and one space of stuffing. */
static guint quote_depth(const char *line, gsize length, const char **ret_rest)
{
    guint depth = 0;
    while (depth < length && line[depth] == '>')
        depth++;
    *ret_rest = line + depth + (depth < length && line[depth] == ' ' ? 1 : 0);
    return depth;
}

static void begin_paragraph(Paragraph *paragraph, guint depth)
{
    if (paragraph->open)
        g_string_append_c(paragraph->out, '\n');
    for (guint i = 0; i < depth; i++)
        g_string_append_c(paragraph->out, '>');
    if (depth > 0)
        g_string_append_c(paragraph->out, ' ');
    paragraph->depth = depth;
}

static void add_line(Paragraph *paragraph, const char *line, gsize length, gboolean delete_space)
{
    const char *rest;
    guint depth = quote_depth(line, length, &rest);
    gsize rest_length = length - (gsize)(rest - line);
    gboolean signature = rest_length == 3 && memcmp(rest, "-- ", 3) == 0; /* which never flows */
    gboolean flows = rest_length > 0 && rest[rest_length - 1] == ' ' && !signature;

    if (!paragraph->open || depth != paragraph->depth || signature)
        begin_paragraph(paragraph, depth);
    g_string_append_len(paragraph->out, rest, (gssize)(rest_length - (flows && delete_space ? 1 : 0)));
    paragraph->open = flows;
}

char *parse_flowed(const char *text, gboolean delete_space)
{
    Paragraph paragraph = {.out = g_string_sized_new(strlen(text))};

    while (*text != '\0') {
        gsize length = strcspn(text, "\n");
        add_line(&paragraph, text, length, delete_space);
        text += length;
        if (*text == '\n') {
            text++;
            if (!paragraph.open)
                g_string_append_c(paragraph.out, '\n');
        }
    }
    return g_string_free(paragraph.out, FALSE);
}
