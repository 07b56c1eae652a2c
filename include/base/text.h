/*
 * Small text helpers that GLib lacks. All text is UTF-8.
 */
#pragma once

#include <glib.h>

/* Remote text made safe for one line of a log, an error or a terminal: control characters, invalid UTF-8, and bidirectional
 * overrides become `\n`, `\t`, `\xNN` or `\u{NNNN}`; cut at max_bytes (0: not) with "…". Caller frees. NULL gives "". */
char *text_escape(const char *text, gsize max_bytes);

/* text_escape() between double quotes, with quotes and backslashes inside escaped by a backslash. Caller frees. */
char *text_quote(const char *text, gsize max_bytes);

/* Valid UTF-8 of the len bytes (-1: up to NUL): invalid sequences and NUL become U+FFFD. Caller frees. */
char *text_make_valid(const char *bytes, gssize len);

/* The candidate nearest to word by edit distance (case-insensitive), or NULL if none is near enough to be a slip of the
 * fingers (distance at most 2, or a third of the word's length). candidates is NULL-terminated; the result belongs to it. */
const char *text_nearest(const char *word, const char *const *candidates);

/* Columns that the text takes in a terminal (wide characters 2, combining marks 0). */
guint text_columns(const char *text);

/* The text cut to at most columns, ending in "…" where something was cut. Caller frees. */
char *text_fit(const char *text, guint columns);

/* Runs of white space, line ends included, become one space; ends are trimmed. Caller frees. */
char *text_one_line(const char *text);

/* Splits at commas, semicolons or vertical bars; trims; drops empty ones. NULL gives an empty list. Free with g_strfreev(). */
char **text_split_list(const char *text);

/* A person's name as people write it: "Kari Nordmann", "Nordmann, Kari". A single word is the first name. "" for none; caller frees both. */
void text_split_name(const char *name, char **ret_first, char **ret_last);

/* *field becomes a copy of text (NULL: none); what it held is freed. As g_set_str() of later GLibs. */
void text_replace(char **field, const char *text);
