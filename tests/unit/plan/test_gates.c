/*
 * Protects the gates: each one's verdict, time and reason; which of several decides; and that a wait ends inside the window.
 */
#include "plan_test.h"

#include <string.h>

#include "plan/gates.h"
#include "plan/window.h"

static const Window OFFICE = {DAY_MON | DAY_TUE | DAY_WED | DAY_THU | DAY_FRI, 9 * 60, 16 * 60 + 30};
static const Window NONE = {0, 540, 600};

typedef struct {
    GTimeZone *zone;
    Calendar *calendar;
} World;

static int set_up(void **state)
{
    World *world = g_new0(World, 1);
    world->zone = zone_named("Europe/Oslo");
    world->calendar = calendar_of(ALL_DAY("20261224", "DTEND;VALUE=DATE:20261227\r\n"), NULL);
    *state = world;
    return world->calendar ? 0 : -1;
}

static int tear_down(void **state)
{
    World *world = *state;
    g_time_zone_unref(world->zone);
    calendar_unref(world->calendar);
    g_free(world);
    return 0;
}

/* Tuesday 2026-11-24 10:00 in Oslo, all gates open. */
static GateFacts open_facts(const World *world)
{
    return (GateFacts){
        .now_ms = instant("2026-11-24T09:00:00Z"),
        .planned_ms = instant("2026-11-24T08:00:00Z"),
        .window = &OFFICE,
        .calendar = world->calendar,
        .zone = world->zone,
        .min_gap = {.days = 2},
        .max_late = {.days = 7},
        .enrolled = TRUE,
        .suppressed = "",
        .account_paused = "",
        .account_missing = "",
    };
}

static void assert_decides(const GateFacts *facts, GateVerdict verdict, const char *gate, const char *until,
                           const char *reason)
{
    GateResult result;
    gates_decide(facts, &result);
    assert_string_equal(result.gate, gate);
    assert_int_equal(result.verdict, verdict);
    assert_instant(result.until_ms, until, gate);
    if (!strstr(result.reason, reason))
        fail_msg("%s: the reason should hold \"%s\": %s", gate, reason, result.reason);
    if (result.verdict == GATE_WAIT && result.until_ms != 0)
        assert_true(window_contains(facts->window, facts->calendar, facts->zone, result.until_ms));
    gate_result_clear(&result);
    gate_result_clear(&result);
}

static void test_open(void **state)
{
    GateFacts facts = open_facts(*state);
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.suppressed = facts.account_missing = facts.account_paused = NULL;
    facts.planned_ms = 0;
    facts.paused_until_ms = facts.account_next_ms = facts.now_ms; /* just over */
    facts.last_contacted_ms = instant("2026-11-22T09:00:00Z");    /* min_gap ago to the second */
    assert_decides(&facts, GATE_OPEN, "", "0", "");
}

static void test_stops(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.enrolled = FALSE;
    assert_decides(&facts, GATE_STOP, "enrolled", "0", "not in this rule");
    facts = open_facts(*state);
    facts.suppressed = "unsubscribed";
    assert_decides(&facts, GATE_STOP, "suppressed", "0", "never mailed: unsubscribed");
}

static void test_late(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.planned_ms = instant("2026-11-12T09:00:00Z");
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue by 12 days, more than max_late (1 week)");
    facts.planned_ms = instant("2026-11-17T09:00:00Z");
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.planned_ms -= 1;
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue by 7 days");
    facts.planned_ms = instant("2026-11-24T04:30:00Z");
    facts.max_late = (Duration){.ms = 3600000};
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue by 4 hours, more than max_late (1 hour)");
    facts.planned_ms = facts.now_ms - 1500;
    facts.max_late = (Duration){.ms = 1000};
    assert_decides(&facts, GATE_SKIP, "late", "0", "seconds");
    /* days by the calendar: the 25 hours of 25 October are one */
    facts.max_late = (Duration){.days = 1};
    facts.planned_ms = instant("2026-10-24T14:00:00Z");
    facts.now_ms = instant("2026-10-25T15:00:00Z");
    GateResult result;
    gates_decide(&facts, &result);
    assert_int_equal(result.verdict, GATE_WAIT); /* a Sunday, but not too late */
    gate_result_clear(&result);
    /* zero: nothing is ever too late */
    facts = open_facts(*state);
    facts.max_late = (Duration){0};
    facts.planned_ms = instant("2020-01-01T00:00:00Z");
    assert_decides(&facts, GATE_OPEN, "", "0", "");
}

