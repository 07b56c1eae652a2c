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
