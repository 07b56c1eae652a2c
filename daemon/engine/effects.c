/*
 * From an inbound message to its effects: one function a class; whose it is says engine/match.c. Runs on the loop.
 *
 *   evidence   given by                                           may
 *   strong     an answer to a Message-ID that we sent to that     file, stop, suppress
 *              person, a signed token
 *   weak       the sender's address alone                         file, stop, pause
 *   none       -                                                  nothing; the log says so
 */
#include "engine/effects.h"

#include "base/log.h"
#include "base/timestamp.h"
#include "engine/breaker.h"
#include "engine/decide.h"
#include "engine/match.h"
#include "engine/notice.h"
#include "engine/outcome.h"
#include "engine/referral.h"
#include "engine/score.h"
#include "engine/score_notice.h"
#include "engine/stranger.h"
#include "store/history.h"
#include "store/outbox.h"
#include "store/proposals.h"
#include "store/suppressions.h"

#define NOON_MS ((gint64)12 * 3600 * 1000)
#define LEFT_HOLD_MS ((gint64)365 * 24 * 3600 * 1000)
#define LOOP_WITHIN_MS ((gint64)24 * 3600 * 1000)

enum { LOOP_MOST = 5 /* automatic answers of one person within that time; more are another machine's, which answers one of ours */ };

typedef struct {
    EngineCore *core;
    const Arrival *arrival;
    const InboundMessage *message;
    Match match;
} Matter;

/* ---- what follows ---------------------------------------------------------------------------------------------------- */

/* The detail of an entry, and what came along with an answer. Caller frees. */
static char *with_attachments(const InboundMessage *message, InteractionKind kind, const char *detail)
{
    g_autofree char *attached = kind == INTERACTION_REPLY ? inbound_attachments_words(message) : g_strdup("");
    return g_strconcat(detail, *detail != '\0' && *attached != '\0' ? "; " : "", attached, NULL);
}

/* One entry for one of those whom it concerns. */
static gboolean add_entry(const Matter *matter, const Contact *contact, InteractionKind kind, const char *detail, gboolean is_silent,
                          GError **error)
{
    const InboundMessage *message = matter->message;
    gboolean is_thread = !matter->match.thread || contact == matter->match.thread; /* the message that it answers went to them */
    const OutboxMessage *answers = is_thread ? matter->match.answers : NULL;
    g_autofree char *whole = with_attachments(message, kind, detail);
    const Interaction interaction = {
        .contact_id = contact->id,
        .at_ms = matter->arrival->at_ms,
        .kind = kind,
        .account = matter->arrival->account->name,
        .rule = answers ? answers->rule : "",
        .step = answers ? answers->step : "",
        .variant = answers ? answers->variant : "",
        .subject = message->subject,
        .text = message->text,
        .full_text = message->full_text,
        .message_id = message->message_id,
        .detail = whole,
        .is_silent = is_silent,
    };
    DecideSummary summary = {0};
    log_event(LOG_LEVEL_INFO, interaction_kind_name(kind), LOG_TEXT("account", matter->arrival->account->name),
              LOG_TEXT("contact", contact->email), LOG_TEXT("rule", answers ? answers->rule : NULL),
              LOG_TEXT("evidence", message->evidence), LOG_TEXT("matched", matter->match.by),
              LOG_TEXT("detail", *detail ? detail : NULL));
    return store_history_add(matter->core->store, &interaction, NULL, error) &&
           decide_contact(matter->core, contact->id, &summary, error);
}

/* Another contact answered what we wrote to this one: both histories tell it. A colleague's answer stops only what is of the scope
 * "company" (engine/decide.c looks at the colleagues); anybody else's stops as their own would. */
static gboolean file_with_thread(const Matter *matter, InteractionKind kind, GError **error)
{
    const Match *match = &matter->match;
    gboolean are_colleagues = match_are_colleagues(match->contact, match->thread);
    g_autofree char *detail = g_strdup_printf("answered by %s %s", are_colleagues ? "a colleague," : "somebody else,", match->contact->email);
    return add_entry(matter, match->thread, kind, detail, are_colleagues, error);
}

/* What the message says about an address that will not do any more; somebody who has left is not mailed until the owner has decided. Weak evidence will
 * do: a proposal changes nothing, and a hold is silence. */
