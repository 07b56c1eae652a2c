/*
 * text/plain; format=flowed (RFC 3676). Private to mail/.
 */
#pragma once

#include <glib.h>

/* The text with flowed lines joined: a line that ends in a space goes on in the next one of the same depth of quotes,
 * which the result shows as "> " once a depth. delete_space: delsp=yes. text: LF line ends. Caller frees. */
char *parse_flowed(const char *text, gboolean delete_space);
