/*
 * engine/limits: how many messages of an account may leave now, and when the next may, told from the outbox alone.
 */
#include "rig.h"

#include "engine/limits.h"

/* A message of the account that was tried at that time. */
static void tried_at(Rig *rig, const char *account, const char *time)
{
    gint64 id = rig_add(rig, time, "pitching", "2026-02-27 12:00");
    gboolean claimed = FALSE;
    rig_save(rig, &(ContactEdit){.email = time, .owner = account});
    rig_decide(rig, id);
    g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "after-pitch");
    OutboxMessage message = {.contact_id = id, .enrolment_id = enrolment->id, .account = (char *)account, .rule = (char *)"after-pitch",
                             .step = (char *)"one", .round = 1, .planned_ms = 1, .due_ms = 1, .created_ms = 1};
    g_autofree char *message_id = g_strdup_printf("%s@example.com", time);
    assert_done(store_outbox_add(rig->store, &message, &error));
    assert_done(store_outbox_claim(rig->store, message.id, message_id, at(time), &claimed, &error));
    assert_true(claimed);
}

static void assert_allowed_at(Rig *rig, const char *time, guint wanted, guint allowed, const char *next)
{
    guint ret_allowed = 0;
    gint64 next_ms = 0;
    clock_set(rig->clock, at(time));
    assert_done(limits_allow(rig->core, config_account(rig->core->config, "anna"), wanted, &ret_allowed, &next_ms, &error));
    assert_int_equal(ret_allowed, allowed);
    if (allowed == 0)
        assert_true(next_ms == at(next));
}

static void test_nothing_said_does_not_limit(void **state)
{
    Rig *rig = *state;
    tried_at(rig, "anna", "2026-03-02 10:00");
    assert_allowed_at(rig, "2026-03-02 10:00", 1000, 1000, NULL);
}

static void test_per_hour_is_a_sliding_window(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "per_hour = 3;");
    assert_allowed_at(rig, "2026-03-02 10:00", 10, 3, NULL);
    tried_at(rig, "anna", "2026-03-02 10:00");
    tried_at(rig, "anna", "2026-03-02 10:50");
    assert_allowed_at(rig, "2026-03-02 10:50", 10, 1, NULL);
    tried_at(rig, "anna", "2026-03-02 10:55");
    assert_allowed_at(rig, "2026-03-02 10:59:59", 10, 0, "2026-03-02 11:00");
    assert_allowed_at(rig, "2026-03-02 11:00", 10, 1, NULL);
    assert_allowed_at(rig, "2026-03-02 11:55", 10, 3, NULL);
}

static void test_the_narrower_limit_counts(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "per_hour = 2; per_day = 3;");
    tried_at(rig, "anna", "2026-03-02 10:00");
    tried_at(rig, "anna", "2026-03-02 11:30");
    assert_allowed_at(rig, "2026-03-02 12:00", 10, 1, NULL);
    tried_at(rig, "anna", "2026-03-02 12:10");
    assert_allowed_at(rig, "2026-03-02 13:30", 10, 0, "2026-03-03 10:00");
}

static void test_every_lets_one_go_at_a_time(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "every = \"30 seconds\";");
    assert_allowed_at(rig, "2026-03-02 10:00", 10, 1, NULL);
    tried_at(rig, "anna", "2026-03-02 10:00");
    assert_allowed_at(rig, "2026-03-02 10:00:29", 10, 0, "2026-03-02 10:00:30");
    assert_allowed_at(rig, "2026-03-02 10:00:30", 10, 1, NULL);
}

