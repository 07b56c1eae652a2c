/*
 * Reading a received message: raw bytes to an InboundMessage. Pure, bounded in time and memory, safe for any bytes.
 */
#pragma once

#include <glib.h>

#include "mail/message.h"

/* Limits; what is beyond is left out and `truncated` set. */
enum {
    READ_MAX_MESSAGE = 32 * 1024 * 1024, /* octets looked at */
    READ_MAX_TEXT = 256 * 1024,          /* octets of text kept, full_text and text each */
    READ_MAX_HEADER = 4096,              /* octets of one header's value */
    READ_MAX_REFERENCES = 50,
    READ_MAX_RECIPIENTS = 50,
    READ_MAX_BOUNCES = 100,
    READ_MAX_ATTACHMENTS = 50,
    READ_MAX_DEPTH = 30 /* of MIME parts */
};

/* Never NULL: what cannot be understood is INBOUND_OTHER with what could be read. now_ms resolves dates without a year. */
InboundMessage *mail_read(const char *bytes, gsize len, gint64 now_ms);
