/*
 * Deciding for one contact. Pure in the sense that it reads facts from the store and the clock, asks plan/, and writes
 * enrolments and outbox rows in the caller's transaction; nothing is sent from here. Runs on the loop.
 */
#include "engine/decide.h"

#include <string.h>

#include "base/log.h"
#include "plan/schedule.h"
#include "store/history.h"
#include "store/marks.h"
#include "store/suppressions.h"

enum { MAX_ROUNDS_LOOKED_AT = 2000 };

/* Interaction kind -> stop event, in the order in which they are named as the reason. */
static const struct {
    InteractionKind kind;
    StopEvent event;
    const char *reason;
} stop_kinds[] = {
    {INTERACTION_UNSUBSCRIBE, STOP_UNSUBSCRIBE, "unsubscribe"},
    {INTERACTION_COMPLAINT, STOP_COMPLAINT, "complaint"},
    {INTERACTION_BOUNCE, STOP_BOUNCE, "bounce"},
    {INTERACTION_REPLY, STOP_REPLY, "reply"},
    {INTERACTION_MEETING, STOP_MEETING, "meeting"},
    {INTERACTION_CALL, STOP_CALL, "call"},
    {INTERACTION_NOTE, STOP_NOTE, "note"},
    {INTERACTION_STAGE, STOP_STAGE_CHANGE, "stage-change"},
};

/* One contact while it is decided on. */
typedef struct {
    EngineCore *core;
    Contact *contact;
    PlanFacts facts;
    gint64 now_ms;
    gint64 newest_interaction;
    gint64 reconsider_ms; /* earliest of all rules; 0: none */
    DecideSummary *summary;
} Decision;

/* ---- small parts ----------------------------------------------------------------------------------------------------- */

/* The reason for which the rule must stop, NULL for none. */
static gboolean stop_reason(Decision *decision, const Rule *rule, gint64 history_mark, const char **ret_reason, GError **error)
{
    guint kinds = 0;
    if (!store_history_kinds_after(decision->core->store, decision->contact->id, history_mark, &kinds, NULL, error))
        return FALSE;
    *ret_reason = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(stop_kinds) && !*ret_reason; i++)
        if ((kinds & (1u << stop_kinds[i].kind)) && (rule->stop_on & stop_kinds[i].event))
            *ret_reason = stop_kinds[i].reason;
    return TRUE;
}

/* Never 0 or less, which would mean "not due": what was due before 1970 is only very late. */
static gint64 due_of(EngineCore *core, const Contact *contact, const Rule *rule, const Step *step, gint64 anchor_ms,
                     gint64 last_step_ms)
{
    PlanFacts facts;
    core_facts_init(core, contact, &facts);
    gint64 due_ms = schedule_due(rule, step, &facts, anchor_ms, last_step_ms, &core->config->sending.window, core->calendar);
    core_facts_clear(&facts);
    return MAX(1, due_ms);
}

static void log_enrolment(const char *event, const Contact *contact, const Enrolment *enrolment, const char *reason)
{
    log_event(LOG_LEVEL_INFO, event, LOG_TEXT("contact", contact->email), LOG_TEXT("rule", enrolment->rule),
              LOG_NUMBER("round", enrolment->round), LOG_TEXT("step", *enrolment->next_step ? enrolment->next_step : NULL),
              LOG_TEXT("reason", reason));
}

static void replace_text(char **field, const char *text)
{
    g_free(*field);
    *field = g_strdup(text);
}

static gboolean end_enrolment(Decision *decision, Enrolment *enrolment, const char *reason, GError **error)
{
    if (!store_enrolment_end(decision->core->store, enrolment->id, reason, decision->now_ms, error))
        return FALSE;
    log_enrolment("ended", decision->contact, enrolment, reason);
    decision->summary->ended++;
    return TRUE;
}

/* Too old to be sent at all. */
static gboolean is_late(EngineCore *core, const Contact *contact, gint64 due_ms, gint64 now_ms)
{
    const Duration *max_late = &core->config->sending.max_late;
    return !duration_is_zero(max_late) && due_ms < calendar_subtract(core->calendar, core_zone(core, contact), now_ms, max_late);
}

/* ---- enrolling ------------------------------------------------------------------------------------------------------- */

