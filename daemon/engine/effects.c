/*
 * From an inbound message to its effects. Matching, then one function a class. Runs on the loop.
 *
 *   evidence   given by                                           may
 *   strong     an answer to a Message-ID that we sent to that     file, stop, suppress
 *              person, a signed token
 *   weak       the sender's address alone                         file, stop, pause
 *   none       -                                                  nothing; the log says so
 */
#include "engine/breaker.h"
#include "engine/effects.h"

#include <string.h>

#include "base/log.h"
#include "base/timestamp.h"
#include "engine/decide.h"
#include "engine/outcome.h"
#include "mail/address.h"
#include "mail/token.h"
#include "store/history.h"
#include "store/outbox.h"
#include "store/suppressions.h"

#define NOON_MS ((gint64)12 * 3600 * 1000)

typedef struct {
    EngineCore *core;
    const Arrival *arrival;
    const InboundMessage *message;
    Contact *contact;      /* whom it concerns; NULL: nobody known */
    OutboxMessage *answers; /* what it answers or is about; NULL: nothing of ours */
    gboolean about_task;    /* it answers, or is about, a reminder that went to the owner */
    gboolean strong;
} Matter;

/* ---- whose it is ----------------------------------------------------------------------------------------------------- */

gboolean effects_is_own_address(const Config *config, const char *address)
{
    if (!*address)
        return FALSE;
    for (Account **account = config->accounts; *account; account++)
        if (g_ascii_strcasecmp((*account)->from_address, address) == 0)
            return TRUE;
    return address_in_domains(address, (const char *const *)config->organisation.domains);
}

/* Written by a mail server: its sender's address says nothing about whose message it is. */
static gboolean is_by_machine(const InboundMessage *message)
{
    return message->class == INBOUND_BOUNCE || message->class == INBOUND_COMPLAINT;
}

static gboolean find_answered(Matter *matter, GError **error)
{
    const InboundMessage *message = matter->message;
    Store *store = matter->core->store;
    if (*message->original_message_id &&
        !store_outbox_find_by_message_id(store, message->original_message_id, &matter->answers, error))
        return FALSE;
    if (!matter->answers && *message->in_reply_to &&
        !store_outbox_find_by_message_id(store, message->in_reply_to, &matter->answers, error))
        return FALSE;
    for (guint i = g_strv_length(message->references); i > 0 && !matter->answers; i--)
        if (!store_outbox_find_by_message_id(store, message->references[i - 1], &matter->answers, error))
            return FALSE;
    return TRUE;
}

/* A reminder is between us and the owner: what comes back for it, a bounce of the owner's mailbox above all, says nothing about the
 * contact whose step it was. */
static gboolean leave_out_task(Matter *matter, GError **error)
{
    if (!matter->answers || !matter->answers->is_task)
        return TRUE;
    matter->about_task = TRUE;
    gboolean ok = outcome_settle_sent(matter->core, matter->answers, "a message names it", error);
    g_clear_pointer(&matter->answers, outbox_message_free);
    return ok;
}

static gboolean find_token_owner(Matter *matter, GError **error)
{
    gint64 contact_id = 0;
    if (!*matter->message->token ||
        !mail_token_check(store_token_secret(matter->core->store), TOKEN_UNSUBSCRIBE, matter->message->token, &contact_id))
        return TRUE;
    if (!store_contact_get(matter->core->store, contact_id, &matter->contact, error))
        return FALSE;
    matter->strong = matter->contact != NULL; /* one of somebody forgotten proves nothing about anybody else */
    return TRUE;
}

/* An answer is proof when it comes from the person whom we wrote to; somebody else may have been forwarded our message. */
static gboolean weigh_sender(Matter *matter, GError **error)
{
    g_autoptr(Contact) sender = NULL;
    if (is_by_machine(matter->message)) {
        matter->strong = TRUE;
        return TRUE;
    }
    if (*matter->message->from && !store_contact_find(matter->core->store, matter->message->from, &sender, error))
        return FALSE;
    matter->strong = sender && matter->contact && sender->id == matter->contact->id;
    return TRUE;
}

static gboolean match(Matter *matter, GError **error)
{
    Store *store = matter->core->store;
    if (!find_token_owner(matter, error) || matter->contact)
        return matter->contact != NULL;
    if (!find_answered(matter, error) || !leave_out_task(matter, error))
        return FALSE;
    if (matter->answers)
        return store_contact_get(store, matter->answers->contact_id, &matter->contact, error) && weigh_sender(matter, error);
    return !*matter->message->from || store_contact_find(store, matter->message->from, &matter->contact, error);
}

/* ---- what follows ---------------------------------------------------------------------------------------------------- */

static gboolean file(Matter *matter, InteractionKind kind, const char *detail, GError **error)
{
    const InboundMessage *message = matter->message;
    const OutboxMessage *answers = matter->answers;
    const Interaction interaction = {
        .contact_id = matter->contact->id,
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
        .detail = detail,
    };
    DecideSummary summary = {0};
    log_event(LOG_LEVEL_INFO, interaction_kind_name(kind), LOG_TEXT("account", matter->arrival->account->name),
              LOG_TEXT("contact", matter->contact->email), LOG_TEXT("rule", answers ? answers->rule : NULL),
              LOG_TEXT("evidence", message->evidence), LOG_TEXT("detail", *detail ? detail : NULL));
    return store_history_add(matter->core->store, &interaction, NULL, error) &&
           decide_contact(matter->core, matter->contact->id, &summary, error);
}

