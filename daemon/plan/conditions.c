/*
 * The conditions of a rule, or of a step, for one contact. Pure functions, called from any thread.
 *
 * Each condition holds during one span of time (condition_span.c). What all of `when` say is again one span; `unless` cuts
 * its spans out of it. So the answer at a time, and the time at which it turns, come from the same few numbers, and cannot
 * differ.
 */
#include "plan/conditions.h"

#include "plan/condition_span.h"
#include "plan/condition_words.h"

/* Cuts from *all what those conditions do not cover that are timed, or are not. */
static void intersect(Condition *const *conditions, const Inquiry *inquiry, gboolean timed, Span *all)
{
    for (Condition *const *condition = conditions; *condition && all->from_ms < all->until_ms; condition++) {
        if (condition_is_timed(*condition) != timed || !condition_counts(inquiry, *condition))
            continue;
        Span span = condition_span(inquiry, *condition);
        all->from_ms = MAX(all->from_ms, span.from_ms);
        all->until_ms = MIN(all->until_ms, span.until_ms);
    }
}

/* When all of them hold. The cheap ones come first: most contacts are in no more than a few rules, and fail by their stage. */
static Span all_span(Condition *const *conditions, const Inquiry *inquiry)
{
    Span all = {.from_ms = G_MININT64, .until_ms = G_MAXINT64};
    if (conditions) {
        intersect(conditions, inquiry, FALSE, &all);
        intersect(conditions, inquiry, TRUE, &all);
    }
    return all;
}

/* The first time at or after at_ms at which none of them holds. */
static gint64 first_free(Condition *const *conditions, const Inquiry *inquiry, gint64 at_ms)
{
    gint64 free_ms;
    do {
        free_ms = at_ms;
        for (Condition *const *condition = conditions; condition && *condition; condition++) {
            if (!condition_counts(inquiry, *condition))
                continue;
            Span span = condition_span(inquiry, *condition);
            if (span_contains(span, at_ms))
                at_ms = span.until_ms;
        }
    } while (at_ms != free_ms);
    return at_ms;
}

/* The first time after at_ms at which one of them begins to hold, given that none does at at_ms. */
static gint64 first_taken(Condition *const *conditions, const Inquiry *inquiry, gint64 at_ms)
{
    gint64 taken_ms = G_MAXINT64;
    for (Condition *const *condition = conditions; condition && *condition; condition++) {
        if (!condition_is_timed(*condition) || !condition_counts(inquiry, *condition))
            continue;
        Span span = condition_span(inquiry, *condition);
        if (span.from_ms > at_ms && span.from_ms < span.until_ms)
            taken_ms = MIN(taken_ms, span.from_ms);
    }
    return taken_ms;
}

gboolean conditions_hold(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms,
                         gint64 *ret_change_ms)
{
    LocalZone zone = local_zone(facts->zone);
    const Inquiry inquiry = {.facts = facts, .calendar = calendar, .zone = &zone};
    Span when = all_span(rule->when, &inquiry);
    gint64 free_ms = now_ms;
    if (when.from_ms < when.until_ms)
        free_ms = first_free(rule->unless, &inquiry, MAX(now_ms, when.from_ms));

    gboolean holds = span_contains(when, now_ms) && free_ms == now_ms;
    gint64 change_ms = G_MAXINT64;
    if (holds)
        change_ms = MIN(when.until_ms, first_taken(rule->unless, &inquiry, now_ms));
    else if (free_ms > now_ms && free_ms < when.until_ms)
        change_ms = free_ms;

    if (ret_change_ms)
        *ret_change_ms = change_ms == G_MAXINT64 ? 0 : change_ms;
    return holds;
}

/* The first of them that does not hold; NULL where all do. */
static const Condition *first_failing(Condition *const *conditions, const Inquiry *inquiry, gint64 now_ms)
{
    for (Condition *const *condition = conditions; condition && *condition; condition++)
        if (condition_counts(inquiry, *condition) && !span_contains(condition_span(inquiry, *condition), now_ms))
            return *condition;
    return NULL;
}

char *conditions_failing(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms)
{
    LocalZone zone = local_zone(facts->zone);
    const Inquiry inquiry = {.facts = facts, .calendar = calendar, .zone = &zone};
    const Condition *failing = first_failing(rule->when, &inquiry, now_ms);
    if (failing)
        return condition_describe_failing(&inquiry, failing, now_ms);

    for (Condition *const *condition = rule->unless; condition && *condition; condition++)
        if (condition_counts(&inquiry, *condition) && span_contains(condition_span(&inquiry, *condition), now_ms))
            return g_strdup_printf("%s is what the rule leaves out (unless)", condition_name(*condition));
    return NULL;
}

gboolean conditions_met(Condition *const *conditions, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms,
                        char **ret_failing)
{
    LocalZone zone = local_zone(facts->zone);
    const Inquiry inquiry = {.facts = facts, .calendar = calendar, .zone = &zone, .is_step = TRUE};
    const Condition *failing = first_failing(conditions, &inquiry, now_ms);
    if (failing && ret_failing)
        *ret_failing = condition_describe_failing(&inquiry, failing, now_ms);
    return failing == NULL;
}
