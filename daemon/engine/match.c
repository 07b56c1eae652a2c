/*
 * Matching. Runs on the loop. In this order, the first that fits:
 *
 *   an unsubscribe token that we signed            whose it is
 *   the original's Message-ID inside a report,     what the report is about
 *   else the token of its reply address
 *   In-Reply-To, then References from the last     what it answers; whole, else by the part before "@", which gateways leave alone
 *   the token of the reply address                 what it answers, where a mail system wrote another Message-ID over ours
 *   the sender's address: canonical, alias, or an earlier one
 *
 * The Message-ID's left part and the tokens have more than 90 bits of randomness or signature: who has one was sent it, or was shown it
 * by somebody who was.
 */
#include "engine/match.h"

#include <string.h>

#include "engine/outcome.h"
#include "mail/address.h"
#include "mail/token.h"

enum { LEFT_PART_MIN = 32 /* shorter than any that we make: another program's */ };

void match_clear(Match *match)
{
    contact_free(match->contact);
    contact_free(match->thread);
    outbox_message_free(match->answers);
    *match = (Match){.by = ""};
}

gboolean match_is_own_address(const Config *config, const char *address)
{
    if (!*address)
        return FALSE;
    for (Account **account = config->accounts; *account; account++)
        if (g_ascii_strcasecmp((*account)->from_address, address) == 0)
            return TRUE;
    return address_in_domains(address, (const char *const *)config->organisation.domains);
}

gboolean match_is_by_machine(const InboundMessage *message)
{
    return message->class == INBOUND_BOUNCE || message->class == INBOUND_COMPLAINT;
}

gboolean match_are_colleagues(const Contact *one, const Contact *other)
{
    return *one->company && g_str_equal(one->company, other->company);
}

/* ---- what it answers ------------------------------------------------------------------------------------------------- */

/* Of another domain than ours, but with our left part. */
static gboolean find_by_left_part(EngineCore *core, const char *id, Match *match, GError **error)
{
    g_autofree char *left = g_strndup(id, strcspn(id, "@"));
    if (strlen(left) < LEFT_PART_MIN)
        return TRUE;
    if (!store_outbox_find_by_left_part(core->store, left, &match->answers, error))
        return FALSE;
    if (match->answers)
        match->by = "a Message-ID of ours under another domain";
    return TRUE;
}

static gboolean find_by_id(EngineCore *core, const char *id, const char *by, Match *match, GError **error)
{
    if (match->answers || !*id)
        return TRUE;
    if (!store_outbox_find_by_message_id(core->store, id, &match->answers, error))
        return FALSE;
    if (match->answers)
        match->by = by;
    return match->answers || find_by_left_part(core, id, match, error);
}

static gboolean find_by_token_in(EngineCore *core, const char *address, const char *by, Match *match, GError **error)
{
    g_autofree char *token = mail_token_find(TOKEN_ANSWER, address);
    gint64 outbox_id = 0;
    if (!token || !mail_token_check(store_token_secret(core->store), TOKEN_ANSWER, token, &outbox_id))
        return TRUE;
    if (!store_outbox_get(core->store, outbox_id, &match->answers, error))
        return FALSE;
    if (match->answers)
        match->by = by;
    return TRUE;
}

/* The address that it was sent to, which only the message that it answers gave. */
static gboolean find_by_reply_address(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    for (char **address = message->to; *address && !match->answers; address++)
        if (!find_by_token_in(core, *address, "the token of the reply address", match, error))
            return FALSE;
    return TRUE;
}

static gboolean find_answered(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    if (!find_by_id(core, message->original_message_id, "the Message-ID of the original", match, error) ||
        !find_by_id(core, message->in_reply_to, "In-Reply-To", match, error))
        return FALSE;
    for (guint i = g_strv_length(message->references); i > 0; i--)
        if (!find_by_id(core, message->references[i - 1], "References", match, error))
            return FALSE;
    if (match->answers)
        return TRUE;
    return match_is_by_machine(message)
               ? find_by_token_in(core, message->original_reply_to, "the token in the reply address of the original", match, error)
               : find_by_reply_address(core, message, match, error);
}

/* A reminder is between us and the owner: what comes back for it, a bounce of the owner's mailbox above all, says nothing about the
 * contact whose step it was. */
static gboolean leave_out_task(EngineCore *core, Match *match, GError **error)
{
    if (!match->answers || !match->answers->is_task)
        return TRUE;
    match->about_task = TRUE;
    gboolean ok = outcome_settle_sent(core, match->answers, "a message names it", error);
    g_clear_pointer(&match->answers, outbox_message_free);
    match->by = "";
    return ok;
}

/* ---- whose it is ----------------------------------------------------------------------------------------------------- */

static gboolean find_token_owner(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    gint64 contact_id = 0;
    if (!*message->token || !mail_token_check(store_token_secret(core->store), TOKEN_UNSUBSCRIBE, message->token, &contact_id))
        return TRUE;
    if (!store_contact_get(core->store, contact_id, &match->contact, error))
        return FALSE;
    match->strong = match->contact != NULL; /* one of somebody forgotten proves nothing about anybody else */
    match->by = match->contact ? "an unsubscribe token" : "";
    return TRUE;
}

/* An answer is proof when it comes from the person whom we wrote to; somebody else may have been forwarded our message, or sit in the
 * same office. Where that is a contact, too, it is theirs. */
static gboolean weigh_sender(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    g_autoptr(Contact) sender = NULL;
    if (!match->contact)
        return TRUE; /* forgotten meanwhile */
    if (match_is_by_machine(message)) {
        match->strong = TRUE;
        return TRUE;
    }
    if (*message->from && !store_contact_find(core->store, message->from, &sender, error))
        return FALSE;
    match->strong = sender && sender->id == match->contact->id;
    if (sender && !match->strong) {
        match->thread = g_steal_pointer(&match->contact);
        match->contact = g_steal_pointer(&sender);
    }
    return TRUE;
}

static gboolean find_sender(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    if (!*message->from)
        return TRUE;
    if (!store_contact_find(core->store, message->from, &match->contact, error))
        return FALSE;
    match->by = match->contact ? "the sender's address" : "";
    return TRUE;
}

/* One that came back to us as it left: by a forwarding, a copy to oneself, or in a loop. (Some reports bear the id of what they are about.) */
static gboolean find_copy(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    g_autoptr(OutboxMessage) own = NULL;
    if (*message->message_id && !match_is_by_machine(message) && !store_outbox_find_by_message_id(core->store, message->message_id, &own, error))
        return FALSE;
    match->is_copy = own != NULL;
    return TRUE;
}

static gboolean find(EngineCore *core, const InboundMessage *message, Match *match, GError **error)
{
    if (!find_copy(core, message, match, error))
        return FALSE;
    if (match->is_copy)
        return TRUE;
    if (!find_token_owner(core, message, match, error) || match->contact)
        return match->contact != NULL;
    if (!find_answered(core, message, match, error) || !leave_out_task(core, match, error))
        return FALSE;
    if (match->answers)
        return store_contact_get(core->store, match->answers->contact_id, &match->contact, error) &&
               weigh_sender(core, message, match, error);
    return match_is_by_machine(message) || find_sender(core, message, match, error);
}

gboolean match_find(EngineCore *core, const InboundMessage *message, Match *ret_match, GError **error)
{
    g_auto(Match) match = {.by = ""};
    if (!find(core, message, &match, error))
        return FALSE;
    *ret_match = match;
    match = (Match){.by = ""};
    return TRUE;
}
