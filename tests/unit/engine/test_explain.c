/*
 * Protects: what `nurture why` says of steps that will not go as their due time alone would tell.
 */
#include "rig.h"

#include "engine/explain.h"

#define RULE(extra, steps)                                                                                                  \
    "{ name = \"r\"; anchor = \"stage\"; when = { stage = \"pitching\"; }; " extra " steps = ( " steps " ); }\n"
#define ONE "{ after = \"1 day\"; template = \"one\"; }"

static GPtrArray *ask(Rig *rig, gint64 id)
{
    GError *error = NULL;
    g_autoptr(Contact) contact = rig_contact(rig, id);
    GPtrArray *rules = explain_contact(rig->core->config, rig->store, rig->clock, contact, &(LiveAccount){.unreachable = ""}, &error);
    assert_non_null(rules);
    return rules;
}

/* What is said of the only rule. */
static void expect(Rig *rig, gint64 id, const char *reason, const char *decides, gint64 earliest_ms)
{
    g_autoptr(GPtrArray) rules = ask(rig, id);
    const RuleExplanation *rule = rules->pdata[0];
    assert_string_equal(rule->reason, reason);
    assert_string_equal(rule->decides, decides);
    assert_int_equal(rule->earliest_ms, earliest_ms);
}

static gint64 pitched(Rig *rig, const char *since)
{
    gint64 id = rig_add(rig, "kari@x.no", "pitching", since);
    rig_decide(rig, id);
    return id;
}

static void a_rule_that_ended_before_its_first_step_is_not_promised(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("until = \"2026-03-02\";", ONE), "");
    expect(rig, pitched(rig, "2026-03-02 10:00"), "the rule has come to its end (until) before its first step", "enrolled", 0);
}

static void a_date_that_has_passed_is_not_promised(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("repeat_every = \"1 year\";", "{ on = \"2020-01-15\"; template = \"one\"; }"), "");
    expect(rig, pitched(rig, "2024-06-03 10:00"), "its date has passed, so that it will be left out", "", 0);
}

static void what_awaits_approval_is_not_late(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("approve = true;", ONE), "");
    gint64 id = pitched(rig, "2026-03-02 10:00");
    rig_step_at(rig, "2026-03-03 12:00");
    clock_set(rig->clock, at("2026-04-01 12:00"));
    expect(rig, id, "", "approval", 0);
}

static void a_pause_beyond_max_late_is_waited_for_in_vain(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULE("", ONE), "");
    gint64 id = pitched(rig, "2026-03-02 10:00");
    rig_step_at(rig, "2026-03-03 12:00");
    assert_done(store_contact_pause(rig->store, id, at("2026-03-05 12:00"), clock_now_ms(rig->clock), &error));
    expect(rig, id, "", "paused", at("2026-03-05 12:00"));
    assert_done(store_contact_pause(rig->store, id, at("2026-05-05 12:00"), clock_now_ms(rig->clock), &error));
    expect(rig, id, "it will be left out, since it would be later than max_late allows", "paused", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(a_rule_that_ended_before_its_first_step_is_not_promised),
        with_rig(a_date_that_has_passed_is_not_promised),
        with_rig(what_awaits_approval_is_not_late),
        with_rig(a_pause_beyond_max_late_is_waited_for_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
