/*
 * Rules: who, from when, what, until when.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

typedef struct {
    char *name, *purpose;
    config_setting_t *anchor, *steps, *stop_on;
    Condition **when, **unless;
    Duration repeat_every;
    guint repeat_max;
} RuleKeys;

typedef struct {
    config_setting_t *after, *age;
    char *template_name;
    gboolean same_thread;
} StepKeys;

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

/* A name that stays inside the folder of templates, and cannot be taken for a partial or a variant. */
static gboolean is_template_name(const char *name)
{
    if (!g_ascii_isalnum(name[0]) || strlen(name) > 100)
        return FALSE;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
            return FALSE;
    return TRUE;
}

static Step *parse_step(Reader *reader, config_setting_t *group)
{
    static const Key keys[] = {
        KEY_KEPT("after", StepKeys, after, "after = \"3 days\""),
        KEY_KEPT("age", StepKeys, age, "age = \"90 days\""),
        KEY_NEEDED(KEY_TEXT, "template", StepKeys, template_name, "template = \"pitch-1\""),
        KEY_ROW(KEY_BOOL, "same_thread", StepKeys, same_thread, "true or false"),
        KEY_END,
    };
    StepKeys found = {0};
    if (!reader_read_group(reader, group, keys, &found))
        return NULL;
    Step *step = g_new0(Step, 1);
    step->at_min = -1;
    step->conditions = g_new0(Condition *, 1);
    step->same_thread = found.same_thread;
    step->source = reader_place_of(reader, group);
    step->template_name = found.template_name ? found.template_name : g_strdup("");
    if (found.template_name && !is_template_name(found.template_name))
        reader_fault(reader, group, "template \"%s\": write the name of a template without folder and ending, in letters, digits, - and _",
                     found.template_name);
    if ((found.after != NULL) == (found.age != NULL))
        reader_fault(reader, group, "a step needs either after (since the step before) or age (since the anchor); write after = \"3 days\"");
    step->timing = found.age ? STEP_AGE : STEP_AFTER;
    if (found.age)
        reader_duration(reader, found.age, &step->delay);
    else if (found.after)
        reader_duration(reader, found.after, &step->delay);
    return step;
}

static void check_steps(Reader *reader, const config_setting_t *setting, Step **steps)
{
    const Step *age_before = NULL;
    for (guint i = 0; steps[i]; i++) {
        for (guint j = 0; j < i; j++)
            if (g_ascii_strcasecmp(steps[i]->template_name, steps[j]->template_name) == 0)
                reader_fault(reader, setting, "template \"%s\" stands in two steps; a rule sends a template once: copy it under another name",
                             steps[i]->template_name);
        if (steps[i]->timing != STEP_AGE)
            continue;
        if (age_before && duration_rough_days(&steps[i]->delay) <= duration_rough_days(&age_before->delay))
            reader_fault(reader, setting, "step \"%s\" has an age that is not above that of step \"%s\"; write the steps in order of age",
                         steps[i]->template_name, age_before->template_name);
        age_before = steps[i];
    }
}

static Step **parse_steps(Reader *reader, config_setting_t *setting)
{
    const char *example = "steps = ( { after = \"3 days\"; template = \"pitch-1\"; } );";
    guint length = reader_list_length(reader, setting, example);
    GPtrArray *steps = g_ptr_array_new();
    for (guint i = 0; i < length; i++) {
        Step *step = parse_step(reader, config_setting_get_elem(setting, i));
        if (step)
            g_ptr_array_add(steps, step);
    }
    if (length == 0 && config_setting_type(setting) == CONFIG_TYPE_LIST)
        reader_fault(reader, setting, "steps is empty; write %s", example);
    g_ptr_array_add(steps, NULL);
    check_steps(reader, setting, (Step **)steps->pdata);
    return (Step **)g_ptr_array_free(steps, FALSE);
}

/* ---- rules ----------------------------------------------------------------------------------------------------------- */

