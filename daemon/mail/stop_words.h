/*
 * "Stop", "please take me off your list", "avmeld": whether a short text asks for no more mail. Private to mail/.
 */
#pragma once

#include <glib.h>

/* TRUE where the new text of a message says that, in a language of our people, and nothing else but greetings, thanks, names and "not
 * interested". Longer texts are never taken for it: who writes more wants an answer. */
gboolean stop_words_ask(const char *text);
