/*
 * per_hour, per_day, every and jitter. Each of the first two is a sliding window: the n-th newest try must be older than it.
 *
 * A try in the future was made before the clock was set back. By a little: it still counts. By more than the limit itself: it does not, or a
 * clock that was once wrong by years would silence the account for years.
 */
#include "engine/limits.h"

#include "store/outbox.h"

#define HOUR_MS ((gint64)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

typedef struct {
    EngineCore *core;
    const Account *account;
    gint64 now_ms;
    guint allowed;
    gint64 next_ms;
} Allowance;

/* At most `most` tries in any window_ms. */
static gboolean apply_window(Allowance *allowance, guint most, gint64 window_ms, GError **error)
{
    guint64 made = 0;
    if (most == 0)
        return TRUE;
    const gint64 until_ms = allowance->now_ms + window_ms;
    if (!store_outbox_count_between(allowance->core->store, allowance->account->name, allowance->now_ms - window_ms + 1, until_ms, &made,
                                    error))
        return FALSE;
    if (made < most) {
        allowance->allowed = MIN(allowance->allowed, most - (guint)made);
        return TRUE;
    }
    gint64 oldest_ms = 0;
    if (!store_outbox_nth_newest(allowance->core->store, allowance->account->name, most, until_ms, &oldest_ms, error))
        return FALSE;
    allowance->allowed = 0;
    allowance->next_ms = MAX(allowance->next_ms, oldest_ms + window_ms);
    return TRUE;
}

/* The jitter behind the try made at last_ms: told by that time, so that a run can be repeated. */
static gint64 jitter_of(const AccountLimits *limits, gint64 last_ms)
{
    if (limits->jitter_ms <= 0)
        return 0;
    guint64 mixed = (guint64)last_ms * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
    return (gint64)((mixed >> 33) % (guint64)(limits->jitter_ms + 1));
}

/* One at a time, `every` and some jitter apart. */
static gboolean apply_every(Allowance *allowance, GError **error)
{
    const AccountLimits *limits = &allowance->account->limits;
    gint64 last_ms = 0;
    if (limits->every_ms <= 0 && limits->jitter_ms <= 0)
        return TRUE;
    const gint64 until_ms = allowance->now_ms + limits->every_ms + limits->jitter_ms;
    if (!store_outbox_nth_newest(allowance->core->store, allowance->account->name, 1, until_ms, &last_ms, error))
        return FALSE;
    gint64 next_ms = last_ms ? last_ms + limits->every_ms + jitter_of(limits, last_ms) : 0;
    allowance->allowed = MIN(allowance->allowed, 1);
    if (next_ms > allowance->now_ms) {
        allowance->allowed = 0;
        allowance->next_ms = MAX(allowance->next_ms, next_ms);
    }
    return TRUE;
}

gboolean limits_allow(EngineCore *core, const Account *account, guint wanted, guint *ret_allowed, gint64 *ret_next_ms, GError **error)
{
    Allowance allowance = {.core = core, .account = account, .now_ms = clock_now_ms(core->clock), .allowed = wanted};
    if (!apply_window(&allowance, account->limits.per_hour, HOUR_MS, error) ||
        !apply_window(&allowance, account->limits.per_day, DAY_MS, error) || !apply_every(&allowance, error))
        return FALSE;
    *ret_allowed = allowance.allowed;
    *ret_next_ms = allowance.next_ms;
    return TRUE;
}
