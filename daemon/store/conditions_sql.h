/*
 * The conditions of a rule (config/condition.h) as SQL over contact c, to choose many contacts by one statement.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "store/db.h"

typedef struct {
    GString *sql;       /* "1 = 1 AND …" over contact c */
    GArray *values;     /* DbValue: of $1 …, ended */
    GPtrArray *strings; /* char*: what the values point at */
} ConditionsSql;

/*
 * $1 … are used by the conditions. The contacts selected are all that fulfil the rule now or may do so by time alone, and some
 * others: what SQL cannot say in every database (ages by the calendar, attributes) is left out, since the daemon decides for each
 * contact again. `replied` and `not_contacted` hold for those who are enrolled, whom the caller adds. Clear with
 * conditions_sql_clear().
 */
void conditions_sql_init(ConditionsSql *conditions, const Rule *rule);
void conditions_sql_clear(ConditionsSql *conditions);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConditionsSql, conditions_sql_clear)
