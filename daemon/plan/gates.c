/*
 * The gates before a message leaves, one row a gate in the table below: its name, what it says, and why, for people. A
 * new gate is a row, its two functions, and the facts that it looks at. Pure functions, called from any thread.
 */
#include "plan/gates.h"

#include "base/duration.h"
#include "base/timestamp.h"
#include "plan/local.h"
#include "plan/window.h"

/* Until something changes, for which nobody can name a time. Outside of this file it is 0. */
#define UNTIL_CHANGED G_MAXINT64

typedef struct {
    const char *name;
    GateVerdict (*judge)(const GateFacts *facts, gint64 *ret_until_ms); /* *ret_until_ms is set with GATE_WAIT only */
    char *(*reason)(const GateFacts *facts, gint64 until_ms);
    gboolean asked_last; /* counts only where no other gate holds the step: what it looks at may change during their waits */
} Gate;

/* ---- helpers ---- */

static gboolean is_given(const char *text)
{
    return text && *text;
}

static GateVerdict wait_until(gint64 until_ms, gint64 now_ms, gint64 *ret_until_ms)
{
    if (until_ms <= now_ms)
        return GATE_OPEN;
    *ret_until_ms = until_ms > LOCAL_LAST_MS ? UNTIL_CHANGED : until_ms;
    return GATE_WAIT;
}

static GateVerdict wait_if(gboolean waits, gint64 *ret_until_ms)
{
    if (!waits)
        return GATE_OPEN;
    *ret_until_ms = UNTIL_CHANGED;
    return GATE_WAIT;
}

/* "2026-11-25 09:00 (Europe/Oslo)": the contact's time, which need not be the reader's. */
static char *local_text(const GateFacts *facts, gint64 at_ms)
{
    g_autofree char *time = timestamp_format_local(at_ms, facts->zone);
    return g_strdup_printf("%s (%s)", time, g_time_zone_get_identifier(facts->zone));
}

/* The time that came so long after an event; 0 where there was none. An event further ahead than the length itself was written before
 * the clock was set back, and would hold for no reason that anybody could see. */
static gint64 after_event(const GateFacts *facts, gint64 event_ms, const Duration *length)
{
    if (event_ms == 0 || duration_is_zero(length))
        return 0;
    if (event_ms > facts->now_ms && event_ms > calendar_add(facts->calendar, facts->zone, facts->now_ms, length))
        return 0;
    return calendar_add(facts->calendar, facts->zone, event_ms, length);
}

/* ---- the gates: whether at all ---- */

static GateVerdict judge_enrolled(const GateFacts *facts, gint64 *ret_until_ms)
{
    (void)ret_until_ms;
    return facts->enrolled ? GATE_OPEN : GATE_STOP;
}

static char *reason_enrolled(const GateFacts *facts, gint64 until_ms)
{
    (void)facts, (void)until_ms;
    return g_strdup("not in this rule any more: it has ended for them, or its conditions do not hold");
}

static GateVerdict judge_suppressed(const GateFacts *facts, gint64 *ret_until_ms)
{
    (void)ret_until_ms;
    return is_given(facts->suppressed) ? GATE_STOP : GATE_OPEN;
}

static char *reason_suppressed(const GateFacts *facts, gint64 until_ms)
{
    (void)until_ms;
    return g_strdup_printf("their address is never mailed: %s", facts->suppressed);
}

static GateVerdict judge_until(const GateFacts *facts, gint64 *ret_until_ms)
{
    (void)ret_until_ms;
    return facts->until_ms != 0 && facts->now_ms > facts->until_ms ? GATE_STOP : GATE_OPEN;
}

static char *reason_until(const GateFacts *facts, gint64 until_ms)
{
    (void)until_ms;
    g_autofree char *end = local_text(facts, facts->until_ms);
    return g_strdup_printf("the rule sends nothing after %s (until)", end);
}

