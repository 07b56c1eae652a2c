/*
 * The conditions of a rule as data. plan/ evaluates them for one contact, store/ turns the same data into SQL for many.
 */
#pragma once

#include <glib.h>

#include "base/duration.h"

typedef enum {
    CONDITION_STAGE,        /* any_of */
    CONDITION_CUSTOMER,     /* flag */
    CONDITION_CUSTOMER_AGE, /* min_age, max_age since customer_since */
    CONDITION_STAGE_AGE,    /* min_age, max_age since stage_since */
    CONDITION_TAG,          /* any_of */
    CONDITION_OWNER,        /* any_of */
    CONDITION_COMPANY,      /* any_of */
    CONDITION_LANGUAGE,     /* any_of */
    CONDITION_SOURCE,       /* any_of */
    CONDITION_SCORE,        /* min, max */
    CONDITION_REPLIED,      /* flag: wanted (`replied`) or not (`not_replied`); max_age where has_max: `within` */
    CONDITION_NOT_CONTACTED, /* min_age: `for` */
    CONDITION_REFERRED,     /* flag: came by somebody's referral */
    CONDITION_ATTRIBUTE     /* attribute; any_of, or min/max, or present */
} ConditionKind;

typedef struct Condition {
    ConditionKind kind;
    char *attribute; /* CONDITION_ATTRIBUTE: its name; else NULL */
    char **any_of;   /* NULL-terminated, compared without case; NULL where the kind has none */
    gboolean flag;   /* CONDITION_CUSTOMER, _REPLIED, _REFERRED: wanted value; CONDITION_ATTRIBUTE without any_of and bounds: present or absent */
    gboolean has_min, has_max;
    double min, max;           /* inclusive; CONDITION_SCORE, CONDITION_ATTRIBUTE */
    Duration min_age, max_age; /* CUSTOMER_AGE and STAGE_AGE: at least, less than; has_min/has_max tell which are given */
} Condition;

void condition_free(Condition *condition);
