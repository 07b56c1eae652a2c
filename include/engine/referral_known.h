/*
 * Whether somebody whom a customer introduces is known already: one of us, the customer, a contact, or never mailed.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "store/contacts.h"
#include "store/referrals.h"

/* *ret_refused: why they cannot be proposed, NULL where they can; caller frees. Of somebody who was erased nothing stays in wish. */
gboolean referral_recognise(const Config *config, Store *store, const Contact *referrer, Referral *wish, char **ret_refused, GError **error);

/* What a customer said by word of mouth: a proposal, or a row that is declined. *ret_id 0: they named them before. A transaction of its own. */
gboolean referral_add_by_hand(const Config *config, Store *store, const Contact *referrer, const char *name, const char *address, gint64 now_ms,
                              gint64 *ret_id, GError **error);
