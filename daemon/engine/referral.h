/*
 * Referrals: whom an answer introduces, who comes by a customer's word, and what becomes of them. Inside the caller's transaction.
 */
#pragma once

#include "engine/effects.h"
#include "engine/subject.h"
#include "store/outbox.h"

enum {
    REFERRAL_MOST_PROPOSED = 50, /* of one customer wait at most so many; what they name beyond is left out, and told */
    REFERRAL_MOST_AT_ONCE = 5    /* of one customer are accepted without a yes, a day: who has a code can forge any number of senders */
};

/* What became of somebody whom a referral brought: a customer, or lost. */
gboolean referral_follow(const Subject *subject, GError **error);

/* A message that is strong evidence from customer, in answer to answers: whom it names become proposals, where the rule asked for them. */
gboolean referral_take_answer(EngineCore *core, const Arrival *arrival, const Contact *customer, const OutboxMessage *answers, GError **error);

/* For the history: what the answer says of being asked; "" where it is no answer to that. Caller frees. */
char *referral_answer_detail(const EngineCore *core, const InboundMessage *message, const OutboxMessage *answers);

/*
 * A message of somebody unknown: where it bears a customer's personal code, or answers (answers, may be NULL) a request that was sent to a
 * customer and handed on, the writer becomes a proposal, or, where the rule says so, a contact at once. *ret_taken FALSE: neither.
 */
gboolean referral_take_stranger(EngineCore *core, const Arrival *arrival, const OutboxMessage *answers, gboolean *ret_taken, GError **error);

/* Whether a message of somebody unknown may be such a one, as far as its header tells: a code stands there, or one may stand in its text, since a
 * person wrote it and a rule asks for referrals. */
gboolean referral_may_be_taken(const EngineCore *core, const InboundMessage *header);