static gboolean suppress(Matter *matter, const char *reason, GError **error)
{
    const Suppression suppression = {.address = matter->contact->email, .reason = reason, .detail = matter->message->evidence,
                                     .at_ms = matter->arrival->at_ms};
    return store_suppression_add(matter->core->store, &suppression, error);
}

static gboolean settle_as_sent(Matter *matter, const char *evidence, GError **error)
{
    return !matter->answers || outcome_settle_sent(matter->core, matter->answers, evidence, error);
}

static gboolean take_reply(Matter *matter, GError **error)
{
    return settle_as_sent(matter, "a reply names it", error) &&
           file(matter, INTERACTION_REPLY, matter->strong || matter->answers ? "" : "known by the sender's address alone", error);
}

/* Away until a day: their steps wait until the day after it has begun; where none is named, for absence_hold. Weak evidence will do, since this is
 * silence. */
static gboolean hold_while_away(const Matter *matter, const char *detail, GError **error)
{
    gint64 day_ms = matter->message->absent_until_ms;
    const Duration *hold = &matter->core->config->sending.absence_hold;
    GTimeZone *zone = core_zone(matter->core, matter->contact);
    if (day_ms == 0 && duration_is_zero(hold))
        return TRUE;
    /* the midnight of that day in UTC: twelve hours later it is the same day nearly everywhere, and a day more does no harm */
    gint64 until_ms = day_ms ? calendar_local_minute(zone, day_ms + NOON_MS, 1, 0)
                             : calendar_add(matter->core->calendar, zone, matter->arrival->at_ms, hold);
    return store_contact_hold(matter->core->store, matter->contact->id, until_ms, detail, error);
}

static gboolean take_auto_reply(Matter *matter, GError **error)
{
    g_autofree char *until = matter->message->absent_until_ms ? timestamp_format(matter->message->absent_until_ms) : NULL;
    g_autofree char *detail = until ? g_strdup_printf("away until %.10s", until) : g_strdup("answers by itself");
    return hold_while_away(matter, detail, error) && settle_as_sent(matter, "an automatic answer names it", error) && file(matter, INTERACTION_AUTO_REPLY, detail, error);
}

/* Proven: never mailed again. Told by the sender's address alone: paused, which a person can end. */
static gboolean take_unsubscribe(Matter *matter, GError **error)
{
    const char *detail = "";
    if (!settle_as_sent(matter, "an unsubscribe request names it", error))
        return FALSE;
    if (matter->strong) {
        if (!suppress(matter, "unsubscribe", error))
            return FALSE;
    } else {
        detail = "not proven to be theirs: paused until resumed";
        if (!store_contact_pause(matter->core->store, matter->contact->id, G_MAXINT64, matter->arrival->at_ms, error))
            return FALSE;
    }
    return file(matter, INTERACTION_UNSUBSCRIBE, detail, error);
}

/* By the account whose message came back; it need not be that of the mailbox. */
static gboolean check_breaker(const Matter *matter, GError **error)
{
    return !matter->answers || breaker_check(matter->core, matter->answers->account, error);
}

/* The part of a bounce that is about the person whom we wrote to; the first where none is named. */
static const BounceRecipient *bounce_of(const Matter *matter)
{
    const GPtrArray *bounces = matter->message->bounces;
    for (guint i = 0; i < bounces->len; i++) {
        const BounceRecipient *recipient = bounces->pdata[i];
        if (g_ascii_strcasecmp(recipient->recipient, matter->contact->email) == 0)
            return recipient;
    }
    return bounces->len > 0 ? bounces->pdata[0] : NULL;
}

/* A mailbox that is full again and again is as good as one that is gone. Asked when this one is on the history. */
static gboolean escalate_soft_bounces(Matter *matter, GError **error)
{
    const SoftBounces *soft = &matter->core->config->sending.soft_bounces;
    guint count = 0;
    if (!store_history_count_bounces(matter->core->store, matter->contact->id, matter->arrival->at_ms - soft->within_ms,
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

/* Why the message has no effect at all; NULL where it has one. */
static const char *no_effect(const Matter *matter)
{
    gboolean by_machine = is_by_machine(matter->message);
    if (!by_machine && effects_is_own_address(matter->core->config, matter->message->from))
        return "written by ourselves";
    if (by_machine && matter->about_task)
        return "about a reminder to the owner";
    if (by_machine && !matter->answers)
        return "names no message that was sent";
    if (!matter->contact)
        return "from nobody known, and answers nothing that was sent";
    return NULL;
}

static gboolean take(Matter *matter, gboolean *ret_filed, GError **error)
{
    const char *why = no_effect(matter);
    *ret_filed = why == NULL;
    if (why)
        return ignore(matter, why);
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

gboolean effects_apply(EngineCore *core, const Arrival *arrival, gboolean *ret_filed, GError **error)
{
    Matter matter = {.core = core, .arrival = arrival, .message = arrival->message};
    gboolean ok = match(&matter, error) && take(&matter, ret_filed, error);
    contact_free(matter.contact);
    outbox_message_free(matter.answers);
    return ok;
}
