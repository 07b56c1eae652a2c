/*
 * From a message found in the Sent folder to what follows. Runs on the loop.
 *
 *   its Message-ID is one of ours -> evidence that it was sent; no copy of it need be filed any more
 *   an automatic answer, a report -> nothing: the mailbox's server wrote it
 *   from a contact                -> nothing: it was moved there
 *   else                          -> an interaction `sent` without a rule, for each recipient who is a contact
 *
 * Only the owner and their server put anything into that folder, so that its word is taken for what was sent (invariant 7).
 */
#include "engine/outbound.h"

#include "base/log.h"
#include "engine/decide.h"
#include "engine/match.h"
#include "engine/outcome.h"
#include "engine/sent.h"
#include "store/history.h"
#include "store/sent.h"

static gboolean take_own(EngineCore *core, const OutboxMessage *message, gboolean *ret_filed, GError **error)
{
    *ret_filed = message->state == OUTBOX_UNCERTAIN;
    return outcome_settle_sent(core, message, SENT_EVIDENCE, error) && store_copy_done(core->store, message->id, error);
}

static gboolean is_written_by_hand(const InboundMessage *message)
{
    return message->class == INBOUND_REPLY ||
           message->class == INBOUND_UNSUBSCRIBE; /* whatever it asks for, it is a person's text */
}

static gboolean ignore(const Arrival *arrival, const char *why)
{
    log_event(LOG_LEVEL_INFO, "ignored", LOG_TEXT("account", arrival->account->name),
              LOG_TEXT("class", inbound_class_name(arrival->message->class)),
              LOG_TEXT("message_id", arrival->message->message_id), LOG_TEXT("reason", why));
    return TRUE;
}

static gboolean file_with(EngineCore *core, const Arrival *arrival, const Contact *contact, GError **error)
{
    const InboundMessage *message = arrival->message;
    const Interaction interaction = {
        .contact_id = contact->id,
        .at_ms = arrival->at_ms,
        .kind = INTERACTION_SENT,
        .account = arrival->account->name,
        .subject = message->subject,
        .text = message->text,
        .full_text = message->full_text,
        .message_id = message->message_id,
        .detail = OUTBOUND_BY_HAND,
    };
    DecideSummary summary = {0};
    log_event(LOG_LEVEL_INFO, "sent", LOG_TEXT("account", arrival->account->name), LOG_TEXT("contact", contact->email),
              LOG_TEXT("detail", OUTBOUND_BY_HAND));
    return store_history_add(core->store, &interaction, NULL, error) && decide_contact(core, contact->id, &summary, error);
}

/* Two addresses of one person are one letter to them. */
static gboolean file_with_recipient(EngineCore *core, const Arrival *arrival, const char *address, GHashTable *filed,
                                    GError **error)
{
    g_autoptr(Contact) contact = NULL;
    if (match_is_own_address(core->config, address))
        return TRUE;
    if (!store_contact_find(core->store, address, &contact, error))
        return FALSE;
    if (!contact || !g_hash_table_add(filed, g_memdup2(&contact->id, sizeof contact->id)))
        return TRUE;
    return file_with(core, arrival, contact, error);
}

/* People gather conversations in that folder: what a contact wrote may have been moved there. Any other sender may be the owner, under
 * an address that the configuration does not know, and what is taken for theirs leads to silence only. */
static gboolean is_by_contact(EngineCore *core, const InboundMessage *message, gboolean *ret_is, GError **error)
{
    g_autoptr(Contact) sender = NULL;
    *ret_is = FALSE;
    if (!*message->from || match_is_own_address(core->config, message->from))
        return TRUE;
    if (!store_contact_find(core->store, message->from, &sender, error))
        return FALSE;
    *ret_is = sender != NULL;
    return TRUE;
}

gboolean outbound_apply(EngineCore *core, const Arrival *arrival, gboolean *ret_filed, GError **error)
{
    const InboundMessage *message = arrival->message;
    g_autoptr(OutboxMessage) own = NULL;
    gboolean by_contact = FALSE;
    *ret_filed = FALSE;
    if (*message->message_id && !store_outbox_find_by_message_id(core->store, message->message_id, &own, error))
        return FALSE;
    if (own)
        return take_own(core, own, ret_filed, error);
    if (!is_written_by_hand(message))
        return ignore(arrival, "in the Sent folder, but not written by a person");
    if (!is_by_contact(core, message, &by_contact, error))
        return FALSE;
    if (by_contact)
        return ignore(arrival, "in the Sent folder, but written by a contact");
    g_autoptr(GHashTable) filed = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (char **address = message->to; *address; address++)
        if (!file_with_recipient(core, arrival, *address, filed, error))
            return FALSE;
    *ret_filed = g_hash_table_size(filed) > 0;
    return TRUE;
}
