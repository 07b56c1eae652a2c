/*
 * The breaker. Runs on the loop.
 */
#include "engine/breaker.h"

#include "base/log.h"
#include "store/accounts.h"

static gboolean exceeds(guint64 count, guint64 tried, double percent)
{
    return (double)count * 100 > percent * (double)tried;
}

/* Why the account must pause; NULL: it need not. Caller frees. */
static char *reason_of(const Breaker *breaker, const AccountRecord *record, const char *account)
{
    gboolean complaints = exceeds(record->complaints, record->tried, breaker->complaints);
    if (record->tried < breaker->at_least || (!complaints && !exceeds(record->bounces, record->tried, breaker->bounces)))
        return NULL;
    guint64 count = complaints ? record->complaints : record->bounces;
    return g_strdup_printf("%" G_GUINT64_FORMAT " of its last %" G_GUINT64_FORMAT " messages %s (%.1f %%; sending.breaker allows %g %%): look at whom it "
                           "writes to, then nurture resume %s",
                           count, record->tried, complaints ? "were complained about" : "came back", (double)count * 100 / (double)record->tried,
                           complaints ? breaker->complaints : breaker->bounces, account);
}

gboolean breaker_check(EngineCore *core, const char *account, GError **error)
{
    const Breaker *breaker = &core->config->sending.breaker;
    const gint64 now_ms = clock_now_ms(core->clock);
    g_autofree char *paused = NULL;
    AccountRecord record = {0};
    if (!store_account_pause_get(core->store, account, &paused, error) ||
        !store_account_record(core->store, account, now_ms - breaker->within_ms, &record, error))
        return FALSE;
    g_autofree char *reason = *paused ? NULL : reason_of(breaker, &record, account);
    if (!reason)
        return TRUE;
    log_event(LOG_LEVEL_ERROR, "breaker", LOG_TEXT("account", account), LOG_TEXT("reason", reason));
    return store_account_pause_set(core->store, account, reason, now_ms, error);
}
