/*
 * Once a day, all histories are gone through from the oldest number on, a stretch of them a transaction, so that nobody waits for the store; what
 * was dropped before costs a look. Runs on the loop.
 */
#include "engine/retention.h"

#include "base/json.h"
#include "base/log.h"
#include "store/history.h"

enum {
    STRETCH_IDS = 2000,   /* of a transaction */
    PAUSE_MS = 20,        /* between two, by machine time */
    RETRY_MS = 60 * 1000, /* where the store refuses, by machine time */
    LOOK_EVERY_MS = 24 * 60 * 60 * 1000
};

struct RetentionWork {
    EngineCore *core;
    ClockTimer *timer;
    guint source;        /* of the next stretch; 0: not going through */
    gint64 after_id;     /* how far it came */
    gint64 looked_ms;    /* when it last came to the end; 0: never */
    guint64 dropped;     /* since the start */
    guint64 dropped_now; /* this time through */
};

/* Bodies from before are dropped; 0: none are. */
static gint64 keep_from(const RetentionWork *work)
{
    const Duration *kept = &work->core->config->retention.bodies;
    const gint64 now_ms = clock_now_ms(work->core->clock);
    if (duration_is_zero(kept))
        return 0;
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(now_ms / 1000);
    g_autoptr(GDateTime) now = g_date_time_to_timezone(utc, work->core->default_zone);
    g_autoptr(GDateTime) months = g_date_time_add_months(now, -kept->months);
    g_autoptr(GDateTime) from = months != NULL ? g_date_time_add_days(months, -kept->days) : NULL;
    return from != NULL ? g_date_time_to_unix(from) * 1000 - kept->ms : 0;
}

static void finish(RetentionWork *work)
{
    if (work->dropped_now)
        log_event(LOG_LEVEL_INFO, "bodies-dropped", LOG_NUMBER("messages", (gint64)work->dropped_now),
                  LOG_TEXT("reason", "they were kept as long as retention.bodies says"));
    work->looked_ms = clock_now_ms(work->core->clock);
    clock_timer_set(work->timer, work->looked_ms + LOOK_EVERY_MS);
}

static gboolean on_stretch(gpointer data)
{
    RetentionWork *work = data;
    g_autoptr(GError) error = NULL;
    guint64 dropped = 0;
    gint64 before_ms = keep_from(work);
    work->source = 0;
    if (before_ms <= 0)
        return G_SOURCE_REMOVE;
    if (!store_history_drop_bodies(work->core->store, work->after_id, STRETCH_IDS, before_ms, &work->after_id, &dropped, &error)) {
        log_event(LOG_LEVEL_WARNING, "bodies-wait", LOG_TEXT("reason", error->message));
        work->source = g_timeout_add(RETRY_MS, on_stretch, work);
        return G_SOURCE_REMOVE;
    }
    work->dropped += dropped;
    work->dropped_now += dropped;
    if (work->after_id)
        work->source = g_timeout_add(PAUSE_MS, on_stretch, work);
    else
        finish(work);
    return G_SOURCE_REMOVE;
}

void retention_wake(RetentionWork *work)
{
    clock_timer_stop(work->timer);
    g_clear_handle_id(&work->source, g_source_remove);
    work->after_id = 0;
    work->dropped_now = 0;
    if (keep_from(work) > 0)
        work->source = g_idle_add(on_stretch, work);
}

static void on_timer(gpointer data)
{
    retention_wake(data);
}

RetentionWork *retention_new(EngineCore *core)
{
    RetentionWork *work = g_new0(RetentionWork, 1);
    work->core = core;
    work->timer = clock_timer_new(core->clock, NULL, on_timer, work);
    retention_wake(work);
    return work;
}

void retention_free(RetentionWork *work)
{
    if (!work)
        return;
    g_clear_handle_id(&work->source, g_source_remove);
    clock_timer_free(work->timer);
    g_free(work);
}

void retention_add_status(const RetentionWork *work, JsonObject *status)
{
    const Duration *bodies = &work->core->config->retention.bodies;
    if (duration_is_zero(bodies))
        return;
    JsonObject *object = json_object_new();
    g_autofree char *text = duration_format(bodies);
    json_object_set_string_member(object, "bodies", text);
    json_object_set_int_member(object, "dropped", (gint64)work->dropped);
    json_add_time(object, "looked_at", work->looked_ms);
    json_object_set_object_member(status, "retention", object);
}
