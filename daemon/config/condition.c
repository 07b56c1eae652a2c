/*
 * Conditions of a rule: a group such as { stage = [ "pitching" ]; customer_age = { min = "30 days"; }; attributes = { plan = "gold"; }; }.
 */
#include "config/condition.h"

#include <string.h>

#include "base/text.h"
#include "config/parts.h"

typedef enum { VALUE_TEXTS, VALUE_STAGES, VALUE_FLAG, VALUE_AGES, VALUE_NUMBERS, VALUE_WITHIN, VALUE_NOT_WITHIN, VALUE_FOR, VALUE_ATTRIBUTES } ValueForm;

static const struct {
    const char *name;
    ConditionKind kind;
    ValueForm form;
} forms[] = {
    {"stage", CONDITION_STAGE, VALUE_STAGES},
    {"customer", CONDITION_CUSTOMER, VALUE_FLAG},
    {"customer_age", CONDITION_CUSTOMER_AGE, VALUE_AGES},
    {"stage_age", CONDITION_STAGE_AGE, VALUE_AGES},
    {"tag", CONDITION_TAG, VALUE_TEXTS},
    {"owner", CONDITION_OWNER, VALUE_TEXTS},
    {"company", CONDITION_COMPANY, VALUE_TEXTS},
    {"language", CONDITION_LANGUAGE, VALUE_TEXTS},
    {"source", CONDITION_SOURCE, VALUE_TEXTS},
    {"score", CONDITION_SCORE, VALUE_NUMBERS},
    {"replied", CONDITION_REPLIED, VALUE_WITHIN},
    {"not_replied", CONDITION_REPLIED, VALUE_NOT_WITHIN},
    {"not_contacted", CONDITION_NOT_CONTACTED, VALUE_FOR},
    {"referred", CONDITION_REFERRED, VALUE_FLAG},
    {"attributes", CONDITION_ATTRIBUTE, VALUE_ATTRIBUTES},
};

void condition_free(Condition *condition)
{
    if (!condition)
        return;
    g_free(condition->attribute);
    g_strfreev(condition->any_of);
    g_free(condition);
}

static Condition *condition_new(ConditionKind kind)
{
    Condition *condition = g_new0(Condition, 1);
    condition->kind = kind;
    return condition;
}

/* ---- forms ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    config_setting_t *min, *max;
} Bounds;

static gboolean read_bounds(Reader *reader, config_setting_t *setting, Bounds *bounds)
{
    static const Key keys[] = {
        KEY_KEPT("min", Bounds, min, "min = …"),
        KEY_KEPT("max", Bounds, max, "max = …"),
        KEY_END,
    };
    *bounds = (Bounds){0};
    if (!reader_read_group(reader, setting, keys, bounds))
        return FALSE;
    if (!bounds->min && !bounds->max) {
        g_autofree char *name = reader_name_of(setting);
        reader_fault(reader, setting, "%s has neither min nor max; write %s = { min = …; }", name, config_setting_name(setting));
    }
    return bounds->min || bounds->max;
}

static void read_numbers(Reader *reader, config_setting_t *setting, Condition *condition)
{
    Bounds bounds;
    if (!read_bounds(reader, setting, &bounds))
        return;
    condition->has_min = bounds.min && reader_number(reader, bounds.min, &condition->min);
    condition->has_max = bounds.max && reader_number(reader, bounds.max, &condition->max);
    if (condition->has_min && condition->has_max && condition->min > condition->max)
        reader_fault(reader, setting, "%s: min is above max; exchange them", config_setting_name(setting));
}

static void read_ages(Reader *reader, config_setting_t *setting, Condition *condition)
{
    Bounds bounds;
    if (!read_bounds(reader, setting, &bounds))
        return;
    condition->has_min = bounds.min && reader_duration(reader, bounds.min, &condition->min_age);
    condition->has_max = bounds.max && reader_duration(reader, bounds.max, &condition->max_age);
    if (condition->has_min && condition->has_max && duration_rough_days(&condition->min_age) >= duration_rough_days(&condition->max_age))
        reader_fault(reader, setting, "%s: min is not below max, so nobody would meet it; exchange them", config_setting_name(setting));
}

/* A condition on no words at all is met by nobody: it is a slip, not a wish. */
static char **read_words(Reader *reader, config_setting_t *setting, const char *example)
{
    char **words = reader_texts(reader, setting, example);
    if (words && !*words)
        reader_fault(reader, setting, "%s names nothing, so nobody would meet it; write %s, or leave it out", config_setting_name(setting),
                     example);
    return words;
}

