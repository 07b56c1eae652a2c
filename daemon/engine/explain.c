/*
 * Why: the same questions that the courier asks, asked without moving anything. Runs in the command's process.
 */
#include "engine/explain.h"

#include "engine/canary.h"

#include "engine/gate_case.h"
#include "engine/limits.h"
#include "engine/passage.h"
#include "engine/variant.h"
#include "store/accounts.h"
#include "store/enrolments.h"
#include "store/outbox.h"
#include "store/suppressions.h"

typedef struct {
    EngineCore *core;
    const Contact *contact;
    const LiveAccount *live;
    Subject subject;
    gint64 now_ms;
    char *suppressed, *paused; /* reasons, or "" */
    char *canary;              /* likewise; NULL: none */
    gint64 account_next_ms;
} Inquiry;

static void gate_free(gpointer data)
{
    GateExplanation *gate = data;
    g_free(gate->gate);
    g_free(gate->reason);
    g_free(gate);
}

static void rule_free(gpointer data)
{
    RuleExplanation *rule = data;
    g_free(rule->rule);
    g_free(rule->reason);
    g_free(rule->step);
    g_free(rule->variant);
    g_free(rule->state);
    g_free(rule->decides);
    g_ptr_array_unref(rule->gates);
    g_free(rule);
}

/* ---- the step that comes next ---------------------------------------------------------------------------------------- */

static void add_gate(const GateResult *result, gpointer data)
{
    GateExplanation *gate = g_new0(GateExplanation, 1);
    gate->gate = g_strdup(result->gate);
    gate->verdict = result->verdict;
    gate->reason = g_strdup(result->reason ? result->reason : "");
    gate->until_ms = result->until_ms;
    g_ptr_array_add(data, gate);
}

/* When the step was due, for its lateness: that of one that awaits approval begins when it has it. */
static gint64 planned_of(const Enrolment *enrolment, const OutboxMessage *message, gint64 at_ms)
{
    if (!message)
        return enrolment->due_ms;
    return message->state == OUTBOX_HELD ? MAX(message->planned_ms, at_ms) : message->planned_ms;
}

static void tell_decision(RuleExplanation *rule, const GateFacts *facts, const GateResult *decided, gint64 at_ms)
{
    rule->decides = g_strdup(decided->gate);
    if (decided->verdict == GATE_OPEN)
        rule->earliest_ms = at_ms;
    if (decided->verdict != GATE_WAIT)
        return;
    if (decided->until_ms <= gates_last_moment(facts)) {
        rule->earliest_ms = decided->until_ms;
    } else {
        g_free(rule->reason);
        rule->reason = g_strdup("it will be left out, since it would be later than max_late allows");
    }
}

/* The gates as they stand at at_ms. */
static gboolean ask_gates(const Inquiry *inquiry, const Step *step, const Enrolment *enrolment, const OutboxMessage *message, gint64 at_ms,
                          RuleExplanation *rule, GError **error)
{
    GateCase gate_case;
    GateResult decided = {0};
    Subject subject = inquiry->subject;
    subject.now_ms = at_ms;
    gboolean ok = gate_case_init(&gate_case, &subject, config_rule(inquiry->core->config, enrolment->rule), step, enrolment, message,
                                 planned_of(enrolment, message, at_ms), error);
    if (ok) {
        GateFacts *facts = &gate_case.facts;
        facts->account_paused = *inquiry->paused ? inquiry->paused : inquiry->live->unreachable;
        facts->blind = inquiry->live->blind;
        facts->canary = inquiry->canary;
        facts->account_next_ms = inquiry->account_next_ms;
        gates_explain(facts, add_gate, rule->gates);
        gates_decide(facts, &decided);
        tell_decision(rule, facts, &decided, at_ms);
        gate_result_clear(&decided);
    }
    gate_case_clear(&gate_case);
    return ok;
}

/* Its row of the outbox waits for something that no gate knows: a person, an outcome. */
static gboolean is_out_of_gates(const OutboxMessage *message)
{
    gboolean awaits_approval = message && message->state == OUTBOX_HELD && message->approval == APPROVAL_AWAITED;
    return message && message->state != OUTBOX_QUEUED && message->state != OUTBOX_DEFERRED && !awaits_approval;
}

