/*
 * Bodies of messages are kept for as long as `retention` says, and dropped after that: what happened, and when, stays on the history.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "engine/core.h"

typedef struct RetentionWork RetentionWork;

/* Looks at once and then every day. Free with retention_free(), which accepts NULL. */
RetentionWork *retention_new(EngineCore *core);
void retention_free(RetentionWork *work);

/* What is to be kept may have changed: looks anew. */
void retention_wake(RetentionWork *work);

/* "retention": {"bodies":"2 years","dropped":120,"looked_at":…}, where anything is to be dropped; dropped counts since the start. */
void retention_add_status(const RetentionWork *work, JsonObject *status);
