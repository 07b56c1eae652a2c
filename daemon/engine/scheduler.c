/*
 * The scheduler. Runs on the loop in bounded batches, one transaction each, and gives the loop back between them, so that
 * sending and reading go on while a large import is decided.
 *
 * Asleep (timer at the earliest due time) --wake or timer--> working (idle source; a batch a turn) --nothing left--> asleep
 */
#include "engine/scheduler.h"

#include "base/log.h"
#include "engine/step.h"
#include "plan/schedule.h"
#include "store/enrolments.h"
#include "store/marks.h"

enum { BATCH = 500, TRANSACTION_MS = 200, RETRY_MS = 2000 };

struct Scheduler {
    EngineCore *core;
    ClockTimer *timer;
    guint work_source;  /* 0: asleep */
    guint retry_source; /* after a fault of the store; 0: none */
    void (*on_queued)(gpointer data);
    gpointer data;
    DecideSummary since_wake;
};

/* Batch by batch, as long as the loop can do without us: a commit costs as much as the deciding of some hundred. */
static gboolean decide_marks(EngineCore *core, DecideSummary *summary, gboolean *ret_more, GError **error)
{
    const gint64 until_ms = clock_monotonic_ms() + TRANSACTION_MS;
    guint count = BATCH;
    gboolean ok = TRUE;
    while (ok && count == BATCH && clock_monotonic_ms() < until_ms) {
        ok = decide_marked(core, BATCH, summary, &count, error);
        core->in_bulk = ok && count == BATCH; /* and so will the next be, or nearly */
    }
    *ret_more |= count == BATCH;
    return ok;
}

static gboolean decide_due(EngineCore *core, DecideSummary *summary, gboolean *ret_more, GError **error)
{
    g_autoptr(GPtrArray) due = NULL;
    gint64 now_ms = clock_now_ms(core->clock);
    if (!store_enrolments_due(core->store, now_ms, BATCH, &due, error))
        return FALSE;
    for (guint i = 0; i < due->len; i++)
        if (!step_decide(core, due->pdata[i], summary, error))
            return FALSE;
    *ret_more |= due->len == BATCH;
    return TRUE;
}

gboolean scheduler_run_batch(EngineCore *core, DecideSummary *summary, gboolean *ret_more, GError **error)
{
    guint reconsidered = 0;
    g_autoptr(StoreTransaction) transaction = store_begin(core->store, error);
    if (!transaction ||
        !store_marks_add_due(core->store, clock_now_ms(core->clock), BATCH, &reconsidered, error) ||
        !decide_marks(core, summary, ret_more, error) || !decide_due(core, summary, ret_more, error))
        return FALSE;
    *ret_more |= reconsidered == BATCH;
    return store_commit(g_steal_pointer(&transaction), error);
}

gboolean scheduler_decide_marked(EngineCore *core, DecideSummary *summary, gboolean *ret_more, GError **error)
{
    g_autoptr(StoreTransaction) transaction = store_begin(core->store, error);
    return transaction && decide_marks(core, summary, ret_more, error) && store_commit(g_steal_pointer(&transaction), error);
}

gboolean scheduler_has_work(EngineCore *core, gint64 *ret_next_ms, gboolean *ret_work, GError **error)
{
    gboolean marked = FALSE;
    gint64 due_ms = 0, reconsider_ms = 0;
    if (!store_marks_exist(core->store, &marked, error) ||
        !store_enrolments_next_due(core->store, &due_ms, error) ||
        !store_marks_next(core->store, &reconsider_ms, error))
        return FALSE;
    gint64 next_ms = due_ms && reconsider_ms ? MIN(due_ms, reconsider_ms) : MAX(due_ms, reconsider_ms);
    *ret_next_ms = next_ms == SCHEDULE_NEVER ? 0 : next_ms;
    *ret_work = marked || (next_ms && next_ms <= clock_now_ms(core->clock));
    return TRUE;
}

static gboolean on_retry(gpointer data)
{
    Scheduler *scheduler = data;
    scheduler->retry_source = 0;
    scheduler_wake(scheduler);
    return G_SOURCE_REMOVE;
}

