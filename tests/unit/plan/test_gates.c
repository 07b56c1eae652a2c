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
    calendar_free(world->calendar);
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
    facts.canary = "found in Junk";
    assert_decides(&facts, GATE_WAIT, "canary", "0", "found in Junk");

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

static void test_until_and_if(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.until_ms = facts.now_ms; /* its last moment */
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.until_ms = facts.now_ms - 1;
    assert_decides(&facts, GATE_STOP, "until", "0", "sends nothing after 2026-11-24 09:59 (Europe/Oslo)");
    facts.until_ms = G_MAXINT64;
    facts.unmet = "";
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.unmet = "has never written; the step wants somebody who did";
    assert_decides(&facts, GATE_SKIP, "if", "0", "(if) does not hold: has never written");
    /* while something else holds the step, what it asks for may still come true */
    facts.account_paused = "by a person";
    assert_decides(&facts, GATE_WAIT, "account", "0", "by a person");
}

/* Away for three weeks: the step goes when they are back, and is not left out as too late. */
static void test_what_was_held_is_not_late(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.planned_ms = facts.now_ms - G_GINT64_CONSTANT(20) * 86400000;
    facts.hold_until_ms = facts.now_ms - 3600000;
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.hold_until_ms = facts.planned_ms;
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue by 20 days");
}

static void test_hold_and_approval(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.hold_until_ms = instant("2026-12-01T00:00:00Z");
    assert_decides(&facts, GATE_WAIT, "hold", "2026-12-01T08:00:00Z",
                   "held back; nothing before 2026-12-01 01:00 (Europe/Oslo)");
    facts.hold_reason = "away, by their automatic answer";
    assert_decides(&facts, GATE_WAIT, "hold", "2026-12-01T08:00:00Z",
                   "away, by their automatic answer; nothing before 2026-12-01");
    facts.hold_until_ms = G_MAXINT64;
    assert_decides(&facts, GATE_WAIT, "hold", "0", "away, by their automatic answer");
    facts.hold_until_ms = facts.now_ms;
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.awaits_approval = TRUE;
    assert_decides(&facts, GATE_WAIT, "approval", "0", "nurture queue approve");
}

static void test_quiet_after_contact(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.last_conversation_ms = instant("2026-11-23T09:30:00Z");
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.quiet_after_contact = (Duration){.business_days = 5};
    assert_decides(&facts, GATE_WAIT, "quiet_after_contact", "2026-11-30T09:30:00Z",
                   "on 2026-11-23 10:30 (Europe/Oslo); the next may go on 2026-11-30 10:30 (Europe/Oslo)");
    facts.is_task = TRUE;
    assert_decides(&facts, GATE_OPEN, "", "0", "");
}

