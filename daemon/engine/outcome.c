/*
 * Outcomes: DeliveryResult -> outbox row, history, suppression and the enrolment's next step, in one transaction.
 * The policy for what is tried again, and when, stands here alone; what a reply means is smtp/trouble.c's. Runs on the loop.
 *
 *   SENT          sent        filed on the history; the rule goes on
 *   DEFERRED      deferred    tried again after 5, 10, 20 … minutes; as FAILED once sending.retry_for is over
 *   FAILED        failed      a bounce on the history; an address that does not exist is suppressed; the breaker counts
 *   UNCERTAIN     uncertain   searched for in the Sent folder; then the account's on_uncertain
 *   UNREACHABLE   deferred    no try is counted: due again when the courier's back-off is over
 *   NOT_COMPOSED  held        the reason says what is missing
 */
#include "engine/outcome.h"

#include <string.h>

#include "base/log.h"
#include "engine/basis.h"
#include "engine/breaker.h"
#include "engine/decide.h"
#include "engine/passage.h"
#include "engine/sent.h"
#include "store/history.h"
#include "store/marks.h"
#include "store/sent.h"
#include "store/suppressions.h"
#include "store/tasks.h"

enum {
    RETRY_FIRST_MS = 5 * 60 * 1000,
    RETRY_LONGEST_MS = 4 * 60 * 60 * 1000,
    RETRY_MAX_DOUBLINGS = 6,
    RETRY_JITTER_PART = 5, /* up to a fifth is added */
    RESEND_MAX_TRIES = 3   /* of a message that may have arrived each time */
};

typedef struct {
    EngineCore *core;
    const Account *account;
    const DeliveryResult *result;
    const ComposedMessage *composed;
    OutboxMessage *message;
    gint64 now_ms, retry_ms;
    char *reason;
} Outcome;

char *outcome_reason(const DeliveryResult *result)
{
    GString *reason = g_string_new(NULL);
    if (result->code)
        g_string_append_printf(reason, "%d ", result->code);
    if (*result->enhanced)
        g_string_append_printf(reason, "%s ", result->enhanced);
    g_string_append(reason, result->text);
    return g_strchomp(g_string_free(reason, FALSE));
}

static const char *subject_of(const Outcome *outcome)
{
    return outcome->composed ? outcome->composed->subject : NULL;
}

static gboolean finish(const Outcome *outcome, OutboxState state, gint64 due_ms, gboolean count_attempt, GError **error)
{
    const OutboxOutcome row = {.state = state,
                               .due_ms = due_ms,
                               .reason = state == OUTBOX_SENT ? "" : outcome->reason,
                               .subject = subject_of(outcome),
                               .count_attempt = count_attempt};
    return store_outbox_finish(outcome->core->store, outcome->message->id, &row, outcome->now_ms, error);
}

/* The line of a reminder, and the task that it reminds of, whether it reached the owner or not. */
static gboolean add_task(EngineCore *core, const OutboxMessage *message, const Interaction *told, GError **error)
{
    const OwnerTask task = {.contact_id = message->contact_id,
                       .outbox_id = message->id,
                       .owner = message->account,
                       .text = told->subject != NULL && *told->subject ? (char *)told->subject : message->step,
                       .source = (char *)TASK_BY_STEP,
                       .rule = message->rule,
                       .step = message->step,
                       .due_ms = told->at_ms,
                       .created_ms = told->at_ms};
    return store_task_add(core->store, &task, told, NULL, error);
}

static gboolean add_history(const Outcome *outcome, InteractionKind kind, const char *detail, const char *basis, GError **error)
{
    const OutboxMessage *message = outcome->message;
    const Interaction interaction = {
        .contact_id = message->contact_id,
        .at_ms = outcome->now_ms,
        .kind = kind,
        .account = message->account,
        .rule = message->rule,
        .step = message->step,
        .variant = message->variant,
        .subject = outcome->composed ? outcome->composed->subject : message->subject,
        .text = kind != INTERACTION_BOUNCE && outcome->composed ? outcome->composed->text : "",
        .message_id = message->message_id,
        .detail = detail,
        .basis = basis,
    };
    return kind == INTERACTION_TASK ? add_task(outcome->core, message, &interaction, error)
                                    : store_history_add(outcome->core->store, &interaction, NULL, error);
}

