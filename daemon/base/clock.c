/*
 * Clocks and their timers.
 *
 * A timer is a GSource on its own. By the kind of its clock it sleeps by a timerfd (system: the kernel tells of set clocks), by a ready
 * time in monotonic µs (virtual), or only looks when clock_set() wakes it (manual).
 */
#include "base/clock.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>

typedef enum { CLOCK_SYSTEM, CLOCK_RUNNING, CLOCK_MANUAL } ClockKind;

struct Clock {
    ClockKind kind;
    gint64 start_ms;     /* RUNNING: business time at the start; MANUAL: now */
    gint64 start_real_us; /* RUNNING: monotonic */
    double speed;
    GPtrArray *timers; /* ClockTimer* */
    GMutex lock;       /* RUNNING: of all above but kind and speed, and below; others may ask what time it is */
    guint holds;
    gint64 last_ms;    /* the latest time told: it never goes back */
};

typedef struct {
    GSource source;
    ClockTimer *timer;
    gpointer fd_tag;
} TimerSource;

struct ClockTimer {
    Clock *clock;
    TimerSource *source;
    int fd; /* SYSTEM; -1 else */
    gboolean is_set;
    gint64 at_ms;
    void (*func)(gpointer data);
    gpointer data;
};

static Clock *clock_new(ClockKind kind, gint64 start_ms, double speed)
{
    Clock *clock = g_new0(Clock, 1);
    clock->kind = kind;
    clock->start_ms = start_ms;
    clock->start_real_us = g_get_monotonic_time();
    clock->speed = speed;
    clock->timers = g_ptr_array_new();
    clock->last_ms = start_ms;
    g_mutex_init(&clock->lock);
    return clock;
}

Clock *clock_new_system(void)
{
    return clock_new(CLOCK_SYSTEM, 0, 1);
}

Clock *clock_new_virtual(gint64 start_ms, double speed)
{
    g_assert(speed > 0);
    return clock_new(CLOCK_RUNNING, start_ms, speed);
}

Clock *clock_new_manual(gint64 start_ms)
{
    return clock_new(CLOCK_MANUAL, start_ms, 0);
}

void clock_free(Clock *clock)
{
    if (!clock)
        return;
    g_assert(clock->timers->len == 0);
    g_ptr_array_unref(clock->timers);
    g_mutex_clear(&clock->lock);
    g_free(clock);
}

gint64 clock_monotonic_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

gint64 clock_system_now_ms(void)
{
    return g_get_real_time() / 1000;
}

ClockSync clock_system_sync(void)
{
    struct timex state = {0}; /* no modes: nothing is set */
    int result = adjtimex(&state);
    if (result < 0)
        return CLOCK_UNKNOWN;
    return result == TIME_ERROR || (state.status & STA_UNSYNC) ? CLOCK_UNSYNCHRONISED : CLOCK_SYNCHRONISED;
}

/* Where a virtual clock stands; rebase: it runs on from there, and what the machine was late is forgotten. */
static gint64 running_now(Clock *clock, gboolean rebase)
{
    g_mutex_lock(&clock->lock);
    gint64 real_us = g_get_monotonic_time();
    gint64 now_ms = clock->start_ms;
    if (clock->holds == 0)
        now_ms += (gint64)((double)(real_us - clock->start_real_us) / 1000.0 * clock->speed);
    for (guint i = 0; i < clock->timers->len; i++) {
        const ClockTimer *timer = clock->timers->pdata[i];
        if (timer->is_set && timer->at_ms < now_ms)
            now_ms = timer->at_ms;
    }
    now_ms = clock->last_ms = MAX(now_ms, clock->last_ms);
    if (rebase) {
        clock->start_ms = now_ms;
        clock->start_real_us = real_us;
    }
    g_mutex_unlock(&clock->lock);
    return now_ms;
}

gint64 clock_now_ms(const Clock *clock)
{
    switch (clock->kind) {
    case CLOCK_SYSTEM:
        return clock_system_now_ms();
    case CLOCK_RUNNING:
        return running_now((Clock *)clock, FALSE);
    case CLOCK_MANUAL:
        return clock->start_ms;
    }
    g_assert_not_reached();
}

gboolean clock_is_virtual(const Clock *clock)
{
    return clock->kind != CLOCK_SYSTEM;
}

/* ---- timers ---------------------------------------------------------------------------------------------------------- */