/* Until when a request for a referral spares them; 0: it need not. */
static gint64 spared_until(const GateFacts *facts)
{
    if (!facts->asks)
        return 0;
    return MAX(after_event(facts, facts->asked_ms, &facts->cooldown), after_event(facts, facts->trouble_ms, &facts->trouble));
}

gint64 gates_last_moment(const GateFacts *facts)
{
    if (facts->planned_ms == 0 || duration_is_zero(&facts->max_late))
        return G_MAXINT64;
    /* what was held while they were away, or to be spared a request, is not late for that */
    gint64 held_until_ms = MAX(facts->hold_until_ms, spared_until(facts));
    return calendar_add(facts->calendar, facts->zone, MAX(facts->planned_ms, held_until_ms), &facts->max_late);
}

static GateVerdict judge_late(const GateFacts *facts, gint64 *ret_until_ms)
{
    (void)ret_until_ms;
    return facts->now_ms > gates_last_moment(facts) ? GATE_SKIP : GATE_OPEN;
}

static char *reason_late(const GateFacts *facts, gint64 until_ms)
{
    static const struct {
        gint64 ms;
        const char *name;
    } units[] = {{G_GINT64_CONSTANT(86400000), "days"}, {3600000, "hours"}, {60000, "minutes"}, {1000, "seconds"}};
    (void)until_ms;
    gint64 late_ms = facts->now_ms - facts->planned_ms;
    gsize unit = 0;

    /* in the largest unit of which there are two, so that the number is exact enough and the word is always a plural */
    while (unit < G_N_ELEMENTS(units) - 1 && late_ms < 2 * units[unit].ms)
        unit++;
    g_autofree char *max_late = duration_format(&facts->max_late);
    return g_strdup_printf(GATES_OVERDUE "%" G_GINT64_FORMAT " %s, more than max_late (%s)", late_ms / units[unit].ms,
                           units[unit].name, max_late);
}

static GateVerdict judge_if(const GateFacts *facts, gint64 *ret_until_ms)
{
    (void)ret_until_ms;
    return is_given(facts->unmet) ? GATE_SKIP : GATE_OPEN;
}

char *gates_reason_unmet(const char *unmet)
{
    return g_strdup_printf("the step's own condition (if) does not hold: %s", unmet);
}

static char *reason_if(const GateFacts *facts, gint64 until_ms)
{
    (void)until_ms;
    return gates_reason_unmet(facts->unmet);
}

/* ---- the gates: not now ---- */

static GateVerdict judge_paused(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_until(facts->paused_until_ms, facts->now_ms, ret_until_ms);
}

static char *reason_paused(const GateFacts *facts, gint64 until_ms)
{
    if (is_given(facts->pause_reason))
        return g_strdup_printf("the contact is paused until resumed (nurture contact resume): %s", facts->pause_reason);
    if (until_ms == UNTIL_CHANGED)
        return g_strdup("the contact is paused until resumed");
    g_autofree char *until = local_text(facts, until_ms);
    return g_strdup_printf("the contact is paused until %s", until);
}

static GateVerdict judge_hold(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_until(facts->hold_until_ms, facts->now_ms, ret_until_ms);
}

static char *reason_hold(const GateFacts *facts, gint64 until_ms)
{
    const char *why = is_given(facts->hold_reason) ? facts->hold_reason : "mail to the contact is held back";
    if (until_ms == UNTIL_CHANGED)
        return g_strdup(why);
    g_autofree char *until = local_text(facts, until_ms);
    return g_strdup_printf("%s; nothing before %s", why, until);
}

static GateVerdict judge_owner(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_if(is_given(facts->account_missing), ret_until_ms);
}

static char *reason_owner(const GateFacts *facts, gint64 until_ms)
{
    (void)until_ms;
    return g_strdup_printf("their owner %s has no account to write from", facts->account_missing);
}

static GateVerdict judge_account(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_if(is_given(facts->account_paused), ret_until_ms);
}

