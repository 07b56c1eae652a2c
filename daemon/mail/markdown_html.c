/*
 * The HTML of a Markdown text. All that is not a tag of ours is escaped here, so that no text can be one.
 */
#include "mail/markdown_writers.h"

#include <string.h>

static const char *tag_of(MD_BLOCKTYPE type)
{
    switch (type) {
    case MD_BLOCK_QUOTE:
        return "blockquote";
    case MD_BLOCK_UL:
        return "ul";
    case MD_BLOCK_OL:
        return "ol";
    case MD_BLOCK_LI:
        return "li";
    case MD_BLOCK_P:
        return "p";
    default:
        return NULL;
    }
}

void html_enter_block(GString *html, MD_BLOCKTYPE type, const void *detail)
{
    const char *tag = tag_of(type);
    if (type == MD_BLOCK_OL && ((const MD_BLOCK_OL_DETAIL *)detail)->start != 1)
        g_string_append_printf(html, "<ol start=\"%u\">\n", ((const MD_BLOCK_OL_DETAIL *)detail)->start);
    else if (tag)
        g_string_append_printf(html, type == MD_BLOCK_P || type == MD_BLOCK_LI ? "<%s>" : "<%s>\n", tag);
    else if (type == MD_BLOCK_H)
        g_string_append_printf(html, "<h%u>", ((const MD_BLOCK_H_DETAIL *)detail)->level);
    else if (type == MD_BLOCK_CODE)
        g_string_append(html, "<pre><code>");
    else if (type == MD_BLOCK_HR)
        g_string_append(html, "<hr>\n");
}

void html_leave_block(GString *html, MD_BLOCKTYPE type, const void *detail)
{
    const char *tag = tag_of(type);
    if (tag)
        g_string_append_printf(html, "</%s>\n", tag);
    else if (type == MD_BLOCK_H)
        g_string_append_printf(html, "</h%u>\n", ((const MD_BLOCK_H_DETAIL *)detail)->level);
    else if (type == MD_BLOCK_CODE)
        g_string_append(html, "</code></pre>\n");
}

static void append_span_tag(GString *html, const char *opening, MD_SPANTYPE type)
{
    const char *tag = type == MD_SPAN_EM       ? "em>"
                      : type == MD_SPAN_STRONG ? "strong>"
                      : type == MD_SPAN_CODE   ? "code>"
                                               : NULL;
    if (tag) {
        g_string_append(html, opening);
        g_string_append(html, tag);
    }
}

void html_enter_span(GString *html, MD_SPANTYPE type)
{
    append_span_tag(html, "<", type);
}

void html_leave_span(GString *html, MD_SPANTYPE type)
{
    append_span_tag(html, "</", type);
}

/* Escapes; a line end is written as line_break. */
static void append_escaped(GString *html, const char *text, gsize length, const char *line_break)
{
    const char *end = text + length;
    const char *plain = text;
    for (const char *p = text; p < end; p++) {
        const char *written = *p == '&'    ? "&amp;"
                              : *p == '<'  ? "&lt;"
                              : *p == '>'  ? "&gt;"
                              : *p == '"'  ? "&quot;"
                              : *p == '\n' ? line_break
                                           : NULL;
        if (!written)
            continue;
        g_string_append_len(html, plain, p - plain);
        g_string_append(html, written);
        plain = p + 1;
    }
    g_string_append_len(html, plain, end - plain);
}

void html_append_text(GString *html, const char *text, gsize length)
{
    append_escaped(html, text, length, "<br>\n");
}

void html_append_code(GString *html, const char *text, gsize length)
{
    append_escaped(html, text, length, "\n");
}

/* Percent signs stand for what a URL may not hold, so that the attribute cannot end before its quote. */
static void append_url(GString *html, const char *url)
{
    for (const char *p = url; *p; p++) {
        if (*p == '&')
            g_string_append(html, "&amp;");
        else if (g_ascii_isalnum(*p) || strchr("-._~:/?#[]@!$()*+,;=%", *p))
            g_string_append_c(html, *p);
        else
            g_string_append_printf(html, "%%%02X", (guint)(guchar)*p);
    }
}

void html_begin_link(GString *html, const char *url)
{
    g_string_append(html, "<a href=\"");
    append_url(html, url);
    g_string_append(html, "\">");
}

void html_end_link(GString *html)
{
    g_string_append(html, "</a>");
}

void html_append_image(GString *html, const char *url, const char *alternative)
{
    g_string_append(html, "<img src=\"");
    append_url(html, url);
    g_string_append(html, "\" alt=\"");
    append_escaped(html, alternative, strlen(alternative), " ");
    g_string_append(html, "\">");
}
