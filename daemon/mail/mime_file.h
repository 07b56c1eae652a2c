/*
 * The parts of a message that are files (RFC 2183, 2231, 2387). Private to mail/.
 */
#pragma once

#include <glib.h>

#include "mail/file.h"

typedef enum { MIME_FILE_ATTACHED, MIME_FILE_INLINE } MimeFilePlace;

/* The part's headers, the empty line and the file. */
void mime_file_append(GString *out, const MailFile *file, MimeFilePlace place);

/* Octets that all files (MailFile*; NULL: none) take in a message, roughly: for reserving room. */
gsize mime_file_room(const GPtrArray *files);
