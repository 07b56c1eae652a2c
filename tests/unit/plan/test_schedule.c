/*
 * Protects the times of steps and rounds, and that an edited rule neither repeats nor loses a step.
 */
#include "plan_test.h"

#include "plan/schedule.h"

static const Window OFFICE = {DAY_MON | DAY_TUE | DAY_WED | DAY_THU | DAY_FRI, 9 * 60, 16 * 60 + 30};

static void test_due(void **state)
{
    (void)state;
    static const struct {
        StepTiming timing;
        Duration delay;
        const char *anchor, *last, *want;
    } table[] = {
        /* the anchor is Tuesday 2026-11-24 10:15 in Oslo */
        {STEP_AFTER, {.days = 3}, "2026-11-24T09:15:00Z", NULL, "2026-11-27T09:15:00Z"},
        {STEP_AFTER, {.days = 5}, "2026-11-24T09:15:00Z", "2026-11-27T09:15:00Z", "2026-12-02T09:15:00Z"},
        {STEP_AFTER, {.days = 4}, "2026-11-24T09:15:00Z", NULL, "2026-11-30T08:00:00Z"},
        {STEP_AFTER, {.business_days = 4}, "2026-11-24T09:15:00Z", NULL, "2026-11-30T09:15:00Z"},
        {STEP_AFTER, {.ms = 7200000}, "2026-11-24T14:15:00Z", NULL, "2026-11-25T08:00:00Z"},
        /* the step before lies before the anchor: not before the anchor */
        {STEP_AFTER, {.days = 1}, "2026-11-24T09:15:00Z", "2026-11-02T09:15:00Z", "2026-11-24T09:15:00Z"},
        /* no delay: at the anchor, or when the window opens */
        {STEP_AFTER, {0}, "2026-11-24T09:15:00Z", NULL, "2026-11-24T09:15:00Z"},
        {STEP_AFTER, {0}, "2026-11-24T20:00:00Z", NULL, "2026-11-25T08:00:00Z"},
        /* an age counts from the anchor, whenever the step before went */
        {STEP_AGE, {.days = 90}, "2026-11-24T09:15:00Z", "2026-12-24T09:15:00Z", "2027-02-22T09:15:00Z"},
        {STEP_AGE, {.months = 6}, "2026-08-31T09:15:00Z", NULL, "2027-03-01T08:00:00Z"},
        {STEP_AGE, {.months = 5}, "2026-11-24T09:15:00Z", NULL, "2027-04-26T07:00:00Z"},
        {STEP_AGE, {.months = 6}, "2026-11-24T09:15:00Z", NULL, "2027-05-24T08:15:00Z"},
    };
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const Rule rule = {.name = (char *)"r"};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        const Step step = {.timing = table[i].timing, .delay = table[i].delay, .at_min = -1, .template_name = (char *)"t"};
        const PlanFacts facts = {.zone = zone};
        g_autofree char *what = g_strdup_printf("row %zu", i);
        gint64 last_ms = table[i].last ? instant(table[i].last) : 0;
        assert_instant(schedule_due(&rule, &step, &facts, instant(table[i].anchor), last_ms, &OFFICE, NULL), table[i].want,
                       what);
    }
}

static void test_due_never(void **state)
{
    (void)state;
    const Window none = {0, 540, 600};
    const Rule rule = {.name = (char *)"r"};
    const Step step = {.timing = STEP_AGE, .delay = {.days = 1}, .at_min = -1, .template_name = (char *)"t"};
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const PlanFacts facts = {.zone = zone};

    assert_instant(schedule_due(&rule, &step, &facts, instant("2026-11-24T09:15:00Z"), 0, &none, NULL), "never", "no window");
    assert_instant(schedule_due(&rule, &step, &facts, G_MAXINT64, 0, &OFFICE, NULL), "never", "no anchor in time");
}

static void test_anchor_and_rounds(void **state)
{
    (void)state;
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const PlanFacts facts = {.stage_since_ms = instant("2026-11-01T08:00:00Z"),
                             .customer_since_ms = instant("2026-08-31T07:00:00Z"),
                             .zone = zone};
    const PlanFacts prospect = {.stage_since_ms = facts.stage_since_ms, .zone = zone};
    const Rule by_stage = {.anchor = ANCHOR_STAGE, .repeat_every = {.days = 14}};
    const Rule by_customer = {.anchor = ANCHOR_CUSTOMER, .repeat_every = {.months = 6}};

    assert_int_equal(schedule_anchor(&by_stage, &facts), facts.stage_since_ms);
    assert_int_equal(schedule_anchor(&by_customer, &facts), facts.customer_since_ms);
    assert_int_equal(schedule_anchor(&by_customer, &prospect), 0);
    assert_int_equal(schedule_round_anchor(&by_customer, &prospect, NULL, 3), 0);

    assert_instant(schedule_round_anchor(&by_stage, &facts, NULL, 1), "2026-11-01T08:00:00Z", "round 1");
    assert_instant(schedule_round_anchor(&by_stage, &facts, NULL, 3), "2026-11-29T08:00:00Z", "round 3");
    assert_instant(schedule_round_anchor(&by_customer, &facts, NULL, 2), "2027-02-28T08:00:00Z", "a short month");
    assert_instant(schedule_round_anchor(&by_customer, &facts, NULL, 3), "2027-08-31T07:00:00Z", "and back to the 31st");
    assert_instant(schedule_round_anchor(&by_customer, &facts, NULL, G_MAXUINT), "never", "beyond time");
    const Rule long_ms = {.anchor = ANCHOR_STAGE, .repeat_every = {.ms = G_MAXINT64}};
    assert_instant(schedule_round_anchor(&long_ms, &facts, NULL, 9), "never", "overflow");
}

static void test_next_step(void **state)
{
    (void)state;
    Step first = {.template_name = (char *)"one"}, second = {.template_name = (char *)"two"},
         third = {.template_name = (char *)"three"};
    Step *steps[] = {&first, &second, &third, NULL};
    const Rule rule = {.steps = steps};
    static const struct {
        const char *behind;
        const char *decided[4];
        const char *want; /* NULL: none */
    } table[] = {
        {NULL, {NULL}, "one"},
        {"", {NULL}, "one"},
        {"one", {"one", NULL}, "two"},
        {"two", {"one", "two", NULL}, "three"},
        {"three", {"one", "two", "three", NULL}, NULL},
        /* the step was taken out of the rule, or given another name */
        {"gone", {NULL}, "one"},
        {"gone", {"gone", "one", NULL}, "two"},
        {"gone", {"one", "two", "three", NULL}, NULL},
        /* the steps were put into another order: "three" went before */
        {"two", {"three", "two", NULL}, NULL},
        {"one", {"two", "one", NULL}, "three"},
        {NULL, {"one", NULL}, "two"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        const Step *next = schedule_next_step(&rule, table[i].behind, table[i].decided);
        const char *got = next ? next->template_name : "none";
        if (!g_str_equal(got, table[i].want ? table[i].want : "none"))
            fail_msg("row %zu: got %s", i, got);
    }
    assert_ptr_equal(schedule_next_step(&rule, "one", NULL), &second);
    assert_ptr_equal(schedule_next_step(&rule, "gone", NULL), &first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due),
        cmocka_unit_test(test_due_never),
        cmocka_unit_test(test_anchor_and_rounds),
        cmocka_unit_test(test_next_step),
    };
    return cmocka_run_group_tests_name("plan/schedule", tests, NULL, NULL);
}
