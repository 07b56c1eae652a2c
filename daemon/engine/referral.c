/*
 * From what people write to the ledger of referrals. Runs on the loop.
 *
 *   who is named by        on what evidence                                 becomes
 *   a customer's answer    an answer to a Message-ID that we sent to them   a proposal: the owner says yes or no
 *   themself, who writes   a customer's signed code, or an answer to the    a proposal, or a contact at once where the rule says
 *                          Message-ID of a request sent to a customer       accept = "auto"
 *
 * Who is known already, is one of us, or is never mailed becomes a row that is declined, with the reason.
 */
#include "engine/referral.h"

#include "base/log.h"
#include "base/text.h"
#include "engine/auth_results.h"
#include "engine/decide.h"
#include "engine/match.h"
#include "engine/referral_known.h"
#include "engine/stranger.h"
#include "mail/introduced.h"
#include "mail/token.h"
#include "store/history.h"
#include "store/referrals.h"
#include "store/suppressions.h"

#define HOW_CODE "code"
#define HOW_FORWARD "forward"

/* Somebody whom one customer introduces. */
typedef struct {
    EngineCore *core;
    const Arrival *arrival;
    const Contact *referrer;
    const Rule *rule; /* that asked; NULL: none that we know */
    Referral wish;
    char *refused; /* why they cannot be proposed; NULL: they can */
    gboolean is_full; /* too many of the customer's proposals wait */
} Introduction;

/* ---- what became of them --------------------------------------------------------------------------------------------- */

static gboolean lost_reason(const Subject *subject, char **ret_reason, GError **error)
{
    g_autofree char *suppressed = NULL;
    const Contact *contact = subject->contact;
    if (!store_suppression_check_contact(subject->core->store, contact->id, contact->email, &suppressed, error))
        return FALSE;
    *ret_reason = *suppressed                                                     ? g_strdup_printf("never mailed: %s", suppressed)
                  : config_stage_is_lost(subject->core->config, contact->stage) ? g_strdup_printf("stage %s", contact->stage)
                                                                                 : NULL;
    return TRUE;
}

gboolean referral_follow(const Subject *subject, GError **error)
{
    g_autoptr(Referral) referral = NULL;
    g_autofree char *lost = NULL;
    Store *store = subject->core->store;
    if (!subject->contact->referred)
        return TRUE;
    if (!store_referral_of_contact(store, subject->contact->id, &referral, error))
        return FALSE;
    if (!referral || referral->state == REFERRAL_CUSTOMER)
        return TRUE;
    if (subject->contact->customer_since_ms)
        return store_referral_move(store, referral->id, REFERRAL_CUSTOMER, "", subject->now_ms, error);
    return lost_reason(subject, &lost, error) &&
           (!lost || store_referral_move(store, referral->id, REFERRAL_LOST, lost, subject->now_ms, error));
}

/* ---- proposing ------------------------------------------------------------------------------------------------------- */

static gboolean tell(const Introduction *introduction, const char *detail, GError **error)
{
    const Interaction told = {.contact_id = introduction->referrer->id,
                              .at_ms = introduction->arrival->at_ms,
                              .kind = INTERACTION_REFERRAL,
                              .account = introduction->arrival->account->name,
                              .rule = introduction->wish.rule,
                              .message_id = introduction->wish.message_id,
                              .detail = detail};
    return store_history_add(introduction->core->store, &told, NULL, error);
}

static void log_introduction(const Introduction *introduction, gint64 id)
{
    const Referral *wish = &introduction->wish;
    log_event(LOG_LEVEL_INFO, "referral", LOG_TEXT("account", introduction->arrival->account->name),
              LOG_TEXT("contact", introduction->referrer->email), LOG_NUMBER("referral", id), LOG_TEXT("state", referral_state_name(wish->state)),
              LOG_TEXT("how", wish->how), LOG_TEXT("rule", *wish->rule ? wish->rule : NULL), LOG_TEXT("reason", introduction->refused));
}

