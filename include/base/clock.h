/*
 * The one source of time. Business time (UTC, milliseconds since 1970) is the system's, or a virtual one for
 * demonstrations, tests and rehearsals. What belongs to machines (time-outs, back-off towards a server, "blind" mailboxes)
 * is counted in monotonic time instead, which no virtual clock speeds up.
 */
#pragma once

#include <glib.h>

typedef struct Clock Clock;
typedef struct ClockTimer ClockTimer;

/* A clock that shows the system's time. Free with clock_free(). Never fails. */
Clock *clock_new_system(void);

/*
 * A clock that stands at start_ms now and runs speed (> 0; 1 = as fast as the system's) times as fast. It never runs past a timer that
 * has not fired, and stands while it is held: so what happens, happens at its time, however fast the clock and however slow the machine.
 */
Clock *clock_new_virtual(gint64 start_ms, double speed);

/* A virtual clock that stands still until clock_set() moves it: for rehearsals and unit tests. */
Clock *clock_new_manual(gint64 start_ms);

/* Accepts NULL. Timers of the clock must have been freed before. */
void clock_free(Clock *clock);

/* Business time now, UTC, ms since 1970. Safe from any thread for system and running virtual clocks. */
gint64 clock_now_ms(const Clock *clock);

/* Work that takes no business time: a virtual clock stands from the first hold to the last release. Nothing on other clocks. On the
 * thread that runs the clock's timers. */
void clock_hold(Clock *clock);
void clock_release(Clock *clock);

/* Moves a manual clock; a bug (g_assert) on any other. Timers that became due run from their context's next iteration. */
void clock_set(Clock *clock, gint64 now_ms);

gboolean clock_is_virtual(const Clock *clock);

/* The system's time, whatever clock business runs on: for the time stamps of log lines. */
gint64 clock_system_now_ms(void);

/* Whether a time service keeps the system's time right (adjtimex(2)); UNKNOWN where the system does not say. */
typedef enum { CLOCK_SYNCHRONISED, CLOCK_UNSYNCHRONISED, CLOCK_UNKNOWN } ClockSync;
ClockSync clock_system_sync(void);

/* Monotonic machine time in ms, from an arbitrary start; not affected by any Clock. */
gint64 clock_monotonic_ms(void);

/*
 * A timer that calls func(data) in context (NULL: the default one) when the clock reaches the time set. It follows jumps of the
 * system's clock in both directions (a Linux timerfd with cancel-on-set), and never wakes before it is due. Not running
 * until set. Free with clock_timer_free(), from the context's thread.
 */
ClockTimer *clock_timer_new(Clock *clock, GMainContext *context, void (*func)(gpointer data), gpointer data);
void clock_timer_set(ClockTimer *timer, gint64 at_ms);
void clock_timer_stop(ClockTimer *timer);
void clock_timer_free(ClockTimer *timer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clock, clock_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClockTimer, clock_timer_free)
