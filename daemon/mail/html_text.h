/*
 * HTML mail to plain text. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The readable text, LF line ends: blocks on lines of their own, links as their text, quotes (blockquote) behind "> ". Scripts, styles and what
 * is outside of the body are left out. Never NULL. Nothing is loaded from anywhere. Caller frees. */
char *html_to_text(const char *html, gsize len);
