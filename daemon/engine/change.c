/*
 * The rehearsal of a reload: the marks that it would set, decided on a copy at the present time. One thread, in the command's process.
 */
#include "engine/change.h"

#include "base/log.h"
#include "engine/core.h"
#include "engine/scheduler.h"
#include "store/marks.h"
#include "store/outbox.h"

static gboolean count_cancelled(Store *store, guint64 *ret_count, GError **error)
{
    guint64 counts[OUTBOX_SKIPPED + 1] = {0};
    if (!store_outbox_counts(store, NULL, counts, error))
        return FALSE;
    *ret_count = counts[OUTBOX_CANCELLED];
    return TRUE;
}

static gboolean decide_all(EngineCore *core, DecideSummary *summary, GError **error)
{
    gboolean more = TRUE;
    while (more) {
        more = FALSE;
        if (!scheduler_decide_marked(core, summary, &more, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean foresee(EngineCore *core, gint64 now_ms, Change *ret_change, GError **error)
{
    DecideSummary summary = {0};
    guint64 by_rules = 0, by_accounts = 0, before = 0, after = 0;
    if (!count_cancelled(core->store, &before, error) ||
        !store_marks_add_for_rules(core->store, core->config, now_ms, &by_rules, error) ||
        !store_marks_add_for_accounts(core->store, core->config, &by_accounts, error) || !decide_all(core, &summary, error) ||
        !count_cancelled(core->store, &after, error))
        return FALSE;
    *ret_change = (Change){
        .contacts = by_rules + by_accounts,
        .enter = summary.enrolled + summary.resumed,
        .leave = summary.ended,
        .move = summary.moved,
        .cancelled = after - before,
    };
    return TRUE;
}

gboolean change_foresee(Config *config, Store *store, gint64 now_ms, Change *ret_change, GError **error)
{
    g_autoptr(Store) copy = store_copy_to_memory(store, error);
    if (!copy)
        return FALSE;
    g_autoptr(Clock) clock = clock_new_manual(now_ms);
    EngineCore *core = core_new(config, NULL, copy, clock, error);
    if (!core)
        return FALSE;
    log_set_level(LOG_LEVEL_ERROR);
    gboolean ok = foresee(core, now_ms, ret_change, error);
    log_set_level(LOG_LEVEL_INFO);
    core_free(core);
    return ok;
}
