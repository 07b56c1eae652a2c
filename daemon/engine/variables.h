/*
 * The variables of a letter (see include/engine/letter.h), each made when a template asks for it: a template uses five of thirty, and
 * making all of them cost more than all else about a message but the store. For one rendering, in one thread.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "config/config.h"
#include "store/contacts.h"

typedef struct {
    const Organisation *organisation;
    const Account *account;
    const Contact *contact;
    const char *rule, *step;
    JsonObject *referral;   /* variable -> value; NULL: none */
    JsonObject *made;       /* name -> what was asked for before */
    JsonObject *attributes; /* the contact's, NULL: not read yet */
} Variables;

/* What the fields before `made` point to is kept, not copied. */
void variables_init(Variables *variables);
void variables_clear(Variables *variables);

/* The variable (Variables* as data), NULL: there is none. Belongs to the variables. As MustacheOptions.variable. */
JsonNode *variables_find(const char *name, gpointer data);