/* When the last step of a round would be due if each step before were sent when due. */
static gint64 round_end(Decision *decision, const Rule *rule, gint64 anchor_ms)
{
    gint64 last_ms = 0;
    for (Step **step = rule->steps; *step; step++)
        last_ms = due_of(decision->core, decision->contact, rule, *step, anchor_ms, last_ms);
    return last_ms;
}

/* A repeating rule begins with the first round that still has something to send: nobody's history is filled with the
 * rounds of years before. */
static guint first_round(Decision *decision, const Rule *rule)
{
    guint round = 1;
    if (duration_is_zero(&rule->repeat_every))
        return round;
    guint last = rule->repeat_max ? MIN(rule->repeat_max, MAX_ROUNDS_LOOKED_AT) : MAX_ROUNDS_LOOKED_AT;
    while (round < last) {
        gint64 anchor_ms = schedule_round_anchor(rule, &decision->facts, decision->core->calendar, round);
        if (!is_late(decision->core, decision->contact, round_end(decision, rule, anchor_ms), decision->now_ms))
            break;
        round++;
    }
    return round;
}

static gboolean add_enrolment(Decision *decision, const Rule *rule, guint round, GError **error)
{
    const Step *first = rule->steps[0];
    gint64 anchor_ms = schedule_round_anchor(rule, &decision->facts, decision->core->calendar, round);
    g_autoptr(Enrolment) enrolment = g_new0(Enrolment, 1);
    enrolment->contact_id = decision->contact->id;
    enrolment->rule = g_strdup(rule->name);
    enrolment->round = round;
    enrolment->state = ENROLMENT_ACTIVE;
    enrolment->stage = g_strdup(decision->contact->stage);
    enrolment->anchor_ms = anchor_ms;
    enrolment->next_step = g_strdup(first->template_name);
    enrolment->due_ms = due_of(decision->core, decision->contact, rule, first, anchor_ms, 0);
    enrolment->history_mark = decision->newest_interaction;
    enrolment->enrolled_ms = decision->now_ms;
    enrolment->end_reason = g_strdup("");
    if (!store_enrolment_add(decision->core->store, enrolment, error))
        return FALSE;
    log_enrolment("enrolled", decision->contact, enrolment, NULL);
    decision->summary->enrolled++;
    return TRUE;
}

static gboolean may_resume(const Decision *decision, const Enrolment *enrolment)
{
    gboolean left_conditions = g_str_equal(enrolment->end_reason, "conditions") ||
                               g_str_equal(enrolment->end_reason, "stage-change") ||
                               g_str_equal(enrolment->end_reason, "rule removed");
    return enrolment->state == ENROLMENT_ENDED && left_conditions &&
           g_ascii_strcasecmp(enrolment->stage, decision->contact->stage) == 0;
}

static gboolean resume(Decision *decision, const Rule *rule, Enrolment *enrolment, GError **error)
{
    const Step *step = config_rule_step(rule, enrolment->next_step);
    if (!step)
        step = schedule_next_step(rule, enrolment->next_step, NULL);
    if (!step)
        return TRUE;
    enrolment->state = ENROLMENT_ACTIVE;
    enrolment->anchor_ms = schedule_round_anchor(rule, &decision->facts, decision->core->calendar, enrolment->round);
    replace_text(&enrolment->next_step, step->template_name);
    enrolment->due_ms = due_of(decision->core, decision->contact, rule, step, enrolment->anchor_ms, enrolment->last_step_ms);
    enrolment->history_mark = decision->newest_interaction;
    enrolment->ended_ms = 0;
    replace_text(&enrolment->end_reason, "");
    log_enrolment("resumed", decision->contact, enrolment, NULL);
    decision->summary->resumed++;
    return store_enrolment_update(decision->core->store, enrolment, error);
}

/* ---- moving on ------------------------------------------------------------------------------------------------------- */

static gboolean finish_enrolment(EngineCore *core, Enrolment *enrolment, gint64 now_ms, GError **error)
{
    enrolment->state = ENROLMENT_DONE;
    enrolment->due_ms = 0;
    enrolment->ended_ms = now_ms;
    replace_text(&enrolment->next_step, "");
    return store_enrolment_update(core->store, enrolment, error);
}

