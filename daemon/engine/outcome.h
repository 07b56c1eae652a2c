/*
 * What an outcome means for message, contact and rule: one transaction a message.
 */
#pragma once

#include "engine/core.h"
#include "mail/message.h"
#include "smtp/result.h"
#include "store/outbox.h"

/* "550 5.1.1 no such user": code, enhanced status and words. Caller frees. */
char *outcome_reason(const DeliveryResult *result);

/* Commits the outcome of one try of the row. composed may be NULL. Own transaction. retry_ms: when an unreachable server is tried again.
 * Does nothing to a row that is not SENDING (any more). */
gboolean outcome_commit(EngineCore *core, gint64 outbox_id, const Account *account, const DeliveryResult *result,
                        const ComposedMessage *composed, gint64 retry_ms, GError **error);

/*
 * Evidence says that a message did arrive: one that is uncertain, or waits to be sent again, is sent, with the evidence on the
 * history; one that is under way keeps the evidence for the case that its outcome is uncertain. Joins the caller's transaction.
 * Does nothing to a row in another state.
 */
gboolean outcome_settle_sent(EngineCore *core, const OutboxMessage *message, const char *evidence, GError **error);

/* At start: what was under way when the daemon last ended is uncertain, and what the account's on_uncertain wants follows.
 * *ret_count: how many. Joins the caller's transaction. */
gboolean outcome_recover(EngineCore *core, guint *ret_count, GError **error);
