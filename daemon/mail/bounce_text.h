/*
 * The reports of mail systems that write for people instead of RFC 3464. Private to bounce*.c.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *recipient; /* canonical; "" where none was found */
    GString *words;  /* what is said of it */
} BounceEntry;

void bounce_entry_free(BounceEntry *entry);

/* The part of the text that tells of the failure: what follows, the message returned, is left out. *ret_rest: where that begins in
 * text. Valid UTF-8, bounded. Caller frees. */
char *bounce_text_report(const char *text, const char **ret_rest);

/* Whom the report names, each with what it says of them; at most READ_MAX_BOUNCES. Addresses in own (NULL-terminated, canonical), such
 * as the sender's, are not taken for failed ones. Empty where no line of the report names anybody. */
GPtrArray *bounce_text_entries(const char *report, const char *const *own);

/* TRUE where it says that a message could not be, or has not yet been, delivered. */
gboolean bounce_text_says_failure(const char *text);
gboolean bounce_text_says_delay(const char *text);
