/*
 * An account's limits: how many messages may leave now, and when the next may. Derived from the outbox, so that a restart
 * changes nothing.
 */
#pragma once

#include "engine/core.h"

/* *ret_allowed: how many more may be claimed now (at most wanted); where that is 0, *ret_next_ms is when to look again. */
gboolean limits_allow(EngineCore *core, const Account *account, guint wanted, guint *ret_allowed, gint64 *ret_next_ms, GError **error);