static void read_stages(Reader *reader, config_setting_t *setting, Condition *condition)
{
    condition->any_of = read_words(reader, setting, "the name of a stage");
    for (char **stage = condition->any_of; stage && *stage; stage++) {
        const char *spelled = stage_parse(reader, setting, *stage);
        if (spelled) {
            g_free(*stage);
            *stage = g_strdup(spelled);
        }
    }
}

static void read_flag(Reader *reader, config_setting_t *setting, Condition *condition)
{
    if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
        condition->flag = config_setting_get_bool(setting) != 0;
    else
        reader_fault(reader, setting, "%s must be true or false; write it without quotes", config_setting_name(setting));
}

/* replied = true; replied = { within = "30 days"; }; and the same of not_replied, which is its opposite. */
static void read_replied(Reader *reader, config_setting_t *setting, Condition *condition, gboolean wanted)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_DURATION, "within", Condition, max_age, "within = \"30 days\""),
        KEY_END,
    };
    const char *name = config_setting_name(setting);
    if (config_setting_type(setting) == CONFIG_TYPE_BOOL) {
        condition->flag = (config_setting_get_bool(setting) != 0) == wanted;
    } else if (config_setting_type(setting) == CONFIG_TYPE_GROUP) {
        condition->flag = wanted;
        condition->has_max = TRUE;
        guint faults = reader->faults->len;
        reader_read_group(reader, setting, keys, condition);
        if (reader->faults->len == faults && duration_is_zero(&condition->max_age))
            reader_fault(reader, setting, "%s.within is no time at all; write within = \"30 days\"", name);
    } else {
        reader_fault(reader, setting, "%s must be true, false or a group; write %s = true, or %s = { within = \"30 days\"; }", name, name, name);
    }
}

/* not_contacted = { for = "14 days"; }; or just the duration. */
static void read_not_contacted(Reader *reader, config_setting_t *setting, Condition *condition)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_DURATION, "for", Condition, min_age, "for = \"14 days\""),
        KEY_END,
    };
    guint faults = reader->faults->len;
    condition->has_min = TRUE;
    if (config_setting_type(setting) == CONFIG_TYPE_STRING)
        reader_duration(reader, setting, &condition->min_age);
    else if (config_setting_type(setting) == CONFIG_TYPE_GROUP)
        reader_read_group(reader, setting, keys, condition);
    else
        reader_fault(reader, setting, "not_contacted must be a duration; write not_contacted = { for = \"14 days\"; }");
    if (reader->faults->len == faults && duration_is_zero(&condition->min_age))
        reader_fault(reader, setting, "not_contacted is met by everybody when it is for no time; write for = \"14 days\", or leave it out");
}

/* plan = "gold"; plan = [ "gold", "silver" ]; seats = { min = 10; }; renewal = true; */
static Condition *read_attribute(Reader *reader, config_setting_t *setting)
{
    Condition *condition = condition_new(CONDITION_ATTRIBUTE);
    double number;
    condition->attribute = g_strdup(config_setting_name(setting));
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_BOOL:
        condition->flag = config_setting_get_bool(setting) != 0;
        break;
    case CONFIG_TYPE_GROUP:
        read_numbers(reader, setting, condition);
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
    case CONFIG_TYPE_FLOAT:
        if (reader_number(reader, setting, &number)) {
            condition->has_min = condition->has_max = TRUE;
            condition->min = condition->max = number;
        }
        break;
    default:
        condition->any_of = read_words(reader, setting, "a text, a list of texts, a number, { min = …; } or true");
    }
    return condition;
}

