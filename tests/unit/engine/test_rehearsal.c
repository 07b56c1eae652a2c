/*
 * Protects: a rehearsal begins as a reload does, so that `nurture forecast --config` tells what the new configuration would send.
 */
#include "rig.h"

#include "engine/rehearsal.h"

static void what_waits_for_an_account_that_is_gone_goes_by_the_owners(void **state)
{
    Rig *rig = *state;
    GError *fault = NULL;
    guint64 marked = 0;
    gint64 id = rig_add(rig, "kari@x.no", "pitching", "2026-02-27 12:00");
    assert_done(store_marks_add_for_rules(rig->store, rig->core->config, clock_now_ms(rig->clock), &marked, &error)); /* no rule is new */
    rig_decide(rig, id);
    rig_step_at(rig, "2026-03-02 12:00");
    assert_done(store_outbox_assign(rig->store, id, "carl", &error));
    g_autoptr(GPtrArray) told =
        rehearse(rig->core->config, rig->core->templates, rig->store, at("2026-03-02 12:00"), at("2026-03-06 12:00"), NULL, &fault);
    assert_non_null(told);
    assert_int_equal(told->len, 1);
    const RehearsedMessage *message = told->pdata[0];
    assert_string_equal(message->step, "one");
    assert_int_equal(message->at_ms, at("2026-03-02 12:00"));
}

static void what_awaits_approval_is_told_as_held(void **state)
{
    Rig *rig = *state;
    GError *fault = NULL;
    rig_configure(rig, "{ name = \"r\"; anchor = \"stage\"; when = { stage = \"pitching\"; }; approve = true;"
                       " steps = ( { after = \"1 day\"; template = \"one\"; }, { after = \"1 day\"; template = \"two\"; } ); }\n", "");
    gint64 id = rig_add(rig, "kari@x.no", "pitching", "2026-03-02 10:00");
    rig_decide(rig, id);
    g_autoptr(GPtrArray) told =
        rehearse(rig->core->config, rig->core->templates, rig->store, at("2026-03-02 12:00"), at("2026-03-20 12:00"), NULL, &fault);
    assert_non_null(told);
    assert_int_equal(told->len, 1); /* nothing of the rule comes behind what nobody approves */
    const RehearsedMessage *message = told->pdata[0];
    assert_true(message->held);
    assert_non_null(strstr(message->reason, "approval"));
    assert_int_equal(message->at_ms, at("2026-03-03 10:00"));
    assert_message(rig, id, "r", "one", "undecided"); /* over a copy */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(what_waits_for_an_account_that_is_gone_goes_by_the_owners),
        with_rig(what_awaits_approval_is_told_as_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
