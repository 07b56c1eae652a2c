/*
 * HTML mail to plain text. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The readable text, LF line ends: blocks on lines of their own, links as their text, quotes (blockquote) behind "> ". Scripts, styles and what
 * is outside of the body are left out. *ret_quote_at is the octet where an element begins by which a mail program sets off the earlier message;
 * G_MAXSIZE: there is none. Never NULL. Nothing is loaded from anywhere. Caller frees. */
char *html_to_text(const char *html, gsize len, gsize *ret_quote_at);
