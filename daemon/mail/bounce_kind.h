/*
 * Whether a failed delivery says that the address is gone, or only that it did not work this time. Private to mail/.
 */
#pragma once

#include "mail/message.h"

/* action: of RFC 3464, NULL or "" for none. status: "5.1.1", "" for none. words: what the servers said, any text; transcript: of the
 * exchange around it, which may tell what the words answered. */
BounceKind bounce_kind(const char *action, const char *status, const char *words, const char *transcript);

/* The enhanced status (RFC 3463) that the words give, best that of a server's reply; NULL: none. field: a report's own Status, NULL or ""
 * for none: it counts where it says more. Caller frees. */
char *bounce_status(const char *field, const char *words);

/* Where the words of a server or program about the failure begin in a text; NULL: nowhere. Belongs to the text. */
const char *bounce_words_in(const char *text);
