/*
 * A condition in words, for people. Pure functions, called from any thread.
 */
#include "plan/condition_words.h"

#include <string.h>

#include "base/duration.h"
#include "base/timestamp.h"
#include "plan/attribute.h"

const char *condition_name(const Condition *condition)
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

/* "2026-11-03" */
static char *local_date_text(gint64 at_ms, GTimeZone *zone)
{
    char *text = timestamp_format_local(at_ms, zone);
    char *space = strchr(text, ' ');
    if (space)
        *space = '\0';
    return text;
}

static char *describe_age(const Condition *condition, const PlanFacts *facts, Span span, gint64 now_ms)
{
    const char *name = condition_name(condition);
    if (span.from_ms <= now_ms || span.from_ms >= span.until_ms)
        return g_strdup_printf("%s is not what the rule asks for", name);
    g_autofree char *from = timestamp_format_local(span.from_ms, facts->zone);
    return g_strdup_printf("%s is reached on %s", name, from);
}

static char *describe_replied(const Inquiry *inquiry, const Condition *condition)
{
    const PlanFacts *facts = inquiry->facts;
    const char *asker = inquiry->is_step ? "the step" : "the rule";
    g_autofree char *age = condition->has_max ? duration_format(&condition->max_age) : g_strdup("");
    const char *within = condition->has_max ? " within " : "";

    if (facts->last_reply_ms == 0)
        return g_strdup_printf("has never written; %s wants somebody who did%s%s", asker, within, age);
    g_autofree char *wrote = local_date_text(facts->last_reply_ms, facts->zone);
    if (!condition->flag)
        return g_strdup_printf("wrote on %s; %s wants nobody who did%s%s", wrote, asker, within, age);
    if (condition->has_max || !inquiry->is_step)
        return g_strdup_printf("wrote on %s; %s wants somebody who did%s%s", wrote, asker, within, age);
    g_autofree char *entered = local_date_text(facts->enrolled_ms, facts->zone);
    return g_strdup_printf("wrote on %s; %s wants somebody who did since %s, when the rule began for them", wrote, asker,
                           entered);
}

static char *describe_not_contacted(const PlanFacts *facts, Span span)
{
    g_autofree char *contacted = local_date_text(facts->last_contacted_ms, facts->zone);
    g_autofree char *from = timestamp_format_local(span.from_ms, facts->zone);
    return g_strdup_printf("was contacted on %s; not before %s", contacted, from);
}

/* "stage is \"research\", not \"pitching\"" */
static char *describe_words(const Inquiry *inquiry, const Condition *condition)
{
    const char *name = condition_name(condition), *value = condition_value(condition, inquiry->facts);
    if (!condition->any_of)
        return g_strdup_printf("%s is not what the %s asks for", name, inquiry->is_step ? "step" : "rule");

    g_autofree char *wanted = g_strjoinv("\" or \"", condition->any_of);
    if (condition->kind == CONDITION_TAG)
        return g_strdup_printf("tag \"%s\" is not set", wanted);
    return *value
               ? g_strdup_printf("%s is \"%s\", not \"%s\"", name, value, wanted)
               : g_strdup_printf("%s is not given; the %s wants \"%s\"", name, inquiry->is_step ? "step" : "rule", wanted);
}

char *condition_describe_failing(const Inquiry *inquiry, const Condition *condition, gint64 now_ms)
{
    switch (condition->kind) {
    case CONDITION_CUSTOMER:
        return g_strdup(condition->flag ? "not a customer" : "a customer");
    case CONDITION_CUSTOMER_AGE:
    case CONDITION_STAGE_AGE:
        return describe_age(condition, inquiry->facts, condition_span(inquiry, condition), now_ms);
    case CONDITION_REPLIED:
        return describe_replied(inquiry, condition);
    case CONDITION_NOT_CONTACTED:
        return describe_not_contacted(inquiry->facts, condition_span(inquiry, condition));
    case CONDITION_REFERRED:
        return g_strdup(condition->flag ? "did not come by a referral" : "came by a referral");
    default:
        return describe_words(inquiry, condition);
    }
}
