/*
 * Whether a text has any of some words, in one quick pass: what is asked before patterns of many alternatives are tried on texts that hold
 * nothing of the kind. Private to mail/.
 */
#pragma once

#include <glib.h>

typedef struct WordGate WordGate;

/* words: beginnings of words, in lower case, parted by spaces, each of at least three octets; "ten_" is that word alone, and may be shorter. Kept for ever. */
WordGate *word_gate_new(const char *words);

/* TRUE where a word of the text is, or begins with, one of these (ASCII letters of either case; others as they are written). */
gboolean word_gate_is_open(const WordGate *gate, const char *text);