/* Lets the source wake at the time set, and now where that has come. */
static void arm(ClockTimer *timer)
{
    Clock *clock = timer->clock;
    GSource *source = &timer->source->source;
    gint64 wait_ms = timer->at_ms - clock_now_ms(clock);
    if (!timer->is_set) {
        g_source_set_ready_time(source, -1);
    } else if (wait_ms <= 0) {
        g_source_set_ready_time(source, 0);
    } else if (clock->kind == CLOCK_RUNNING && clock->holds == 0) {
        double wait_us = (double)wait_ms * 1000.0 / clock->speed;
        g_source_set_ready_time(source, g_get_monotonic_time() + (wait_us > 1e15 ? (gint64)1e15 : (gint64)wait_us + 1));
    } else {
        g_source_set_ready_time(source, -1);
    }
    if (timer->fd < 0)
        return;
    struct itimerspec when = {0};
    if (timer->is_set && wait_ms > 0) {
        when.it_value.tv_sec = (time_t)(timer->at_ms / 1000);
        when.it_value.tv_nsec = (long)(timer->at_ms % 1000) * 1000000 + 1;
    }
    if (timerfd_settime(timer->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) != 0 && errno != ECANCELED)
        g_error("timerfd_settime: %s", g_strerror(errno));
}

static void set(ClockTimer *timer, gboolean is_set, gint64 at_ms)
{
    g_mutex_lock(&timer->clock->lock);
    timer->is_set = is_set;
    timer->at_ms = at_ms;
    g_mutex_unlock(&timer->clock->lock);
}

static void arm_all(Clock *clock)
{
    for (guint i = 0; i < clock->timers->len; i++)
        arm(clock->timers->pdata[i]);
}

static gboolean on_dispatch(GSource *source, GSourceFunc unused, gpointer unused_data)
{
    (void)unused;
    (void)unused_data;
    ClockTimer *timer = ((TimerSource *)source)->timer;
    guint64 expirations;
    if (timer->fd >= 0 && read(timer->fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN && errno != ECANCELED)
        g_error("timerfd: %s", g_strerror(errno));
    if (timer->is_set && timer->at_ms <= clock_now_ms(timer->clock)) {
        Clock *clock = timer->clock;
        clock_hold(clock); /* it is exactly the time set, whenever the machine came to it */
        set(timer, FALSE, 0);
        arm(timer);
        timer->func(timer->data); /* may free the timer */
        clock_release(clock);
        return G_SOURCE_CONTINUE;
    }
    arm(timer); /* the clock was set, or the wait was rounded */
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = {.dispatch = on_dispatch};

ClockTimer *clock_timer_new(Clock *clock, GMainContext *context, void (*func)(gpointer data), gpointer data)
{
    ClockTimer *timer = g_new0(ClockTimer, 1);
    timer->clock = clock;
    timer->fd = -1;
    timer->func = func;
    timer->data = data;
    timer->source = (TimerSource *)g_source_new(&timer_funcs, sizeof(TimerSource));
    timer->source->timer = timer;
    g_source_set_static_name(&timer->source->source, "clock timer");
    if (clock->kind == CLOCK_SYSTEM) {
        timer->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (timer->fd < 0)
            g_error("timerfd_create: %s", g_strerror(errno));
        timer->source->fd_tag = g_source_add_unix_fd(&timer->source->source, timer->fd, G_IO_IN);
    }
    g_source_attach(&timer->source->source, context);
    g_mutex_lock(&clock->lock);
    g_ptr_array_add(clock->timers, timer);
    g_mutex_unlock(&clock->lock);
    return timer;
}

void clock_timer_set(ClockTimer *timer, gint64 at_ms)
{
    set(timer, TRUE, at_ms);
    arm(timer);
}

void clock_timer_stop(ClockTimer *timer)
{
    set(timer, FALSE, 0);
    arm(timer);
}

void clock_timer_free(ClockTimer *timer)
{
    if (!timer)
        return;
    g_mutex_lock(&timer->clock->lock);
    g_ptr_array_remove_fast(timer->clock->timers, timer);
    g_mutex_unlock(&timer->clock->lock);
    g_source_destroy(&timer->source->source);
    g_source_unref(&timer->source->source);
    if (timer->fd >= 0)
        close(timer->fd);
    g_free(timer);
}

void clock_set(Clock *clock, gint64 now_ms)
{
    g_assert(clock->kind == CLOCK_MANUAL);
    clock->start_ms = now_ms;
    arm_all(clock);
}

/* ---- standing still -------------------------------------------------------------------------------------------------- */

void clock_hold(Clock *clock)
{
    if (clock->kind != CLOCK_RUNNING)
        return;
    running_now(clock, TRUE);
    g_mutex_lock(&clock->lock);
    clock->holds++;
    g_mutex_unlock(&clock->lock);
}

void clock_release(Clock *clock)
{
    if (clock->kind != CLOCK_RUNNING)
        return;
    g_mutex_lock(&clock->lock);
    g_assert(clock->holds > 0);
    clock->holds--;
    clock->start_real_us = g_get_monotonic_time();
    gboolean runs = clock->holds == 0;
    g_mutex_unlock(&clock->lock);
    if (runs)
        arm_all(clock);
}
