/*
 * Protects: an account that gets too much back stops by itself, says why, and counts anew when a person lets it go on.
 */
#include "rig.h"

#include "engine/breaker.h"
#include "store/accounts.h"

/* So many messages of anna's were sent, and so many of them came back, an hour before now. */
static void sent(Rig *rig, const char *prefix, int messages, int back, InteractionKind kind)
{
    for (int i = 0; i < messages; i++) {
        g_autofree char *email = g_strdup_printf("%s%d@x.no", prefix, i);
        gboolean claimed = FALSE;
        gint64 id = rig_add(rig, email, "pitching", "2026-02-27 12:00");
        rig_decide(rig, id);
        g_autoptr(Enrolment) enrolment = rig_enrolment(rig, id, "after-pitch");
        OutboxMessage message = {.contact_id = id, .enrolment_id = enrolment->id, .account = (char *)"anna", .rule = (char *)"after-pitch",
                                 .step = (char *)"one", .round = 1, .planned_ms = 1, .due_ms = 1, .created_ms = 1};
        assert_done(store_outbox_add(rig->store, &message, &error));
        assert_done(store_outbox_claim(rig->store, message.id, email, clock_now_ms(rig->clock), &claimed, &error));
        const Interaction trouble = {.contact_id = id, .at_ms = clock_now_ms(rig->clock), .kind = kind, .account = "anna"};
        if (i < back)
            assert_done(store_history_add(rig->store, &trouble, NULL, &error));
    }
}

static char *pause_after_check(Rig *rig)
{
    char *reason = NULL;
    StoreTransaction *transaction = store_begin(rig->store, NULL);
    assert_done(breaker_check(rig->core, "anna", &error));
    assert_done(store_commit(transaction, &error));
    assert_done(store_account_pause_get(rig->store, "anna", &reason, &error));
    return reason;
}

static void too_many_bounces_pause_the_account_with_the_reason(void **state)
{
    Rig *rig = *state;
    sent(rig, "a", 60, 6, INTERACTION_BOUNCE); /* ten in a hundred are allowed */
    g_autofree char *well = pause_after_check(rig);
    assert_string_equal(well, "");
    sent(rig, "b", 1, 1, INTERACTION_BOUNCE);
    g_autofree char *paused = pause_after_check(rig);
    assert_non_null(strstr(paused, "7 of its last 61 messages came back (11.5 %"));
    assert_non_null(strstr(paused, "nurture resume anna"));
}

static void complaints_weigh_more(void **state)
{
    Rig *rig = *state;
    sent(rig, "a", 60, 1, INTERACTION_COMPLAINT);
    g_autofree char *paused = pause_after_check(rig);
    assert_non_null(strstr(paused, "1 of its last 60 messages were complained about"));
}

static void few_messages_are_not_judged(void **state)
{
    Rig *rig = *state;
    sent(rig, "a", 49, 49, INTERACTION_BOUNCE);
    g_autofree char *well = pause_after_check(rig);
    assert_string_equal(well, "");
}

static void what_is_old_or_was_judged_before_does_not_count(void **state)
{
    Rig *rig = *state;
    sent(rig, "a", 60, 30, INTERACTION_BOUNCE);
    g_autofree char *paused = pause_after_check(rig);
    assert_string_not_equal(paused, "");
    clock_set(rig->clock, clock_now_ms(rig->clock) + SECOND);
    assert_done(store_account_pause_set(rig->store, "anna", "", clock_now_ms(rig->clock), &error));
    sent(rig, "b", 55, 0, INTERACTION_BOUNCE);
    g_autofree char *again = pause_after_check(rig);
    assert_string_equal(again, "");
    clock_set(rig->clock, clock_now_ms(rig->clock) + 8 * DAY);
    sent(rig, "c", 1, 1, INTERACTION_BOUNCE);
    g_autofree char *later = pause_after_check(rig);
    assert_string_equal(later, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_rig(too_many_bounces_pause_the_account_with_the_reason),
        with_rig(complaints_weigh_more),
        with_rig(few_messages_are_not_judged),
        with_rig(what_is_old_or_was_judged_before_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
