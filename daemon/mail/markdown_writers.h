/*
 * The two results of markdown.c: events in, HTML or plain text out. Private to markdown*.c. All text given is unveiled,
 * decoded, and not terminated but by its length; "\n" in it is a line break.
 */
#pragma once

#include <glib.h>
#include <md4c.h>

/* ---- HTML (markdown_html.c) --------------------------------------------------------------------------------------- */

void html_enter_block(GString *html, MD_BLOCKTYPE type, const void *detail);
void html_leave_block(GString *html, MD_BLOCKTYPE type, const void *detail);
void html_enter_span(GString *html, MD_SPANTYPE type); /* links and images have calls of their own */
void html_leave_span(GString *html, MD_SPANTYPE type);
void html_append_text(GString *html, const char *text, gsize length);
void html_append_code(GString *html, const char *text, gsize length);
void html_begin_link(GString *html, const char *url);
void html_end_link(GString *html);
void html_append_image(GString *html, const char *url, const char *alternative);

/* ---- plain text (markdown_text.c) --------------------------------------------------------------------------------- */

typedef struct TextWriter TextWriter;

TextWriter *text_writer_new(void);
char *text_writer_free_to_text(TextWriter *writer); /* caller frees the text */
void text_writer_enter_block(TextWriter *writer, MD_BLOCKTYPE type, const void *detail);
void text_writer_leave_block(TextWriter *writer, MD_BLOCKTYPE type);
void text_writer_append(TextWriter *writer, const char *text, gsize length);

/* Around the text of a link; " (url)" follows it unless it says the same. */
void text_writer_begin_link(TextWriter *writer);
void text_writer_end_link(TextWriter *writer, const char *url);