/* A day is 24 hours, a week seven of them, a month goes by the calendar. */
static void test_max_per(void **state)
{
    static const struct {
        MaxPer max_per;
        const char *day, *week, *month, *want, *reason;
    } table[] = {
        {{.day = 1}, "2026-11-23T09:00:00Z", NULL, NULL, NULL, ""},
        {{.day = 1}, "2026-11-23T09:00:01Z", NULL, NULL, "2026-11-24T09:00:01Z", "1 message within a day already; the next"},
        {{.week = 2},
         NULL,
         "2026-11-17T10:00:00Z",
         NULL,
         "2026-11-24T10:00:00Z",
         "2 messages within a week already; the next may go on 2026-11-24 11:00 (Europe/Oslo)"},
        {{.month = 5}, NULL, NULL, "2026-10-24T09:00:00Z", "2026-11-24T10:00:00Z", "5 messages within a month already"},
        {{.month = 5}, NULL, NULL, "2026-10-24T07:59:59Z", NULL, ""},
        /* the one that binds longest is named */
        {{.day = 1, .week = 2}, "2026-11-24T08:00:00Z", "2026-11-18T10:00:00Z", NULL, "2026-11-25T10:00:00Z", "a week"},
        {{.day = 1, .week = 2}, "2026-11-24T08:00:00Z", "2026-11-17T10:00:00Z", NULL, "2026-11-25T08:00:00Z", "a day"},
        /* no cap of that name: nothing counts */
        {{.week = 2}, "2026-11-24T08:00:00Z", NULL, "2026-11-24T08:00:00Z", NULL, ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        GateFacts facts = open_facts(*state);
        facts.max_per = table[i].max_per;
        facts.nth_day_ms = table[i].day ? instant(table[i].day) : 0;
        facts.nth_week_ms = table[i].week ? instant(table[i].week) : 0;
        facts.nth_month_ms = table[i].month ? instant(table[i].month) : 0;
        const char *want = table[i].want;
        assert_decides(&facts, want ? GATE_WAIT : GATE_OPEN, want ? "max_per" : "", want ? want : "0", table[i].reason);
        facts.is_task = TRUE;
        assert_decides(&facts, GATE_OPEN, "", "0", "");
    }
}

/* What was written before the clock was set back must not hold anybody for years; what lies ahead by less does, to be safe. */
/* Those who may not be asked for a referral now. */
static void test_asking(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.planned_ms = facts.now_ms = instant("2026-11-25T09:00:00Z");
    facts.max_late = (Duration){.days = 7};
    facts.cooldown = (Duration){.months = 6};
    facts.trouble = (Duration){.days = 30};
    facts.trouble_what = "gave a low score";
    facts.asked_ms = instant("2026-09-01T09:00:00Z");
    facts.trouble_ms = instant("2026-11-20T09:00:00Z");
    assert_decides(&facts, GATE_OPEN, "", "0", ""); /* it asks for nothing */
    facts.asks = TRUE;
    assert_decides(&facts, GATE_WAIT, "cooldown", "2027-03-01T10:00:00Z", "asked for a referral on 2026-09-01");
    facts.asked_ms = 0;
    assert_decides(&facts, GATE_WAIT, "trouble", "2026-12-21T08:00:00Z", "they gave a low score on 2026-11-20");
    facts.now_ms = instant("2026-12-22T09:00:00Z"); /* that it was held so long makes it no later */
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.referral_under_way = TRUE;
    assert_decides(&facts, GATE_WAIT, "referral_under_way", "0", "nurture referral list");
    facts.now_ms = instant("2026-12-28T09:00:00Z");
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue");
}

static void test_clock_set_back(void **state)
{
    static const struct {
        const char *event;
        gboolean counts; /* for a length of two days */
    } table[] = {{"2026-11-24T09:00:00Z", TRUE},
                 {"2026-11-26T09:00:00Z", TRUE},
                 {"2026-11-26T09:00:01Z", FALSE},
                 {"2036-01-01T00:00:00Z", FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        GateVerdict verdict = table[i].counts ? GATE_WAIT : GATE_OPEN;
        GateResult result;

        GateFacts facts = open_facts(*state);
        facts.last_contacted_ms = instant(table[i].event);
        gates_decide(&facts, &result);
        assert_int_equal(result.verdict, verdict);
        gate_result_clear(&result);

        facts = open_facts(*state);
        facts.last_conversation_ms = instant(table[i].event);
        facts.quiet_after_contact = (Duration){.days = 2};
        gates_decide(&facts, &result);
        assert_int_equal(result.verdict, verdict);
        gate_result_clear(&result);
    }
    GateFacts facts = open_facts(*state);
    facts.max_per = (MaxPer){.day = 1, .week = 1, .month = 1};
    facts.nth_day_ms = facts.nth_week_ms = facts.nth_month_ms = instant("2036-01-01T00:00:00Z");
    assert_decides(&facts, GATE_OPEN, "", "0", "");
    facts.nth_day_ms = facts.nth_week_ms = instant("2026-11-25T10:00:00Z"); /* more than a day ahead, less than a week */
    assert_decides(&facts, GATE_WAIT, "max_per", "2026-12-02T10:00:00Z", "1 message within a week already");
}

static void test_window(void **state)
{
    GateFacts facts = open_facts(*state);
    facts.now_ms = instant("2026-11-24T16:00:00Z");
    assert_decides(&facts, GATE_WAIT, "window", "2026-11-25T08:00:00Z",
                   "outside of the sending window; next 2026-11-25 09:00 (Europe/Oslo)");
    facts.planned_ms = facts.now_ms = instant("2026-12-24T10:00:00Z");
    assert_decides(&facts, GATE_WAIT, "holiday", "2026-12-28T08:00:00Z", "a holiday; next 2026-12-28 09:00");
    facts.now_ms = instant("2026-12-24T20:00:00Z"); /* both: the holiday is the reason that matters */
    assert_decides(&facts, GATE_WAIT, "holiday", "2026-12-28T08:00:00Z", "a holiday");
    facts.now_ms =
        instant("2026-12-23T20:00:00Z"); /* the day before: not a holiday yet, but no window before the days after */
    assert_decides(&facts, GATE_WAIT, "window", "2026-12-28T08:00:00Z", "outside of the sending window");
    facts.now_ms = instant("2026-12-23T23:30:00Z"); /* the contact's day counts: it is the 24th there */
    assert_decides(&facts, GATE_WAIT, "holiday", "2026-12-28T08:00:00Z", "a holiday");
    facts.now_ms = instant("2026-11-24T16:00:00Z");
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
    facts.unmet = "x"; /* two that skip: the first says why */
    assert_decides(&facts, GATE_SKIP, "late", "0", "overdue");
    facts.until_ms = 1;
    assert_decides(&facts, GATE_STOP, "until", "0", "until");
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
                        "enrolled=0 suppressed=0 until=0 late=0 if=0 paused=0 hold=0 owner=0 account=0 blind=0 canary=0 approval=0 "
                        "quiet_after_contact=0 trouble=0 cooldown=0 referral_under_way=0 holiday=0 window=0 min_gap=0 max_per=0 limits=0 ");

    g_string_truncate(seen, 0);
    facts.enrolled = FALSE;
    facts.suppressed = "x";
    facts.planned_ms = 1;
    facts.now_ms = instant("2026-12-24T20:00:00Z"); /* a holiday, and the evening */
    facts.until_ms = facts.now_ms - 1;
    facts.unmet = "x";
    facts.hold_until_ms = facts.paused_until_ms = facts.account_next_ms = G_MAXINT64;
    facts.awaits_approval = TRUE;
    facts.last_conversation_ms = facts.nth_day_ms = facts.now_ms;
    facts.quiet_after_contact = (Duration){.days = 5};
    facts.max_per.day = 1;
    facts.account_missing = facts.account_paused = facts.canary = "x";
    facts.blind = TRUE;
    facts.window = &NONE;
    facts.last_contacted_ms = facts.now_ms;
    facts.asks = facts.referral_under_way = TRUE;
    facts.asked_ms = facts.trouble_ms = facts.now_ms;
    facts.cooldown = facts.trouble = (Duration){.days = 30};
    facts.trouble_what = "x";
    gates_explain(&facts, note_gate, seen);
    assert_string_equal(seen->str,
                        "enrolled=3 suppressed=3 until=3 late=0 if=2 paused=1 hold=1 owner=1 account=1 blind=1 canary=1 approval=1 "
                        "quiet_after_contact=1 trouble=1 cooldown=1 referral_under_way=1 holiday=1 window=1 min_gap=1 max_per=1 limits=1 ");

    /* a task spares the contact: what protects them from mail does not hold it */
    g_string_truncate(seen, 0);
    facts.is_task = TRUE;
    facts.asks = FALSE;
    gates_explain(&facts, note_gate, seen);
    assert_string_equal(seen->str,
                        "enrolled=3 suppressed=3 until=3 late=0 if=2 paused=1 hold=1 owner=1 account=1 blind=1 canary=1 approval=1 "
                        "quiet_after_contact=0 trouble=0 cooldown=0 referral_under_way=0 holiday=1 window=1 min_gap=0 max_per=0 limits=1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_which_decides),
        cmocka_unit_test(test_until_and_if),
        cmocka_unit_test(test_what_was_held_is_not_late),
        cmocka_unit_test(test_hold_and_approval),
        cmocka_unit_test(test_quiet_after_contact),
        cmocka_unit_test(test_max_per),
        cmocka_unit_test(test_asking),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests_name("plan/gates", tests, set_up, tear_down);
}