/* contact: as it is now; NULL: gone. */
static gboolean move_on(EngineCore *core, const OutboxMessage *message, const Contact *contact, gint64 step_ms, GError **error)
{
    g_autoptr(Enrolment) enrolment = NULL;
    if (!store_enrolment_get(core->store, message->enrolment_id, &enrolment, error))
        return FALSE;
    if (!enrolment || !contact || enrolment->state != ENROLMENT_ACTIVE || !g_str_equal(enrolment->next_step, message->step))
        return TRUE; /* ended while the message was under way */
    Subject subject;
    subject_init_on_way(&subject, core, contact);
    gboolean ok = subject_read_referrals(&subject, error) && passage_next(&subject, enrolment, step_ms, error);
    subject_clear(&subject);
    return ok;
}

/* Who is in a rule may depend on when they were last written to. */
static gboolean mark_contacted(EngineCore *core, const OutboxMessage *message, GError **error)
{
    return message->is_task || !core->wants_contacts || store_mark(core->store, message->contact_id, error);
}

static InteractionKind sent_kind(const OutboxMessage *message)
{
    return message->is_task ? INTERACTION_TASK : INTERACTION_SENT;
}

/* For the Sent folder; of one in doubt as well, which may prove to have been sent. */
static gboolean keep_copy(const Outcome *outcome, GError **error)
{
    return outcome->message->is_task || !outcome->composed ||
           sent_keep_copy(outcome->core, outcome->account, outcome->message, outcome->composed->bytes, error);
}

/* A reminder needs no ground. */
static gboolean find_basis(EngineCore *core, const OutboxMessage *message, const Contact *contact, char **ret_basis, GError **error)
{
    return message->is_task || !contact || basis_of(core, message, contact, ret_basis, error);
}

static gboolean take_sent(Outcome *outcome, const char *evidence, GError **error)
{
    EngineCore *core = outcome->core;
    const OutboxMessage *message = outcome->message;
    g_autoptr(Contact) contact = NULL;
    g_autofree char *basis = NULL;
    return finish(outcome, OUTBOX_SENT, 0, TRUE, error) && keep_copy(outcome, error) &&
           subject_read_on_way(core, message->contact_id, &contact, error) && find_basis(core, message, contact, &basis, error) &&
           add_history(outcome, sent_kind(message), evidence, basis, error) && move_on(core, message, contact, outcome->now_ms, error) &&
           mark_contacted(core, message, error);
}

/* The owner's own mailbox refuses a reminder: that says nothing about the contact, and the rule goes on. */
static gboolean take_failed_task(const Outcome *outcome, GError **error)
{
    g_autofree char *detail = g_strdup_printf("the reminder could not be delivered: %s", outcome->reason);
    g_autoptr(Contact) contact = NULL;
    return finish(outcome, OUTBOX_FAILED, 0, TRUE, error) && add_history(outcome, INTERACTION_TASK, detail, NULL, error) &&
           subject_read_on_way(outcome->core, outcome->message->contact_id, &contact, error) &&
           move_on(outcome->core, outcome->message, contact, outcome->now_ms, error);
}

static gboolean take_failed(Outcome *outcome, GError **error)
{
    DecideSummary summary = {0};
    if (outcome->message->is_task)
        return take_failed_task(outcome, error);
    if (!finish(outcome, OUTBOX_FAILED, 0, TRUE, error) || !add_history(outcome, INTERACTION_BOUNCE, outcome->reason, NULL, error))
        return FALSE;
    if (outcome->result->recipient_unknown) {
        const Suppression suppression = {.address = outcome->message->email, .reason = "bounce", .detail = outcome->reason,
                                         .at_ms = outcome->now_ms};
        if (!store_suppression_add(outcome->core->store, &suppression, error))
            return FALSE;
    }
    return breaker_check(outcome->core, outcome->message->account, error) &&
           decide_contact(outcome->core, outcome->message->contact_id, &summary, error);
}

/* 5, 10, 20 … minutes, at most 4 hours, and up to a fifth more, told by the message so that a run can be repeated. */
static gint64 retry_delay_ms(const OutboxMessage *message)
{
    gint64 delay = (gint64)RETRY_FIRST_MS << MIN(message->attempts, RETRY_MAX_DOUBLINGS);
    delay = MIN(delay, RETRY_LONGEST_MS);
    guint64 spread = (guint64)message->id * 2654435761u % 1000;
    return delay + delay / RETRY_JITTER_PART * (gint64)spread / 1000;
}

