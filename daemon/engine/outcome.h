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

/* What there is to say of an outcome once it is on disk. */
typedef struct OutcomeReport OutcomeReport;

/* Stores the outcome of one try of the row, and what follows from it, in the caller's transaction. composed may be NULL. retry_ms: when an
 * unreachable server is tried again. Does nothing to a row that is not SENDING (any more). *ret_report: for outcome_report(); NULL: nothing is to
 * be said. */
gboolean outcome_apply(EngineCore *core, gint64 outbox_id, const Account *account, const DeliveryResult *result,
                       const ComposedMessage *composed, gint64 retry_ms, OutcomeReport **ret_report, GError **error);

/* Logs it. Both take the report, and accept NULL. */
void outcome_report(OutcomeReport *report);
void outcome_report_free(OutcomeReport *report);

/* Both in a transaction of its own. */
gboolean outcome_commit(EngineCore *core, gint64 outbox_id, const Account *account, const DeliveryResult *result,
                        const ComposedMessage *composed, gint64 retry_ms, GError **error);

/*
 * Evidence says that a message did arrive: one that is uncertain, or waits to be sent again, is sent, with the evidence on the
 * history; one that is under way keeps the evidence for the case that its outcome is uncertain. Joins the caller's transaction.
 * Does nothing to a row in another state.
 */
gboolean outcome_settle_sent(EngineCore *core, const OutboxMessage *message, const char *evidence, GError **error);

/*
 * The searches are over and nothing was found: what the account's on_uncertain wants follows, for a row that is still uncertain. Joins the
 * caller's transaction.
 */
gboolean outcome_apply_policy(EngineCore *core, const OutboxMessage *message, const Account *account, GError **error);

/* At start: what was under way when the daemon last ended is uncertain, and is searched for, or, where that is not
 * possible, what the account's on_uncertain wants follows.
 * *ret_count: how many. Joins the caller's transaction. */
gboolean outcome_recover(EngineCore *core, guint *ret_count, GError **error);
