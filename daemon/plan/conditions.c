/*
 * The conditions of a rule for one contact. Pure functions, called from any thread.
 *
 * Each condition holds during one span of time: always, never, or, for an age, from one moment to another. What all of
 * `when` say is again one span; `unless` cuts its spans out of it. So the answer at a time, and the time at which it turns,
 * come from the same few numbers, and cannot differ.
 *
 * An age counts from the moment since which the contact is a customer (or in the stage): there is none before it. min is
 * inclusive, max exclusive, both by the calendar of the contact's zone.
 */
#include "plan/conditions.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/timestamp.h"

/* from_ms <= t < until_ms; empty where from_ms >= until_ms. */
typedef struct {
    gint64 from_ms, until_ms;
} Span;

static const Span SPAN_ALWAYS = {G_MININT64, G_MAXINT64};
static const Span SPAN_NEVER = {G_MAXINT64, G_MININT64};

static gboolean span_contains(Span span, gint64 at_ms)
{
    return at_ms >= span.from_ms && at_ms < span.until_ms;
}

static Span span_if(gboolean holds)
{
    return holds ? SPAN_ALWAYS : SPAN_NEVER;
}

/* ---- text and numbers ---- */

/* Without case, in every script. Bytes that are no UTF-8 equal only themselves. */
static gboolean equal_caseless(const char *a, const char *b)
{
    if (g_str_is_ascii(a) && g_str_is_ascii(b))
        return g_ascii_strcasecmp(a, b) == 0;
    if (!g_utf8_validate(a, -1, NULL) || !g_utf8_validate(b, -1, NULL))
        return strcmp(a, b) == 0;

    g_autofree char *folded_a = g_utf8_casefold(a, -1);
    g_autofree char *folded_b = g_utf8_casefold(b, -1);
    return strcmp(folded_a, folded_b) == 0;
}

static gboolean any_equals(char **any_of, const char *text)
{
    if (!text)
        return FALSE;
    for (char **wanted = any_of; wanted && *wanted; wanted++)
        if (equal_caseless(*wanted, text))
            return TRUE;
    return FALSE;
}

static gboolean any_is_tag(char **any_of, const char *const *tags)
{
    for (const char *const *tag = tags; tag && *tag; tag++)
        if (any_equals(any_of, *tag))
            return TRUE;
    return FALSE;
}

/* A decimal number that fills the text, white space around it aside. strtod() would also take "nan", "inf" and "0x1". */
static gboolean parse_number(const char *text, double *ret_number)
{
    if (text[strspn(text, "0123456789+-.eE \t")] != '\0')
        return FALSE;

    char *end = NULL;
    errno = 0;
    double number = g_ascii_strtod(text, &end);
    if (end == text || errno == ERANGE || !isfinite(number))
        return FALSE;
    if (end[strspn(end, " \t")] != '\0')
        return FALSE;
    *ret_number = number;
    return TRUE;
}

static gboolean in_bounds(const Condition *condition, double number)
{
    return isfinite(number) && (!condition->has_min || number >= condition->min) &&
           (!condition->has_max || number <= condition->max);
}

/* ---- attributes ---- */

/* A value of the contact's attributes: text, or a number, or neither (absent). "" is as good as absent. */
typedef struct {
    const char *text;
    gboolean is_number;
    double number;
} Value;

static Value attribute_value(const PlanFacts *facts, const char *name)
{
    Value value = {0};
    JsonNode *node = facts->attributes && name ? json_object_get_member(facts->attributes, name) : NULL;
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return value;

    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        value.text = text && *text ? text : NULL;
    } else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
        value.is_number = TRUE;
        value.number = json_node_get_double(node);
    } else if (type == G_TYPE_BOOLEAN) {
        value.text = json_node_get_boolean(node) ? "true" : "false";
    }
    return value;
}

static gboolean value_is_any_of(const Value *value, char **any_of)
{
    if (!value->is_number)
        return any_equals(any_of, value->text);
    for (char **wanted = any_of; *wanted; wanted++) {
        double number;
        if (parse_number(*wanted, &number) && number >= value->number && number <= value->number)
            return TRUE;
    }
    return FALSE;
}

