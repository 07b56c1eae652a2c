/*
 * Which step of a rule is next, and when. Pure functions, called from any thread.
 *
 * A step's timing is one case of step_time(), its date one of dates.c; what all of them share (never before the anchor, moved to the
 * step's weekday and time of day and into the window) is in schedule_due().
 */
#include "plan/schedule.h"

#include "plan/dates.h"
#include "plan/days.h"

/* A round whose anchor lies further than this from the first is no round that anybody waits for. */
#define YEARS_MAX ((gint64)1000)

/* The times of an anchor that comes again, in order of the rounds. */
static const AnchorTime *times_of(const Rule *rule, const PlanFacts *facts, guint *ret_count)
{
    if (rule->anchor == ANCHOR_THANKS) {
        *ret_count = facts->n_thanks;
        return facts->thanks;
    }
    if (rule->anchor == ANCHOR_REWARD) {
        *ret_count = facts->n_rewards;
        return facts->rewards;
    }
    *ret_count = facts->score_time.round != 0 ? 1 : 0;
    return &facts->score_time;
}

gint64 schedule_anchor(const Rule *rule, const PlanFacts *facts)
{
    guint count = 0;
    switch (rule->anchor) {
    case ANCHOR_STAGE:
        return facts->stage_since_ms;
    case ANCHOR_CUSTOMER:
        return facts->customer_since_ms;
    case ANCHOR_REFERRAL:
        return facts->referred_ms;
    case ANCHOR_SCORE:
    case ANCHOR_THANKS:
    case ANCHOR_REWARD: {
        const AnchorTime *times = times_of(rule, facts, &count);
        return count > 0 ? times[count - 1].at_ms : 0;
    }
    }
    return 0;
}

guint schedule_round_after(const Rule *rule, const PlanFacts *facts, guint round)
{
    guint count = 0;
    const AnchorTime *times = times_of(rule, facts, &count);
    for (guint i = 0; i < count; i++)
        if (times[i].round > round)
            return times[i].round;
    return 0;
}

static gint64 time_of_round(const Rule *rule, const PlanFacts *facts, guint round)
{
    guint count = 0;
    const AnchorTime *times = times_of(rule, facts, &count);
    for (guint i = 0; i < count; i++)
        if (times[i].round == round)
            return times[i].at_ms;
    return 0;
}

/* times x part, FALSE where that is more than limit. */
static gboolean scale(gint64 part, gint64 times, gint64 limit, gint64 *ret_product)
{
    return !__builtin_mul_overflow(part, times, ret_product) && *ret_product <= limit;
}

static gboolean duration_scale(const Duration *duration, guint times, Duration *ret_scaled)
{
    gint64 months, days, business_days, ms;

    if (!scale(duration->months, times, YEARS_MAX * 12, &months) || !scale(duration->days, times, YEARS_MAX * 366, &days) ||
        !scale(duration->business_days, times, YEARS_MAX * 262, &business_days) ||
        !scale(duration->ms, times, YEARS_MAX * 366 * 24 * 3600 * 1000, &ms))
        return FALSE;
    *ret_scaled = (Duration){.months = (int)months, .days = (int)days, .business_days = (int)business_days, .ms = ms};
    return TRUE;
}

/* Counted from the first anchor and not from the round before, so that a rule anchored on the 31st comes back to it. */
gint64 schedule_round_anchor(const Rule *rule, const PlanFacts *facts, const Calendar *calendar, guint round)
{
    if (anchor_is_repeated(rule->anchor))
        return time_of_round(rule, facts, round);
    gint64 anchor_ms = schedule_anchor(rule, facts);
    Duration since_first;

    if (anchor_ms == 0 || round <= 1)
        return anchor_ms;
    if (!duration_scale(&rule->repeat_every, round - 1, &since_first))
        return G_MAXINT64;
    return calendar_add(calendar, facts->zone, anchor_ms, &since_first);
}

static gint64 step_time(const Step *step, gint64 anchor_ms, gint64 last_step_ms, const Calendar *calendar, LocalZone *zone)
{
    switch (step->timing) {
    case STEP_AGE:
        return calendar_add_local(calendar, zone, anchor_ms, &step->delay);
    case STEP_AFTER:
        return calendar_add_local(calendar, zone, last_step_ms ? last_step_ms : anchor_ms, &step->delay);
    }
    return G_MAXINT64;
}

/* With a time of day, whole days are counted as days: "3 days" behind half past two is that day at the step's time, not the day after. Else
 * a message that left some seconds behind its minute would cost the next step a day. */
static gint64 wanted_time(const Step *step, gint64 anchor_ms, gint64 last_step_ms, const Calendar *calendar, LocalZone *zone)
{
    gint64 wanted_ms = step_time(step, anchor_ms, last_step_ms, calendar, zone);
    gboolean whole_days = step->delay.ms == 0 && !duration_is_zero(&step->delay);
    if (step->at_min >= 0 && whole_days && local_is_meant(wanted_ms))
        wanted_ms = local_day_start(zone, local_day(local_from_instant(zone, wanted_ms)));
    return MAX(wanted_ms, anchor_ms);
}

static Window on_days_of(const Step *step, const Window *window)
{
    Window part = *window;
    if (step->on_days)
        part.days &= step->on_days;
    return part;
}

gint64 schedule_due(const Rule *rule, const Step *step, const PlanFacts *facts, gint64 anchor_ms, gint64 last_step_ms,
                    const Window *window, const Calendar *calendar)
{
    (void)rule;
    LocalZone zone = local_zone(facts->zone);
    gint64 wanted_ms = wanted_time(step, anchor_ms, last_step_ms, calendar, &zone);
    gint64 from_ms = dates_earliest(step, facts, calendar, &zone, anchor_ms, wanted_ms);
    if (from_ms == SCHEDULE_PASSED || from_ms == SCHEDULE_NEVER)
        return from_ms;

    const Window days = on_days_of(step, window);
    return step->at_min < 0 ? window_next_local(&days, calendar, &zone, from_ms)
                            : window_next_at_local(&days, calendar, &zone, from_ms, step->at_min);
}

Window schedule_window(const Step *step, const Window *window)
{
    Window part = on_days_of(step, window);
    part.from_min = MAX(part.from_min, step->at_min);
    return part;
}

gint64 schedule_until(const Rule *rule, const Calendar *calendar, GTimeZone *zone, gint64 anchor_ms)
{
    LocalZone local = local_zone(zone);
    gint64 until_ms = G_MAXINT64;
    if (!duration_is_zero(&rule->until_age))
        until_ms = calendar_add_local(calendar, &local, anchor_ms, &rule->until_age);
    if (rule->until_year != 0) {
        gint64 last_day = local_day_of(rule->until_year, rule->until_month, rule->until_day);
        until_ms = MIN(until_ms, local_day_start(&local, last_day + 1) - 1);
    }
    return until_ms;
}

static gboolean is_decided(const char *const *decided, const char *template_name)
{
    return decided && g_strv_contains(decided, template_name);
}

/* A step is its template's name. One that was decided is never next, wherever an edit of the rule has put it. */
const Step *schedule_next_step(const Rule *rule, const char *template_name, const char *const *decided)
{
    gsize first = 0;

    if (template_name && *template_name) {
        for (gsize i = 0; rule->steps[i]; i++)
            if (g_str_equal(rule->steps[i]->template_name, template_name))
                first = i + 1;
    }
    for (gsize i = first; rule->steps[i]; i++)
        if (!is_decided(decided, rule->steps[i]->template_name))
            return rule->steps[i];
    return NULL;
}
