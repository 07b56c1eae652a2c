/*
 * What a mail system's words and codes say about a recipient. Private to bounce*.c.
 */
#pragma once

#include <glib.h>

#include "mail/message.h"

typedef struct {
    BounceKind kind;
    char status[16]; /* "5.1.1", "" where nothing says one */
} BounceReason;

/* Judges by the words first, then by the codes. status: the value of a Status field, or NULL; words: a diagnostic, valid UTF-8, of
 * which the first few kilobytes count. kind: BOUNCE_HARD only where the address will not take mail, whoever sends it: nobody there,
 * no such domain, moved, takes no mail; a refusal for any other reason (full, too large, policy, reputation, suspended, trouble,
 * too late) is BOUNCE_SOFT. A delay is not known here: BOUNCE_DELAYED is the caller's. BOUNCE_UNKNOWN: neither words nor codes. */
BounceReason bounce_reason_judge(const char *status, const char *words);

/* TRUE where the text has an SMTP reply of class 4 or 5, or an enhanced status of one (RFC 3463). */
gboolean bounce_reason_has_code(const char *text);
