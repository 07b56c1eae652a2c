/*
 * The lines of a reply, as reply_text.c and its helpers mark them. Private to reply_*.c.
 */
#pragma once

#include <glib.h>

typedef enum {
    REPLY_KEPT,
    REPLY_QUOTED, /* behind ">", or an attribution above such lines */
    REPLY_CUT,    /* from here on, an older message */
    REPLY_SIGNATURE
} ReplyMark;

typedef struct {
    char *text; /* trimmed at its end */
    ReplyMark mark;
    gboolean blank;
} ReplyLine;

typedef struct {
    ReplyLine *lines;
    guint count;
} ReplyLines;

/* ---- reply_quote.c: where older messages begin ------------------------------------------------------------------------ */

gboolean reply_line_is_quote(const char *line);

/* Lines from at on that introduce a quote ("On …, Anna wrote:"), wrapped over several perhaps; 0: none. *ret_offset:
 * where in the first of them, for a mail program that puts it behind the sender's last words. */
guint reply_attribution_length(const ReplyLines *reply, guint at, gsize *ret_offset);

/* The lines from at on that head an older message: "-----Original Message-----" and the like, or its header lines; 0:
 * none. */
guint reply_older_message_length(const ReplyLines *reply, guint at);

/* "---------- Forwarded message": what follows is not an answer's quote but what the sender sends on. */
gboolean reply_is_forward(const char *line);

/* ">>> Anna Berg <anna@example.com> 24.11.2026 09:00 >>>", above an older message without ">": GroupWise's. */
gboolean reply_is_arrowed_head(const char *line);

/* ---- reply_notice.c --------------------------------------------------------------------------------------------------- */

/* Marks disclaimers and other notices among kept lines as signatures, unless nothing else is there. */
void reply_mark_notices(ReplyLines *reply);

/* ---- reply_signature.c ------------------------------------------------------------------------------------------------ */

/* Marks the signatures in runs of kept lines. */
void reply_mark_signatures(ReplyLines *reply);