static gboolean take_deferred(Outcome *outcome, GError **error)
{
    gint64 first_ms = MAX(outcome->message->planned_ms, outcome->message->created_ms);
    gint64 due_ms = outcome->now_ms + retry_delay_ms(outcome->message);
    if (due_ms - first_ms < outcome->core->config->sending.retry_for_ms)
        return finish(outcome, OUTBOX_DEFERRED, due_ms, TRUE, error);
    g_autofree char *last = g_steal_pointer(&outcome->reason);
    outcome->reason = g_strdup_printf("given up after %u tries: %s", outcome->message->attempts + 1, last);
    return take_failed(outcome, error);
}

static gboolean resend_if_wanted(const Outcome *outcome, guint tries, GError **error)
{
    if (outcome->account->on_uncertain != ON_UNCERTAIN_RESEND || tries >= RESEND_MAX_TRIES)
        return TRUE;
    return finish(outcome, OUTBOX_DEFERRED, outcome->now_ms + retry_delay_ms(outcome->message), FALSE, error);
}

/* Evidence is looked for before a policy is applied: the message may lie in the Sent folder. */
static gboolean take_uncertain(Outcome *outcome, GError **error)
{
    if (*outcome->message->reason) /* what named it while it was under way */
        return take_sent(outcome, outcome->message->reason, error);
    if (!finish(outcome, OUTBOX_UNCERTAIN, 0, TRUE, error) || !keep_copy(outcome, error))
        return FALSE;
    if (outcome->account->has_imap)
        return sent_begin_search(outcome->core, outcome->message->id, error);
    return resend_if_wanted(outcome, outcome->message->attempts + 1, error);
}

static gboolean take(Outcome *outcome, GError **error)
{
    switch (outcome->result->class) {
    case DELIVERY_SENT:
        return take_sent(outcome, "", error);
    case DELIVERY_DEFERRED:
        return take_deferred(outcome, error);
    case DELIVERY_FAILED:
        return take_failed(outcome, error);
    case DELIVERY_UNCERTAIN:
        return take_uncertain(outcome, error);
    case DELIVERY_UNREACHABLE:
        return finish(outcome, OUTBOX_DEFERRED, outcome->retry_ms, FALSE, error);
    case DELIVERY_NOT_COMPOSED:
        return finish(outcome, OUTBOX_HELD, 0, FALSE, error);
    }
    g_assert_not_reached();
}

/* ---- telling --------------------------------------------------------------------------------------------------------- */

struct OutcomeReport {
    DeliveryClass class;
    OutboxMessage *message;
    char *reason;
};

static OutcomeReport *report_new(Outcome *outcome)
{
    OutcomeReport *report = g_new0(OutcomeReport, 1);
    report->class = outcome->result->class;
    report->message = g_steal_pointer(&outcome->message);
    report->reason = g_steal_pointer(&outcome->reason);
    return report;
}

void outcome_report_free(OutcomeReport *report)
{
    if (!report)
        return;
    outbox_message_free(report->message);
    g_free(report->reason);
    g_free(report);
}

void outcome_report(OutcomeReport *report)
{
    if (report && report->class != DELIVERY_UNREACHABLE) { /* that the courier says once for the account */
        const OutboxMessage *message = report->message;
        gboolean is_sent = report->class == DELIVERY_SENT;
        log_event(is_sent ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
                  report->class == DELIVERY_NOT_COMPOSED ? "held" : delivery_class_name(report->class),
                  LOG_TEXT("account", message->account), LOG_TEXT("contact", message->email), LOG_NUMBER("message", message->id),
                  LOG_TEXT("rule", message->rule), LOG_TEXT("step", message->step),
                  LOG_TEXT("variant", *message->variant ? message->variant : NULL), LOG_TEXT("reason", is_sent ? NULL : report->reason));
    }
    outcome_report_free(report);
}

/* ---- one try --------------------------------------------------------------------------------------------------------- */

gboolean outcome_apply(EngineCore *core, gint64 outbox_id, const Account *account, const DeliveryResult *result,
                       const ComposedMessage *composed, gint64 retry_ms, OutcomeReport **ret_report, GError **error)
{
    Outcome outcome = {.core = core, .account = account, .result = result, .composed = composed, .now_ms = clock_now_ms(core->clock),
                       .retry_ms = retry_ms, .reason = outcome_reason(result)};
    gboolean ok = store_outbox_get(core->store, outbox_id, &outcome.message, error);
    *ret_report = NULL;
    /* else the contact was forgotten meanwhile, or the store took this outcome before although it said no */
    if (ok && outcome.message && outcome.message->state == OUTBOX_SENDING) {
        ok = take(&outcome, error);
        if (ok)
            *ret_report = report_new(&outcome);
    }
    outbox_message_free(outcome.message);
    g_free(outcome.reason);
    return ok;
}

