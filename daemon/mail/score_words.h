/*
 * An answer as the words and numbers of its clauses, for mail/score.c. Private to mail/.
 */
#pragma once

#include <glib.h>

typedef enum {
    SCORE_WORD,
    SCORE_NUMBER,
    SCORE_BREAK, /* punctuation, an emoji or a line's end: a clause ends */
    SCORE_OTHER  /* a date, time, price, telephone …: a number that is none */
} ScoreTokenKind;

typedef struct {
    ScoreTokenKind kind;
    char *text;  /* lower case; of a BREAK its character, "\n" for a line's end */
    int value;   /* of a NUMBER; above 10: larger than a score */
    gboolean is_fraction;  /* "8.5" */
    gboolean is_word;      /* "nine", not "9" */
    gboolean is_grade;     /* "9-er", "en nier": said of nothing but marks */
    gboolean is_ambiguous; /* a word that is mostly none: "one", "to", "fire" */
    gboolean is_joined;    /* no space before it */
    gsize start, end;      /* in the text that score_words_new() gives */
} ScoreToken;

typedef struct {
    char *text;     /* what was looked at: lower case, one form of dashes and apostrophes */
    GArray *tokens; /* ScoreToken */
    guint words;    /* that are no BREAK */
} ScoreWords;

/* FALSE for a long text that surely holds no score: no number up to ten that stands for itself, in digits or as a word that is nothing else. */
gboolean score_words_possible(const char *text);

/* text: valid UTF-8; at most SCORE_MAX_TEXT octets are looked at. Free with score_words_free(). */
ScoreWords *score_words_new(const char *text);
void score_words_free(ScoreWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScoreWords, score_words_free)

/* Whether word stands in a list such as " say give rate ". */
gboolean score_word_in(const char *word, const char *list);
