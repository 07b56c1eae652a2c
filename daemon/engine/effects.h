/*
 * What follows from an inbound message, once engine/match.h has said whose it is (invariant 7: silence on weak evidence,
 * action on strong). Joins the caller's transaction; nothing here depends on how the message came.
 */
#pragma once

#include "engine/core.h"
#include "mail/message.h"

typedef struct {
    const Account *account; /* whose mailbox it was found in */
    const InboundMessage *message;
    gint64 at_ms; /* when it counts as received */
    gboolean adopts_strangers; /* the folder's unknown = "prospect" */
    gboolean is_junk;          /* it lay in the folder for junk, where a sender's address alone proves nothing */
} Arrival;

/* Files the message and does what follows from it. *ret_filed FALSE: it concerns nobody we know, or its evidence is too weak; the
 * log says why. */
gboolean effects_apply(EngineCore *core, const Arrival *arrival, gboolean *ret_filed, GError **error);