static gboolean propose(const Matter *matter, GError **error)
{
    const Departure *departure = &matter->message->departure;
    const Contact *contact = matter->match.contact;
    gboolean added = FALSE;
    if (departure->kind == DEPARTURE_NONE || match_is_own_address(matter->core->config, departure->address) ||
        g_str_equal(departure->address, contact->email))
        return TRUE;
    const Proposal proposal = {.contact_id = contact->id, .kind = departure->kind, .address = departure->address, .name = departure->name,
                               .evidence = departure->evidence, .account = (char *)matter->arrival->account->name,
                               .message_id = matter->message->message_id, .at_ms = matter->arrival->at_ms};
    if (!store_proposal_add(matter->core->store, &proposal, &added, error))
        return FALSE;
    if (added)
        log_event(LOG_LEVEL_NOTICE, "proposal", LOG_TEXT("account", proposal.account), LOG_TEXT("contact", contact->email),
                  LOG_TEXT("kind", departure_kind_name(proposal.kind)), LOG_TEXT("address", *proposal.address ? proposal.address : NULL));
    return !added || departure->kind == DEPARTURE_NEW_ADDRESS ||
           store_contact_hold(matter->core->store, contact->id, matter->arrival->at_ms + LEFT_HOLD_MS, PROPOSAL_HOLD, error);
}

static gboolean file(Matter *matter, InteractionKind kind, const char *detail, GError **error)
{
    gboolean is_person = kind == INTERACTION_REPLY || kind == INTERACTION_UNSUBSCRIBE;
    return propose(matter, error) && add_entry(matter, matter->match.contact, kind, detail, FALSE, error) &&
           (!is_person || notice_reply(matter->core, matter->arrival, matter->match.contact, matter->match.answers, error)) &&
           (!matter->match.thread || file_with_thread(matter, kind, error));
}

static gboolean suppress(Matter *matter, const char *reason, GError **error)
{
    const Suppression suppression = {.address = matter->match.contact->email, .reason = reason, .detail = matter->message->evidence,
                                     .at_ms = matter->arrival->at_ms};
    return store_suppression_add(matter->core->store, &suppression, error);
}

static gboolean settle_as_sent(Matter *matter, const char *evidence, GError **error)
{
    return !matter->match.answers || outcome_settle_sent(matter->core, matter->match.answers, evidence, error);
}

/* It answers the question for a score. */
static gboolean answers_score(const Matter *matter)
{
    const OutboxMessage *answers = matter->match.answers;
    const Rule *rule = answers ? config_rule(matter->core->config, answers->rule) : NULL;
    const Step *step = rule ? config_rule_step(rule, answers->step) : NULL;
    return matter->match.strong && step && step->kind == STEP_SCORE;
}

/* What is read from an answer, or why it is believed to be theirs, where that is not proven. Caller frees. */
static char *reply_detail(const Matter *matter)
{
    const Match *match = &matter->match;
    if (answers_score(matter))
        return score_detail(&matter->message->score);
    if (match->strong)
        return referral_answer_detail(matter->core, matter->message, match->answers);
    if (match->thread)
        return g_strdup_printf("in the conversation with %s", match->thread->email);
    if (!*match->by)
        return g_strdup("a stranger until now");
    if (!match->answers)
        return g_strdup("known by the sender's address alone");
    return *matter->message->from ? g_strdup_printf("from another address: %s", matter->message->from) : g_strdup("from no address that can be read");
}

/* What starts something, on strong evidence alone: a score, people who are introduced. */
static gboolean take_answer(const Matter *matter, GError **error)
{
    const Match *match = &matter->match;
    if (!match->strong || !match->answers)
        return TRUE;
    if (answers_score(matter) && (!score_take_answer(matter->core->store, match->contact, &matter->message->score, match->answers,
                                                     matter->arrival->at_ms, error) ||
                                  !score_tell_owner(matter->core, match->contact, matter->message, error)))
        return FALSE;
    return referral_take_answer(matter->core, matter->arrival, match->contact, match->answers, error);
}

static gboolean take_reply(Matter *matter, GError **error)
{
    g_autofree char *detail = reply_detail(matter);
    return settle_as_sent(matter, "a reply names it", error) && take_answer(matter, error) && file(matter, INTERACTION_REPLY, detail, error);
}

