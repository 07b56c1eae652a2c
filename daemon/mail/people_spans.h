/*
 * Names, addresses and telephone numbers in a text, by their places. Private to mail/.
 */
#pragma once

#include <glib.h>

typedef struct {
    gsize start, end;   /* in the text */
    char *text;         /* as it is shown: "Kari Nordmann" */
    char *folded;       /* name_fold() of its first and of its last word */
    char *folded_short; /* of "Tor-Arne" the "tor" */
    char *folded_last;
    guint words;
    gboolean known;      /* begins with a common first name */
    gboolean is_company; /* ends as companies do, or stands behind "at" */
    gboolean opens;      /* begins a line or a sentence */
} NameSpan;

typedef struct {
    gsize start, end;
    char *value; /* canonical address; or digits with a leading "+" where the country is told */
} ContactSpan;

/* Each sorted by its place; the lists are of at most max. Free with g_ptr_array_unref(). */
GPtrArray *people_find_names(const char *text, guint max);     /* NameSpan* */
GPtrArray *people_find_addresses(const char *text, guint max); /* ContactSpan*; those inside of links left out */
GPtrArray *people_find_phones(const char *text, guint max);    /* ContactSpan* */

void name_span_free(NameSpan *span);

/* One name of the words from start to end, capitalised where it is all lower case. */
NameSpan *name_span_new(const char *text, gsize start, gsize end);

/* The number as it is kept: digits, "+" where the country is told. "" for what is none. Caller frees. */
char *people_phone(const char *text);

/* "kari (at) firma.example", "kari krøllalfa firma punktum example" become addresses. Caller frees. */
char *people_plain_addresses(const char *text);
