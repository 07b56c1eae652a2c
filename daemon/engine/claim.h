/*
 * The claim of one row of the outbox, inside the courier's transaction: facts that changed are decided first, then every gate
 * is asked, then SQL takes the row (invariants 2, 4 and 5).
 */
#pragma once

#include "engine/core.h"
#include "engine/letter.h"
#include "store/outbox.h"

/* What a claim needs to know of the account. */
typedef struct {
    const Account *account;
    gboolean blind;
    const char *paused; /* reason, or "" */
} ClaimAccount;

typedef struct {
    Letter *letter;    /* to be sent: the row was taken to `sending`; NULL: a gate held (the row says why). The caller's. */
    gboolean reassigned; /* the row is another account's now, whose courier may sleep */
} ClaimResult;

gboolean claim_message(EngineCore *core, const ClaimAccount *account, const OutboxMessage *due, ClaimResult *ret_result, GError **error);
