/*
 * HTML mail to plain text. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The readable text, LF line ends, at most max_bytes: blocks on lines of their own, links as their text, scripts,
 * styles and what is hidden left out. What a mail program marks as an older message (a blockquote, its own kind of
 * container, a divider and all below it) stands behind "> ", a signature that it marks behind a line "-- ", so that
 * reply_text_extract() needs to know text alone. html: UTF-8. Nothing is loaded from anywhere. *ret_cut is set to TRUE
 * where text was left out by a limit, else left as it is. Never NULL. Caller frees. */
char *html_to_text(const char *html, gsize len, gsize max_bytes, gboolean *ret_cut);
