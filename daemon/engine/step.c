/*
 * Enrolment -> outbox. A step is decided once: the outbox's key says so, and a row that is there already is passed over (a rule edited
 * and edited back, a resumption). Runs on the loop.
 */
#include "engine/step.h"

#include "base/log.h"
#include "base/text.h"
#include "engine/gate_case.h"
#include "engine/passage.h"
#include "engine/variant.h"
#include "store/history.h"
#include "store/marks.h"

#define AWAITS_APPROVAL "waits for approval: nurture queue approve"

/* One step while it is decided on. */
typedef struct {
    const Subject *subject;
    Enrolment *enrolment;
    const Rule *rule;
    const Step *step;
    OutboxMessage *message;
    DecideSummary *summary;
} Due;

static OutboxMessage *message_for(const Subject *subject, const Enrolment *enrolment, const Rule *rule, const Step *step)
{
    OutboxMessage *message = g_new0(OutboxMessage, 1);
    message->enrolment_id = enrolment->id;
    message->contact_id = subject->contact->id;
    message->email = g_strdup(subject->contact->email);
    message->account = g_strdup(subject->account ? subject->account->name : subject->contact->owner);
    message->rule = g_strdup(rule->name);
    message->step = g_strdup(step->template_name);
    message->variant = g_strdup("");
    message->round = enrolment->round;
    message->priority = rule->priority;
    message->is_task = step->kind == STEP_TASK;
    message->planned_ms = enrolment->due_ms;
    message->due_ms = enrolment->due_ms;
    message->message_id = g_strdup("");
    message->in_reply_to = g_strdup("");
    message->references = g_strdup("");
    message->subject = g_strdup("");
    message->reason = g_strdup("");
    message->created_ms = subject->now_ms;
    return message;
}

