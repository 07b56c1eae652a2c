/*
 * The score in an answer to "how likely would you recommend us, 0 to 10", in English and Norwegian. Pure; any thread.
 *
 * mail_read() has it for every reply (InboundMessage.score); whether the message asked for a score is the caller's to know.
 */
#pragma once

#include "mail/message.h"

enum {
    SCORE_MAX_TEXT = 8 * 1024, /* octets looked at */
    SCORE_MAX_EVIDENCE = 200
};

/*
 * new_text: what the person wrote themself (InboundMessage.text), valid UTF-8.
 *
 *   clear    one whole number from 0 to 10 that is meant as the score: "9", "10/10!", "ni av ti", "en sterk åtter", "Score: 7"
 *   unclear  a score is given, but not one number of that range: "8-9", "8.5", "12/10", "almost 10", "4 of 5", two that differ
 *   none     no number, or only numbers of other things: dates, times, prices, telephones, "10 years", "3 of them"
 *
 * A bound is read as its number where every number that it allows is treated alike or it is the cautious one: "not below 8", "at least 9" (from
 * 7 on) and "not above 6" (up to 6) are clear, "at least 5" and "8 at most" are unclear. Never guessed: what could be read in two
 * ways is unclear.
 *
 * The caller frees evidence (score_read_clear()).
 */
ScoreRead mail_score_read(const char *new_text);

/* Frees what it holds; not the struct itself. */
void score_read_clear(ScoreRead *score);
