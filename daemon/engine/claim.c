/*
 * The claim: the last look before a message leaves. Runs on the loop, in the courier's transaction.
 */
#include "engine/claim.h"

#include "base/log.h"
#include "base/stage.h"
#include "engine/decide.h"
#include "engine/gate_case.h"
#include "engine/limits.h"
#include "engine/order.h"
#include "engine/passage.h"
#include "engine/variant.h"
#include "mail/address.h"
#include "mail/compose.h"
#include "store/history.h"
#include "store/marks.h"

enum { CONVERSATION_DEPTH = 10 };

typedef struct {
    EngineCore *core;
    const ClaimAccount *account;
    Contact *contact;
    Subject subject; /* of contact */
    Enrolment *enrolment;
    OutboxMessage *message;
    const Rule *rule;
    const Step *step;
    gint64 now_ms;
} Claim;

static gboolean end_row(Claim *claim, OutboxState state, const char *reason, GError **error)
{
    const OutboxOutcome outcome = {.state = state, .reason = reason};
    log_event(LOG_LEVEL_INFO, outbox_state_name(state), LOG_TEXT("contact", claim->contact->email),
              LOG_NUMBER("message", claim->message->id), LOG_TEXT("rule", claim->message->rule),
              LOG_TEXT("step", claim->message->step), LOG_TEXT("reason", reason));
    return store_outbox_finish(claim->core->store, claim->message->id, &outcome, claim->now_ms, error);
}

/* The rule goes on behind this message, where it is the one that the rule waits for (a person may have revived an older one). */
static gboolean move_on(Claim *claim, gint64 step_ms, GError **error)
{
    Enrolment *enrolment = claim->enrolment;
    if (!enrolment || enrolment->state != ENROLMENT_ACTIVE || !g_str_equal(enrolment->next_step, claim->message->step))
        return TRUE;
    return passage_next(&claim->subject, enrolment, step_ms, error);
}

static gboolean skip(Claim *claim, const char *reason, GError **error)
{
    const OutboxMessage *message = claim->message;
    const Interaction skipped = {.contact_id = message->contact_id, .at_ms = claim->now_ms, .kind = INTERACTION_SKIPPED,
                                 .account = message->account, .rule = message->rule, .step = message->step, .detail = reason};
    return end_row(claim, OUTBOX_SKIPPED, reason, error) && store_history_add(claim->core->store, &skipped, NULL, error) &&
           move_on(claim, message->planned_ms, error);
}

static gboolean stop(Claim *claim, const GateResult *gate, GError **error)
{
    if (claim->enrolment && claim->enrolment->state == ENROLMENT_ACTIVE)
        return store_enrolment_end(claim->core->store, claim->enrolment->id, gate->gate, claim->now_ms, error);
    return end_row(claim, OUTBOX_CANCELLED, gate->reason, error);
}

/* ---- taking ---------------------------------------------------------------------------------------------------------- */

static Letter *letter_before(const Claim *claim, const OutboxMessage *before, const Step *step, const char *thread_subject)
{
    g_auto(ReferralWords) referral = {0};
    if (!referral_words_read(claim->core->config, claim->core->store, claim->contact, claim->rule, before->round, &referral, NULL))
        return NULL;
    const LetterInput input = {
        .referral = &referral,
        .config = claim->core->config,
        .templates = claim->core->templates,
        .contact = claim->contact,
        .rule = claim->rule,
        .step = step,
        .variant = variant_choose(claim->rule, step, claim->contact->id, before->variant),
        .message_id = before->message_id,
        .in_reply_to = before->in_reply_to,
        .references = before->references,
        .thread_subject = thread_subject,
        .token_secret = store_token_secret(claim->core->store),
        .date_ms = before->sending_ms,
        .zone = claim->core->default_zone,
    };
    return letter_new(&input, NULL);
}

/* What was under way when the daemon was killed has no subject on its row, although it may have arrived: it is composed again. depth
 * bounds the way back through the conversation. */
static gboolean subject_of(const Claim *claim, const char *message_id, guint depth, char **ret_subject, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    g_autofree char *answered = NULL;
    ComposedMessage composed = {0};
    if (*message_id && !store_outbox_find_by_message_id(claim->core->store, message_id, &message, error))
        return FALSE;
    const Step *step = message && !*message->subject && depth > 0 ? config_rule_step(claim->rule, message->step) : NULL;
    if (!step) {
        *ret_subject = g_strdup(message ? message->subject : "");
        return TRUE;
    }
    if (!subject_of(claim, message->in_reply_to, depth - 1, &answered, error))
        return FALSE;
    g_autoptr(Letter) letter = letter_before(claim, message, step, answered);
    gboolean is_made = letter && letter_compose_words(letter, &composed, NULL);
    *ret_subject = g_strdup(is_made ? composed.subject : "");
    composed_message_clear(&composed);
    return TRUE;
}

static gboolean thread_subject(const Claim *claim, char **ret_subject, GError **error)
{
    return subject_of(claim, claim->message->in_reply_to, CONVERSATION_DEPTH, ret_subject, error);
}