static gboolean store_decision(const Due *due, gboolean *ret_new, GError **error)
{
    g_autoptr(GError) cause = NULL;
    *ret_new = store_outbox_add(due->subject->core->store, due->message, &cause);
    if (*ret_new || g_error_matches(cause, STORE_ERROR, STORE_ERROR_EXISTS))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

/* ---- left out --------------------------------------------------------------------------------------------------------- */

static gboolean skip(const Due *due, const char *reason, GError **error)
{
    OutboxMessage *message = due->message;
    gboolean is_new = FALSE;
    message->state = OUTBOX_SKIPPED;
    text_replace(&message->reason, reason);
    message->ended_ms = message->created_ms;
    if (!store_decision(due, &is_new, error))
        return FALSE;
    if (!is_new)
        return TRUE;
    due->summary->skipped++;
    log_event(LOG_LEVEL_INFO, "skipped", LOG_TEXT("contact", message->email), LOG_TEXT("rule", message->rule),
              LOG_TEXT("step", message->step), LOG_TEXT("reason", reason));
    const Interaction skipped = {.contact_id = message->contact_id, .at_ms = message->created_ms, .kind = INTERACTION_SKIPPED,
                                 .account = message->account, .rule = message->rule, .step = message->step, .detail = reason};
    return store_history_add(due->subject->core->store, &skipped, NULL, error);
}

/* ---- queued ----------------------------------------------------------------------------------------------------------- */

/* The message of the rule before, which this one answers. The steps go one by one, so it is known by now. */
static gboolean join_thread(const Due *due, GError **error)
{
    g_autoptr(OutboxMessage) before = NULL;
    OutboxMessage *message = due->message;
    if (!due->step->same_thread)
        return TRUE;
    if (!store_outbox_last_sent(due->subject->core->store, due->enrolment->id, &before, error))
        return FALSE;
    if (before) {
        text_replace(&message->in_reply_to, before->message_id);
        g_free(message->references);
        message->references = g_strstrip(g_strjoin(" ", before->references, before->message_id, NULL));
    }
    return TRUE;
}

static gboolean queue(const Due *due, gboolean *ret_new, GError **error)
{
    text_replace(&due->message->variant, variant_choose(due->rule, due->step, due->message->contact_id, ""));
    due->message->state = due->step->approve ? OUTBOX_HELD : OUTBOX_QUEUED;
    due->message->approval = due->step->approve ? APPROVAL_AWAITED : APPROVAL_NONE;
    text_replace(&due->message->reason, due->step->approve ? AWAITS_APPROVAL : "");
    if (!join_thread(due, error) || !store_decision(due, ret_new, error))
        return FALSE;
    if (!*ret_new)
        return TRUE;
    due->summary->queued++;
    return store_enrolment_queued(due->subject->core->store, due->enrolment, error);
}

/* ---- one step --------------------------------------------------------------------------------------------------------- */

static gboolean end(const Due *due, const GateResult *gate, GError **error)
{
    if (!store_enrolment_end(due->subject->core->store, due->enrolment->id, gate->gate, due->subject->now_ms, error))
        return FALSE;
    passage_log(due->subject, "ended", due->enrolment, gate->reason);
    due->enrolment->state = ENROLMENT_ENDED;
    due->summary->ended++;
    return TRUE;
}

/* The step's date lay behind when the enrolment came to wait for it. */
static gboolean has_passed(const Due *due)
{
    return subject_due(due->subject, due->rule, due->step, due->enrolment->anchor_ms, due->enrolment->last_step_ms) == SCHEDULE_PASSED;
}

/* By the gates that need no waiting, and the step's own conditions; all are asked again when it leaves. *ret_passed: it was passed over, and the
 * next may be due as well. */
static gboolean decide_gate(const Due *due, const GateResult *gate, const char *unmet, gboolean *ret_passed, GError **error)
{
    gboolean is_new = FALSE;
    *ret_passed = FALSE;
    if (gate->verdict == GATE_STOP)
        return end(due, gate, error);
    *ret_passed = TRUE;
    if (has_passed(due))
        return skip(due, "its date has passed", error);
    if (gate->verdict == GATE_SKIP)
        return skip(due, gate->reason, error);
    g_autofree char *reason = unmet ? gates_reason_unmet(unmet) : NULL;
    if (reason)
        return skip(due, reason, error);
    if (!queue(due, &is_new, error))
        return FALSE;
    *ret_passed = !is_new;
    return TRUE;
}

static gboolean decide_one(const Due *due, gboolean *ret_passed, GError **error)
{
    GateCase gate_case;
    GateResult gate = {0};
    gint64 due_ms = due->enrolment->due_ms;
    gboolean ok = gate_case_init(&gate_case, due->subject, due->rule, due->step, due->enrolment, NULL, due_ms, error);
    if (ok) {
        gates_decide(&gate_case.facts, &gate);
        ok = decide_gate(due, &gate, gate_case.unmet, ret_passed, error) && (!*ret_passed || passage_next(due->subject, due->enrolment, due_ms, error));
        gate_result_clear(&gate);
    }
    gate_case_clear(&gate_case);
    return ok;
}

/* A reload took the rule away, and their marks stand behind many others: ended; or the step alone: decided anew. */
static gboolean decide_missing(const Due *due, GError **error)
{
    if (!due->rule)
        return passage_next(due->subject, due->enrolment, due->enrolment->due_ms, error);
    return store_mark(due->subject->core->store, due->enrolment->contact_id, error);
}

static gboolean decide_all(const Subject *subject, Enrolment *enrolment, DecideSummary *summary, GError **error)
{
    Due due = {.subject = subject, .enrolment = enrolment, .summary = summary};
    gboolean ok = TRUE, passed = TRUE;
    while (ok && passed && enrolment->state == ENROLMENT_ACTIVE && enrolment->due_ms > 0 && enrolment->due_ms <= subject->now_ms) {
        due.rule = config_rule(subject->core->config, enrolment->rule);
        due.step = due.rule ? config_rule_step(due.rule, enrolment->next_step) : NULL;
        if (!due.step)
            return decide_missing(&due, error);
        due.message = message_for(subject, enrolment, due.rule, due.step);
        ok = decide_one(&due, &passed, error);
        outbox_message_free(due.message);
    }
    return ok;
}

gboolean step_decide(EngineCore *core, Enrolment *enrolment, DecideSummary *summary, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    gboolean marked = FALSE;
    if (!store_mark_exists(core->store, enrolment->contact_id, &marked, error) ||
        !subject_read_on_way(core, enrolment->contact_id, &contact, error))
        return FALSE;
    if (marked || !contact)
        return TRUE; /* marked: the new facts are decided first, in one of the next batches, and may end it */
    Subject subject;
    subject_init_on_way(&subject, core, contact);
    gboolean ok = subject_read_referrals(&subject, error) && decide_all(&subject, enrolment, summary, error);
    subject_clear(&subject);
    return ok;
}