static guint parse_stop_on(Reader *reader, config_setting_t *setting)
{
    static const char *const names[] = {"reply", "stage-change", "meeting", "call", "note", "bounce", "unsubscribe", "complaint", NULL};
    static const StopEvent events[] = {STOP_REPLY, STOP_STAGE_CHANGE, STOP_MEETING, STOP_CALL, STOP_NOTE, STOP_BOUNCE, STOP_UNSUBSCRIBE, STOP_COMPLAINT};
    guint stop_on = STOP_ALWAYS;
    int type = config_setting_type(setting);
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
        int index = reader_choice(reader, setting, names);
        return index >= 0 ? stop_on | events[index] : stop_on;
    }
    for (int i = 0; i < config_setting_length(setting); i++) {
        int index = reader_choice(reader, config_setting_get_elem(setting, (unsigned)i), names);
        if (index >= 0)
            stop_on |= events[index];
    }
    return stop_on;
}

static Anchor parse_anchor(Reader *reader, const config_setting_t *setting)
{
    static const char *const names[] = {"stage", "customer", NULL};
    return reader_choice(reader, setting, names) == 1 ? ANCHOR_CUSTOMER : ANCHOR_STAGE;
}

static void add_duration(GString *text, const Duration *duration)
{
    g_string_append_printf(text, "%d,%d,%d,%" G_GINT64_FORMAT ";", duration->months, duration->days, duration->business_days, duration->ms);
}

static void add_text(GString *text, const char *part)
{
    g_string_append_printf(text, "%" G_GSIZE_FORMAT ":%s;", part ? strlen(part) : 0, part ? part : "");
}

static void add_conditions(GString *text, Condition **conditions)
{
    for (; *conditions; conditions++) {
        const Condition *condition = *conditions;
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_string_append_printf(text, "c%d,%d,%d,%d;", condition->kind, condition->flag, condition->has_min, condition->has_max);
        add_text(text, condition->attribute);
        for (char **word = condition->any_of; word && *word; word++)
            add_text(text, *word);
        add_text(text, g_ascii_dtostr(number, sizeof(number), condition->min));
        add_text(text, g_ascii_dtostr(number, sizeof(number), condition->max));
        add_duration(text, &condition->min_age);
        add_duration(text, &condition->max_age);
    }
    g_string_append_c(text, '/');
}

