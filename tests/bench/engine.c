/*
 * The bench's driver: runs the daemon's own scheduler on a store that the bench has prepared, and prints how long it took, a line a
 * measurement.
 *
 *   engine CONFIG wake TIME ROUNDS      at TIME, and each hour after it: all that is due then; "milliseconds rows"
 *   engine CONFIG stage TIME COUNT IDS  COUNT of the contacts 1 … IDS enter another stage, and are decided on: "decided committed", in
 *                                       microseconds
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/timestamp.h"
#include "engine/scheduler.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static void must(gboolean ok, const GError *error)
{
    if (ok)
        return;
    fprintf(stderr, "engine: %s\n", error ? error->message : "failed");
    exit(1);
}

/* Wakes at the clock's time until nothing is left; *ret_queued: the rows that came of it. */
static gint64 wake_us(EngineCore *core, guint *ret_queued)
{
    GError *error = NULL;
    DecideSummary summary = {0};
    gboolean more = TRUE;
    const gint64 begin_us = g_get_monotonic_time();
    while (more) {
        more = FALSE;
        must(scheduler_run_batch(core, &summary, &more, &error), error);
    }
    *ret_queued = summary.queued;
    return g_get_monotonic_time() - begin_us;
}

static void measure_wakes(EngineCore *core, gint64 start_ms, guint rounds)
{
    for (guint i = 0; i < rounds; i++) {
        guint queued = 0;
        clock_set(core->clock, start_ms + i * HOUR_MS);
        const gint64 took_us = wake_us(core, &queued);
        printf("%.3f %u\n", (double)took_us / 1000, queued);
    }
}

static void enter_other_stage(EngineCore *core, gint64 id)
{
    GError *error = NULL;
    g_autoptr(Contact) contact = NULL;
    const Pipeline *pipeline = &core->config->pipeline;
    must(store_contact_get(core->store, id, &contact, &error) && contact, error);
    const char *stage = g_str_equal(contact->stage, "pitching") ? "qualifying" : "pitching";
    const ContactEdit edit = {.email = contact->email, .stage = stage};
    must(store_contact_save(core->store, &edit, pipeline->customer_stage, pipeline->stages[0], clock_now_ms(core->clock), NULL, NULL,
                            &error),
         error);
}

static void measure_stage_change(EngineCore *core, gint64 id)
{
    GError *error = NULL;
    DecideSummary summary = {0};
    enter_other_stage(core, id);
    g_autoptr(StoreTransaction) transaction = store_begin(core->store, &error);
    must(transaction != NULL, error);
    const gint64 begin_us = g_get_monotonic_time();
    must(decide_contact(core, id, &summary, &error), error);
    const gint64 decided_us = g_get_monotonic_time();
    must(store_commit(g_steal_pointer(&transaction), &error), error);
    if (summary.ended + summary.enrolled + summary.resumed > 0)
        printf("%ld %ld\n", (long)(decided_us - begin_us), (long)(g_get_monotonic_time() - begin_us));
}

static void measure_stage_changes(EngineCore *core, guint count, guint ids)
{
    for (guint i = 0; i < count; i++)
        measure_stage_change(core, 1 + (gint64)ids * i / count);
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    gint64 now_ms = 0;
    if (argc < 5)
        return 2;
    log_set_level(LOG_LEVEL_ERROR);
    g_autoptr(Config) config = config_load(argv[1], NULL, &error);
    must(config != NULL && timestamp_parse(argv[3], NULL, &now_ms, &error), error);
    g_autoptr(Store) store = store_open(config->store_url, STORE_OPEN_CREATE, &error);
    must(store != NULL, error);
    g_autoptr(Clock) clock = clock_new_manual(now_ms);
    EngineCore *core = core_new(config, NULL, store, clock, &error);
    must(core != NULL, error);
    const guint count = (guint)g_ascii_strtoull(argv[4], NULL, 10);
    if (g_str_equal(argv[2], "wake"))
        measure_wakes(core, now_ms, count);
    else if (argc == 6)
        measure_stage_changes(core, count, (guint)g_ascii_strtoull(argv[5], NULL, 10));
    core_free(core);
    return 0;
}
