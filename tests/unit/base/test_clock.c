/* base/clock.h: clocks, and timers that never wake early and follow their clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

typedef struct {
    Clock *clock;
    ClockTimer *timer;
    guint calls;
    gint64 at_ms;
    gboolean free_in_callback;
} Seen;

static void on_timer(gpointer data)
{
    Seen *seen = data;
    seen->calls++;
    seen->at_ms = clock_now_ms(seen->clock);
    if (seen->free_in_callback)
        g_clear_pointer(&seen->timer, clock_timer_free);
}

/* Runs the default context for at most ms, or until a call came. */
static void run(Seen *seen, gint64 ms)
{
    gint64 end_ms = clock_monotonic_ms() + ms;
    guint before = seen->calls;
    while (seen->calls == before && clock_monotonic_ms() < end_ms)
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(500);
}

static void test_a_manual_clock_moves_by_hand(void **state)
{
    (void)state;
    g_autoptr(Clock) clock = clock_new_manual(1000);
    Seen seen = {.clock = clock};
    seen.timer = clock_timer_new(clock, NULL, on_timer, &seen);
    clock_timer_set(seen.timer, 5000);
    run(&seen, 20);
    assert_int_equal(seen.calls, 0);
    clock_set(clock, 4999);
    run(&seen, 20);
    assert_int_equal(seen.calls, 0);
    clock_set(clock, 5000);
    run(&seen, 200);
    assert_int_equal(seen.calls, 1);
    run(&seen, 20);
    assert_int_equal(seen.calls, 1);
    clock_timer_set(seen.timer, 10);
    run(&seen, 200);
    assert_int_equal(seen.calls, 2);
    clock_timer_set(seen.timer, 6000);
    clock_timer_stop(seen.timer);
    clock_set(clock, 9000);
    run(&seen, 20);
    assert_int_equal(seen.calls, 2);
    clock_timer_free(seen.timer);
}

static void test_a_virtual_clock_runs_as_fast_as_told(void **state)
{
    (void)state;
    g_autoptr(Clock) clock = clock_new_virtual(1767600000000, 86400);
    assert_true(clock_is_virtual(clock));
    Seen seen = {.clock = clock};
    seen.timer = clock_timer_new(clock, NULL, on_timer, &seen);
    gint64 due_ms = clock_now_ms(clock) + 3600 * 1000; /* an hour: 42 ms */
    clock_timer_set(seen.timer, due_ms);
    run(&seen, 2000);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.at_ms >= due_ms);
    clock_timer_free(seen.timer);
}

static void test_a_virtual_clock_never_passes_a_timer_and_stands_while_held(void **state)
{
    (void)state;
    g_autoptr(Clock) clock = clock_new_virtual(1000, 1e6);
    Seen seen = {.clock = clock};
    seen.timer = clock_timer_new(clock, NULL, on_timer, &seen);
    clock_timer_set(seen.timer, 5000);
    g_usleep(20000); /* 20,000,000 ms of the clock, if nothing stopped it */
    assert_int_equal(clock_now_ms(clock), 5000);
    run(&seen, 2000);
    assert_int_equal(seen.at_ms, 5000);
    clock_hold(clock);
    gint64 held_ms = clock_now_ms(clock);
    clock_hold(clock);
    g_usleep(5000);
    clock_release(clock);
    clock_timer_set(seen.timer, held_ms + 10);
    run(&seen, 20);
    assert_int_equal(clock_now_ms(clock), held_ms);
    assert_int_equal(seen.calls, 1);
    clock_release(clock);
    run(&seen, 2000);
    assert_int_equal(seen.at_ms, held_ms + 10);
    gint64 before_ms = clock_now_ms(clock);
    clock_timer_set(seen.timer, 1); /* long past: time does not go back for it */
    assert_true(clock_now_ms(clock) >= before_ms);
    run(&seen, 2000);
    assert_int_equal(seen.calls, 3);
    clock_timer_free(seen.timer);
}

static void test_the_system_clock_wakes_in_time_and_not_early(void **state)
{
    (void)state;
    g_autoptr(Clock) clock = clock_new_system();
    assert_false(clock_is_virtual(clock));
    Seen seen = {.clock = clock, .free_in_callback = TRUE};
    seen.timer = clock_timer_new(clock, NULL, on_timer, &seen);
    gint64 due_ms = clock_now_ms(clock) + 60;
    clock_timer_set(seen.timer, due_ms);
    run(&seen, 2000);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.at_ms >= due_ms);
    assert_null(seen.timer);
}

static void test_times_beyond_all_bounds_are_never(void **state)
{
    (void)state;
    Clock *clocks[] = {clock_new_system(), clock_new_virtual(0, 1), clock_new_virtual(0, 1e9), clock_new_manual(0)};
    for (gsize i = 0; i < G_N_ELEMENTS(clocks); i++) {
        Seen seen = {.clock = clocks[i]};
        seen.timer = clock_timer_new(clocks[i], NULL, on_timer, &seen);
        clock_timer_set(seen.timer, G_MAXINT64);
        run(&seen, 10);
        assert_int_equal(seen.calls, 0);
        clock_timer_free(seen.timer);
        clock_free(clocks[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_manual_clock_moves_by_hand),
        cmocka_unit_test(test_a_virtual_clock_runs_as_fast_as_told),
        cmocka_unit_test(test_a_virtual_clock_never_passes_a_timer_and_stands_while_held),
        cmocka_unit_test(test_the_system_clock_wakes_in_time_and_not_early),
        cmocka_unit_test(test_times_beyond_all_bounds_are_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