/* The step that the enrolment waits for, where a person or an outcome has ended it without the courier. */
static gboolean move_past_ended_step(Decision *decision, Enrolment *enrolment, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    if (!store_outbox_find_step(decision->core->store, enrolment->id, enrolment->next_step, &message, error))
        return FALSE;
    if (message && message->state != OUTBOX_CANCELLED && message->state != OUTBOX_FAILED && message->state != OUTBOX_SENT &&
        message->state != OUTBOX_SKIPPED)
        return TRUE;
    gint64 step_ms = message && message->ended_ms ? message->ended_ms : decision->now_ms;
    return decide_next(decision->core, decision->contact, enrolment, step_ms, error);
}

/* Anchor, step or window may have changed: computes anew when the next step is due. */
static gboolean refresh(Decision *decision, const Rule *rule, Enrolment *enrolment, GError **error)
{
    if (enrolment->due_ms == 0)
        return move_past_ended_step(decision, enrolment, error);
    const Step *step = config_rule_step(rule, enrolment->next_step);
    if (!step)
        step = schedule_next_step(rule, enrolment->next_step, NULL);
    if (!step)
        return finish_enrolment(decision->core, enrolment, decision->now_ms, error);
    gint64 anchor_ms = schedule_round_anchor(rule, &decision->facts, decision->core->calendar, enrolment->round);
    gint64 due_ms = due_of(decision->core, decision->contact, rule, step, anchor_ms, enrolment->last_step_ms);
    if (due_ms == enrolment->due_ms && anchor_ms == enrolment->anchor_ms && g_str_equal(step->template_name, enrolment->next_step))
        return TRUE;
    enrolment->anchor_ms = anchor_ms;
    enrolment->due_ms = due_ms;
    replace_text(&enrolment->next_step, step->template_name);
    return store_enrolment_update(decision->core->store, enrolment, error);
}

static gboolean decide_active(Decision *decision, const Rule *rule, Enrolment *enrolment, gboolean holds, GError **error)
{
    const char *reason = NULL;
    if (!stop_reason(decision, rule, enrolment->history_mark, &reason, error))
        return FALSE;
    if (!reason && !holds)
        reason = "conditions";
    if (reason)
        return end_enrolment(decision, enrolment, reason, error);
    return refresh(decision, rule, enrolment, error);
}

static gboolean decide_rule(Decision *decision, const Rule *rule, Enrolment *latest, GError **error)
{
    gint64 change_ms = 0;
    gboolean holds = schedule_anchor(rule, &decision->facts) != 0 &&
                     conditions_hold(rule, &decision->facts, decision->core->calendar, decision->now_ms, &change_ms);
    if (change_ms && (!decision->reconsider_ms || change_ms < decision->reconsider_ms))
        decision->reconsider_ms = change_ms;
    if (latest && latest->state == ENROLMENT_ACTIVE)
        return decide_active(decision, rule, latest, holds, error);
    if (!holds)
        return TRUE;
    if (!latest)
        return add_enrolment(decision, rule, first_round(decision, rule), error);
    if (may_resume(decision, latest))
        return resume(decision, rule, latest, error);
    return TRUE;
}

/* ---- a contact ------------------------------------------------------------------------------------------------------- */

/* The newest round of the rule, NULL for none. */
static Enrolment *latest_of(GPtrArray *enrolments, const char *rule)
{
    Enrolment *latest = NULL;
    for (guint i = 0; i < enrolments->len; i++) {
        Enrolment *enrolment = enrolments->pdata[i];
        if (g_str_equal(enrolment->rule, rule) && (!latest || enrolment->round > latest->round))
            latest = enrolment;
    }
    return latest;
}

static gboolean end_removed_rules(Decision *decision, GPtrArray *enrolments, GError **error)
{
    for (guint i = 0; i < enrolments->len; i++) {
        Enrolment *enrolment = enrolments->pdata[i];
        if (enrolment->state == ENROLMENT_ACTIVE && !config_rule(decision->core->config, enrolment->rule) &&
            !end_enrolment(decision, enrolment, "rule removed", error))
            return FALSE;
    }
    return TRUE;
}

static gboolean decide_all_rules(Decision *decision, GError **error)
{
    g_autoptr(GPtrArray) enrolments = NULL;
    Store *store = decision->core->store;
    if (!store_enrolments_of(store, decision->contact->id, &enrolments, error) ||
        !store_history_kinds_after(store, decision->contact->id, 0, NULL, &decision->newest_interaction, error))
        return FALSE;
    for (Rule **rule = decision->core->config->rules; *rule; rule++)
        if (!decide_rule(decision, *rule, latest_of(enrolments, (*rule)->name), error))
            return FALSE;
    const Account *account = config_account_for_owner(decision->core->config, decision->contact->owner);
    return end_removed_rules(decision, enrolments, error) &&
           (!account || store_outbox_assign(store, decision->contact->id, account->name, error)) &&
           store_outbox_touch(store, decision->contact->id, decision->now_ms, error) &&
           store_contact_set_reconsider(store, decision->contact->id, decision->reconsider_ms, error);
}

