/*
 * The canary of one account: a message to itself, found again in its mailbox, with what the mailbox's own server says of its sender. While
 * the last one failed, the account's messages hold. It counts in nothing: no limit, no history, no breaker. Times are the machine's.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "engine/core.h"
#include "engine/tokens.h"
#include "imap/link.h"

typedef struct Canary Canary;

typedef struct {
    /* One was given up, so that what the account may do has changed. */
    void (*on_changed)(gpointer data);
    /* As CourierCallbacks.is_blind: what cannot be read cannot be missed. */
    gboolean (*is_blind)(const Account *account, gpointer data);
    Tokens *tokens; /* outlives the canary */
    gpointer data;
} CanaryCallbacks;

/* account has imap, and belongs to core's configuration of now, which is kept. Sends by itself where account->canary.wanted. */
Canary *canary_new(EngineCore *core, const Account *account, const CanaryCallbacks *callbacks);
void canary_free(Canary *canary);
const char *canary_account(const Canary *canary);

/* Sends one at once, unless one is under way. Errors of store/. */
gboolean canary_send(Canary *canary, GError **error);

/* In the intake's transaction: *ret_taken where the message is the account's newest canary, which then has come to its end. */
gboolean canary_take(EngineCore *core, const Account *account, const ImapRecord *record, gboolean *ret_taken, GError **error);

/* *ret_reason: why the account holds its messages; NULL: it does not. Caller frees. */
gboolean canary_hold(Store *store, const Account *account, char **ret_reason, GError **error);

/* "canary": {"state": "under way", "passed" or "failed", "reason", "results", "sent", "ended", "message_id"}; nothing where none was sent. */
void canary_add_status(Store *store, const Account *account, JsonObject *status);
