/*
 * When one condition holds: always, never, or from one moment to another. Pure functions, called from any thread.
 *
 * An age counts from the moment since which the contact is a customer (or in the stage): there is none before it. min is
 * inclusive, max exclusive, both by the calendar of the contact's zone.
 *
 * What is told of the past (replied, not_contacted) is a span as well. That nobody wrote within a time is taken to hold from
 * its end on: what was before the person wrote is of no use to anybody.
 */
#include "plan/condition_span.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "plan/attribute.h"
#include "plan/days.h"

static const Span SPAN_ALWAYS = {G_MININT64, G_MAXINT64};
static const Span SPAN_NEVER = {G_MAXINT64, G_MININT64};

gboolean span_contains(Span span, gint64 at_ms)
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

static gboolean value_is_any_of(const AttributeValue *value, char **any_of)
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
    AttributeValue value = attribute_value(facts, condition->attribute);

    if (condition->any_of)
        return value_is_any_of(&value, condition->any_of);
    if (!condition->has_min && !condition->has_max)
        return (value.is_number || value.text) == (condition->flag != FALSE);
    if (value.text)
        value.is_number = parse_number(value.text, &value.number);
    return value.is_number && in_bounds(condition, value.number);
}

/* ---- time ---- */

static gint64 later(const Inquiry *inquiry, gint64 since_ms, const Duration *duration)
{
    return calendar_add_local(inquiry->calendar, inquiry->zone, since_ms, duration);
}

static Span age_span(const Inquiry *inquiry, const Condition *condition, gint64 since_ms)
{
    if (since_ms == 0)
        return SPAN_NEVER;

    Span span = {.from_ms = since_ms, .until_ms = G_MAXINT64};
    if (condition->has_min)
        span.from_ms = later(inquiry, since_ms, &condition->min_age);
    if (condition->has_max)
        span.until_ms = later(inquiry, since_ms, &condition->max_age);
    return span;
}

static Span replied_span(const Inquiry *inquiry, const Condition *condition)
{
    gint64 reply_ms = inquiry->facts->last_reply_ms;
    gboolean is_too_old = inquiry->is_step && !condition->has_max && reply_ms < inquiry->facts->enrolled_ms;

    if (reply_ms == 0 || is_too_old)
        return span_if(!condition->flag);
    gint64 end_ms = condition->has_max ? later(inquiry, reply_ms, &condition->max_age) : G_MAXINT64;
    return condition->flag ? (Span){.from_ms = reply_ms, .until_ms = end_ms}
                           : (Span){.from_ms = end_ms, .until_ms = G_MAXINT64};
}

static Span not_contacted_span(const Inquiry *inquiry, const Condition *condition)
{
    gint64 contacted_ms = inquiry->facts->last_contacted_ms;
    if (contacted_ms == 0)
        return SPAN_ALWAYS;
    return (Span){.from_ms = later(inquiry, contacted_ms, &condition->min_age), .until_ms = G_MAXINT64};
}

/* ---- all kinds ---- */

gboolean condition_counts(const Inquiry *inquiry, const Condition *condition)
{
    gboolean is_of_entry = condition->kind == CONDITION_REPLIED || condition->kind == CONDITION_NOT_CONTACTED;
    return !is_of_entry || inquiry->is_step || inquiry->facts->enrolled_ms == 0;
}

gboolean condition_is_timed(const Condition *condition)
{
    return condition->kind == CONDITION_CUSTOMER_AGE || condition->kind == CONDITION_STAGE_AGE ||
           condition->kind == CONDITION_REPLIED || condition->kind == CONDITION_NOT_CONTACTED;
}

Span condition_span(const Inquiry *inquiry, const Condition *condition)
{
    const PlanFacts *facts = inquiry->facts;

    switch (condition->kind) {
    case CONDITION_STAGE:
        return span_if(any_equals(condition->any_of, facts->stage));
    case CONDITION_CUSTOMER:
        return span_if((facts->customer_since_ms != 0) == (condition->flag != FALSE));
    case CONDITION_CUSTOMER_AGE:
        return age_span(inquiry, condition, facts->customer_since_ms);
    case CONDITION_STAGE_AGE:
        return age_span(inquiry, condition, facts->stage_since_ms);
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
        return replied_span(inquiry, condition);
    case CONDITION_NOT_CONTACTED:
        return not_contacted_span(inquiry, condition);
    case CONDITION_REFERRED:
        return span_if((facts->referred != FALSE) == (condition->flag != FALSE));
    case CONDITION_ATTRIBUTE:
        return span_if(attribute_holds(condition, facts));
    }
    return SPAN_NEVER;
}
