/*
 * A session that ends before MAIL. Runs in the caller's thread.
 */
#include "smtp/probe.h"

#include <curl/curl.h>

#include "session.h"

gboolean smtp_probe(const Account *account, const SmtpCallbacks *callbacks, gint64 wait_ms, DeliveryResult *ret_trouble)
{
    const gint cancelled = 0;
    curl_global_init(CURL_GLOBAL_ALL); /* counted */
    SmtpLimits limits = SMTP_LIMITS;
    limits.connect_ms = MIN(limits.connect_ms, wait_ms);
    limits.command_ms = MIN(limits.command_ms, wait_ms);
    SmtpSession *session = smtp_session_new(account, &limits, callbacks, &cancelled);
    gboolean well = smtp_session_probe(session, ret_trouble);
    smtp_session_free(session);
    curl_global_cleanup();
    return well;
}
