/*
 * Words that are names, and words that are none though a capital begins them. Private to mail/.
 */
#pragma once

#include <glib.h>

/* A first name that is common in Norway or where English is spoken; any case. */
gboolean name_is_first(const char *word);

/* A word of everyday language, of greetings, titles, days, places …: part of nobody's name where it stands. Any case. */
gboolean name_is_common_word(const char *word);

/* "AS", "Ltd", "Logistics", "Bygg": what it ends is a company. Any case. */
gboolean name_is_company_word(const char *word);

/* Lower case without accents, "ø" as "o", "æ" as "ae", and only letters and digits: as in the part before the "@". Caller frees. */
char *name_fold(const char *text);

/* A name from outside as it may be shown and stored: one line, no controls and no marks of direction, no quotes or brackets around it, "Nordmann, Kari"
 * turned round, at most INTRODUCED_MAX_NAME octets. "" for what is no name (an address, digits only). Caller frees. */
char *name_clean(const char *text);
