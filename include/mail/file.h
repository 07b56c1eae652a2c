/*
 * A file that travels with messages, as an attachment or as an image in the text. Made once, then read by any number of threads: it
 * is kept encoded, so that a message costs no more than a copy of it.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *name;       /* as the recipient sees it, without folder; UTF-8 */
    char *type;       /* "application/pdf"; "text/plain; charset=utf-8" */
    char *content_id; /* without brackets; of another content, another one */
    GBytes *base64;   /* lines of 76 columns, each ended by CRLF */
    gsize size;       /* octets of the file */
} MailFile;

/* A copy of the bytes. type: what it was taken for; what base64 may not carry (message/…, multipart/…) or cannot stand in a header
 * becomes application/octet-stream. Free with mail_file_free(). */
MailFile *mail_file_new(const char *name, const char *type, const guchar *bytes, gsize size);
void mail_file_free(MailFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailFile, mail_file_free)

/* The type of an image that mail programs show: "image/png", "image/jpeg" or "image/gif", by its content; NULL for anything else. */
const char *mail_image_type(const guchar *bytes, gsize size);
