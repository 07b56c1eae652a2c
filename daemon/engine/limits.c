/*
 * per_hour, per_day, every, jitter and ramp. Each of the first two is a sliding window: the n-th newest try must be older than it. The ramp
 * is per_day with a number that grows by the day, each 24 hours from the account's first try.
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
static gboolean apply_window(Allowance *allowance, guint most, gint64 window_ms, gint64 *ret_next_ms, GError **error)
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
    *ret_next_ms = MAX(*ret_next_ms, oldest_ms + window_ms);
    return TRUE;
}

/* A new account's messages a day grow until ramp_max is reached: *ret_most, and when it is more (G_MAXINT64: never). */
static void ramp_at(const AccountLimits *limits, gint64 first_ms, gint64 now_ms, guint *ret_most, gint64 *ret_more_ms)
{
    gint64 day = first_ms && now_ms > first_ms ? (now_ms - first_ms) / DAY_MS : 0;
    gint64 most = limits->ramp_start + day * (gint64)limits->ramp_step;
    *ret_most = (guint)MIN(most, (gint64)limits->ramp_max);
    *ret_more_ms = first_ms && limits->ramp_step && most < limits->ramp_max ? first_ms + (day + 1) * DAY_MS : G_MAXINT64;
}

/* Full, it opens when the oldest try of its window leaves it, or when the next day's number is larger. */
static gboolean apply_ramp(Allowance *allowance, GError **error)
{
    const AccountLimits *limits = &allowance->account->limits;
    gint64 first_ms = 0, next_ms = 0, more_ms;
    guint most;
    if (limits->ramp_start == 0)
        return TRUE;
    if (!store_outbox_first_try(allowance->core->store, allowance->account->name, &first_ms, error))
        return FALSE;
    ramp_at(limits, first_ms, allowance->now_ms, &most, &more_ms);
    if (!apply_window(allowance, most, DAY_MS, &next_ms, error))
        return FALSE;
    allowance->next_ms = MAX(allowance->next_ms, MIN(next_ms, more_ms));
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
    if (!apply_window(&allowance, account->limits.per_hour, HOUR_MS, &allowance.next_ms, error) ||
        !apply_window(&allowance, account->limits.per_day, DAY_MS, &allowance.next_ms, error) || !apply_ramp(&allowance, error) ||
        !apply_every(&allowance, error))
        return FALSE;
    *ret_allowed = allowance.allowed;
    *ret_next_ms = allowance.next_ms;
    return TRUE;
}
