/*
 * The steps of a rule: what is sent or asked of the owner, and when.
 */
#include <string.h>

#include "base/text.h"
#include "config/parts.h"

typedef struct {
    config_setting_t *after, *age, *at, *on, *before, *yearly, *kind, *same_thread, *variants;
    Condition **conditions;
    char *template_name;
    gboolean approve;
} StepKeys;

gboolean is_template_name(const char *name)
{
    if (!g_ascii_isalnum(name[0]) || strlen(name) > 100)
        return FALSE;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
            return FALSE;
    return TRUE;
}

static void take_template(Reader *reader, const config_setting_t *group, StepKeys *found, Step *step)
{
    if (found->template_name && !is_template_name(found->template_name))
        reader_fault(reader, group, "template \"%s\": write the name of a template without folder and ending, in letters, digits, - and _",
                     found->template_name);
    step->template_name = found->template_name ? found->template_name : g_strdup("");
}

/* ---- when ------------------------------------------------------------------------------------------------------------ */

/* `on` alone waits for nothing else than its day. */
static void take_delay(Reader *reader, const config_setting_t *group, const StepKeys *found, Step *step)
{
    if (found->after && found->age)
        reader_fault(reader, group, "a step has either after (since the step before) or age (since the anchor), not both; leave one out");
    else if (!found->after && !found->age && !found->on)
        reader_fault(reader, group,
                     "a step needs either after (since the step before), age (since the anchor) or on (a day); write after = \"3 days\"");
    step->timing = found->age ? STEP_AGE : STEP_AFTER;
    if (found->age || found->after)
        reader_duration(reader, found->age ? found->age : found->after, &step->delay);
}

static void take_at(Reader *reader, const config_setting_t *setting, Step *step)
{
    const char *text = reader_text(reader, setting, "\"10:00\"");
    int minute = text ? window_minute(text) : -1;
    if (minute >= 0 && minute < 24 * 60) {
        step->at_min = minute;
    } else if (text) {
        g_autofree char *shown = text_escape(text, 60);
        reader_fault(reader, setting, "at: \"%s\" is no time of day; write it as \"10:00\"", shown);
    }
}

static void take_day(Reader *reader, const StepKeys *found, Step *step)
{
    guint before_on = reader->faults->len;
    if (found->on)
        step_parse_on(reader, found->on, step);
    if (reader->faults->len > before_on) /* which kind of day was meant is not known */
        return;
    if (found->before && step->date == STEP_DATE_NONE)
        reader_fault(reader, found->before, "before needs a date to be before; write on = \"anniversary\", \"12-24\" or the name of an attribute");
    else if (found->before)
        reader_duration(reader, found->before, &step->before);
    if (found->yearly && step->date != STEP_DATE_ATTRIBUTE)
        reader_fault(reader, found->yearly, "yearly needs an attribute that holds a date; write on = \"birthday\", or leave yearly out");
    else if (found->yearly)
        reader_bool(reader, found->yearly, &step->yearly);
}

/* ---- what ------------------------------------------------------------------------------------------------------------ */

static void take_kind(Reader *reader, const StepKeys *found, Step *step)
{
    static const char *const names[] = {"message", "task", "score", NULL};
    static const StepKind kinds[] = {STEP_MESSAGE, STEP_TASK, STEP_SCORE};
    int index = found->kind ? reader_choice(reader, found->kind, names) : 0;
    step->kind = index >= 0 ? kinds[index] : STEP_MESSAGE;
    if (found->same_thread)
        reader_bool(reader, found->same_thread, &step->same_thread);
    if (step->kind == STEP_TASK && step->same_thread)
        reader_fault(reader, found->same_thread, "same_thread is for messages: a task goes to the owner, not into the conversation; leave it out");
}

