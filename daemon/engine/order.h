/*
 * Who goes first where an account cannot send all that is due at once.
 *
 * The higher priority, then the earlier due time. But no rule starves: after ORDER_OVERTAKES messages in a row that overtook an
 * older one of lower priority, that one goes. What was overtaken is told by the account's newest tries, so that a restart changes
 * nothing, and a rehearsal gives the same order.
 */
#pragma once

#include <glib.h>

#include "store/outbox.h"

enum { ORDER_OVERTAKES = 4 };

/* At most limit of the account's due rows, in the order in which they go (OutboxMessage*, freed with the array). */
gboolean order_due(Store *store, const char *account, gint64 now_ms, guint limit, GPtrArray **ret_messages, GError **error);

/* The order itself, on lists that are sorted: by priority (ranked), by due time alone (oldest). streak: how many of the newest tries in a
 * row overtook the first of oldest. Gives at most limit messages, which stay the lists'. */
GPtrArray *order_merge(const GPtrArray *ranked, const GPtrArray *oldest, guint streak, guint limit);
