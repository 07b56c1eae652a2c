/*
 * What another configuration would change at once: who enters and leaves rules, and which next messages move. The real engine decides
 * it, over a copy of the data; nothing is stored.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "store/store.h"

typedef struct {
    guint64 contacts;  /* that the change touches, and that were decided anew */
    guint enter;       /* enrolments that begin or go on again */
    guint leave;       /* enrolments that end */
    guint move;        /* next steps that become others, or are due at another time */
    guint64 cancelled; /* messages of the queue that do not leave any more */
} Change;

/* store is only read. Log lines below LOG_LEVEL_ERROR are not written meanwhile. Errors of store/ and plan/. */
gboolean change_foresee(Config *config, Store *store, gint64 now_ms, Change *ret_change, GError **error);