static gboolean add_row(Introduction *introduction, gint64 *ret_id, GError **error)
{
    Referral *wish = &introduction->wish;
    wish->state = introduction->refused ? REFERRAL_DECLINED : REFERRAL_PROPOSED;
    wish->reason = introduction->refused;
    wish->ended_ms = introduction->refused ? wish->at_ms : 0;
    if (!store_referral_add(introduction->core->store, wish, ret_id, error))
        return FALSE;
    if (*ret_id == 0)
        return TRUE;
    log_introduction(introduction, *ret_id);
    g_autofree char *detail = g_strdup_printf("referral %" G_GINT64_FORMAT " proposed (%s)", *ret_id, wish->how);
    return introduction->refused || tell(introduction, detail, error);
}

/* *ret_id 0: they named them before, or too many. */
static gboolean propose(Introduction *introduction, gint64 *ret_id, GError **error)
{
    guint waiting = 0;
    *ret_id = 0;
    if (!store_referral_count_proposed(introduction->core->store, introduction->referrer->id, &waiting, error))
        return FALSE;
    introduction->is_full = waiting >= REFERRAL_MOST_PROPOSED;
    if (introduction->is_full) {
        log_event(LOG_LEVEL_WARNING, "referral-left-out", LOG_TEXT("contact", introduction->referrer->email),
                  LOG_NUMBER("waiting", waiting), LOG_TEXT("reason", "too many of their proposals wait: nurture referral list"));
        return TRUE;
    }
    gboolean ok = referral_recognise(introduction->core->config, introduction->core->store, introduction->referrer, &introduction->wish,
                                     &introduction->refused, error) &&
                  add_row(introduction, ret_id, error);
    g_clear_pointer(&introduction->refused, g_free);
    return ok;
}

/* ---- a customer's answer --------------------------------------------------------------------------------------------- */

static const Rule *asking_rule(const EngineCore *core, const char *name)
{
    const Rule *rule = name && *name ? config_rule(core->config, name) : NULL;
    return rule && rule->asks ? rule : NULL;
}

static gboolean propose_person(Introduction *introduction, const IntroducedPerson *person, GError **error)
{
    gint64 id = 0;
    introduction->wish = (Referral){
        .referrer_id = introduction->referrer->id,
        .address = person->address,
        .name = person->name,
        .phone = person->phone,
        .company = person->company,
        .how = (char *)introduced_how_name(person->how),
        .certain = person->certain,
        .evidence = person->evidence,
        .message_id = introduction->arrival->message->message_id,
        .rule = introduction->rule->name,
        .at_ms = introduction->arrival->at_ms,
    };
    return propose(introduction, &id, error);
}

gboolean referral_take_answer(EngineCore *core, const Arrival *arrival, const Contact *customer, const OutboxMessage *answers, GError **error)
{
    const InboundMessage *message = arrival->message;
    Introduction introduction = {.core = core, .arrival = arrival, .referrer = customer, .rule = asking_rule(core, answers->rule)};
    if (!introduction.rule)
        return TRUE;
    for (guint i = 0; i < message->introduced->len && !introduction.is_full; i++)
        if (!propose_person(&introduction, message->introduced->pdata[i], error))
            return FALSE;
    if (!message->introduced_more && !introduction.is_full)
        return TRUE;
    g_autofree char *detail = introduction.is_full ? g_strdup_printf("%d whom they named wait already; the rest is left out", REFERRAL_MOST_PROPOSED)
                                                   : g_strdup_printf("named more than %d people; the rest is left out", INTRODUCED_MAX);
    introduction.wish.rule = introduction.rule->name;
    introduction.wish.message_id = message->message_id;
    return tell(&introduction, detail, error);
}

