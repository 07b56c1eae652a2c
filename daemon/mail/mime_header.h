/*
 * Header lines of messages that we write. Private to mail/.
 *
 * Every call appends whole lines to out: 7-bit, folded at 78 columns where there is a place to fold, ended by CRLF. Text
 * is cleaned on its way (mime_header_clean()), so that no value leaves its header.
 */
#pragma once

#include <glib.h>

/* The text as headers bear it: valid UTF-8 on one line, controls and runs of white space become a space. Caller frees. */
char *mime_header_clean(const char *text);

/* "Subject: …", as it is or in encoded words (RFC 2047). text is clean. */
void mime_header_append_text(GString *out, const char *field, const char *text);

/* "From: Anna Berg <anna@example.com>": name clean, "" for none; address canonical and ASCII. */
void mime_header_append_mailbox(GString *out, const char *field, const char *name, const char *address);

/* The words (ASCII, without spaces) one behind the other. */
void mime_header_append_words(GString *out, const char *field, const char *const *words, gsize count);

/* "Date: Tue, 24 Nov 2026 09:15:00 +0100" in the zone (NULL: UTC). */
void mime_header_append_date(GString *out, gint64 at_ms, GTimeZone *zone);