/* Every part of the rule's meaning, each with its length, so that no two rules share a text. */
static char *digest_of(const Rule *rule)
{
    g_autoptr(GString) text = g_string_new(NULL);
    add_text(text, rule->name);
    add_text(text, rule->purpose);
    g_string_append_printf(text, "%d,%u,%u;", rule->anchor, rule->stop_on, rule->repeat_max);
    add_duration(text, &rule->repeat_every);
    add_conditions(text, rule->when);
    add_conditions(text, rule->unless);
    for (Step **step = rule->steps; *step; step++) {
        g_string_append_printf(text, "s%d,%d;", (*step)->timing, (*step)->same_thread);
        add_text(text, (*step)->template_name);
        add_duration(text, &(*step)->delay);
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}

static void check_rule(Reader *reader, const config_setting_t *group, const RuleKeys *found)
{
    if (found->purpose && !g_str_equal(found->purpose, "follow-up") && !g_str_equal(found->purpose, "referral"))
        reader_fault(reader, group, "purpose: \"%s\" is unknown; write \"follow-up\" (the default) or \"referral\"", found->purpose);
    if (found->repeat_max && duration_is_zero(&found->repeat_every))
        reader_fault(reader, group, "repeat_max needs repeat_every; write repeat_every = \"6 months\"");
    for (const char *p = found->name; p && *p; p++)
        if ((guchar)*p < 0x20 || *p == 0x7f)
            reader_fault(reader, group, "name must not hold control characters; write letters, digits and -");
}

static Condition **or_none(Condition **conditions)
{
    return conditions ? conditions : g_new0(Condition *, 1);
}

static Rule *parse_rule(Reader *reader, config_setting_t *group)
{
    static const Key keys[] = {
        KEY_NEEDED(KEY_TEXT, "name", RuleKeys, name, "name = \"after-pitch\""),
        KEY_ROW(KEY_TEXT, "purpose", RuleKeys, purpose, "\"follow-up\" or \"referral\""),
        KEY_KEPT_NEEDED("anchor", RuleKeys, anchor, "anchor = \"stage\" (since entering it) or \"customer\" (since becoming one)"),
        KEY_PARSED_NEEDED("when", RuleKeys, when, condition_parse_group, "when = { stage = \"pitching\"; }"),
        KEY_PARSED("unless", RuleKeys, unless, condition_parse_group, "unless = { tag = \"…\"; }"),
        KEY_KEPT_NEEDED("steps", RuleKeys, steps, "steps = ( { after = \"3 days\"; template = \"pitch-1\"; } )"),
        KEY_KEPT("stop_on", RuleKeys, stop_on, "stop_on = [ \"reply\", \"stage-change\" ]"),
        KEY_ROW(KEY_DURATION, "repeat_every", RuleKeys, repeat_every, "\"6 months\""),
        KEY_NUMBER("repeat_max", RuleKeys, repeat_max, 1, 1000, "4"),
        KEY_END,
    };
    RuleKeys found = {0};
    if (!reader_read_group(reader, group, keys, &found))
        return NULL;
    check_rule(reader, group, &found);
    Rule *rule = g_new0(Rule, 1);
    rule->name = found.name ? found.name : g_strdup("");
    rule->purpose = found.purpose ? found.purpose : g_strdup("follow-up");
    rule->anchor = found.anchor ? parse_anchor(reader, found.anchor) : ANCHOR_STAGE;
    rule->when = or_none(found.when);
    rule->unless = or_none(found.unless);
    rule->steps = found.steps ? parse_steps(reader, found.steps) : g_new0(Step *, 1);
    rule->stop_on = found.stop_on ? parse_stop_on(reader, found.stop_on) : STOP_ALWAYS | STOP_REPLY | STOP_STAGE_CHANGE;
    rule->repeat_every = found.repeat_every;
    rule->repeat_max = found.repeat_max;
    rule->stop_tags = g_new0(char *, 1);
    rule->digest = digest_of(rule);
    return rule;
}

void rule_parse_list(Reader *reader, config_setting_t *setting, gpointer field)
{
    guint length = reader_list_length(reader, setting, "rules = ( { name = \"after-pitch\"; … } );");
    GPtrArray *rules = g_ptr_array_new();
    for (guint i = 0; i < length; i++) {
        config_setting_t *group = config_setting_get_elem(setting, i);
        Rule *rule = parse_rule(reader, group);
        if (!rule)
            continue;
        for (guint j = 0; j < rules->len; j++)
            if (*rule->name && g_str_equal(((Rule *)rules->pdata[j])->name, rule->name))
                reader_fault(reader, group, "there are two rules named \"%s\"; give each a name of its own", rule->name);
        g_ptr_array_add(rules, rule);
    }
    g_ptr_array_add(rules, NULL);
    *(Rule ***)field = (Rule **)g_ptr_array_free(rules, FALSE);
}

static void conditions_free(Condition **conditions)
{
    for (Condition **condition = conditions; *condition; condition++)
        condition_free(*condition);
    g_free(conditions);
}

void rule_free(Rule *rule)
{
    for (Step **step = rule->steps; *step; step++) {
        conditions_free((*step)->conditions);
        g_free((*step)->template_name);
        g_free((*step)->source);
        g_free(*step);
    }
    g_free(rule->steps);
    g_strfreev(rule->stop_tags);
    conditions_free(rule->when);
    conditions_free(rule->unless);
    g_free(rule->name);
    g_free(rule->purpose);
    g_free(rule->digest);
    g_free(rule);
}
