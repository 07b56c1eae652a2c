/*
 * The people found in one message, under construction. Private to mail/.
 */
#pragma once

#include "introduced_own.h"

typedef struct {
    GPtrArray *people; /* IntroducedPerson*; the message's */
    gboolean more;
    const Sender *sender;
} PeopleList;

/* One person as found; all but address may be NULL. address canonical. */
typedef struct {
    const char *name, *address, *phone, *company, *evidence;
    IntroducedHow how;
    gboolean certain;
} Finding;

/* Adds a person, or tells more of one who is there (the same address; the same name where one of the two has no address). Cleans and bounds
 * everything. Not taken: the sender, a role's address, somebody of whom there is neither name nor address. The person, NULL where none;
 * belongs to the list. */
IntroducedPerson *people_add(PeopleList *list, const Finding *finding);

/* Who is there by that address or name; NULL: nobody. A first name alone finds who bears it. */
IntroducedPerson *people_find(const PeopleList *list, const char *name, const char *address);

/* The names, addresses and telephones of the sender's own words (sender_own_words()). */
void people_read_text(PeopleList *list, const char *words);
