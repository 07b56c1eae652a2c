/*
 * Which of a step's variants a contact gets.
 */
#pragma once

#include "config/config.h"

/*
 * The template of the variant; "" for a step without variants. kept is the one that was given before ("" for none), and stays while it is
 * among the step's; else it is told by contact, rule and step alone, by the weights: the same in a rehearsal, in another round and after
 * a restart. Belongs to step.
 */
const char *variant_choose(const Rule *rule, const Step *step, gint64 contact_id, const char *kept);