static Letter *make_letter(Claim *claim, const char *message_id, const char *subject, const char *variant, GError **error)
{
    g_auto(ReferralWords) referral = {0};
    if (!referral_words_read(claim->core->config, claim->core->store, claim->contact, claim->rule, claim->message->round, &referral, error))
        return NULL;
    const LetterInput input = {
        .referral = &referral,
        .config = claim->core->config,
        .templates = claim->core->templates,
        .contact = claim->contact,
        .rule = claim->rule,
        .step = claim->step,
        .variant = variant,
        .message_id = message_id,
        .outbox_id = claim->message->id,
        .in_reply_to = claim->message->in_reply_to,
        .references = claim->message->references,
        .thread_subject = subject,
        .token_secret = store_token_secret(claim->core->store),
        .date_ms = claim->now_ms,
        .zone = claim->core->default_zone,
    };
    gint64 begun = stage_begin();
    Letter *letter = letter_new(&input, error);
    stage_end(STAGE_LETTER, begun, 1);
    return letter;
}

/* A reload may have taken the row's variant away, or have brought some. */
static gboolean keep_variant(const Claim *claim, const char *variant, GError **error)
{
    return g_str_equal(claim->message->variant, variant) ||
           store_outbox_set_variant(claim->core->store, claim->message->id, variant, error);
}

/* The store's own look says no although every gate was open: an alias or the whole domain is suppressed. */
static gboolean refused_by_store(Claim *claim, GError **error)
{
    return store_enrolment_end(claim->core->store, claim->enrolment->id, "suppressed", claim->now_ms, error);
}

static gboolean take(Claim *claim, Letter **ret_letter, GError **error)
{
    g_autofree char *subject = NULL;
    g_autoptr(GError) cause = NULL;
    gboolean claimed = FALSE;
    const char *variant = variant_choose(claim->rule, claim->step, claim->contact->id, claim->message->variant);
    const char *domain = address_domain(claim->account->account->from_address);
    g_autofree char *message_id =
        *claim->message->message_id ? g_strdup(claim->message->message_id) : mail_new_message_id(domain, claim->now_ms);
    if (!thread_subject(claim, &subject, error) || !keep_variant(claim, variant, error))
        return FALSE;
    g_autoptr(Letter) letter = make_letter(claim, message_id, subject, variant, &cause);
    if (!letter)
        return end_row(claim, OUTBOX_HELD, cause->message, error);
    if (!store_outbox_claim(claim->core->store, claim->message->id, message_id, claim->now_ms, &claimed, error))
        return FALSE;
    if (!claimed)
        return refused_by_store(claim, error);
    if (claim->rule->asks && claim->step->kind != STEP_TASK &&
        !store_contact_asked(claim->core->store, claim->contact->id, claim->rule->name, claim->message->round, claim->now_ms, error))
        return FALSE;
    *ret_letter = g_steal_pointer(&letter);
    return TRUE;
}

/* ---- gates ----------------------------------------------------------------------------------------------------------- */

/* The rule came to want a person's yes after the message was queued. */
static gboolean await_approval(const Claim *claim, const char *reason, GError **error)
{
    log_event(LOG_LEVEL_INFO, "held", LOG_TEXT("contact", claim->contact->email), LOG_NUMBER("message", claim->message->id),
              LOG_TEXT("rule", claim->message->rule), LOG_TEXT("step", claim->message->step), LOG_TEXT("reason", reason));
    return store_outbox_await_approval(claim->core->store, claim->message->id, reason, error);
}

/* Until the gate opens (0: nobody knows when; looked at again when something about the contact changes, store_outbox_touch()), but not longer than
 * until it is too late: then it is left out, and the rule goes on. */
static gboolean wait(const Claim *claim, const GateResult *gate, const GateFacts *facts, GError **error)
{
    if (facts->awaits_approval)
        return await_approval(claim, gate->reason, error);
    gint64 last_ms = gates_last_moment(facts);
    gint64 until_ms = gate->until_ms;
    if (last_ms < G_MAXINT64 && (until_ms == 0 || until_ms > last_ms))
        until_ms = last_ms + 1;
    return store_outbox_postpone(claim->core->store, claim->message->id, until_ms, gate->reason, error);
}

static gboolean act_on(Claim *claim, const GateResult *gate, const GateFacts *facts, Letter **ret_letter, GError **error)
{
    switch (gate->verdict) {
    case GATE_STOP:
        return stop(claim, gate, error);
    case GATE_SKIP:
        return skip(claim, gate->reason, error);
    case GATE_WAIT:
        return wait(claim, gate, facts, error);
    case GATE_OPEN:
        return take(claim, ret_letter, error);
    }
    g_assert_not_reached();
}

static gboolean pass_gates(Claim *claim, Letter **ret_letter, GError **error)
{
    GateCase gate_case;
    GateResult gate = {0};
    gboolean ok = gate_case_init(&gate_case, &claim->subject, claim->rule, claim->step, claim->enrolment, claim->message,
                                 claim->message->planned_ms, error);
    if (ok) {
        gate_case.facts.blind = claim->account->blind;
        gate_case.facts.account_paused = claim->account->paused;
        gates_decide(&gate_case.facts, &gate);
        ok = act_on(claim, &gate, &gate_case.facts, ret_letter, error);
        gate_result_clear(&gate);
    }
    gate_case_clear(&gate_case);
    return ok;
}

