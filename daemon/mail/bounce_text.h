/*
 * Failed recipients in the free text of a mail system, and what it says of each. Private to mail/.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *address; /* canonical */
    char *section; /* the text about it, from the line that names it */
} BounceMention;

/* The part of a text that tells of the failure, without the copy of the message that many append. Caller frees. */
char *bounce_text_report(const char *text);

/* The recipients that the report names as failed, the sender's own addresses (others, NULL-terminated) left out: BounceMention*; empty where
 * it names none. Caller unrefs. */
GPtrArray *bounce_text_find(const char *report, char *const *others);

/* What the report says of the address, mentions being all that it names; "" where it says nothing of it. Caller frees. */
char *bounce_text_about(const char *report, const GPtrArray *mentions, const char *address);
