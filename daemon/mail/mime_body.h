/*
 * Transfer encodings of text that we write (RFC 2045, 6). Private to mail/.
 */
#pragma once

#include <glib.h>

typedef enum { MIME_BODY_7BIT, MIME_BODY_QUOTED_PRINTABLE, MIME_BODY_BASE64 } MimeBodyEncoding;

/* What the text (UTF-8, LF line ends) is to be sent in: as it is where nothing on its way could change it, else the
 * smaller one of the two encodings. */
MimeBodyEncoding mime_body_choose(const char *text);

/* "7bit", "quoted-printable", "base64" */
const char *mime_body_encoding_name(MimeBodyEncoding encoding);

/* Appends the text, encoded: 7-bit, CRLF line ends, lines of at most 78 columns; no line begins with "From " or ".", nor
 * (but in base64, whose lines cannot) with "--=_". */
void mime_body_append(GString *out, const char *text, MimeBodyEncoding encoding);
