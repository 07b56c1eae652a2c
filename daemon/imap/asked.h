/*
 * Tasks that a child was given and has not answered, as the parent keeps them: in the order of asking, with what must be
 * handed on of their messages. Nothing the child says about them is believed beyond that order.
 */
#pragma once

#include "imap/link.h"

typedef struct {
    GQueue tasks;
} Asked;

void asked_init(Asked *asked);
void asked_clear(Asked *asked);

gboolean asked_has_room(const Asked *asked);

/* Notes the task; the value of its FRAME_TASK, floating. */
GVariant *asked_add(Asked *asked, const ImapTask *task);

/* A WANT: *ret_piece is the value of the FRAME_PIECE, floating. FALSE: not the child's to ask (each piece is given once). */
gboolean asked_give_piece(Asked *asked, guint64 id, guint64 offset, GVariant **ret_piece);

/* An ANSWER. FALSE: it is not that task's turn. */
gboolean asked_end(Asked *asked, guint64 id);

/* Takes the oldest away: it is lost. FALSE: there is none. */
gboolean asked_pop(Asked *asked, guint64 *ret_id);
