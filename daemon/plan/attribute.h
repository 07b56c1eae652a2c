/*
 * The attributes of a contact, for plan/ alone.
 */
#pragma once

#include "plan/conditions.h"

/* Text, or a number, or neither: absent. Belongs to the facts. */
typedef struct {
    const char *text;
    gboolean is_number;
    double number;
} AttributeValue;

/* The contact's own; their company's where they have none of the name. "", null, lists and objects are as good as none. */
AttributeValue attribute_value(const PlanFacts *facts, const char *name);