char *referral_answer_detail(const EngineCore *core, const InboundMessage *message, const OutboxMessage *answers)
{
    if (!answers || !asking_rule(core, answers->rule))
        return g_strdup("");
    if (message->introduced->len > 0)
        return g_strdup_printf("introduces %u", message->introduced->len);
    switch (message->referral_answer) {
    case REFERRAL_REFUSED:
        return g_strdup("introduces nobody: declined");
    case REFERRAL_LATER:
        return g_strdup("introduces nobody: later");
    case REFERRAL_OPEN:
        break;
    }
    return g_strdup("");
}

/* ---- somebody unknown ------------------------------------------------------------------------------------------------ */

/* Whose good code stands in the text; 0: there is none. */
static gint64 code_in(const EngineCore *core, const char *text)
{
    gint64 id = 0;
    g_autofree char *code = mail_token_find(TOKEN_REFERRAL, text);
    return code && mail_token_check(store_token_secret(core->store), TOKEN_REFERRAL, code, &id) ? id : 0;
}

/* They wrote to it, or wrote it themself. */
static gint64 code_given(const EngineCore *core, const InboundMessage *message)
{
    gint64 id = 0;
    for (char **to = message->to; to && *to && !id; to++)
        id = code_in(core, *to);
    id = id ? id : code_in(core, message->subject);
    return id ? id : code_in(core, message->text);
}

/* The request that a customer handed on, by what it answers, or by the code that stands in what it quotes. */
static gint64 request_answered(const EngineCore *core, const InboundMessage *message, const OutboxMessage *answers)
{
    if (answers && !answers->is_task && asking_rule(core, answers->rule))
        return answers->contact_id;
    return code_in(core, message->full_text);
}

/* Whose word they come by; *ret_referrer NULL: nobody's. */
static gboolean find_referrer(EngineCore *core, const InboundMessage *message, const OutboxMessage *answers, Contact **ret_referrer,
                              const char **ret_how, GError **error)
{
    gint64 id = code_given(core, message);
    *ret_how = id ? HOW_CODE : HOW_FORWARD;
    id = id ? id : request_answered(core, message, answers);
    return !id || store_contact_get(core->store, id, ret_referrer, error);
}

static gboolean file_first_message(const Introduction *introduction, GError **error)
{
    g_autoptr(Contact) contact = NULL;
    const InboundMessage *message = introduction->arrival->message;
    DecideSummary summary = {0};
    if (!store_contact_find(introduction->core->store, message->from, &contact, error))
        return FALSE;
    if (!contact) /* the friend is known by another address of the row */
        return TRUE;
    const Interaction reply = {.contact_id = contact->id,
                               .at_ms = introduction->arrival->at_ms,
                               .kind = INTERACTION_REPLY,
                               .account = introduction->arrival->account->name,
                               .subject = message->subject,
                               .text = message->text,
                               .full_text = message->full_text,
                               .message_id = message->message_id,
                               .detail = "wrote to us themself"};
    return store_history_add(introduction->core->store, &reply, NULL, error) &&
           decide_contact(introduction->core, contact->id, &summary, error);
}

static gboolean accept_at_once(const Introduction *introduction, gint64 id, GError **error)
{
    const Pipeline *pipeline = &introduction->core->config->pipeline;
    g_autofree char *by = g_strdup_printf("rule %s", introduction->rule->name);
    const ReferralAcceptance acceptance = {.first_stage = pipeline->stages[0], .customer_stage = pipeline->customer_stage, .by = by};
    ReferralAcceptResult result = REFERRAL_ACCEPT_NOT_OPEN;
    if (!store_referral_accept(introduction->core->store, id, &acceptance, introduction->arrival->at_ms, &result, error))
        return FALSE;
    return result != REFERRAL_ACCEPT_DONE || file_first_message(introduction, error);
}

