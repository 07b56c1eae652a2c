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

/* What one round of claims found. */
typedef struct {
    guint looked_at;     /* rows; 0: nothing is due, or the limits allow nothing */
    gint64 next_ms;      /* then: when to look again; 0: not by time */
    gboolean reassigned; /* one of them is another account's now */
    gboolean is_full;    /* something is due, and the limits let nothing go before next_ms */
} ClaimRound;

/*
 * Claims up to slots of the account's due rows, as far as its limits allow, in the caller's transaction. take_letter() is called for each
 * that was taken to `sending`: nothing may leave until the caller has committed. The letter passes to take_letter().
 */
gboolean claim_due(EngineCore *core, const ClaimAccount *account, guint slots,
                   void (*take_letter)(const OutboxMessage *message, Letter *letter, gpointer data), gpointer data, ClaimRound *ret_round,
                   GError **error);
