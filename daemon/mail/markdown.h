/*
 * Markdown (CommonMark, by md4c) to HTML and to plain text. Private to mail/.
 *
 * Values travel through Markdown "veiled": each of their characters that could mean something there is replaced by a
 * private one (U+F0000 and up) that means nothing, and put back when the result is written, as text. Thus no value acts
 * as Markdown or HTML, wherever the template puts it: in a paragraph, a link's target or a piece of code.
 */
#pragma once

#include <glib.h>

#include "mail/file.h"

/* Appends value, veiled. Controls but line ends are left out; line ends will be line breaks. */
void markdown_veil(const char *value, GString *out);

/* Images that are files: `![logo](logo.png)`. */
typedef struct {
    const MailFile *(*find)(const char *path, gpointer data); /* NULL: there is none of this name */
    gpointer data;
    GPtrArray *used; /* out: const MailFile*, each once, in the order of the text */
    char *missing;   /* out: the first path that find() did not know; NULL: none. Caller frees */
} MarkdownImages;

/* Renders the Markdown, valid UTF-8 with LF line ends. Raw HTML in it shows as text. Targets of links are those of the
 * schemes http, https, mailto and tel; other links are their text alone. An image that is a file is referred to by its
 * Content-ID; one whose name comes from a value, or any where images is NULL, is its text alone. *ret_text: paragraphs parted
 * by an empty line and not wrapped, lists with "- " or "1. ", quotes behind "> ", links as "text (url)". *ret_html: a
 * fragment. Caller frees both. */
void markdown_render(const char *markdown, MarkdownImages *images, char **ret_text, char **ret_html);

/* The paths of all images in it that are files, in the order of the text; NULL-terminated, free with g_strfreev(). */
char **markdown_image_paths(const char *markdown);
