/*
 * Addresses in running text that are made links. Private to markdown*.c.
 */
#pragma once

#include <glib.h>

/* The character that the veiled one at text is (mail/markdown.h), '\0' where there is none; it takes
 * MARKDOWN_VEILED_BYTES. */
enum { MARKDOWN_VEILED_BYTES = 4 };
char markdown_unveil_at(const char *text, const char *end);

typedef struct {
    const char *start, *end;
    gboolean is_mail; /* an e-mail address without "mailto:" */
} TextLink;

/* The first "http://…", "https://…" or e-mail address from text to end (valid UTF-8, values veiled). "://" and "@" must
 * not come from a value, so that no value makes a link of itself; a value may be part of one. */
gboolean markdown_find_link(const char *text, const char *end, TextLink *ret_link);