static char *reason_account(const GateFacts *facts, gint64 until_ms)
{
    (void)until_ms;
    return g_strdup_printf("sending is paused: %s", facts->account_paused);
}

static GateVerdict judge_blind(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_if(facts->blind, ret_until_ms);
}

static char *reason_blind(const GateFacts *facts, gint64 until_ms)
{
    (void)facts, (void)until_ms;
    return g_strdup("the account's mailbox cannot be read at present, so an answer could have been missed");
}

static GateVerdict judge_canary(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_if(is_given(facts->canary), ret_until_ms);
}

static char *reason_canary(const GateFacts *facts, gint64 until_ms)
{
    (void)until_ms;
    return g_strdup_printf("the account's last canary did not arrive as it should: %s", facts->canary);
}

static GateVerdict judge_approval(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_if(facts->awaits_approval, ret_until_ms);
}

static char *reason_approval(const GateFacts *facts, gint64 until_ms)
{
    (void)facts, (void)until_ms;
    return g_strdup("waits for approval (nurture queue approve)");
}

static GateVerdict judge_quiet(const GateFacts *facts, gint64 *ret_until_ms)
{
    if (facts->is_task)
        return GATE_OPEN;
    gint64 next_ms = after_event(facts, facts->last_conversation_ms, &facts->quiet_after_contact);
    return wait_until(next_ms, facts->now_ms, ret_until_ms);
}

static char *reason_quiet(const GateFacts *facts, gint64 until_ms)
{
    g_autofree char *last = local_text(facts, facts->last_conversation_ms);
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf(
        "a conversation is open: they wrote, or were written or spoken to by hand, on %s; the next may go on %s", last,
        next);
}

/* ---- the gates: whether to ask for a referral ---- */

static GateVerdict judge_trouble(const GateFacts *facts, gint64 *ret_until_ms)
{
    gint64 next_ms = facts->asks ? after_event(facts, facts->trouble_ms, &facts->trouble) : 0;
    return wait_until(next_ms, facts->now_ms, ret_until_ms);
}

static char *reason_trouble(const GateFacts *facts, gint64 until_ms)
{
    g_autofree char *last = local_text(facts, facts->trouble_ms);
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf("they %s on %s; they may be asked for a referral on %s", facts->trouble_what, last, next);
}

static GateVerdict judge_cooldown(const GateFacts *facts, gint64 *ret_until_ms)
{
    gint64 next_ms = facts->asks ? after_event(facts, facts->asked_ms, &facts->cooldown) : 0;
    return wait_until(next_ms, facts->now_ms, ret_until_ms);
}

static char *reason_cooldown(const GateFacts *facts, gint64 until_ms)
{
    g_autofree char *last = local_text(facts, facts->asked_ms);
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf("they were asked for a referral on %s; they may be asked again on %s", last, next);
}

static GateVerdict judge_referral_under_way(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_if(facts->asks && facts->referral_under_way, ret_until_ms);
}

static char *reason_referral_under_way(const GateFacts *facts, gint64 until_ms)
{
    (void)facts, (void)until_ms;
    return g_strdup("somebody whom they introduced is under way (nurture referral list)");
}

/* ---- the gates: the time of day and the day ---- */

static gint64 next_in_window(const GateFacts *facts)
{
    return window_next(facts->window, facts->calendar, facts->zone, facts->now_ms);
}

static GateVerdict judge_holiday(const GateFacts *facts, gint64 *ret_until_ms)
{
    if (!calendar_is_holiday(facts->calendar, facts->zone, facts->now_ms))
        return GATE_OPEN;
    return wait_until(next_in_window(facts), facts->now_ms, ret_until_ms);
}

static char *reason_closed(const GateFacts *facts, const char *why, gint64 until_ms)
{
    if (until_ms == UNTIL_CHANGED)
        return g_strdup_printf("%s; none opens within a year", why);
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf("%s; next %s", why, next);
}

static char *reason_holiday(const GateFacts *facts, gint64 until_ms)
{
    return reason_closed(facts, "a holiday", until_ms);
}

