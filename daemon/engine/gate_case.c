/*
 * Gathers what the gates look at. Runs on the loop, or in the command that asks why.
 */
#include "engine/gate_case.h"

#include "engine/passage.h"
#include "engine/score.h"
#include "store/history.h"
#include "store/referrals.h"
#include "store/suppressions.h"

/* When the n-th newest message went to the contact; 0 where n is no limit or there are fewer. */
static gboolean nth_contacted(const Subject *subject, guint n, gint64 *ret_at_ms, GError **error)
{
    return n == 0 || store_outbox_nth_contacted(subject->core->store, subject->contact->id, n, ret_at_ms, error);
}

static gboolean look_up(GateCase *gate_case, const Subject *subject, GError **error)
{
    GateFacts *facts = &gate_case->facts;
    const MaxPer *most = &facts->max_per;
    return store_suppression_check_contact(subject->core->store, subject->contact->id, subject->contact->email, &gate_case->suppressed, error) &&
           nth_contacted(subject, most->day, &facts->nth_day_ms, error) &&
           nth_contacted(subject, most->week, &facts->nth_week_ms, error) &&
           nth_contacted(subject, most->month, &facts->nth_month_ms, error);
}

/* ---- asking for a referral ---- */

/* What speaks against asking them: the later of a low score and a complaint that nobody has answered since. */
static gboolean find_trouble(GateFacts *facts, const Subject *subject, GError **error)
{
    const Contact *contact = subject->contact;
    gint64 complaint_ms = 0;
    if (!store_history_last(subject->core->store, contact->id, INTERACTION_COMPLAINT, &complaint_ms, error))
        return FALSE;
    if (complaint_ms > contact->last_talk_ms) {
        facts->trouble_ms = complaint_ms;
        facts->trouble_what = "complained, which nobody has answered,";
    }
    if (contact->has_score && contact->score <= SCORE_LOW_MAX && contact->score_ms > facts->trouble_ms) {
        facts->trouble_ms = contact->score_ms;
        facts->trouble_what = "gave a low score";
    }
    return TRUE;
}

static gboolean find_under_way(GateFacts *facts, const Subject *subject, GError **error)
{
    g_autoptr(Referral) referral = NULL;
    if (!store_referral_under_way(subject->core->store, subject->contact->id, &referral, error))
        return FALSE;
    facts->referral_under_way = referral != NULL;
    return TRUE;
}

/* The request of the same round, of which this may be the reminder, does not stand in its way. */
static gboolean look_at_asking(GateCase *gate_case, const Subject *subject, const Rule *rule, const Enrolment *enrolment, GError **error)
{
    GateFacts *facts = &gate_case->facts;
    const Contact *contact = subject->contact;
    if (!facts->asks)
        return TRUE;
    gboolean same = enrolment && enrolment->round == contact->asked_round && g_str_equal(rule->name, contact->asked_rule);
    facts->asked_ms = same ? 0 : contact->asked_ms;
    facts->cooldown = rule->cooldown;
    facts->trouble = rule->trouble;
    return find_trouble(facts, subject, error) && find_under_way(facts, subject, error);
}

/* Seen from inside the rule: what happened since they are in it. */
static void ask_step_conditions(GateCase *gate_case, const Subject *subject, const Step *step, const Enrolment *enrolment)
{
    PlanFacts facts = subject->facts;
    facts.enrolled_ms = enrolment ? enrolment->enrolled_ms : 0;
    conditions_met(step->conditions, &facts, subject->calendar, subject->now_ms, &gate_case->unmet);
}

gboolean gate_case_init(GateCase *gate_case, const Subject *subject, const Rule *rule, const Step *step, const Enrolment *enrolment,
                        const OutboxMessage *message, gint64 planned_ms, GError **error)
{
    const Sending *sending = &subject->core->config->sending;
    const Contact *contact = subject->contact;
    *gate_case = (GateCase){
        .window = schedule_window(step, subject_window(subject, rule)),
        .facts = {
            .now_ms = subject->now_ms,
            .planned_ms = planned_ms,
            .calendar = subject->calendar,
            .zone = subject->facts.zone,
            .min_gap = sending->min_gap,
            .max_late = sending->max_late,
            .enrolled = enrolment && enrolment->state == ENROLMENT_ACTIVE,
            .until_ms = passage_until(subject, rule, enrolment),
            .is_task = step->kind == STEP_TASK,
            .awaits_approval = step->approve && (!message || message->approval != APPROVAL_GIVEN),
            .asks = rule->asks && step->kind != STEP_TASK,
            .paused_until_ms = contact->paused_until_ms,
            .pause_reason = contact->pause_reason,
            .hold_until_ms = contact->hold_until_ms,
            .hold_reason = contact->hold_reason,
            .last_contacted_ms = contact->last_contacted_ms,
            .last_conversation_ms = MAX(contact->last_reply_ms, contact->last_talk_ms),
            .quiet_after_contact = sending->quiet_after_contact,
            .max_per = sending->max_per,
            .account_paused = "",
            .account_missing = subject->account ? "" : contact->owner,
        },
    };
    ask_step_conditions(gate_case, subject, step, enrolment);
    if (!look_up(gate_case, subject, error) || !look_at_asking(gate_case, subject, rule, enrolment, error))
        return FALSE;
    gate_case->facts.window = &gate_case->window;
    gate_case->facts.unmet = gate_case->unmet;
    gate_case->facts.suppressed = gate_case->suppressed;
    return TRUE;
}

void gate_case_clear(GateCase *gate_case)
{
    g_clear_pointer(&gate_case->unmet, g_free);
    g_clear_pointer(&gate_case->suppressed, g_free);
}