/* Away until a day: their steps wait until the day after it has begun; where none is named, for absence_hold. Weak evidence will do, since this is
 * silence. */
static gboolean hold_while_away(const Matter *matter, const char *detail, GError **error)
{
    gint64 day_ms = matter->message->absent_until_ms;
    const Duration *hold = &matter->core->config->sending.absence_hold;
    GTimeZone *zone = core_zone(matter->core, matter->match.contact);
    if (day_ms == 0 && duration_is_zero(hold))
        return TRUE;
    /* the midnight of that day in UTC: twelve hours later it is the same day nearly everywhere, and a day more does no harm */
    gint64 until_ms = day_ms ? calendar_local_minute(zone, day_ms + NOON_MS, 1, 0)
                             : calendar_add(matter->core->calendar, zone, matter->arrival->at_ms, hold);
    return store_contact_hold(matter->core->store, matter->match.contact->id, until_ms, detail, error);
}

static gboolean take_auto_reply(Matter *matter, GError **error)
{
    g_autofree char *until = matter->message->absent_until_ms ? timestamp_format(matter->message->absent_until_ms) : NULL;
    DepartureKind departure = matter->message->departure.kind;
    g_autofree char *detail = until                                 ? g_strdup_printf("away until %.10s", until)
                              : departure == DEPARTURE_NONE         ? g_strdup("answers by itself")
                              : departure == DEPARTURE_NEW_ADDRESS ? g_strdup("has a new address: nurture proposal list")
                                                                    : g_strdup(PROPOSAL_HOLD);
    return hold_while_away(matter, detail, error) && settle_as_sent(matter, "an automatic answer names it", error) && file(matter, INTERACTION_AUTO_REPLY, detail, error);
}

/* Proven: never mailed again. Told by the sender's address alone: paused, which a person can end. */
static gboolean take_unsubscribe(Matter *matter, GError **error)
{
    const char *detail = "";
    if (!settle_as_sent(matter, "an unsubscribe request names it", error))
        return FALSE;
    if (matter->match.strong) {
        if (!suppress(matter, "unsubscribe", error))
            return FALSE;
    } else {
        detail = "not proven to be theirs: paused until resumed";
        if (!store_contact_pause(matter->core->store, matter->match.contact->id, G_MAXINT64, matter->arrival->at_ms, error))
            return FALSE;
    }
    return file(matter, INTERACTION_UNSUBSCRIBE, detail, error);
}

/* By the account whose message came back; it need not be that of the mailbox. */
static gboolean check_breaker(const Matter *matter, GError **error)
{
    return !matter->match.answers || breaker_check(matter->core, matter->match.answers->account, error);
}

/* The part of a bounce that is about the person whom we wrote to; the first where none is named. */
static const BounceRecipient *bounce_of(const Matter *matter)
{
    const GPtrArray *bounces = matter->message->bounces;
    for (guint i = 0; i < bounces->len; i++) {
        const BounceRecipient *recipient = bounces->pdata[i];
        if (g_ascii_strcasecmp(recipient->recipient, matter->match.contact->email) == 0)
            return recipient;
    }
    return bounces->len > 0 ? bounces->pdata[0] : NULL;
}

/* A mailbox that is full again and again is as good as one that is gone. Asked when this one is on the history. */
static gboolean escalate_soft_bounces(Matter *matter, GError **error)
{
    const SoftBounces *soft = &matter->core->config->sending.soft_bounces;
    guint count = 0;
    if (!store_history_count(matter->core->store, matter->match.contact->id, INTERACTION_BOUNCE, matter->arrival->at_ms - soft->within_ms,
                                     bounce_kind_name(BOUNCE_SOFT), &count, error))
        return FALSE;
    return count < soft->most || suppress(matter, "bounce", error);
}

static gboolean take_bounce(Matter *matter, GError **error)
{
    const BounceRecipient *bounce = bounce_of(matter);
    g_autofree char *detail =
        bounce ? g_strstrip(g_strjoin(" ", bounce_kind_name(bounce->kind), bounce->status, bounce->diagnostic, NULL)) : g_strdup("");
    if (!settle_as_sent(matter, "a bounce names it", error))
        return FALSE;
    if (bounce && bounce->kind == BOUNCE_DELAYED) /* the server is still trying: no more than a note of it */
        return file(matter, INTERACTION_AUTO_REPLY, detail, error);
    if (bounce && bounce->kind == BOUNCE_HARD && !suppress(matter, "bounce", error))
        return FALSE;
    return file(matter, INTERACTION_BOUNCE, detail, error) &&
           (!bounce || bounce->kind != BOUNCE_SOFT || escalate_soft_bounces(matter, error)) && check_breaker(matter, error);
}

