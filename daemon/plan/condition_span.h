/*
 * When one condition holds, for plan/ alone.
 */
#pragma once

#include "plan/conditions.h"
#include "plan/local.h"

/* from_ms <= t < until_ms; empty where from_ms >= until_ms. */
typedef struct {
    gint64 from_ms, until_ms;
} Span;

/* Who is asked about, and by whom: a rule (who may enter, who stays) or a step's `if`. */
typedef struct {
    const PlanFacts *facts;
    const Calendar *calendar;
    LocalZone *zone; /* the contact's */
    gboolean is_step;
} Inquiry;

gboolean span_contains(Span span, gint64 at_ms);

/* The condition says something for this inquiry: `replied` and `not_contacted` decide who enters a rule, not who stays. */
gboolean condition_counts(const Inquiry *inquiry, const Condition *condition);

/* It needs the calendar, and so costs more than the others. */
gboolean condition_is_timed(const Condition *condition);

Span condition_span(const Inquiry *inquiry, const Condition *condition);
