/*
 * Commands that are spoken line by line, beside libetpan: signing in (for the server's reason, and passwords with any
 * characters) and IDLE. Lines of at most IMAP_LINE_OCTETS; each operation is armed by the caller (stream_arm()).
 */
#pragma once

#include <glib.h>

#include "session.h"

typedef enum {
    WIRE_UNTAGGED, /* "* …": text is what follows */
    WIRE_CONTINUE, /* "+ …" */
    WIRE_OK,       /* the tagged answer: text is what follows OK, NO or BAD */
    WIRE_NO,
    WIRE_BAD
} WireKind;

/* Sends "tag text". secret: the text is wiped from the buffers that it passed, and no fault of the sign-in quotes it. */
gboolean wire_command(Session *session, const char *text, gboolean secret, GError **error);

/* As a quoted string of the protocol; printable holds nothing but printable ASCII. Caller frees. */
char *wire_quoted_string(const char *printable);

/* A line that belongs to a command under way (DONE, an answer to "+"). */
gboolean wire_send_line(Session *session, const char *text, gboolean secret, GError **error);

/* Octets of a literal that the server has asked for. */
gboolean wire_send_octets(Session *session, GBytes *octets, GError **error);

/* Reads one line and says what it is; *ret_text is the rest of it, owned by the caller. A tag other than the last command's
 * is a fault. */
gboolean wire_read(Session *session, WireKind *ret_kind, char **ret_text, GError **error);

/* Reads on to the answer of the command: a tagged line or "+". Untagged lines are dropped. */
gboolean wire_read_answer(Session *session, WireKind *ret_kind, char **ret_text, GError **error);

/* The server's words for people: escaped, up to so many octets. While signing in, others stand for those that repeat the secret or what
 * was said with it. Caller frees. */
char *wire_quote(const Session *session, const char *words, gsize max_octets);