static gboolean take_complaint(Matter *matter, GError **error)
{
    return settle_as_sent(matter, "a complaint names it", error) && suppress(matter, "complaint", error) &&
           file(matter, INTERACTION_COMPLAINT, "", error) && check_breaker(matter, error);
}

static gboolean ignore(const Matter *matter, const char *why)
{
    log_event(LOG_LEVEL_INFO, "ignored", LOG_TEXT("account", matter->arrival->account->name),
              LOG_TEXT("from", matter->message->from), LOG_TEXT("class", inbound_class_name(matter->message->class)),
              LOG_TEXT("message_id", matter->message->message_id), LOG_TEXT("reason", why));
    return TRUE;
}

/* Two machines that answer each other: nothing new is said, and a hold that each of them lengthens would never end. */
static gboolean is_loop(const Matter *matter, gboolean *ret_is, GError **error)
{
    guint count = 0;
    *ret_is = FALSE;
    if (matter->message->class != INBOUND_AUTO_REPLY || !matter->match.contact)
        return TRUE;
    if (!store_history_count(matter->core->store, matter->match.contact->id, INTERACTION_AUTO_REPLY, matter->arrival->at_ms - LOOP_WITHIN_MS, "",
                             &count, error))
        return FALSE;
    *ret_is = count >= LOOP_MOST;
    return TRUE;
}

/* Why the message has no effect at all; NULL where it has one. */
static const char *no_effect(const Matter *matter)
{
    const Match *match = &matter->match;
    gboolean by_machine = match_is_by_machine(matter->message);
    if (!by_machine && match_is_own_address(matter->core->config, matter->message->from))
        return "written by ourselves";
    if (match->is_copy)
        return "a copy of a message of ours";
    if (by_machine && match->about_task)
        return "about a reminder to the owner";
    if (by_machine && !match->answers)
        return "names no message that was sent";
    if (matter->arrival->is_junk && !match->answers && !match->strong)
        return "in the folder for junk, and answers nothing that was sent";
    return NULL;
}

static gboolean take(Matter *matter, GError **error)
{
    switch (matter->message->class) {
    case INBOUND_REPLY:
        return take_reply(matter, error);
    case INBOUND_AUTO_REPLY:
        return take_auto_reply(matter, error);
    case INBOUND_BOUNCE:
        return take_bounce(matter, error);
    case INBOUND_COMPLAINT:
        return take_complaint(matter, error);
    case INBOUND_UNSUBSCRIBE:
        return take_unsubscribe(matter, error);
    case INBOUND_OTHER:
        return file(matter, INTERACTION_AUTO_REPLY, matter->message->evidence, error);
    }
    g_assert_not_reached();
}

static gboolean take_if_any(Matter *matter, gboolean *ret_filed, GError **error)
{
    gboolean loops = FALSE, introduced = FALSE;
    const char *why = no_effect(matter);
    if (!why && !referral_take_stranger(matter->core, matter->arrival, matter->match.answers, &introduced, error))
        return FALSE;
    if (introduced) {
        *ret_filed = TRUE;
        return TRUE;
    }
    if (!why && !matter->match.contact && !stranger_adopt(matter->core, matter->arrival, &matter->match.contact, &why, error))
        return FALSE;
    if (!why && !is_loop(matter, &loops, error))
        return FALSE;
    if (loops)
        why = "a loop: too many automatic answers of theirs within a day";
    *ret_filed = why == NULL;
    return why ? ignore(matter, why) : take(matter, error);
}

gboolean effects_apply(EngineCore *core, const Arrival *arrival, gboolean *ret_filed, GError **error)
{
    Matter matter = {.core = core, .arrival = arrival, .message = arrival->message, .match = {.by = ""}};
    gboolean ok = match_find(core, arrival->message, &matter.match, error) && take_if_any(&matter, ret_filed, error);
    match_clear(&matter.match);
    return ok;
}
