/*
 * The first gate of a received message: what the MIME parser is given.
 */
#pragma once

#include <glib.h>

/* What is beyond is left out (headers, header bytes) or ends the message (the rest). The parser's work grows with the
 * square of some of these, so they are counted over the whole message, embedded ones included. */
enum {
    BOUND_MAX_HEADERS = 1000,             /* of the message itself */
    BOUND_MAX_HEADER_BYTES = 64 * 1024,   /* of one header, folded lines included */
    BOUND_MAX_BLOCK_BYTES = 1024 * 1024,  /* of the message's own header block */
    BOUND_MAX_ADDRESS_LINES = 200,        /* lines that begin as an address header does */
    BOUND_MAX_ADDRESS_BYTES = 256 * 1024, /* in all of these, folded lines included */
    BOUND_MAX_CONTENT_BYTES =
        1024 * 1024,               /* in all lines that begin with Content-, whose parameters the parser keeps apart */
    BOUND_MAX_FIELD_LINES = 20000, /* lines that begin as any header does, in embedded messages or wherever */
    BOUND_MAX_PARTS = 2000,        /* lines that begin with Content-Type: */
    BOUND_MAX_DASH_LINES = 20000   /* lines that begin with "--", each compared with every open boundary */
};

/* A copy of the bytes within these limits and READ_MAX_MESSAGE: an mbox line and empty lines before the first header
 * are gone, lone CRs as line ends became LFs. *ret_cut tells whether something was left out. Free with
 * g_byte_array_unref(). */
GByteArray *parse_bound(const char *bytes, gsize len, gboolean *ret_cut);

/* Where the body begins: behind the first empty line; len where there is none. */
gsize parse_bound_body(const char *bytes, gsize len);