/* Never less than `every`, at most `every` + `jitter`, and the same for the same try, so that a restart changes nothing. */
static void test_jitter_stays_within_its_bounds_and_is_repeatable(void **state)
{
    Rig *rig = *state;
    guint allowed = 0;
    gint64 next_ms = 0, again_ms = 0;
    gboolean seen_any = FALSE;
    rig_configure(rig, RULES, "every = \"30 seconds\"; jitter = \"20 seconds\";");
    const Account *anna = config_account(rig->core->config, "anna");
    for (int minute = 10; minute < 30; minute++) {
        g_autofree char *time = g_strdup_printf("2026-03-02 10:%02d", minute);
        tried_at(rig, "anna", time);
        clock_set(rig->clock, at(time));
        assert_done(limits_allow(rig->core, anna, 1, &allowed, &next_ms, &error));
        assert_done(limits_allow(rig->core, anna, 1, &allowed, &again_ms, &error));
        assert_int_equal(allowed, 0);
        assert_true(next_ms == again_ms);
        assert_in_range(next_ms - at(time), 30 * SECOND, 50 * SECOND);
        seen_any = seen_any || next_ms != at(time) + 30 * SECOND;
    }
    assert_true(seen_any);
}

static void test_another_accounts_messages_do_not_count(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "per_hour = 1; every = \"1 hour\";");
    tried_at(rig, "bo", "2026-03-02 10:00");
    assert_allowed_at(rig, "2026-03-02 10:00", 10, 1, NULL);
}

static void test_a_clock_set_back_by_years_silences_nobody(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "per_hour = 2; every = \"30 seconds\";");
    tried_at(rig, "anna", "2036-03-02 10:00");
    tried_at(rig, "anna", "2036-03-02 10:10");
    assert_allowed_at(rig, "2026-03-02 10:00", 10, 1, NULL);
    tried_at(rig, "anna", "2026-03-02 10:00");
    assert_allowed_at(rig, "2026-03-02 10:00:29", 10, 0, "2026-03-02 10:00:30");
    tried_at(rig, "anna", "2026-03-02 10:01");
    assert_allowed_at(rig, "2026-03-02 10:30", 10, 0, "2026-03-02 11:00");
}

static void test_a_clock_set_back_a_little_lets_nothing_more_go(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "every = \"30 seconds\";");
    tried_at(rig, "anna", "2026-03-02 10:00:10");
    assert_allowed_at(rig, "2026-03-02 10:00", 10, 0, "2026-03-02 10:00:40");
}

/* Two on the first 24 hours from the first message, one more on each day after, at most four. */
static void test_a_new_accounts_number_grows_by_the_day(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "ramp = { start = 2; step = 1; max = 4; };");
    assert_allowed_at(rig, "2026-03-02 10:00", 10, 2, NULL);
    tried_at(rig, "anna", "2026-03-02 10:00");
    tried_at(rig, "anna", "2026-03-02 15:00");
    /* full; on the next day there is one more, and the oldest has left the window at the same time */
    assert_allowed_at(rig, "2026-03-02 16:00", 10, 0, "2026-03-03 10:00");
    assert_allowed_at(rig, "2026-03-03 10:00", 10, 2, NULL);
    tried_at(rig, "anna", "2026-03-03 10:00");
    tried_at(rig, "anna", "2026-03-03 10:01");
    assert_allowed_at(rig, "2026-03-03 12:00", 10, 0, "2026-03-03 15:00");
    assert_allowed_at(rig, "2026-03-12 10:00", 10, 4, NULL);
}

static void test_the_ramp_does_not_widen_per_day(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, RULES, "per_day = 1; ramp = { start = 2; step = 1; max = 4; };");
    tried_at(rig, "anna", "2026-03-02 10:00");
    assert_allowed_at(rig, "2026-03-02 12:00", 10, 0, "2026-03-03 10:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(test_nothing_said_does_not_limit),
        with_rig(test_per_hour_is_a_sliding_window),
        with_rig(test_the_narrower_limit_counts),
        with_rig(test_every_lets_one_go_at_a_time),
        with_rig(test_jitter_stays_within_its_bounds_and_is_repeatable),
        with_rig(test_a_clock_set_back_by_years_silences_nobody),
        with_rig(test_a_clock_set_back_a_little_lets_nothing_more_go),
        with_rig(test_another_accounts_messages_do_not_count),
        with_rig(test_a_new_accounts_number_grows_by_the_day),
        with_rig(test_the_ramp_does_not_widen_per_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
