/*
 * The courier of one account: claims what is due in the outbox, re-checks every gate, commits `sending` with the Message-ID,
 * hands the letter to the account's connections, and commits the outcome together with what follows from it.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "engine/core.h"
#include "engine/tokens.h"
#include "smtp/result.h"
#include "store/outbox.h"

typedef struct Courier Courier;

typedef struct {
    /* An outcome moved an enrolment on: the scheduler may have a new earliest due time. */
    void (*on_decided)(gpointer data);
    /* Messages are another account's now, whose courier may sleep. */
    void (*on_reassigned)(gpointer data);
    /* The account's mailbox has not been read for blind_after (invariant 6). */
    gboolean (*is_blind)(const Account *account, gpointer data);
    Tokens *tokens; /* of accounts that sign in with them; outlives the courier */
    gpointer data;
} CourierCallbacks;

/* account belongs to core's configuration of now, which the courier keeps. */
Courier *courier_new(EngineCore *core, const Account *account, const CourierCallbacks *callbacks);

/* Rows may have become due, or a gate opened: looks soon, from the loop. */
void courier_wake(Courier *courier);

/* Something was decided: what is claimed and not begun yet, of an enrolment that has ended or of somebody paused or suppressed, does
 * not leave any more (invariant 4). */
void courier_recheck(Courier *courier);

/* Claims nothing more. What is under way is still taken to its outcome; free it when courier_is_idle(). */
void courier_retire(Courier *courier);
gboolean courier_is_idle(const Courier *courier);

/* Cuts what is under way, without waiting for it: for couriers that end at once. Each is still to be freed. */
void courier_cut(Courier *courier);

/* Gives what is under way grace_ms to end, takes all outcomes, frees. Accepts NULL. */
void courier_free(Courier *courier, gint64 grace_ms);

const char *courier_account(const Courier *courier);

/* Adds "sending" (ready, paused, waiting, unreachable, blind, canary), "sending_reason", "retry_in_s" and "in_flight" to an account's status. */
void courier_add_status(const Courier *courier, JsonObject *status);
