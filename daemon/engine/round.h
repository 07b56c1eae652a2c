/*
 * One round of a courier: a transaction with the outcomes of what was answered, and the claims of what goes next.
 */
#pragma once

#include "engine/claim.h"
#include "engine/core.h"

typedef struct {
    EngineCore *core;
    const Account *account;
    gpointer owner;      /* of the jobs that are made */
    GPtrArray *answered; /* Job*, in the order in which they came; emptied and freed when it is on disk */
    gint64 retry_ms;     /* when what found the server unreachable is due again */
    guint slots;         /* how many may be claimed; 0: none */
} RoundWork;

typedef struct {
    GPtrArray *jobs; /* Job*: claimed and `sending` on disk; the caller's, with each of them */
    ClaimRound claims;
} RoundDone;

/* FALSE: nothing was written, nothing claimed, and answered is as it was. Outcomes are told (logged) once they are on disk. */
gboolean round_run(const RoundWork *work, RoundDone *ret_done, GError **error);