static gboolean has_passed(const Inquiry *inquiry, const Enrolment *enrolment, const Step *step)
{
    const Rule *rule = config_rule(inquiry->core->config, enrolment->rule);
    return subject_due(&inquiry->subject, rule, step, enrolment->anchor_ms, enrolment->last_step_ms) == SCHEDULE_PASSED;
}

/* Why there is no time to ask the gates about; NULL where there is. */
static char *why_no_time(const Inquiry *inquiry, const Enrolment *enrolment, const Step *step, const OutboxMessage *message)
{
    if (!step)
        return g_strdup("the rule does not have this step any more; nurtured decides anew as soon as it runs");
    if (is_out_of_gates(message)) {
        const char *state = outbox_state_name(message->state);
        return g_strdup_printf("its message is %s%s%s", state, *message->reason ? ": " : "", message->reason);
    }
    if (!message && has_passed(inquiry, enrolment, step))
        return g_strdup("its date has passed, so that it will be left out");
    if (message || enrolment->due_ms != SCHEDULE_NEVER)
        return NULL;
    if (step->date == STEP_DATE_ATTRIBUTE)
        return g_strdup_printf("waits for a date in the attribute \"%s\" of %s", step->on_attribute, inquiry->contact->email);
    return g_strdup("no sending window opens for it within 400 days");
}

static const char *variant_of(const Inquiry *inquiry, const Enrolment *enrolment, const Step *step, const OutboxMessage *message)
{
    const Rule *rule = config_rule(inquiry->core->config, enrolment->rule);
    return step ? variant_choose(rule, step, enrolment->contact_id, message ? message->variant : "") : "";
}

static gboolean explain_active(const Inquiry *inquiry, const Enrolment *enrolment, RuleExplanation *rule, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    rule->enrolled = TRUE;
    rule->step = g_strdup(enrolment->next_step);
    if (!store_outbox_find_step(inquiry->core->store, enrolment->id, enrolment->next_step, &message, error))
        return FALSE;
    const Step *step = config_rule_step(config_rule(inquiry->core->config, enrolment->rule), enrolment->next_step);
    rule->variant = g_strdup(variant_of(inquiry, enrolment, step, message));
    gint64 due_ms = message ? message->due_ms : enrolment->due_ms;
    rule->due_ms = due_ms == SCHEDULE_NEVER ? 0 : due_ms;
    rule->state = g_strdup(message ? outbox_state_name(message->state) : "");
    rule->reason = why_no_time(inquiry, enrolment, step, message);
    if (rule->reason) {
        rule->decides = g_strdup("");
        return TRUE;
    }
    rule->reason = g_strdup("");
    /* what is queued is held, if at all, by the gates of now; what is not due yet will meet those of its time */
    return ask_gates(inquiry, step, enrolment, message, message ? inquiry->now_ms : MAX(inquiry->now_ms, rule->due_ms), rule, error);
}

/* ---- not enrolled ---------------------------------------------------------------------------------------------------- */

static const char *why_no_anchor(Anchor anchor)
{
    switch (anchor) {
    case ANCHOR_CUSTOMER:
        return "never became a customer";
    case ANCHOR_SCORE:
        return "never gave a score";
    case ANCHOR_REFERRAL:
        return "did not come by a referral";
    case ANCHOR_THANKS:
        return "nobody whom they introduced was accepted";
    case ANCHOR_REWARD:
        return "nobody whom they introduced became a customer";
    case ANCHOR_STAGE:
        break;
    }
    return "since when they are in the stage is not known";
}

static char *why_not_enrolled(const Inquiry *inquiry, const Rule *rule, const Enrolment *latest)
{
    if (latest && latest->state == ENROLMENT_DONE)
        return g_strdup(g_str_equal(latest->end_reason, "until") ? "the rule has come to its end (until)" : "all of its steps are done");
    if (latest && latest->state == ENROLMENT_ENDED && !g_str_equal(latest->end_reason, "conditions"))
        return g_strdup_printf("ended: %s", latest->end_reason);
    char *failing = conditions_failing(rule, &inquiry->subject.facts, inquiry->subject.calendar, inquiry->now_ms);
    if (failing)
        return failing;
    if (schedule_anchor(rule, &inquiry->subject.facts) == 0)
        return g_strdup(why_no_anchor(rule->anchor));
    if (!latest && !passage_may_begin(&inquiry->subject, rule))
        return g_strdup("the rule has come to its end (until) before its first step");
    return g_strdup("the rule holds; nurtured enrols them as soon as it runs");
}