static Step *parse_step(Reader *reader, config_setting_t *group, gboolean approve)
{
    static const Key keys[] = {
        KEY_KEPT("after", StepKeys, after, "after = \"3 days\""),
        KEY_KEPT("age", StepKeys, age, "age = \"90 days\""),
        KEY_KEPT("at", StepKeys, at, "at = \"10:00\""),
        KEY_KEPT("on", StepKeys, on, "on = \"tue\""),
        KEY_KEPT("before", StepKeys, before, "before = \"30 days\""),
        KEY_KEPT("yearly", StepKeys, yearly, "true or false"),
        KEY_PARSED("if", StepKeys, conditions, condition_parse_group, "if = { not_replied = true; }"),
        KEY_KEPT("kind", StepKeys, kind, "kind = \"task\""),
        KEY_ROW(KEY_BOOL, "approve", StepKeys, approve, "true or false"),
        KEY_NEEDED(KEY_TEXT, "template", StepKeys, template_name, "template = \"pitch-1\""),
        KEY_KEPT("variants", StepKeys, variants, "variants = [ \"ask-a\", \"ask-b\" ]"),
        KEY_KEPT("same_thread", StepKeys, same_thread, "true or false"),
        KEY_END,
    };
    StepKeys found = {.approve = approve};
    if (!reader_read_group(reader, group, keys, &found))
        return NULL;
    Step *step = g_new0(Step, 1);
    step->source = reader_place_of(reader, group);
    step->conditions = found.conditions ? found.conditions : g_new0(Condition *, 1);
    step->approve = found.approve;
    step->at_min = -1;
    take_template(reader, group, &found, step);
    step->variants = found.variants ? variant_parse_list(reader, found.variants) : g_new0(Variant *, 1);
    take_delay(reader, group, &found, step);
    if (found.at)
        take_at(reader, found.at, step);
    take_day(reader, &found, step);
    take_kind(reader, &found, step);
    return step;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

/* Whether the step can send the template. */
static gboolean sends(const Step *step, const char *template_name)
{
    if (!step->variants[0])
        return g_ascii_strcasecmp(step->template_name, template_name) == 0;
    for (Variant **variant = step->variants; *variant; variant++)
        if (g_ascii_strcasecmp((*variant)->template_name, template_name) == 0)
            return TRUE;
    return FALSE;
}

/* What one step tries, no other one sends: somebody would get it twice. */
static void check_variants(Reader *reader, Step **steps, guint of)
{
    for (Variant **variant = steps[of]->variants; *variant; variant++)
        for (guint i = 0; steps[i]; i++)
            if (i != of && (i < of || !steps[i]->variants[0]) && sends(steps[i], (*variant)->template_name))
                reader_fault_at(reader, steps[of]->source,
                                "variant \"%s\" is sent by step \"%s\" as well; a rule sends a template once: copy it under another name",
                                (*variant)->template_name, steps[i]->template_name);
}

static void check_between(Reader *reader, Step **steps)
{
    const Step *age_before = NULL;
    for (guint i = 0; steps[i]; i++) {
        for (guint j = 0; j < i; j++)
            if (g_ascii_strcasecmp(steps[i]->template_name, steps[j]->template_name) == 0)
                reader_fault_at(reader, steps[i]->source,
                                "template \"%s\" stands in two steps; a rule sends a template once: copy it under another name",
                                steps[i]->template_name);
        check_variants(reader, steps, i);
        if (steps[i]->timing != STEP_AGE)
            continue;
        if (age_before && duration_rough_days(&steps[i]->delay) <= duration_rough_days(&age_before->delay))
            reader_fault_at(reader, steps[i]->source, "step \"%s\" has an age that is not above that of step \"%s\"; write the steps in order of age",
                            steps[i]->template_name, age_before->template_name);
        age_before = steps[i];
    }
}

Step **step_parse_list(Reader *reader, config_setting_t *setting, gboolean approve)
{
    const char *example = "steps = ( { after = \"3 days\"; template = \"pitch-1\"; } );";
    guint length = reader_list_length(reader, setting, example);
    GPtrArray *steps = g_ptr_array_new();
    for (guint i = 0; i < length; i++) {
        Step *step = parse_step(reader, config_setting_get_elem(setting, i), approve);
        if (step)
            g_ptr_array_add(steps, step);
    }
    if (length == 0 && config_setting_type(setting) == CONFIG_TYPE_LIST)
        reader_fault(reader, setting, "steps is empty; write %s", example);
    g_ptr_array_add(steps, NULL);
    check_between(reader, (Step **)steps->pdata);
    return (Step **)g_ptr_array_free(steps, FALSE);
}

void step_free(Step *step)
{
    conditions_free(step->conditions);
    variants_free(step->variants);
    g_free(step->on_attribute);
    g_free(step->template_name);
    g_free(step->source);
    g_free(step);
}
