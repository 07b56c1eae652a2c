/*
 * The new text of a reply. Private to mail/.
 */
#pragma once

#include <glib.h>

/* What the sender wrote now: without the messages quoted (behind ">", below an attribution, a header block or a
 * separator), and without signatures. text: valid UTF-8, LF line ends. Trimmed; "" where all is quoted. A text that
 * consists of one forwarded message is returned whole. Caller frees. */
char *reply_text_extract(const char *text);
