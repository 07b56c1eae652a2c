/*
 * Farewells: "I have left, please ask Sam", "my new address is …", "551 User not local; please try <…>", in the usual forms of English,
 * Norwegian, Swedish, Danish, German, Dutch, French, Spanish, Italian, Polish and Portuguese. What is told is a proposal for a
 * person to look at: nothing is proven by it. Pure; any thread; bounded whatever the text.
 */
#pragma once

#include <glib.h>

#include "mail/message.h"

enum { DEPARTURE_LOOKED_AT = 8 * 1024, DEPARTURE_MAX_NAME = 200, DEPARTURE_MAX_EVIDENCE = 400 };

/* What a note says of the one who wrote it (or, in a bounce's words, whom it was for). others: addresses that are nobody new (NULL-terminated):
 * the sender's, and those that it was sent to. Free with departure_clear(). */
Departure departure_find(const char *text, const char *const *others);
