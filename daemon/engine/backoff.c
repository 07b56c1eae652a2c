/*
 * 5, 10, 20 … seconds, at most a quarter of an hour; a wrong password waits for a minute at least. Runs on the loop.
 */
#include "engine/backoff.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/outcome.h"

enum {
    FIRST_MS = 5000,
    LONGEST_MS = 15 * 60 * 1000,
    PERMANENT_MS = 60 * 1000, /* first wait for what waiting will hardly mend: a wrong password */
    MAX_DOUBLINGS = 12
};

void backoff_init(Backoff *backoff, const char *account, const char *server, void (*on_over)(gpointer data), gpointer data)
{
    *backoff = (Backoff){.account = account, .server = server, .on_over = on_over, .data = data};
}

void backoff_clear(Backoff *backoff)
{
    g_clear_handle_id(&backoff->source, g_source_remove);
    g_clear_pointer(&backoff->fault, g_free);
}

static gboolean on_timeout(gpointer data)
{
    Backoff *backoff = data;
    backoff->source = 0;
    backoff->retry_at_ms = 0;
    backoff->on_over(backoff->data);
    return G_SOURCE_REMOVE;
}

void backoff_begin(Backoff *backoff, const DeliveryResult *result)
{
    if (backoff->retry_at_ms)
        return;
    gint64 first = result->permanent ? PERMANENT_MS : FIRST_MS;
    gint64 wait_ms = MIN(first << MIN(backoff->failures, MAX_DOUBLINGS), LONGEST_MS);
    backoff->failures++;
    backoff->retry_at_ms = clock_monotonic_ms() + wait_ms;
    backoff->source = g_timeout_add((guint)wait_ms, on_timeout, backoff);
    g_free(backoff->fault);
    backoff->fault = outcome_reason(result);
    log_event(LOG_LEVEL_WARNING, "unreachable", LOG_TEXT("account", backoff->account), LOG_TEXT("server", backoff->server),
              LOG_TEXT("reason", backoff->fault), LOG_NUMBER("retry_in_s", wait_ms / 1000));
}

void backoff_end(Backoff *backoff)
{
    if (backoff->failures)
        log_event(LOG_LEVEL_NOTICE, "reachable", LOG_TEXT("account", backoff->account), LOG_TEXT("server", backoff->server));
    backoff->failures = 0;
    backoff->retry_at_ms = 0;
    backoff_clear(backoff);
}

gboolean backoff_is_waiting(const Backoff *backoff)
{
    return backoff->retry_at_ms != 0;
}

gint64 backoff_left_ms(const Backoff *backoff)
{
    return backoff->retry_at_ms ? MAX(0, backoff->retry_at_ms - clock_monotonic_ms()) : 0;
}
