/*
 * Whether a contact fulfils the conditions of a rule, and when that may change by time alone.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "config/config.h"
#include "plan/calendar.h"

/* A time that a rule may count from, which comes again: its number is the rule's round. */
typedef struct {
    guint round;
    gint64 at_ms;
} AnchorTime;

/* What the conditions look at; filled by engine/ from the store. Nothing is owned by it but through its maker. */
typedef struct {
    const char *stage, *owner, *company, *language, *source;
    gint64 stage_since_ms, customer_since_ms; /* 0: none */
    const char *const *tags;
    JsonObject *attributes; /* values are strings or numbers */
    JsonObject *company_attributes; /* count where the contact has no attribute of the name; may be NULL */
    gboolean has_score;
    double score;
    AnchorTime score_time;      /* of the score; round 0: none was given */
    gboolean referred;          /* came by somebody's referral */
    gint64 referred_ms;         /* since that was accepted; 0: not */
    const AnchorTime *thanks, *rewards; /* whom they introduced: when each was accepted, became a customer; in order of the rounds */
    guint n_thanks, n_rewards;
    gint64 last_reply_ms;       /* when the person last wrote; 0: never */
    gint64 last_contacted_ms;   /* when we last wrote or spoke to them, by a rule or by hand; 0: never */
    gint64 enrolled_ms;         /* since when they are in the rule; 0: they are not */
    GTimeZone *zone;
} PlanFacts;

/*
 * TRUE where all of when hold and none of unless does. *ret_change_ms (may be NULL): the earliest later time at which the answer is
 * the other one with the same facts, by an age condition; 0: never.
 *
 * Text is compared without case (Unicode). An attribute that is "" or null counts as absent; one that is a number, or text that is one
 * in decimals, has bounds. An age has no value before the time it counts from.
 *
 * `replied` and `not_contacted` decide who enters: of those who are in the rule (enrolled_ms) they are not asked, under `when` and
 * `unless` alike, since the rule's own messages must not end it; what ends it is stop_on.
 */
gboolean conditions_hold(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms, gint64 *ret_change_ms);

/* The first condition that does not hold, in words ("stage is \"research\", not \"pitching\""); NULL where all do. Caller frees. */
char *conditions_failing(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms);

/*
 * TRUE where all conditions of a step (`if`; NULL-terminated) hold at now_ms. Here `replied` without `within` means: since they are
 * in the rule (enrolled_ms). *ret_failing (may be NULL; caller frees): the first that does not hold, in words; untouched on TRUE.
 */
gboolean conditions_met(Condition *const *conditions, const PlanFacts *facts, const Calendar *calendar, gint64 now_ms, char **ret_failing);