static gboolean attribute_holds(const Condition *condition, const PlanFacts *facts)
{
    Value value = attribute_value(facts, condition->attribute);

    if (condition->any_of)
        return value_is_any_of(&value, condition->any_of);
    if (!condition->has_min && !condition->has_max)
        return (value.is_number || value.text) == (condition->flag != FALSE);
    if (value.text)
        value.is_number = parse_number(value.text, &value.number);
    return value.is_number && in_bounds(condition, value.number);
}

/* ---- conditions ---- */

static Span age_span(const Condition *condition, const PlanFacts *facts, const Calendar *calendar, gint64 since_ms)
{
    if (since_ms == 0)
        return SPAN_NEVER;

    Span span = {.from_ms = since_ms, .until_ms = G_MAXINT64};
    if (condition->has_min)
        span.from_ms = calendar_add(calendar, facts->zone, since_ms, &condition->min_age);
    if (condition->has_max)
        span.until_ms = calendar_add(calendar, facts->zone, since_ms, &condition->max_age);
    return span;
}

static Span condition_span(const Condition *condition, const PlanFacts *facts, const Calendar *calendar)
{
    switch (condition->kind) {
    case CONDITION_STAGE:
        return span_if(any_equals(condition->any_of, facts->stage));
    case CONDITION_CUSTOMER:
        return span_if((facts->customer_since_ms != 0) == (condition->flag != FALSE));
    case CONDITION_CUSTOMER_AGE:
        return age_span(condition, facts, calendar, facts->customer_since_ms);
    case CONDITION_STAGE_AGE:
        return age_span(condition, facts, calendar, facts->stage_since_ms);
    case CONDITION_TAG:
        return span_if(any_is_tag(condition->any_of, facts->tags));
    case CONDITION_OWNER:
        return span_if(any_equals(condition->any_of, facts->owner));
    case CONDITION_COMPANY:
        return span_if(any_equals(condition->any_of, facts->company));
    case CONDITION_LANGUAGE:
        return span_if(any_equals(condition->any_of, facts->language));
    case CONDITION_SOURCE:
        return span_if(any_equals(condition->any_of, facts->source));
    case CONDITION_SCORE:
        return span_if(facts->has_score && in_bounds(condition, facts->score));
    case CONDITION_REPLIED:
    case CONDITION_NOT_CONTACTED:
    case CONDITION_REFERRED:
        return SPAN_NEVER;
    case CONDITION_ATTRIBUTE:
        return span_if(attribute_holds(condition, facts));
    }
    return SPAN_NEVER;
}

/* When all of them hold. */
static Span all_span(Condition *const *conditions, const PlanFacts *facts, const Calendar *calendar)
{
    Span all = SPAN_ALWAYS;
    for (Condition *const *condition = conditions; condition && *condition; condition++) {
        Span span = condition_span(*condition, facts, calendar);
        all.from_ms = MAX(all.from_ms, span.from_ms);
        all.until_ms = MIN(all.until_ms, span.until_ms);
    }
    return all;
}

/* The first time at or after at_ms at which none of them holds. */
static gint64 first_free(Condition *const *conditions, const PlanFacts *facts, const Calendar *calendar, gint64 at_ms)
{
    gint64 free_ms;
    do {
        free_ms = at_ms;
        for (Condition *const *condition = conditions; condition && *condition; condition++) {
            Span span = condition_span(*condition, facts, calendar);
            if (span_contains(span, at_ms))
                at_ms = span.until_ms;
        }
    } while (at_ms != free_ms);
    return at_ms;
}

/* The first time after at_ms at which one of them begins to hold, given that none does at at_ms. */
static gint64 first_taken(Condition *const *conditions, const PlanFacts *facts, const Calendar *calendar, gint64 at_ms)
{
    gint64 taken_ms = G_MAXINT64;
    for (Condition *const *condition = conditions; condition && *condition; condition++) {
        Span span = condition_span(*condition, facts, calendar);
        if (span.from_ms > at_ms && span.from_ms < span.until_ms)
            taken_ms = MIN(taken_ms, span.from_ms);
    }
    return taken_ms;
}

