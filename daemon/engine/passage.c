/*
 * Enrolments and their rounds. Runs on the loop.
 */
#include "engine/passage.h"

#include "base/log.h"
#include "base/text.h"
#include "store/history.h"

enum { MOST_ROUNDS = 1 << 30 }; /* far more than any anchor has behind it */

void passage_log(const Subject *subject, const char *event, const Enrolment *enrolment, const char *reason)
{
    LogLevel level = subject->core->in_bulk ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    log_event(level, event, LOG_TEXT("contact", subject->contact->email), LOG_TEXT("rule", enrolment->rule),
              LOG_NUMBER("round", enrolment->round), LOG_TEXT("step", *enrolment->next_step ? enrolment->next_step : NULL),
              LOG_TEXT("reason", reason));
}

/* ---- rounds ----------------------------------------------------------------------------------------------------------- */

gint64 passage_anchor(const Subject *subject, const Rule *rule, guint round)
{
    return schedule_round_anchor(rule, &subject->facts, subject->calendar, round);
}

/* When the last step of a round would be due if each step before were sent when due. One whose date has passed is left out as soon as
 * the round begins. */
static gint64 round_end(const Subject *subject, const Rule *rule, gint64 anchor_ms)
{
    gint64 last_ms = 0;
    for (Step **step = rule->steps; *step; step++) {
        gint64 due_ms = subject_due(subject, rule, *step, anchor_ms, last_ms);
        last_ms = due_ms != SCHEDULE_PASSED ? due_ms : MAX(last_ms, anchor_ms);
    }
    return last_ms;
}

static gboolean is_over(const Subject *subject, const Rule *rule, guint round)
{
    return subject_is_late(subject, round_end(subject, rule, passage_anchor(subject, rule, round)));
}

/* Of an anchor that comes again: the first behind that round that is not over; 0: there is none. */
static guint open_round_after(const Subject *subject, const Rule *rule, guint round)
{
    do
        round = schedule_round_after(rule, &subject->facts, round);
    while (round != 0 && is_over(subject, rule, round));
    return round;
}