/* Whether as many of the referrer's friends as a day allows were accepted within the last one. */
static gboolean is_day_full(const Introduction *introduction, gboolean *ret_full, GError **error)
{
    g_autoptr(GArray) times = NULL;
    guint count = 0;
    if (!store_referral_times(introduction->core->store, introduction->referrer->id, REFERRAL_BY_ACCEPTANCE, &times, error))
        return FALSE;
    for (guint i = 0; i < times->len; i++)
        count += g_array_index(times, ReferralTime, i).at_ms > introduction->arrival->at_ms - G_GINT64_CONSTANT(86400000) ? 1 : 0;
    *ret_full = count >= REFERRAL_MOST_AT_ONCE;
    return TRUE;
}

/* The row of the writer, who may have been named before; NULL: too many wait. */
static gboolean row_of_writer(Introduction *introduction, Referral **ret_row, GError **error)
{
    gint64 id = 0;
    Store *store = introduction->core->store;
    if (!store_referral_find(store, introduction->referrer->id, introduction->arrival->message->from, ret_row, error))
        return FALSE;
    if (*ret_row)
        return store_referral_wrote(store, (*ret_row)->id, introduction->arrival->at_ms, error);
    return propose(introduction, &id, error) && (id == 0 || store_referral_get(store, id, ret_row, error));
}

static gboolean take_writer(Introduction *introduction, const char *how, GError **error)
{
    const InboundMessage *message = introduction->arrival->message;
    g_autoptr(Referral) row = NULL;
    g_autofree char *line = text_one_line(message->text);
    g_autofree char *evidence = text_escape(line, INTRODUCED_MAX_EVIDENCE);
    introduction->wish = (Referral){.referrer_id = introduction->referrer->id,
                                    .address = message->from,
                                    .name = message->from_name,
                                    .how = (char *)how,
                                    .certain = TRUE,
                                    .evidence = evidence,
                                    .message_id = message->message_id,
                                    .rule = introduction->rule ? introduction->rule->name : (char *)"",
                                    .at_ms = introduction->arrival->at_ms,
                                    .wrote_ms = introduction->arrival->at_ms};
    if (!row_of_writer(introduction, &row, error))
        return FALSE;
    gboolean open = row && row->state == REFERRAL_PROPOSED;
    gboolean at_once = open && introduction->rule && introduction->rule->accept_auto && !auth_results_deny(message->authentication_results), full = FALSE;
    if (!at_once)
        return TRUE;
    return is_day_full(introduction, &full, error) && (full || accept_at_once(introduction, row->id, error));
}

gboolean referral_take_stranger(EngineCore *core, const Arrival *arrival, const OutboxMessage *answers, gboolean *ret_taken, GError **error)
{
    const InboundMessage *message = arrival->message;
    g_autoptr(Contact) sender = NULL;
    g_autoptr(Contact) referrer = NULL;
    const char *how = HOW_CODE;
    *ret_taken = FALSE;
    if (message->class != INBOUND_REPLY || !*message->from || stranger_is_unattended(message->from) || match_is_own_address(core->config, message->from))
        return TRUE;
    if (!store_contact_find(core->store, message->from, &sender, error))
        return FALSE;
    if (sender)
        return TRUE;
    if (!find_referrer(core, message, answers, &referrer, &how, error))
        return FALSE;
    if (!referrer)
        return TRUE;
    *ret_taken = TRUE;
    const Rule *answered = answers ? asking_rule(core, answers->rule) : NULL;
    Introduction introduction = {.core = core, .arrival = arrival, .referrer = referrer,
                                 .rule = answered ? answered : asking_rule(core, referrer->asked_rule)};
    return take_writer(&introduction, how, error);
}

static gboolean any_rule_asks(const Config *config)
{
    for (Rule **rule = config->rules; *rule; rule++)
        if ((*rule)->asks)
            return TRUE;
    return FALSE;
}

gboolean referral_may_be_taken(const EngineCore *core, const InboundMessage *header)
{
    gboolean by_machine = header->class == INBOUND_AUTO_REPLY || header->class == INBOUND_OTHER;
    if (by_machine || !*header->from || stranger_is_unattended(header->from))
        return FALSE;
    return any_rule_asks(core->config) || code_given(core, header) != 0;
}