static void test_waits(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.paused_until_ms = instant("2026-11-26T10:00:00Z");
    assert_decides(&facts, GATE_WAIT, "paused", "2026-11-26T10:00:00Z", "paused until 2026-11-26 11:00 (Europe/Oslo)");
    facts.paused_until_ms = G_MAXINT64;
    assert_decides(&facts, GATE_WAIT, "paused", "0", "until resumed");
    facts.paused_until_ms = G_MAXINT64 - 5;
    assert_decides(&facts, GATE_WAIT, "paused", "0", "until resumed");

    facts = open_facts(*state);
    facts.account_missing = "bjorn";
    assert_decides(&facts, GATE_WAIT, "owner", "0", "bjorn");
    facts = open_facts(*state);
    facts.account_paused = "wrong password";
    assert_decides(&facts, GATE_WAIT, "account", "0", "wrong password");
    facts = open_facts(*state);
    facts.blind = TRUE;
    assert_decides(&facts, GATE_WAIT, "blind", "0", "mailbox");

    facts = open_facts(*state);
    facts.last_contacted_ms = instant("2026-11-23T09:30:00Z");
    assert_decides(
        &facts, GATE_WAIT, "min_gap", "2026-11-25T09:30:00Z",
        "another message went to them on 2026-11-23 10:30 (Europe/Oslo); the next may go on 2026-11-25 10:30 (Europe/Oslo)");
    facts.min_gap = (Duration){0};
    assert_decides(&facts, GATE_OPEN, "", "0", "");

    facts = open_facts(*state);
    facts.account_next_ms = instant("2026-11-24T09:00:30Z");
    assert_decides(&facts, GATE_WAIT, "limits", "2026-11-24T09:00:30Z", "limits");
    facts.account_next_ms = G_MAXINT64;
    assert_decides(&facts, GATE_WAIT, "limits", "0", "limits");
}

static void test_window(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.now_ms = instant("2026-11-24T16:00:00Z");
    assert_decides(&facts, GATE_WAIT, "window", "2026-11-25T08:00:00Z",
                   "outside of the sending window; next 2026-11-25 09:00 (Europe/Oslo)");
    facts.planned_ms = facts.now_ms = instant("2026-12-24T10:00:00Z");
    assert_decides(&facts, GATE_WAIT, "window", "2026-12-28T08:00:00Z", "a holiday; next 2026-12-28 09:00");
    facts.window = &NONE;
    assert_decides(&facts, GATE_WAIT, "window", "0", "none opens");
}

/* STOP before SKIP before WAIT; of several that wait the latest; moved into the window. */
static void test_which_decides(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.paused_until_ms = instant("2026-11-26T10:00:00Z");
    facts.last_contacted_ms = instant("2026-11-23T09:30:00Z");
    facts.account_next_ms = instant("2026-11-24T09:00:30Z");
    assert_decides(&facts, GATE_WAIT, "paused", "2026-11-26T10:00:00Z", "paused");
    facts.account_next_ms = instant("2026-11-27T20:00:00Z");
    assert_decides(&facts, GATE_WAIT, "limits", "2026-11-30T08:00:00Z", "in the sending window on 2026-11-30 09:00");
    facts.blind = TRUE;
    facts.account_missing = "bjorn";
    assert_decides(&facts, GATE_WAIT, "owner", "0", "bjorn");
    facts.planned_ms = instant("2026-11-01T00:00:00Z");
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue");
    facts.suppressed = "bounced";
    assert_decides(&facts, GATE_STOP, "suppressed", "0", "bounced");
    facts.enrolled = FALSE;
    assert_decides(&facts, GATE_STOP, "enrolled", "0", "not in this rule");

    facts = open_facts(*state);
    facts.window = &NONE;
    facts.account_next_ms = instant("2026-11-27T20:00:00Z");
    assert_decides(&facts, GATE_WAIT, "window", "0", "none opens");
}

static void note_gate(const GateResult *result, gpointer data)
{
    GString *seen = data;
    assert_non_null(result->reason);
    assert_int_equal(result->verdict == GATE_OPEN, *result->reason == '\0');
    g_string_append_printf(seen, "%s=%d ", result->gate, result->verdict);
}

static void test_explain(void **state)
{
    GateFacts facts = open_facts(*state);
    g_autoptr(GString) seen = g_string_new(NULL);
    gates_explain(&facts, note_gate, seen);
    assert_string_equal(seen->str,
                        "enrolled=0 suppressed=0 late=0 paused=0 owner=0 account=0 blind=0 window=0 min_gap=0 limits=0 ");

    g_string_truncate(seen, 0);
    facts.enrolled = FALSE;
    facts.suppressed = "x";
    facts.planned_ms = 1;
    facts.paused_until_ms = facts.account_next_ms = G_MAXINT64;
    facts.account_missing = facts.account_paused = "x";
    facts.blind = TRUE;
    facts.window = &NONE;
    facts.last_contacted_ms = facts.now_ms;
    gates_explain(&facts, note_gate, seen);
    assert_string_equal(seen->str,
                        "enrolled=3 suppressed=3 late=2 paused=1 owner=1 account=1 blind=1 window=1 min_gap=1 limits=1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),    cmocka_unit_test(test_stops),  cmocka_unit_test(test_late),
        cmocka_unit_test(test_waits),   cmocka_unit_test(test_window), cmocka_unit_test(test_which_decides),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests_name("plan/gates", tests, set_up, tear_down);
}
