/*
 * Scores: how likely somebody would recommend us, from 0 to 10, as they answered it or as the owner wrote it down; and what follows.
 *
 *     9, 10   a promoter: rules may ask for it (score = { min = 9; }, anchor = "score")
 *     7, 8    nothing
 *     0 … 6   a task for the owner, and no automatic mail to them until nurture contact resume
 */
#pragma once

#include <glib.h>

#include "mail/message.h"
#include "store/contacts.h"
#include "store/outbox.h"

enum { SCORE_LOW_MAX = 6, SCORE_MAX = 10 };

/* Keeps the score and does what follows. words: what they said, "" for nothing; answers: the question that they answered, NULL for none.
 * Joins the caller's transaction; marks the contact. */
gboolean score_apply(Store *store, const Contact *contact, int score, const char *words, const OutboxMessage *answers, gint64 at_ms,
                     GError **error);

/* The same for an answer to the question, as it was read: one that is unclear becomes a task for the owner. */
gboolean score_take_answer(Store *store, const Contact *contact, const ScoreRead *read, const OutboxMessage *answers, gint64 at_ms,
                           GError **error);

/* For the history: "score 9", "score unclear". Caller frees. */
char *score_detail(const ScoreRead *read);
