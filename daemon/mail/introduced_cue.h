/*
 * What the words around a name or an address say. Private to mail/.
 */
#pragma once

#include "mail/message.h"

typedef enum {
    CUE_RECOMMENDS = 1 << 0,   /* "talk to", "snakk med", "a friend of mine", "would be interested" */
    CUE_INTRODUCES = 1 << 1,   /* "meet", "I've copied in", "på kopi" */
    CUE_FORBIDS = 1 << 2,      /* "don't contact", "har sluttet" */
    CUE_OWN = 1 << 3,          /* "my new address", "ring meg på" */
    CUE_OTHER_MATTER = 1 << 4, /* invoices, deputies, disclaimers */
    CUE_MEETS = 1 << 5,        /* of those that introduce, what is said of a stranger: "meet", "hils på" */
    CUE_OURS = 1 << 6,         /* "from your support", "hos dere": somebody of ours */
    CUE_WANTS = 1 << 7         /* of those that recommend, what tells of a friend or a need, and not only what to do */
} Cue;

/* All that a sentence says. */
guint introduced_cues(const char *sentence);

/* Whether what stands right before a name points at it: "ask", "kanskje", "hva med". before: the text up to the name. */
gboolean introduced_is_pointed_at(const char *before);

/* What the new text says to being asked for names. */
ReferralAnswer introduced_answer(const char *text);
