/*
 * On what ground somebody is written to: what stands on the record of each message that a rule sends.
 */
#pragma once

#include "engine/core.h"
#include "store/outbox.h"

/*
 * The rule's own `basis`, else what is known of the contact now: a customer, since when; introduced by a customer, and who accepted it; wrote to us
 * themself, when; else where they are from, and since when they are in the list. Caller frees.
 */
gboolean basis_of(EngineCore *core, const OutboxMessage *message, const Contact *contact, char **ret_basis, GError **error);