gboolean conditions_hold(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms,
                         gint64 *ret_change_ms)
{
    Span when = all_span(rule->when, facts, calendar);
    gint64 free_ms = now_ms;
    if (when.from_ms < when.until_ms)
        free_ms = first_free(rule->unless, facts, calendar, MAX(now_ms, when.from_ms));

    gboolean holds = span_contains(when, now_ms) && free_ms == now_ms;
    gint64 change_ms = G_MAXINT64;
    if (holds)
        change_ms = MIN(when.until_ms, first_taken(rule->unless, facts, calendar, now_ms));
    else if (free_ms > now_ms && free_ms < when.until_ms)
        change_ms = free_ms;

    if (ret_change_ms)
        *ret_change_ms = change_ms == G_MAXINT64 ? 0 : change_ms;
    return holds;
}

/* ---- in words ---- */

static const char *condition_name(const Condition *condition)
{
    switch (condition->kind) {
    case CONDITION_STAGE:
        return "stage";
    case CONDITION_CUSTOMER:
        return "customer";
    case CONDITION_CUSTOMER_AGE:
        return "customer_age";
    case CONDITION_STAGE_AGE:
        return "stage_age";
    case CONDITION_TAG:
        return "tag";
    case CONDITION_OWNER:
        return "owner";
    case CONDITION_COMPANY:
        return "company";
    case CONDITION_LANGUAGE:
        return "language";
    case CONDITION_SOURCE:
        return "source";
    case CONDITION_SCORE:
        return "score";
    case CONDITION_REPLIED:
        return condition->flag ? "replied" : "not_replied";
    case CONDITION_NOT_CONTACTED:
        return "not_contacted";
    case CONDITION_REFERRED:
        return "referred";
    case CONDITION_ATTRIBUTE:
        return condition->attribute;
    }
    return "condition";
}

/* What the contact has of it, for those that can be shown in a word; "" else. */
static const char *condition_value(const Condition *condition, const PlanFacts *facts)
{
    const char *text = "";
    if (condition->kind == CONDITION_STAGE)
        text = facts->stage;
    else if (condition->kind == CONDITION_OWNER)
        text = facts->owner;
    else if (condition->kind == CONDITION_COMPANY)
        text = facts->company;
    else if (condition->kind == CONDITION_LANGUAGE)
        text = facts->language;
    else if (condition->kind == CONDITION_SOURCE)
        text = facts->source;
    else if (condition->kind == CONDITION_ATTRIBUTE)
        text = attribute_value(facts, condition->attribute).text;
    return text ? text : "";
}

/* "stage is \"research\", not \"pitching\"" */
static char *describe_failing(const Condition *condition, const PlanFacts *facts, Span span, gint64 now_ms)
{
    const char *name = condition_name(condition), *value = condition_value(condition, facts);
    gboolean is_age = condition->kind == CONDITION_CUSTOMER_AGE || condition->kind == CONDITION_STAGE_AGE;
    if (condition->kind == CONDITION_CUSTOMER)
        return g_strdup(condition->flag ? "not a customer" : "a customer");
    if (is_age && span.from_ms > now_ms && span.from_ms < span.until_ms) {
        g_autofree char *from = timestamp_format_local(span.from_ms, facts->zone);
        return g_strdup_printf("%s is reached on %s", name, from);
    }
    if (!condition->any_of)
        return g_strdup_printf("%s is not what the rule asks for", name);
    g_autofree char *wanted = g_strjoinv("\" or \"", condition->any_of);
    if (condition->kind == CONDITION_TAG)
        return g_strdup_printf("tag \"%s\" is not set", wanted);
    return *value ? g_strdup_printf("%s is \"%s\", not \"%s\"", name, value, wanted)
                  : g_strdup_printf("%s is not given; the rule wants \"%s\"", name, wanted);
}

char *conditions_failing(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms)
{
    for (Condition *const *condition = rule->when; condition && *condition; condition++) {
        Span span = condition_span(*condition, facts, calendar);
        if (!span_contains(span, now_ms))
            return describe_failing(*condition, facts, span, now_ms);
    }
    for (Condition *const *condition = rule->unless; condition && *condition; condition++)
        if (span_contains(condition_span(*condition, facts, calendar), now_ms))
            return g_strdup_printf("%s is what the rule leaves out (unless)", condition_name(*condition));
    return NULL;
}