/* There is no step whose gates could be asked; what shuts the contact out is a gate all the same. */
static void explain_stop(const Inquiry *inquiry, RuleExplanation *rule)
{
    const GateResult enrolled = {.verdict = GATE_STOP, .gate = "enrolled", .reason = rule->reason};
    const GateResult suppressed = {.verdict = GATE_STOP, .gate = "suppressed", .reason = inquiry->suppressed};
    add_gate(&enrolled, rule->gates);
    if (*inquiry->suppressed)
        add_gate(&suppressed, rule->gates);
    rule->decides = g_strdup(*inquiry->suppressed ? "suppressed" : "enrolled");
}

static Enrolment *latest_of(const GPtrArray *enrolments, const char *rule)
{
    Enrolment *latest = NULL;
    for (guint i = 0; i < enrolments->len; i++) {
        Enrolment *enrolment = enrolments->pdata[i];
        if (g_str_equal(enrolment->rule, rule) && (!latest || enrolment->round > latest->round))
            latest = enrolment;
    }
    return latest;
}

static gboolean explain_rule(const Inquiry *inquiry, const Rule *rule, const Enrolment *latest, GPtrArray *rules, GError **error)
{
    RuleExplanation *explanation = g_new0(RuleExplanation, 1);
    explanation->rule = g_strdup(rule->name);
    explanation->gates = g_ptr_array_new_with_free_func(gate_free);
    g_ptr_array_add(rules, explanation);
    if (latest && latest->state == ENROLMENT_ACTIVE)
        return explain_active(inquiry, latest, explanation, error);
    explanation->reason = why_not_enrolled(inquiry, rule, latest);
    explanation->step = g_strdup("");
    explanation->variant = g_strdup("");
    explanation->state = g_strdup("");
    explain_stop(inquiry, explanation);
    return TRUE;
}

/* ---- the contact ----------------------------------------------------------------------------------------------------- */

/* What holds for all rules of the contact: suppression, and what their account says. */
static gboolean ask_account(Inquiry *inquiry, GError **error)
{
    gboolean is_suppressed = FALSE;
    guint allowed = 1;
    Store *store = inquiry->core->store;
    const Account *account = config_account_for_owner(inquiry->core->config, inquiry->contact->owner);
    if (!store_suppression_check(store, inquiry->contact->email, &is_suppressed, &inquiry->suppressed, error) ||
        !store_account_pause_get(store, "", &inquiry->paused, error))
        return FALSE;
    if (account && !canary_hold(store, account, &inquiry->canary, error))
        return FALSE;
    if (account && !*inquiry->paused) {
        g_free(inquiry->paused);
        inquiry->paused = NULL;
        if (!store_account_pause_get(store, account->name, &inquiry->paused, error))
            return FALSE;
    }
    return !account || limits_allow(inquiry->core, account, 1, &allowed, &inquiry->account_next_ms, error);
}

static GPtrArray *explain_all(Inquiry *inquiry, GError **error)
{
    g_autoptr(GPtrArray) enrolments = NULL;
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func(rule_free);
    if (!ask_account(inquiry, error) || !store_enrolments_of(inquiry->core->store, inquiry->contact->id, &enrolments, error))
        return NULL;
    for (Rule **rule = inquiry->core->config->rules; *rule; rule++)
        if (!explain_rule(inquiry, *rule, latest_of(enrolments, (*rule)->name), rules, error))
            return NULL;
    return g_steal_pointer(&rules);
}

GPtrArray *explain_contact(Config *config, Store *store, Clock *clock, const Contact *contact, const LiveAccount *live, GError **error)
{
    EngineCore *core = core_new(config, NULL, store, clock, error);
    if (!core)
        return NULL;
    Inquiry inquiry = {.core = core, .contact = contact, .live = live, .now_ms = clock_now_ms(clock)};
    subject_init(&inquiry.subject, core, contact);
    GPtrArray *rules = subject_read_referrals(&inquiry.subject, error) ? explain_all(&inquiry, error) : NULL;
    subject_clear(&inquiry.subject);
    g_free(inquiry.suppressed);
    g_free(inquiry.paused);
    g_free(inquiry.canary);
    core_free(core);
    return rules;
}
