/*
 * One connection to a server, and the conversations on it. Belongs to one thread.
 */
#pragma once

#include <glib.h>

#include "config/config.h"
#include "limits.h"
#include "smtp/result.h"

typedef struct SmtpSession SmtpSession;

/* Connects with the first message. account, limits, callbacks (get_token() alone is called) and cancelled (set from any thread
 * with g_atomic_int_set(): every wait ends within about a second) are kept. */
SmtpSession *smtp_session_new(const Account *account, const SmtpLimits *limits, const SmtpCallbacks *callbacks, const gint *cancelled);

/* One attempt. The addresses have passed smtp_wire_address_fault(), wire smtp_wire_lines(). Blocks. */
void smtp_session_deliver(SmtpSession *session, const char *sender, const char *recipient, GBytes *wire,
                          DeliveryResult *ret_result);

/* Connects and signs in, asks for nothing (NOOP), and leaves. FALSE: ret_trouble is what a message would have met. Blocks; not after a
 * smtp_session_deliver(). */
gboolean smtp_session_probe(SmtpSession *session, DeliveryResult *ret_trouble);

/* Says QUIT and closes the connection, if there is one; the session can be used again. */
void smtp_session_close(SmtpSession *session);

void smtp_session_free(SmtpSession *session);
