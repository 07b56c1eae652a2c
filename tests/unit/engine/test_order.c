/*
 * Protects: the order in which messages go where not all can: priority, then age, and no rule waits for ever.
 */
#include "rig.h"

#include "engine/order.h"

static OutboxMessage *row(gint64 id, int priority)
{
    OutboxMessage *message = g_new0(OutboxMessage, 1);
    message->id = id;
    message->priority = priority;
    return message;
}

/* Ids of the merged order, as "3 1 2 ". ids and priorities stand in the order of the due times. */
static char *merged(const int *priorities, guint count, guint streak, guint limit)
{
    g_autoptr(GPtrArray) oldest = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_message_free);
    g_autoptr(GPtrArray) ranked = g_ptr_array_new();
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < count; i++)
        g_ptr_array_add(oldest, row(i + 1, priorities[i]));
    for (int priority = 100; priority >= -100; priority--)
        for (guint i = 0; i < count; i++)
            if (priorities[i] == priority)
                g_ptr_array_add(ranked, oldest->pdata[i]);
    g_autoptr(GPtrArray) order = order_merge(ranked, oldest, streak, limit);
    for (guint i = 0; i < order->len; i++)
        g_string_append_printf(text, "%d ", (int)((OutboxMessage *)order->pdata[i])->id);
    return g_string_free(text, FALSE);
}

static void priority_goes_first_and_the_overtaken_after_four(void **state)
{
    (void)state;
    static const struct {
        int priorities[10];
        guint count, streak, limit;
        const char *want;
    } table[] = {
        {{0, 0, 0}, 3, 0, 3, "1 2 3 "},
        {{0, 5, 0, 9}, 4, 0, 4, "4 2 1 3 "},
        {{0, 5, 0, 9}, 4, 0, 2, "4 2 "},
        /* after four that overtook it the oldest goes, then four more may overtake the next */
        {{0, 5, 5, 5, 5, 5, 5}, 7, 0, 7, "2 3 4 5 1 6 7 "},
        {{0, 0, 5, 5, 5, 5, 5, 5, 5, 5}, 10, 0, 10, "3 4 5 6 1 7 8 9 10 2 "},
        /* what overtook it before counts, over restarts */
        {{0, 5, 5, 5, 5, 5, 5}, 7, 3, 7, "2 1 3 4 5 6 7 "},
        {{0, 5, 5}, 3, 4, 1, "1 "},
        /* nobody is overtaken by their equals */
        {{5, 5, 5, 5, 5, 5, 0}, 7, 0, 7, "1 2 3 4 5 6 7 "},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *found = merged(table[i].priorities, table[i].count, table[i].streak, table[i].limit);
        assert_string_equal(found, table[i].want);
    }
}

#define TWO_RULES                                                                                                           \
    "{ name = \"urgent\"; priority = 10; anchor = \"stage\"; when = { stage = \"pitching\"; };\n"                           \
    "  steps = ( { after = \"1 hour\"; template = \"one\"; } ); },\n"                                                     \
    "{ name = \"slow\"; anchor = \"stage\"; when = { stage = \"research\"; };\n"                                          \
    "  steps = ( { after = \"1 hour\"; template = \"two\"; } ); }\n"

static gint64 contact_in(Rig *rig, const char *email, const char *stage)
{
    gint64 id = rig_save(rig, &(ContactEdit){.email = email, .stage = stage});
    rig_decide(rig, id);
    return id;
}

/* One at a time, as `every` lets them: the store's own order, over a mailbox of five urgent and two slow ones. */
static void a_slow_rule_is_not_starved(void **state)
{
    Rig *rig = *state;
    rig_configure(rig, TWO_RULES, "");
    contact_in(rig, "s1@x.no", "research");
    contact_in(rig, "s2@x.no", "research");
    for (int i = 0; i < 7; i++) {
        g_autofree char *email = g_strdup_printf("u%d@x.no", i);
        contact_in(rig, email, "pitching");
    }
    rig_step_at(rig, "2026-03-02 12:00");
    g_autoptr(GString) rules = g_string_new(NULL);
    for (int i = 0; i < 9; i++) {
        g_autoptr(GPtrArray) due = NULL;
        g_autofree char *message_id = g_strdup_printf("m%d@example.com", i);
        assert_done(order_due(rig->store, "anna", clock_now_ms(rig->clock), 1, &due, &error));
        assert_int_equal(due->len, 1);
        const OutboxMessage *first = due->pdata[0];
        g_string_append_c(rules, first->rule[0]);
        rig_deliver(rig, first->id, message_id, DELIVERY_SENT);
        clock_set(rig->clock, clock_now_ms(rig->clock) + SECOND);
    }
    assert_string_equal(rules->str, "uuuusuuus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priority_goes_first_and_the_overtaken_after_four),
        cmocka_unit_test_setup_teardown(a_slow_rule_is_not_starved, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