/* Its hours and weekdays alone decide; when it opens next, the holidays do as well. */
static GateVerdict judge_window(const GateFacts *facts, gint64 *ret_until_ms)
{
    if (window_contains(facts->window, NULL, facts->zone, facts->now_ms))
        return GATE_OPEN;
    return wait_until(next_in_window(facts), facts->now_ms, ret_until_ms);
}

static char *reason_window(const GateFacts *facts, gint64 until_ms)
{
    return reason_closed(facts, "outside of the sending window", until_ms);
}

/* ---- the gates: how often ---- */

static GateVerdict judge_min_gap(const GateFacts *facts, gint64 *ret_until_ms)
{
    if (facts->is_task)
        return GATE_OPEN;
    gint64 next_ms = after_event(facts, facts->last_contacted_ms, &facts->min_gap);
    return wait_until(next_ms, facts->now_ms, ret_until_ms);
}

static char *reason_min_gap(const GateFacts *facts, gint64 until_ms)
{
    g_autofree char *last = local_text(facts, facts->last_contacted_ms);
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf("another message went to them on %s; the next may go on %s", last, next);
}

/* One of the caps of max_per. */
typedef struct {
    guint messages;
    const char *period;
    gint64 next_ms; /* when there is room again */
} Cap;

/* Of those that bind the one that does so longest. */
static Cap binding_cap(const GateFacts *facts)
{
    const struct {
        guint messages;
        const char *period;
        gint64 nth_ms;
        Duration length;
    } caps[] = {{facts->max_per.day, "day", facts->nth_day_ms, {.ms = LOCAL_DAY_MS}},
                {facts->max_per.week, "week", facts->nth_week_ms, {.ms = 7 * LOCAL_DAY_MS}},
                {facts->max_per.month, "month", facts->nth_month_ms, {.months = 1}}};
    Cap binding = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(caps); i++) {
        gint64 next_ms = caps[i].messages ? after_event(facts, caps[i].nth_ms, &caps[i].length) : 0;
        if (next_ms > binding.next_ms)
            binding = (Cap){.messages = caps[i].messages, .period = caps[i].period, .next_ms = next_ms};
    }
    return binding;
}

static GateVerdict judge_max_per(const GateFacts *facts, gint64 *ret_until_ms)
{
    return facts->is_task ? GATE_OPEN : wait_until(binding_cap(facts).next_ms, facts->now_ms, ret_until_ms);
}

static char *reason_max_per(const GateFacts *facts, gint64 until_ms)
{
    Cap cap = binding_cap(facts);
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf("%u message%s within a %s already; the next may go on %s", cap.messages,
                           cap.messages == 1 ? "" : "s", cap.period, next);
}

static GateVerdict judge_limits(const GateFacts *facts, gint64 *ret_until_ms)
{
    return wait_until(facts->account_next_ms, facts->now_ms, ret_until_ms);
}

static char *reason_limits(const GateFacts *facts, gint64 until_ms)
{
    if (until_ms == UNTIL_CHANGED)
        return g_strdup("the account's limits are reached");
    g_autofree char *next = local_text(facts, until_ms);
    return g_strdup_printf("the account's limits are reached; the next may go on %s", next);
}

static const Gate GATES[] = {
    {"enrolled", judge_enrolled, reason_enrolled, FALSE},
    {"suppressed", judge_suppressed, reason_suppressed, FALSE},
    {"until", judge_until, reason_until, FALSE},
    {"late", judge_late, reason_late, FALSE},
    {"if", judge_if, reason_if, TRUE},
    {"paused", judge_paused, reason_paused, FALSE},
    {"hold", judge_hold, reason_hold, FALSE},
    {"owner", judge_owner, reason_owner, FALSE},
    {"account", judge_account, reason_account, FALSE},
    {"blind", judge_blind, reason_blind, FALSE},
    {"canary", judge_canary, reason_canary, FALSE},
    {"approval", judge_approval, reason_approval, FALSE},
    {"quiet_after_contact", judge_quiet, reason_quiet, FALSE},
    {"trouble", judge_trouble, reason_trouble, FALSE},
    {"cooldown", judge_cooldown, reason_cooldown, FALSE},
    {"referral_under_way", judge_referral_under_way, reason_referral_under_way, FALSE},
    {"holiday", judge_holiday, reason_holiday, FALSE},
    {"window", judge_window, reason_window, FALSE},
    {"min_gap", judge_min_gap, reason_min_gap, FALSE},
    {"max_per", judge_max_per, reason_max_per, FALSE},
    {"limits", judge_limits, reason_limits, FALSE},
};

