/*
 * The one place where a server's words decide how soon it is asked again.
 *
 * Gmail ends the connection with "[OVERQUOTA]" or "Account exceeded command or bandwidth limits", for up to a day, and with "[ALERT] Too
 * many simultaneous connections"; Microsoft answers "Request is throttled. Suggested Backoff Time: 299961 milliseconds", "[UNAVAILABLE]",
 * "User is authenticated but not connected", or "Server Unavailable". A sign-in that is refused with such words says nothing about
 * the password or token.
 */
#include "trouble.h"

#include <string.h>

#include "fault.h"
#include "limits.h"

static const struct {
    const char *word; /* in lower case */
    Trouble trouble;
} known[] = {
    {"[overquota]", TROUBLE_THROTTLED},
    {"[throttled]", TROUBLE_THROTTLED},
    {"throttled", TROUBLE_THROTTLED},
    {"bandwidth limit", TROUBLE_THROTTLED},
    {"too many simultaneous connections", TROUBLE_THROTTLED},
    {"maximum number of connections", TROUBLE_THROTTLED},
    {"[limit]", TROUBLE_THROTTLED},
    {"rate limit", TROUBLE_THROTTLED},
    {"[unavailable]", TROUBLE_BUSY},
    {"[inuse]", TROUBLE_BUSY},
    {"[serverbug]", TROUBLE_BUSY},
    {"server unavailable", TROUBLE_BUSY},
    {"authenticated but not connected", TROUBLE_BUSY},
};

Trouble trouble_of(int code, const char *words)
{
    g_autofree char *lower = g_ascii_strdown(words, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (code != IMAP_FAULT_LOCAL && strstr(lower, known[i].word) != NULL)
            return known[i].trouble;
    return code == IMAP_FAULT_SIGN_IN || code == IMAP_FAULT_CERTIFICATE ? TROUBLE_REFUSED : TROUBLE_PLAIN;
}

/* 0: none is named. */
static gint64 named_delay_ms(const char *words)
{
    static const char before[] = "suggested backoff time:";
    g_autofree char *lower = g_ascii_strdown(words, -1);
    const char *found = strstr(lower, before);
    return found != NULL ? (gint64)MIN(g_ascii_strtoull(found + strlen(before), NULL, 10), (guint64)RETRY_THROTTLED_MAX_MS) : 0;
}

gint64 trouble_delay_ms(Trouble trouble, const char *words, guint failures)
{
    static const struct {
        gint64 first_ms, max_ms;
    } times[] = {[TROUBLE_PLAIN] = {RETRY_FIRST_MS, RETRY_MAX_MS},
                 [TROUBLE_REFUSED] = {RETRY_REFUSED_MS, RETRY_MAX_MS},
                 [TROUBLE_BUSY] = {RETRY_BUSY_MS, RETRY_MAX_MS},
                 [TROUBLE_THROTTLED] = {RETRY_THROTTLED_MS, RETRY_THROTTLED_MAX_MS}};
    gint64 delay_ms = MIN(times[trouble].first_ms << MIN(failures, 12U), times[trouble].max_ms);
    /* many mailboxes of one server do not come at once; none comes before the time that it named */
    gint64 spread_ms = (gint64)((double)delay_ms * g_random_double_range(0.75, 1.0));
    return MAX(spread_ms, trouble == TROUBLE_THROTTLED ? named_delay_ms(words) : 0);
}
