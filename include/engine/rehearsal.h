/*
 * A rehearsal: the real engine on a clock that jumps from event to event, over a copy of the data. Nothing is sent and nothing stored;
 * every message is taken as delivered at once, and nobody answers.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "engine/templates.h"
#include "store/store.h"

/* One message that would leave, or (held) would be held for want of a value. */
typedef struct {
    gint64 at_ms;
    char *contact, *rule, *step;
    char *template_name; /* the step's, or that of its variant */
    guint round;
    gboolean is_task; /* to the owner, about the contact */
    char *subject;   /* "" where it is held */
    gboolean held;
    char *reason;    /* why it is held; else "" */
} RehearsedMessage;

/* One message that its account's limits would keep until it is later than max_late allows. */
typedef struct {
    char *contact, *rule, *account;
} RehearsedOmission;

/*
 * From now_ms to until_ms. store is only read. RehearsedMessage*, by time; free with g_ptr_array_unref(). *ret_left_out (may be NULL):
 * RehearsedOmission*, likewise, by account. Errors of store/ and plan/. Log lines below LOG_LEVEL_ERROR are not written meanwhile.
 */
GPtrArray *rehearse(Config *config, TemplateSet *templates, Store *store, gint64 now_ms, gint64 until_ms, GPtrArray **ret_left_out,
                    GError **error);