gboolean decide_contact(EngineCore *core, gint64 contact_id, DecideSummary *summary, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    if (!store_contact_get(core->store, contact_id, &contact, error))
        return FALSE;
    if (contact) {
        Decision decision = {.core = core, .contact = contact, .now_ms = clock_now_ms(core->clock), .summary = summary};
        core_facts_init(core, contact, &decision.facts);
        gboolean ok = decide_all_rules(&decision, error);
        core_facts_clear(&decision.facts);
        if (!ok)
            return FALSE;
    }
    return store_mark_clear(core->store, contact_id, error);
}

/* ---- a step ---------------------------------------------------------------------------------------------------------- */

static gboolean begin_next_round(EngineCore *core, const Contact *contact, const Rule *rule, guint after_round, GError **error)
{
    if (duration_is_zero(&rule->repeat_every) || (rule->repeat_max && after_round >= rule->repeat_max))
        return TRUE;
    DecideSummary unused = {0};
    Decision decision = {.core = core, .contact = (Contact *)contact, .now_ms = clock_now_ms(core->clock), .summary = &unused};
    if (!store_history_kinds_after(core->store, contact->id, 0, NULL, &decision.newest_interaction, error))
        return FALSE;
    core_facts_init(core, contact, &decision.facts);
    guint round = MAX(after_round + 1, first_round(&decision, rule));
    gboolean ok = add_enrolment(&decision, rule, round, error);
    core_facts_clear(&decision.facts);
    return ok;
}

gboolean decide_next(EngineCore *core, const Contact *contact, Enrolment *enrolment, gint64 step_ms, GError **error)
{
    const Rule *rule = config_rule(core->config, enrolment->rule);
    if (!rule) {
        enrolment->state = ENROLMENT_ENDED; /* for callers who go on with it */
        return store_enrolment_end(core->store, enrolment->id, "rule removed", clock_now_ms(core->clock), error);
    }
    const Step *next = schedule_next_step(rule, enrolment->next_step, NULL);
    enrolment->last_step_ms = step_ms;
    if (!next)
        return finish_enrolment(core, enrolment, clock_now_ms(core->clock), error) &&
               begin_next_round(core, contact, rule, enrolment->round, error);
    replace_text(&enrolment->next_step, next->template_name);
    enrolment->due_ms = due_of(core, contact, rule, next, enrolment->anchor_ms, enrolment->last_step_ms);
    return store_enrolment_update(core->store, enrolment, error);
}

static OutboxMessage *message_for(const EngineCore *core, const Contact *contact, const Enrolment *enrolment)
{
    const Account *account = config_account_for_owner(core->config, contact->owner);
    OutboxMessage *message = g_new0(OutboxMessage, 1);
    message->enrolment_id = enrolment->id;
    message->contact_id = contact->id;
    message->email = g_strdup(contact->email);
    message->account = g_strdup(account ? account->name : contact->owner);
    message->rule = g_strdup(enrolment->rule);
    message->step = g_strdup(enrolment->next_step);
    message->round = enrolment->round;
    message->planned_ms = enrolment->due_ms;
    message->due_ms = enrolment->due_ms;
    message->message_id = g_strdup("");
    message->in_reply_to = g_strdup("");
    message->references = g_strdup("");
    message->subject = g_strdup("");
    message->reason = g_strdup("");
    message->created_ms = clock_now_ms(core->clock);
    return message;
}