/* ---- all of them ---- */

void gate_result_clear(GateResult *result)
{
    g_clear_pointer(&result->reason, g_free);
}

static GateResult make_result(const Gate *gate, GateVerdict verdict, gint64 until_ms, const GateFacts *facts)
{
    return (GateResult){
        .verdict = verdict,
        .gate = gate->name,
        .until_ms = until_ms == UNTIL_CHANGED ? 0 : until_ms,
        .reason = verdict == GATE_OPEN ? g_strdup("") : gate->reason(facts, until_ms),
    };
}

/* A wait that ends outside of the window lasts until the window opens. */
static void move_into_window(const GateFacts *facts, GateResult *result)
{
    if (result->verdict != GATE_WAIT || result->until_ms == 0)
        return;
    gint64 open_ms = window_next(facts->window, facts->calendar, facts->zone, result->until_ms);
    if (open_ms == result->until_ms)
        return;

    g_autofree char *reason = g_steal_pointer(&result->reason);
    if (open_ms == G_MAXINT64) {
        result->until_ms = 0;
        result->reason = g_strdup_printf("%s, and no sending window opens within a year", reason);
        return;
    }
    g_autofree char *open = local_text(facts, open_ms);
    result->until_ms = open_ms;
    result->reason = g_strdup_printf("%s, and in the sending window on %s", reason, open);
}

typedef struct {
    const Gate *gate; /* NULL: all are open */
    GateVerdict verdict;
    gint64 until_ms;
} Deciding;

/* The verdicts stand in the order of their weight; of those that wait the longest counts. */
static void weigh(const Gate *gate, const GateFacts *facts, Deciding *deciding)
{
    gint64 until_ms = 0;
    GateVerdict verdict = gate->judge(facts, &until_ms);
    gboolean waits_longer = verdict == GATE_WAIT && deciding->verdict == GATE_WAIT && until_ms > deciding->until_ms;
    if (verdict > deciding->verdict || waits_longer)
        *deciding = (Deciding){gate, verdict, until_ms};
}

void gates_decide(const GateFacts *facts, GateResult *ret_result)
{
    Deciding deciding = {.verdict = GATE_OPEN};
    for (gsize i = 0; i < G_N_ELEMENTS(GATES); i++)
        if (!GATES[i].asked_last)
            weigh(&GATES[i], facts, &deciding);
    for (gsize i = 0; i < G_N_ELEMENTS(GATES) && deciding.verdict == GATE_OPEN; i++)
        if (GATES[i].asked_last)
            weigh(&GATES[i], facts, &deciding);
    if (!deciding.gate) {
        *ret_result = (GateResult){.verdict = GATE_OPEN, .gate = "", .reason = g_strdup("")};
        return;
    }
    *ret_result = make_result(deciding.gate, deciding.verdict, deciding.until_ms, facts);
    move_into_window(facts, ret_result);
}

void gates_explain(const GateFacts *facts, void (*func)(const GateResult *result, gpointer data), gpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(GATES); i++) {
        gint64 until_ms = 0;
        GateVerdict verdict = GATES[i].judge(facts, &until_ms);
        GateResult result = make_result(&GATES[i], verdict, until_ms, facts);
        func(&result, data);
        gate_result_clear(&result);
    }
}
