/*
 * Markdown (CommonMark, by md4c) to HTML and to plain text. Private to mail/.
 */
#pragma once

#include <glib.h>

/* An HTML fragment. Raw HTML in the Markdown shows as text. Caller frees. */
char *markdown_to_html(const char *markdown);

/* Plain text: paragraphs parted by an empty line and not wrapped, lists with "- " or "1. ", links as "text (url)". Caller frees. */
char *markdown_to_text(const char *markdown);

/* Appends value so that it shows as it is, whatever it holds: no Markdown, no HTML, no line of its own. */
void markdown_escape(const char *value, GString *out);
