/*
 * What is new in a reply. Private to mail/.
 */
#pragma once

#include <glib.h>

/* The text without quotes of earlier messages, the lines that introduce them, and a signature behind the new text. LF line ends;
 * trimmed; "" where nothing is new. Caller frees. */
char *reply_text_extract(const char *text);
