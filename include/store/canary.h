/*
 * The messages that accounts write to themselves, to see whether their mail arrives: for each account the newest one, and what the last
 * one that came to an end said. Times are the system's, not business time.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

typedef struct {
    char *message_id; /* of the newest; "" where none was sent */
    gint64 sent_ms;
    gint64 ended_ms; /* of the last that was found or given up; 0: none was yet */
    gboolean failed; /* that one did not arrive as it should */
    char *reason;    /* what became of it, in words */
    char *results;   /* what the mailbox's own server found of its sender: "spf=pass dkim=pass dmarc=pass"; "" for nothing */
} CanaryRecord;

void canary_record_clear(CanaryRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CanaryRecord, canary_record_clear)

/* Whether the newest is under way. */
gboolean canary_record_is_under_way(const CanaryRecord *record);

/* Fields are "" and 0 for an account that never sent one. */
gboolean store_canary_get(Store *store, const char *account, CanaryRecord *ret_record, GError **error);

/* One is about to be sent; what the last one said stays. */
gboolean store_canary_begin(Store *store, const char *account, const char *message_id, gint64 sent_ms, GError **error);

/* It was not sent after all. */
gboolean store_canary_withdraw(Store *store, const char *account, GError **error);

/* It has come to an end. */
gboolean store_canary_end(Store *store, const char *account, gint64 ended_ms, gboolean failed, const char *reason, const char *results,
                          GError **error);
