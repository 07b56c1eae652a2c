/*
 * Whether an account's way out works, found out without sending anything.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "smtp/pool.h"

/*
 * Connects, starts TLS and signs in as a delivery does, asks for nothing (NOOP) and leaves. Blocks; each answer is waited for wait_ms at
 * most. TRUE: all went well, and ret_trouble is untouched. FALSE: what a message would have met there; clear it with
 * delivery_result_clear(). callbacks: get_token() alone is called.
 */
gboolean smtp_probe(const Account *account, const SmtpCallbacks *callbacks, gint64 wait_ms, DeliveryResult *ret_trouble);
