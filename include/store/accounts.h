/*
 * What is remembered of an account over restarts: whether sending is paused, by a person or by a fault that needs one.
 */
#pragma once

#include <glib.h>

#include "store/store.h"

/* Why the account is paused; "" where it is not. account "" means all accounts at once (`nurture pause`). Caller frees. */
gboolean store_account_pause_get(Store *store, const char *account, char **ret_reason, GError **error);

/* Pauses with the reason, or, with reason "", ends the pause. */
gboolean store_account_pause_set(Store *store, const char *account, const char *reason, gint64 now_ms, GError **error);

/* What became of an account's messages. */
typedef struct {
    guint64 tried, bounces, complaints;
} AccountRecord;

/* Since since_ms, but not before the account's pause was last begun or ended: what led to it was judged then. */
gboolean store_account_record(Store *store, const char *account, gint64 since_ms, AccountRecord *ret_record, GError **error);
