/*
 * Whose an inbound message is: what of ours it answers or is about, who wrote it, and how well that is proven (invariant 7).
 */
#pragma once

#include "engine/core.h"
#include "mail/message.h"
#include "store/outbox.h"

typedef struct {
    Contact *contact;       /* whom its effects concern; NULL: nobody known */
    Contact *thread;        /* the one to whom we wrote what another contact has answered; NULL: they are the same, or it answers nothing */
    OutboxMessage *answers; /* what it answers or is about; NULL: nothing of ours */
    gboolean about_task;    /* it answers, or is about, a reminder or a notice to the owner */
    gboolean is_copy;       /* it is a message of ours itself */
    gboolean strong;        /* proven to come from contact, or to be a mail system's report about a message to them */
    const char *by;         /* what it was matched by, for the log; static; "" for nothing */
} Match;

void match_clear(Match *match);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Match, match_clear)

/* An account's, or in one of the organisation's domains. */
gboolean match_is_own_address(const Config *config, const char *address);

/* Written by a mail server: its sender's address says nothing about whose message it is. */
gboolean match_is_by_machine(const InboundMessage *message);

/* Both work at the same company. */
gboolean match_are_colleagues(const Contact *one, const Contact *other);

/* What of ours the message names is settled as sent on the way, where it was in doubt and is a reminder. ret_match is filled, or left cleared. */
gboolean match_find(EngineCore *core, const InboundMessage *message, Match *ret_match, GError **error);