static void read_attributes(Reader *reader, config_setting_t *setting, GPtrArray *conditions)
{
    if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
        reader_fault(reader, setting, "attributes must be a group; write attributes = { plan = \"gold\"; }");
        return;
    }
    for (int i = 0; i < config_setting_length(setting); i++)
        g_ptr_array_add(conditions, read_attribute(reader, config_setting_get_elem(setting, (unsigned)i)));
}

/* ---- the group ------------------------------------------------------------------------------------------------------- */

static void refuse_unknown(Reader *reader, const config_setting_t *setting)
{
    const char *names[G_N_ELEMENTS(forms) + 1] = {NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
        names[i] = forms[i].name;
    const char *name = config_setting_name(setting);
    const char *nearest = text_nearest(name, names);
    g_autofree char *all = g_strjoinv(", ", (char **)names);
    if (nearest)
        reader_fault(reader, setting, "unknown condition \"%s\"; did you mean \"%s\"? An attribute is written as attributes = { %s = …; }",
                     name, nearest, name);
    else
        reader_fault(reader, setting, "unknown condition \"%s\"; known here: %s; an attribute is written as attributes = { %s = …; }", name, all,
                     name);
}

static void read_value(Reader *reader, config_setting_t *setting, ValueForm form, Condition *condition)
{
    switch (form) {
    case VALUE_TEXTS:
        condition->any_of = read_words(reader, setting, "a text or a list of texts");
        break;
    case VALUE_STAGES:
        read_stages(reader, setting, condition);
        break;
    case VALUE_FLAG:
        read_flag(reader, setting, condition);
        break;
    case VALUE_AGES:
        read_ages(reader, setting, condition);
        break;
    case VALUE_NUMBERS:
        read_numbers(reader, setting, condition);
        break;
    case VALUE_WITHIN:
    case VALUE_NOT_WITHIN:
        read_replied(reader, setting, condition, form == VALUE_WITHIN);
        break;
    case VALUE_FOR:
        read_not_contacted(reader, setting, condition);
        break;
    case VALUE_ATTRIBUTES: /* are several conditions: read_attributes() */
        break;
    }
}

static void read_condition(Reader *reader, config_setting_t *setting, GPtrArray *conditions)
{
    gsize i = 0;
    while (i < G_N_ELEMENTS(forms) && !g_str_equal(forms[i].name, config_setting_name(setting)))
        i++;
    if (i == G_N_ELEMENTS(forms)) {
        refuse_unknown(reader, setting);
        return;
    }
    if (forms[i].form == VALUE_ATTRIBUTES) {
        read_attributes(reader, setting, conditions);
        return;
    }
    Condition *condition = condition_new(forms[i].kind);
    g_ptr_array_add(conditions, condition);
    read_value(reader, setting, forms[i].form, condition);
}

/* The store asks for all conditions of a rule in one statement, and databases limit how deep one may be. */
enum { MOST_CONDITIONS = 200 };

void condition_parse_group(Reader *reader, config_setting_t *setting, gpointer field)
{
    if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
        reader_fault(reader, setting, "%s must be a group; write %s = { stage = \"…\"; };", config_setting_name(setting),
                     config_setting_name(setting));
        return;
    }
    GPtrArray *conditions = g_ptr_array_new();
    for (int i = 0; i < config_setting_length(setting); i++)
        read_condition(reader, config_setting_get_elem(setting, (unsigned)i), conditions);
    if (conditions->len > MOST_CONDITIONS)
        reader_fault(reader, setting, "%s has %u conditions; write at most %d: values of one attribute go into a list, as in plan = [ \"a\", \"b\" ]",
                     config_setting_name(setting), conditions->len, MOST_CONDITIONS);
    g_ptr_array_add(conditions, NULL);
    *(Condition ***)field = (Condition **)g_ptr_array_free(conditions, FALSE);
}