/* Facts that were written since the last decision count before the message leaves, not after. */
static gboolean decide_first(EngineCore *core, gint64 contact_id, GError **error)
{
    gboolean marked = FALSE;
    DecideSummary summary = {0};
    if (!store_mark_exists(core->store, contact_id, &marked, error))
        return FALSE;
    return !marked || decide_contact(core, contact_id, &summary, error);
}

static gboolean still_wanted(const Claim *claim)
{
    OutboxState state = claim->message ? claim->message->state : OUTBOX_CANCELLED;
    return claim->contact && (state == OUTBOX_QUEUED || state == OUTBOX_DEFERRED) && claim->message->due_ms <= claim->now_ms;
}

/* A message goes by the account of whom it is from: the owner's, which a reload may have changed since the row was written. */
static gboolean check_account(Claim *claim, gboolean *ret_reassigned, GError **error)
{
    const Account *owners = claim->subject.account;
    const char *name = owners ? owners->name : claim->message->account;
    *ret_reassigned = !g_str_equal(name, claim->account->account->name);
    return !*ret_reassigned || store_outbox_assign(claim->core->store, claim->contact->id, name, error);
}

static gboolean claim_loaded(Claim *claim, ClaimResult *ret_result, GError **error)
{
    if (!check_account(claim, &ret_result->reassigned, error))
        return FALSE;
    if (ret_result->reassigned)
        return TRUE;
    claim->rule = config_rule(claim->core->config, claim->message->rule);
    claim->step = claim->rule ? config_rule_step(claim->rule, claim->message->step) : NULL;
    if (!claim->step)
        return end_row(claim, OUTBOX_CANCELLED, "the step is no longer in the rules", error) && move_on(claim, claim->now_ms, error);
    return pass_gates(claim, &ret_result->letter, error);
}

gboolean claim_message(EngineCore *core, const ClaimAccount *account, const OutboxMessage *due, ClaimResult *ret_result, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    g_autoptr(Enrolment) enrolment = NULL;
    g_autoptr(OutboxMessage) message = NULL;
    *ret_result = (ClaimResult){0};
    if (!decide_first(core, due->contact_id, error) || !store_outbox_get(core->store, due->id, &message, error) ||
        !subject_read_on_way(core, due->contact_id, &contact, error) ||
        !store_enrolment_get(core->store, due->enrolment_id, &enrolment, error))
        return FALSE;
    Claim claim = {.core = core, .account = account, .contact = contact, .enrolment = enrolment, .message = message,
                   .now_ms = clock_now_ms(core->clock)};
    if (!still_wanted(&claim))
        return TRUE;
    subject_init_on_way(&claim.subject, core, contact);
    claim.subject.now_ms = claim.now_ms; /* the SQL that takes the row compares with the same moment */
    gboolean ok = subject_read_referrals(&claim.subject, error) && claim_loaded(&claim, ret_result, error);
    subject_clear(&claim.subject);
    return ok;
}

/* ---- a round --------------------------------------------------------------------------------------------------------- */

static gboolean claim_all(EngineCore *core, const ClaimAccount *account, GPtrArray *due,
                          void (*take_letter)(const OutboxMessage *message, Letter *letter, gpointer data), gpointer data,
                          gboolean *ret_reassigned, GError **error)
{
    for (guint i = 0; i < due->len; i++) {
        ClaimResult claim;
        if (!claim_message(core, account, due->pdata[i], &claim, error))
            return FALSE;
        if (claim.letter)
            take_letter(due->pdata[i], claim.letter, data);
        *ret_reassigned |= claim.reassigned;
    }
    return TRUE;
}

gboolean claim_due(EngineCore *core, const ClaimAccount *account, guint slots,
                   void (*take_letter)(const OutboxMessage *message, Letter *letter, gpointer data), gpointer data, ClaimRound *ret_round,
                   GError **error)
{
    g_autoptr(GPtrArray) due = NULL;
    ClaimRound round = {0};
    guint allowed = 0;
    gint64 due_ms = 0, now_ms = clock_now_ms(core->clock);
    const char *name = account->account->name;
    if (!store_outbox_next_due(core->store, name, &due_ms, error))
        return FALSE;
    round.next_ms = due_ms;
    if (due_ms && due_ms <= now_ms && !limits_allow(core, account->account, slots, &allowed, &round.next_ms, error))
        return FALSE;
    round.is_full = due_ms && due_ms <= now_ms && allowed == 0;
    if (allowed && !order_due(core->store, name, now_ms, allowed, &due, error))
        return FALSE;
    round.looked_at = due ? due->len : 0;
    if (round.looked_at && !claim_all(core, account, due, take_letter, data, &round.reassigned, error))
        return FALSE;
    *ret_round = round;
    return TRUE;
}
