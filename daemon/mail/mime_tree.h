/*
 * The parts of a message, one within another. Private to mail/.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *text;             /* LF line ends */
    const char *html;             /* the same as a whole document; NULL: none */
    const GPtrArray *images;      /* const MailFile* that html refers to; NULL or empty: none */
    const GPtrArray *attachments; /* const MailFile*; NULL or empty: none */
    const char *key;              /* what boundaries come from: another one for each message */
} MimeTree;

/* From the Content-Type of the message's own header on, with the empty line behind the headers, to its end. */
void mime_tree_append(GString *out, const MimeTree *tree);

/* Octets that it takes, roughly: for reserving room. */
gsize mime_tree_room(const MimeTree *tree);
