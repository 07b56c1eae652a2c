/*
 * What is new in a reply. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The text without quotes of earlier messages, the lines that introduce them, and a signature behind the new text. quote_at: the octet where
 * the mail's structure says that the earlier message begins (G_MAXSIZE: it says nothing). LF line ends; trimmed; "" where nothing is new. Caller
 * frees. */
char *reply_text_extract(const char *text, gsize quote_at);