gboolean outcome_commit(EngineCore *core, gint64 outbox_id, const Account *account, const DeliveryResult *result,
                        const ComposedMessage *composed, gint64 retry_ms, GError **error)
{
    OutcomeReport *report = NULL;
    g_autoptr(StoreTransaction) transaction = store_begin(core->store, error);
    if (transaction && outcome_apply(core, outbox_id, account, result, composed, retry_ms, &report, error) &&
        store_commit(g_steal_pointer(&transaction), error)) {
        outcome_report(report);
        return TRUE;
    }
    outcome_report_free(report);
    return FALSE;
}

gboolean outcome_settle_sent(EngineCore *core, const OutboxMessage *message, const char *evidence, GError **error)
{
    if (message->state == OUTBOX_SENDING)
        return store_outbox_note(core->store, message->id, evidence, error);
    if (message->state != OUTBOX_UNCERTAIN && message->state != OUTBOX_DEFERRED && message->state != OUTBOX_QUEUED &&
        message->state != OUTBOX_HELD)
        return TRUE;
    gint64 sent_ms = message->sending_ms ? message->sending_ms : clock_now_ms(core->clock);
    const OutboxOutcome row = {.state = OUTBOX_SENT, .reason = evidence};
    core->sent_work = TRUE; /* a copy may wait for this */
    g_autoptr(Contact) contact = NULL;
    g_autofree char *basis = NULL;
    if (!store_outbox_finish(core->store, message->id, &row, clock_now_ms(core->clock), error) ||
        !subject_read_on_way(core, message->contact_id, &contact, error) || !find_basis(core, message, contact, &basis, error))
        return FALSE;
    const Interaction sent = {.contact_id = message->contact_id, .at_ms = sent_ms, .kind = sent_kind(message),
                              .account = message->account, .rule = message->rule, .step = message->step, .variant = message->variant,
                              .subject = message->subject, .message_id = message->message_id, .detail = evidence, .basis = basis};
    return (message->is_task ? add_task(core, message, &sent, error) : store_history_add(core->store, &sent, NULL, error)) &&
           move_on(core, message, contact, sent_ms, error) && mark_contacted(core, message, error);
}

gboolean outcome_apply_policy(EngineCore *core, const OutboxMessage *message, const Account *account, GError **error)
{
    Outcome outcome = {.core = core, .account = account, .message = (OutboxMessage *)message, .now_ms = clock_now_ms(core->clock),
                       .reason = message->reason};
    return message->state != OUTBOX_UNCERTAIN || resend_if_wanted(&outcome, message->attempts, error);
}

/* ---- after a crash --------------------------------------------------------------------------------------------------- */

static gboolean collect_recovered(const OutboxMessage *message, gpointer data)
{
    if (message->state == OUTBOX_UNCERTAIN && g_str_equal(message->reason, OUTBOX_RECOVERED))
        g_array_append_val((GArray *)data, message->id);
    return TRUE;
}

/* As if the answer had just failed to come. One of an earlier crash that is being searched for is left alone. */
static gboolean take_recovered(EngineCore *core, gint64 outbox_id, GError **error)
{
    g_autoptr(OutboxMessage) message = NULL;
    g_autoptr(SentSearch) search = NULL;
    if (!store_outbox_get(core->store, outbox_id, &message, error) || !store_search_get(core->store, outbox_id, &search, error))
        return FALSE;
    const Account *account = message ? config_account(core->config, message->account) : NULL;
    if (!account || search || (!account->has_imap && account->on_uncertain != ON_UNCERTAIN_RESEND))
        return TRUE;
    g_free(message->reason);
    message->reason = g_strdup(""); /* it is no evidence */
    char text[] = OUTBOX_RECOVERED;
    Outcome outcome = {.core = core, .account = account, .message = message, .now_ms = clock_now_ms(core->clock), .reason = text};
    return take_uncertain(&outcome, error);
}

gboolean outcome_recover(EngineCore *core, guint *ret_count, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (!store_outbox_recover(core->store, clock_now_ms(core->clock), ret_count, error))
        return FALSE;
    if (*ret_count == 0)
        return TRUE;
    if (!store_outbox_each(core->store, FALSE, collect_recovered, ids, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++)
        if (!take_recovered(core, g_array_index(ids, gint64, i), error))
            return FALSE;
    return TRUE;
}
