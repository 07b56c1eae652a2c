/*
 * A message on its way: claimed (`sending` on disk), at the SMTP pool, or answered and not yet written down. It holds a virtual clock, since sending
 * takes no business time.
 */
#pragma once

#include <glib.h>

#include "engine/core.h"
#include "engine/letter.h"
#include "smtp/result.h"

typedef struct {
    gpointer owner; /* the courier */
    gint64 outbox_id;
    Letter *letter;
    char *sender;
    gint recalled;           /* atomic: it may not leave any more, if no worker has begun with it */
    DeliveryResult result;   /* once it is answered */
    ComposedMessage composed;
    gboolean has_composed;
    Clock *clock;
} Job;

/* Takes letter. */
Job *job_new(EngineCore *core, gpointer owner, gint64 outbox_id, Letter *letter, const char *sender);
void job_free(Job *job);

/* Copies what the pool tells; composed may be NULL, and its bytes are kept only where a copy of them is to be filed. */
void job_take_answer(Job *job, const DeliveryResult *result, const ComposedMessage *composed, gboolean keep_bytes);
