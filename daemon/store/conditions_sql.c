/*
 * Conditions to SQL, out of fixed fragments: a value is never part of the text, only bound. The one place of the room that puts a
 * statement together. Pure.
 *
 * Of two kinds of fragment, an exact one says the same as plan/conditions.c; a wide one holds for more contacts (an age that is
 * still to come must be looked at, too). A wide one under `unless` would leave out too many, so it is not written there.
 */
#include "store/conditions_sql.h"

#include "store/internal.h"

static void add_value(ConditionsSql *conditions, DbValue value)
{
    g_array_append_val(conditions->values, value);
    g_string_append_printf(conditions->sql, "$%u", conditions->values->len);
}

/* "(prefix IN ($2, $3) suffix)" over the words' keys. */
static void add_words(ConditionsSql *conditions, const char *prefix, char **words, const char *suffix)
{
    if (words == NULL || words[0] == NULL) {
        g_string_append(conditions->sql, "1 = 0");
        return;
    }
    g_string_append_printf(conditions->sql, "(%s IN (", prefix);
    for (gsize i = 0; words[i] != NULL; i++) {
        char *key = store_key(words[i]);
        g_ptr_array_add(conditions->strings, key);
        g_string_append(conditions->sql, i > 0 ? ", " : "");
        add_value(conditions, DB_TEXT(key));
    }
    g_string_append_printf(conditions->sql, ")%s)", suffix);
}

static void add_score(ConditionsSql *conditions, const Condition *condition)
{
    g_string_append(conditions->sql, "(c.score IS NOT NULL");
    if (condition->has_min) {
        g_string_append(conditions->sql, " AND c.score >= ");
        add_value(conditions, DB_REAL(condition->min));
    }
    if (condition->has_max) {
        g_string_append(conditions->sql, " AND c.score <= ");
        add_value(conditions, DB_REAL(condition->max));
    }
    g_string_append_c(conditions->sql, ')');
}

static gboolean is_exact(ConditionKind kind)
{
    return kind != CONDITION_CUSTOMER_AGE && kind != CONDITION_STAGE_AGE && kind != CONDITION_REPLIED &&
           kind != CONDITION_NOT_CONTACTED && kind != CONDITION_ATTRIBUTE;
}

static void add_condition(ConditionsSql *conditions, const Condition *condition)
{
    switch (condition->kind) {
    case CONDITION_STAGE:
        add_words(conditions, "c.stage_key", condition->any_of, "");
        break;
    case CONDITION_CUSTOMER:
        g_string_append(conditions->sql, condition->flag ? "c.customer_since_ms <> 0" : "c.customer_since_ms = 0");
        break;
    case CONDITION_CUSTOMER_AGE:
        g_string_append(conditions->sql, "c.customer_since_ms <> 0");
        break;
    case CONDITION_STAGE_AGE:
        g_string_append(conditions->sql, "c.stage_since_ms <> 0");
        break;
    case CONDITION_TAG:
        add_words(conditions, "c.id IN (SELECT t.contact_id FROM tag t WHERE t.name_key", condition->any_of, ")");
        break;
    case CONDITION_OWNER:
        add_words(conditions, "c.owner_key", condition->any_of, "");
        break;
    case CONDITION_COMPANY:
        /* no company is "" to a condition */
        add_words(conditions, "coalesce((SELECT k.name_key FROM company k WHERE k.id = c.company_id), '')",
                  condition->any_of, "");
        break;
    case CONDITION_LANGUAGE:
        add_words(conditions, "c.language_key", condition->any_of, "");
        break;
    case CONDITION_SOURCE:
        add_words(conditions, "c.source_key", condition->any_of, "");
        break;
    case CONDITION_SCORE:
        add_score(conditions, condition);
        break;
    case CONDITION_REPLIED:
        /* not to have replied comes true by time */
        g_string_append(conditions->sql, condition->flag ? "c.last_reply_ms <> 0" : "1 = 1");
        break;
    case CONDITION_REFERRED:
        g_string_append(conditions->sql, condition->flag ? CONTACT_IS_REFERRED : "NOT " CONTACT_IS_REFERRED);
        break;
    case CONDITION_NOT_CONTACTED:
    case CONDITION_ATTRIBUTE:
    default:
        g_string_append(conditions->sql, "1 = 1");
        break;
    }
}

void conditions_sql_init(ConditionsSql *conditions, const Rule *rule)
{
    *conditions = (ConditionsSql){
        .sql = g_string_new("1 = 1"),
        .values = g_array_new(TRUE, TRUE, sizeof(DbValue)), /* the zero element at the end is DB_VALUE_END */
        .strings = g_ptr_array_new_with_free_func(g_free),
    };
    for (Condition **condition = rule->when; condition != NULL && *condition != NULL; condition++) {
        g_string_append(conditions->sql, " AND ");
        add_condition(conditions, *condition);
    }
    for (Condition **condition = rule->unless; condition != NULL && *condition != NULL; condition++) {
        if (!is_exact((*condition)->kind))
            continue;
        g_string_append(conditions->sql, " AND NOT (");
        add_condition(conditions, *condition);
        g_string_append_c(conditions->sql, ')');
    }
}

void conditions_sql_clear(ConditionsSql *conditions)
{
    if (conditions->sql != NULL)
        g_string_free(conditions->sql, TRUE);
    g_clear_pointer(&conditions->values, g_array_unref);
    g_clear_pointer(&conditions->strings, g_ptr_array_unref);
    conditions->sql = NULL;
}