/* Stores the step as decided; one that was decided before (a rule edited and edited back, a resumption) is passed over. */
static gboolean store_decision(EngineCore *core, OutboxMessage *message, gboolean *ret_new, GError **error)
{
    g_autoptr(GError) cause = NULL;
    *ret_new = store_outbox_add(core->store, message, &cause);
    if (*ret_new || g_error_matches(cause, STORE_ERROR, STORE_ERROR_EXISTS))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean skip_step(EngineCore *core, OutboxMessage *message, const char *reason, gboolean *ret_new, GError **error)
{
    message->state = OUTBOX_SKIPPED;
    replace_text(&message->reason, reason);
    message->ended_ms = message->created_ms;
    if (!store_decision(core, message, ret_new, error))
        return FALSE;
    if (!*ret_new)
        return TRUE;
    log_event(LOG_LEVEL_INFO, "skipped", LOG_TEXT("contact", message->email), LOG_TEXT("rule", message->rule),
              LOG_TEXT("step", message->step), LOG_TEXT("reason", reason));
    const Interaction skipped = {.contact_id = message->contact_id, .at_ms = message->created_ms, .kind = INTERACTION_SKIPPED,
                                 .account = message->account, .rule = message->rule, .step = message->step, .detail = reason};
    return store_history_add(core->store, &skipped, NULL, error);
}

/* The message of the rule before, which this one answers. The steps go one by one, so it is known by now. */
static gboolean join_thread(EngineCore *core, const Enrolment *enrolment, OutboxMessage *message, GError **error)
{
    const Rule *rule = config_rule(core->config, enrolment->rule);
    const Step *step = rule ? config_rule_step(rule, enrolment->next_step) : NULL;
    g_autoptr(OutboxMessage) before = NULL;
    if (!step || !step->same_thread)
        return TRUE;
    if (!store_outbox_last_sent(core->store, enrolment->id, &before, error))
        return FALSE;
    if (before) {
        replace_text(&message->in_reply_to, before->message_id);
        g_free(message->references);
        message->references = g_strstrip(g_strjoin(" ", before->references, before->message_id, NULL));
    }
    return TRUE;
}

static gboolean queue_step(EngineCore *core, Enrolment *enrolment, OutboxMessage *message, gboolean *ret_new, GError **error)
{
    message->state = OUTBOX_QUEUED;
    if (!join_thread(core, enrolment, message, error) || !store_decision(core, message, ret_new, error))
        return FALSE;
    if (!*ret_new)
        return TRUE;
    enrolment->due_ms = 0;
    return store_enrolment_update(core->store, enrolment, error);
}

/* One step, decided by the gates that need no waiting; *ret_more: it was passed over, and the next may be due as well. */
static gboolean decide_one_step(EngineCore *core, const Contact *contact, Enrolment *enrolment, const char *suppressed,
                                DecideSummary *summary, gboolean *ret_more, GError **error)
{
    GateFacts facts;
    GateResult gate = {0};
    gboolean is_new = FALSE, ok;
    *ret_more = FALSE;
    core_gate_facts(core, contact, TRUE, suppressed, enrolment->due_ms, &facts);
    gates_decide(&facts, &gate);
    if (gate.verdict == GATE_STOP) {
        ok = store_enrolment_end(core->store, enrolment->id, gate.gate, facts.now_ms, error);
        log_enrolment("ended", contact, enrolment, gate.reason);
        summary->ended++;
    } else {
        g_autoptr(OutboxMessage) message = message_for(core, contact, enrolment);
        gboolean skip = gate.verdict == GATE_SKIP;
        ok = skip ? skip_step(core, message, gate.reason, &is_new, error) : queue_step(core, enrolment, message, &is_new, error);
        summary->skipped += skip && is_new;
        summary->queued += !skip && is_new;
        *ret_more = ok && (skip || !is_new);
        if (*ret_more)
            ok = decide_next(core, contact, enrolment, enrolment->due_ms, error);
    }
    gate_result_clear(&gate);
    return ok;
}

gboolean decide_step(EngineCore *core, Enrolment *enrolment, DecideSummary *summary, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    g_autofree char *suppressed = NULL;
    gboolean marked = FALSE, is_suppressed = FALSE, more = TRUE;
    if (!store_mark_exists(core->store, enrolment->contact_id, &marked, error) ||
        !store_contact_get(core->store, enrolment->contact_id, &contact, error))
        return FALSE;
    if (marked || !contact)
        return TRUE; /* marked: the new facts are decided first, in one of the next batches, and may end it */
    if (!store_suppression_check(core->store, contact->email, &is_suppressed, &suppressed, error))
        return FALSE;
    gint64 now_ms = clock_now_ms(core->clock);
    while (more && enrolment->state == ENROLMENT_ACTIVE && enrolment->due_ms > 0 && enrolment->due_ms <= now_ms)
        if (!decide_one_step(core, contact, enrolment, suppressed, summary, &more, error))
            return FALSE;
    return TRUE;
}
