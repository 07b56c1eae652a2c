/*
 * Protects: how much may be uncertain after a crash. A slow server never has more than two messages a connection; a fast one gets what it
 * takes in some milliseconds, and never more than the limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above first */
#include <cmocka.h>

#include "engine/pace.h"

/* Outcomes at that rate for a second, then the capacity. */
static guint capacity_at(guint connections, guint a_second)
{
    Pace pace;
    pace_init(&pace, connections);
    for (guint i = 0; i < a_second; i++)
        pace_count(&pace, 1000000 + (gint64)i * 1000 / a_second);
    return pace_capacity(&pace);
}

static void the_depth_follows_the_rate_within_its_bounds(void **state)
{
    (void)state;
    static const struct {
        guint connections, a_second, least, most;
    } table[] = {
        {4, 1, 8, 8},
        {4, 20, 8, 8},
        {4, 300, 8, 8},
        {4, 2000, 44, 56},
        {8, 10000, 240, 256},
        {1, 10000, 64, 64},
        {0, 1, 2, 2},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        assert_in_range(capacity_at(table[i].connections, table[i].a_second), table[i].least, table[i].most);
}

static void after_a_rest_it_begins_low(void **state)
{
    (void)state;
    Pace pace;
    pace_init(&pace, 1);
    for (guint i = 0; i < 2000; i++)
        pace_count(&pace, 1000000 + i / 10);
    assert_true(pace_capacity(&pace) > PACE_LEAST);
    pace_count(&pace, 2000000);
    assert_int_equal(pace_capacity(&pace), PACE_LEAST);
}

static void a_machine_clock_that_stands_still_or_starts_at_zero_is_no_division_by_zero(void **state)
{
    (void)state;
    Pace pace;
    pace_init(&pace, 1);
    for (guint i = 0; i < 1000; i++)
        pace_count(&pace, 0);
    for (guint i = 0; i < 1000; i++)
        pace_count(&pace, 5);
    assert_int_equal(pace_capacity(&pace), PACE_LEAST);
}

/* Else they would stand still for a commit. */
static void an_answer_waits_only_while_the_workers_have_more_than_half(void **state)
{
    (void)state;
    Pace pace;
    pace_init(&pace, 4);
    assert_true(pace_may_wait(&pace, 5));
    assert_false(pace_may_wait(&pace, 4));
    assert_false(pace_may_wait(&pace, 0));
    pace_init(&pace, 1);
    assert_false(pace_may_wait(&pace, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_depth_follows_the_rate_within_its_bounds),
        cmocka_unit_test(after_a_rest_it_begins_low),
        cmocka_unit_test(an_answer_waits_only_while_the_workers_have_more_than_half),
        cmocka_unit_test(a_machine_clock_that_stands_still_or_starts_at_zero_is_no_division_by_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