/* Rounds end one behind the other, so that the first that is not over is found by halves: an old anchor has thousands behind it. */
guint passage_first_round(const Subject *subject, const Rule *rule)
{
    if (anchor_is_repeated(rule->anchor))
        return open_round_after(subject, rule, 0);
    if (duration_is_zero(&rule->repeat_every))
        return 1;
    guint last = rule->repeat_max ? MIN(rule->repeat_max, MOST_ROUNDS) : MOST_ROUNDS;
    guint over = 0, open = 1; /* over: a round that is, or 0 */
    while (open < last && is_over(subject, rule, open)) {
        over = open;
        open = MIN(open * 2, last);
    }
    while (open - over > 1) {
        guint middle = over + (open - over) / 2;
        if (is_over(subject, rule, middle))
            over = middle;
        else
            open = middle;
    }
    return open;
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------- */

void passage_finish(const Subject *subject, Enrolment *enrolment, const char *reason)
{
    enrolment->state = ENROLMENT_DONE;
    enrolment->due_ms = 0;
    enrolment->ended_ms = subject->now_ms;
    text_replace(&enrolment->next_step, "");
    text_replace(&enrolment->end_reason, reason);
}

/* By the rule's own anchor, lest `until` move on with every round, but for one that comes again. */
gint64 passage_until(const Subject *subject, const Rule *rule, const Enrolment *enrolment)
{
    gint64 anchor_ms = enrolment && anchor_is_repeated(rule->anchor) ? enrolment->anchor_ms : schedule_anchor(rule, &subject->facts);
    return schedule_until(rule, subject->calendar, subject->facts.zone, anchor_ms);
}

void passage_wait_for(const Subject *subject, const Rule *rule, Enrolment *enrolment, const Step *step)
{
    gint64 until_ms = passage_until(subject, rule, enrolment);
    gint64 due_ms = subject_due(subject, rule, step, enrolment->anchor_ms, enrolment->last_step_ms);
    if (due_ms != SCHEDULE_NEVER && due_ms > until_ms) {
        passage_finish(subject, enrolment, "until");
        return;
    }
    text_replace(&enrolment->next_step, step->template_name);
    /* a date that has passed is looked at at once, and left out with that reason; not before its round begins, lest the rounds of all
     * years to come be gone through now */
    enrolment->due_ms = due_ms == SCHEDULE_PASSED ? MAX(enrolment->anchor_ms, MAX(1, subject->now_ms)) : due_ms;
}

/* At its first step, or done where that would come behind the rule's `until`. */
static Enrolment *enrolment_new(const Subject *subject, const Rule *rule, guint round, gint64 history_mark)
{
    Enrolment *enrolment = g_new0(Enrolment, 1);
    enrolment->contact_id = subject->contact->id;
    enrolment->rule = g_strdup(rule->name);
    enrolment->round = round;
    enrolment->state = ENROLMENT_ACTIVE;
    enrolment->stage = g_strdup(subject->contact->stage);
    enrolment->anchor_ms = passage_anchor(subject, rule, round);
    enrolment->next_step = g_strdup("");
    enrolment->history_mark = history_mark;
    enrolment->enrolled_ms = subject->now_ms;
    enrolment->end_reason = g_strdup("");
    passage_wait_for(subject, rule, enrolment, rule->steps[0]);
    return enrolment;
}

gboolean passage_may_begin(const Subject *subject, const Rule *rule)
{
    guint round = passage_first_round(subject, rule);
    if (round == 0)
        return FALSE;
    g_autoptr(Enrolment) enrolment = enrolment_new(subject, rule, round, 0);
    return enrolment->state == ENROLMENT_ACTIVE;
}

gboolean passage_begin(const Subject *subject, const Rule *rule, guint round, gint64 history_mark, gboolean *ret_begun, GError **error)
{
    g_autoptr(Enrolment) enrolment = enrolment_new(subject, rule, round, history_mark);
    *ret_begun = enrolment->state == ENROLMENT_ACTIVE;
    if (!*ret_begun)
        return TRUE;
    if (!store_enrolment_add(subject->core->store, enrolment, error))
        return FALSE;
    passage_log(subject, "enrolled", enrolment, NULL);
    return TRUE;
}

/* ---- moving on -------------------------------------------------------------------------------------------------------- */

/* When the round has something to send for the first time. */
static gint64 round_begin(const Subject *subject, const Rule *rule, guint round)
{
    gint64 anchor_ms = passage_anchor(subject, rule, round);
    gint64 due_ms = subject_due(subject, rule, rule->steps[0], anchor_ms, 0);
    return due_ms == SCHEDULE_PASSED ? anchor_ms : due_ms;
}

/* Rounds do not overlap: one that would begin no later than the round before ended is passed over. Else a step that waits for Christmas in a
 * rule that repeats every month would go out twelve times that day. 0: there is none. */
static guint round_behind(const Subject *subject, const Rule *rule, const Enrolment *done)
{
    if (anchor_is_repeated(rule->anchor))
        return open_round_after(subject, rule, done->round);
    guint last = rule->repeat_max ? rule->repeat_max : done->round + MOST_ROUNDS;
    guint round = MAX(done->round + 1, passage_first_round(subject, rule));
    while (round <= last && round_begin(subject, rule, round) <= done->last_step_ms)
        round++;
    return round <= last ? round : 0;
}

gboolean passage_next_round(const Subject *subject, const Rule *rule, const Enrolment *done, gboolean *ret_begun, GError **error)
{
    gint64 newest = 0;
    *ret_begun = FALSE;
    gboolean repeats = !duration_is_zero(&rule->repeat_every) && !*done->end_reason && (!rule->repeat_max || done->round < rule->repeat_max);
    if (!repeats && !anchor_is_repeated(rule->anchor))
        return TRUE;
    guint round = round_behind(subject, rule, done);
    if (round == 0)
        return TRUE;
    return store_history_newest(subject->core->store, &newest, error) && passage_begin(subject, rule, round, newest, ret_begun, error);
}

gboolean passage_next(const Subject *subject, Enrolment *enrolment, gint64 step_ms, GError **error)
{
    Store *store = subject->core->store;
    const Rule *rule = config_rule(subject->core->config, enrolment->rule);
    if (!rule) {
        enrolment->state = ENROLMENT_ENDED; /* for callers who go on with it */
        return store_enrolment_end(store, enrolment->id, "rule removed", subject->now_ms, error);
    }
    gboolean begun = FALSE;
    const Step *next = schedule_next_step(rule, enrolment->next_step, NULL);
    enrolment->last_step_ms = step_ms;
    if (next)
        passage_wait_for(subject, rule, enrolment, next);
    else
        passage_finish(subject, enrolment, "");
    return store_enrolment_update(store, enrolment, error) &&
           (next || passage_next_round(subject, rule, enrolment, &begun, error));
}