/* The store refused: said once a try, tried again soon, and nothing is lost, since nothing was committed. */
static void retry_later(Scheduler *scheduler, const GError *error)
{
    log_event(LOG_LEVEL_ERROR, "scheduler-fault", LOG_TEXT("reason", error->message));
    core_note_store(scheduler->core, error);
    if (!scheduler->retry_source)
        scheduler->retry_source = g_timeout_add(RETRY_MS, on_retry, scheduler);
}

static void add_summary(DecideSummary *sum, const DecideSummary *part)
{
    sum->contacts += part->contacts;
    sum->enrolled += part->enrolled;
    sum->ended += part->ended;
    sum->resumed += part->resumed;
    sum->moved += part->moved;
    sum->queued += part->queued;
    sum->skipped += part->skipped;
}

/* What came of a wake, once there is nothing left to do. People read it where it was much: single events were not told then. */
static void log_summary(DecideSummary *sum)
{
    if (sum->contacts + sum->queued + sum->skipped > 0)
        log_event(sum->contacts >= BATCH ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "decided", LOG_NUMBER("contacts", sum->contacts),
                  LOG_NUMBER("enrolled", sum->enrolled), LOG_NUMBER("ended", sum->ended), LOG_NUMBER("resumed", sum->resumed),
                  LOG_NUMBER("moved", sum->moved), LOG_NUMBER("queued", sum->queued), LOG_NUMBER("skipped", sum->skipped));
    *sum = (DecideSummary){0};
}

/* The idle source is about to be removed. */
static void sleep_again(Scheduler *scheduler)
{
    scheduler->work_source = 0;
    clock_release(scheduler->core->clock);
}

static gboolean on_work(gpointer data)
{
    Scheduler *scheduler = data;
    g_autoptr(GError) error = NULL;
    DecideSummary summary = {0};
    gboolean work = FALSE, more = FALSE;
    gint64 next_ms = 0;
    gboolean ok = scheduler_has_work(scheduler->core, &next_ms, &work, &error);
    if (ok && work)
        ok = scheduler_run_batch(scheduler->core, &summary, &more, &error);
    if (ok && work && !more)
        ok = scheduler_has_work(scheduler->core, &next_ms, &more, &error);
    if (!ok) {
        sleep_again(scheduler);
        retry_later(scheduler, error);
        return G_SOURCE_REMOVE;
    }
    add_summary(&scheduler->since_wake, &summary);
    if (work) {
        core_note_store(scheduler->core, NULL);
        scheduler->on_queued(scheduler->data);
    }
    if (more)
        return G_SOURCE_CONTINUE;
    log_summary(&scheduler->since_wake);
    if (next_ms)
        clock_timer_set(scheduler->timer, next_ms);
    else
        clock_timer_stop(scheduler->timer);
    sleep_again(scheduler);
    return G_SOURCE_REMOVE;
}

static void on_timer(gpointer data)
{
    scheduler_wake(data);
}

void scheduler_wake(Scheduler *scheduler)
{
    if (scheduler->work_source)
        return;
    scheduler->work_source = g_idle_add(on_work, scheduler);
    clock_hold(scheduler->core->clock); /* deciding takes no business time */
}

Scheduler *scheduler_new(EngineCore *core, void (*on_queued)(gpointer data), gpointer data)
{
    Scheduler *scheduler = g_new0(Scheduler, 1);
    scheduler->core = core;
    scheduler->on_queued = on_queued;
    scheduler->data = data;
    scheduler->timer = clock_timer_new(core->clock, NULL, on_timer, scheduler);
    scheduler_wake(scheduler);
    return scheduler;
}

void scheduler_free(Scheduler *scheduler)
{
    if (!scheduler)
        return;
    if (scheduler->work_source) {
        g_source_remove(scheduler->work_source);
        sleep_again(scheduler);
    }
    g_clear_handle_id(&scheduler->retry_source, g_source_remove);
    clock_timer_free(scheduler->timer);
    g_free(scheduler);
}
