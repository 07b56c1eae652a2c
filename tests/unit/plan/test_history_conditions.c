/*
 * Protects the conditions over a contact's history (replied, not_contacted, referred) in the three ways of asking: who may enter a rule,
 * who stays in it, and a step's `if`; and what the conditions say for people.
 */
#include "plan_test.h"

#include "plan/conditions.h"

static const Condition REPLIED = {.kind = CONDITION_REPLIED, .flag = TRUE};
static const Condition NOT_REPLIED = {.kind = CONDITION_REPLIED, .flag = FALSE};
static const Condition REPLIED_WITHIN = {.kind = CONDITION_REPLIED, .flag = TRUE, .has_max = TRUE, .max_age = {.days = 30}};
static const Condition NOT_REPLIED_WITHIN = {.kind = CONDITION_REPLIED, .has_max = TRUE, .max_age = {.days = 30}};
static const Condition NOT_CONTACTED = {.kind = CONDITION_NOT_CONTACTED, .has_min = TRUE, .min_age = {.days = 14}};
static const Condition REFERRED = {.kind = CONDITION_REFERRED, .flag = TRUE};
static const Condition NOT_REFERRED = {.kind = CONDITION_REFERRED, .flag = FALSE};

typedef struct {
    GTimeZone *zone;
    PlanFacts known, nobody; /* somebody who wrote on 3 November and was contacted on the 10th; somebody without history */
} World;

static int set_up(void **state)
{
    World *world = g_new0(World, 1);
    world->zone = zone_named("Europe/Oslo");
    world->known = (PlanFacts){.last_reply_ms = instant("2026-11-03T09:00:00Z"),
                               .last_contacted_ms = instant("2026-11-10T09:00:00Z"),
                               .referred = TRUE,
                               .zone = world->zone};
    world->nobody = (PlanFacts){.zone = world->zone};
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    World *world = *state;
    g_time_zone_unref(world->zone);
    g_free(world);
    return 0;
}

static void assert_answer(const PlanFacts *facts, const Condition *when, const Condition *unless, const char *now,
                          gboolean want, const char *change, const char *what)
{
    Condition *when_list[] = {(Condition *)when, NULL}, *unless_list[] = {(Condition *)unless, NULL};
    const Rule rule = {.when = when_list, .unless = unless_list};
    gint64 change_ms = -1;

    if (conditions_hold(&rule, facts, NULL, instant(now), &change_ms) != want)
        fail_msg("%s: should be %d", what, want);
    assert_instant(change_ms, change, what);
    g_autofree char *failing = conditions_failing(&rule, facts, NULL, instant(now));
    if ((failing == NULL) != want)
        fail_msg("%s: in words: %s", what, failing ? failing : "nothing fails");
}

static void test_who_enters(void **state)
{
    const World *world = *state;
    static const struct {
        const Condition *condition;
        const char *now;
        gboolean known;
        const char *change;
        gboolean nobody;
    } table[] = {
        {&REPLIED, "2026-11-20T09:00:00Z", TRUE, "0", FALSE},
        {&NOT_REPLIED, "2026-11-20T09:00:00Z", FALSE, "0", TRUE},
        {&REPLIED_WITHIN, "2026-11-20T09:00:00Z", TRUE, "2026-12-03T09:00:00Z", FALSE},
        {&REPLIED_WITHIN, "2026-12-03T08:59:59.999Z", TRUE, "2026-12-03T09:00:00Z", FALSE},
        {&REPLIED_WITHIN, "2026-12-03T09:00:00Z", FALSE, "0", FALSE},
        {&NOT_REPLIED_WITHIN, "2026-11-20T09:00:00Z", FALSE, "2026-12-03T09:00:00Z", TRUE},
        {&NOT_REPLIED_WITHIN, "2026-12-03T09:00:00Z", TRUE, "0", TRUE},
        {&NOT_CONTACTED, "2026-11-20T09:00:00Z", FALSE, "2026-11-24T09:00:00Z", TRUE},
        {&NOT_CONTACTED, "2026-11-24T09:00:00Z", TRUE, "0", TRUE},
        {&REFERRED, "2026-11-20T09:00:00Z", TRUE, "0", FALSE},
        {&NOT_REFERRED, "2026-11-20T09:00:00Z", FALSE, "0", TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *what = g_strdup_printf("row %zu", i);
        assert_answer(&world->known, table[i].condition, NULL, table[i].now, table[i].known, table[i].change, what);
        assert_answer(&world->nobody, table[i].condition, NULL, table[i].now, table[i].nobody, "0", what);
        assert_answer(&world->known, NULL, table[i].condition, table[i].now, !table[i].known, table[i].change, what);
        assert_answer(&world->nobody, NULL, table[i].condition, table[i].now, !table[i].nobody, "0", what);
    }
}

/* The rule's own messages are contacts, and what they are answered with are replies: neither may end the rule by its conditions. */
static void test_who_stays(void **state)
{
    const World *world = *state;
    const Condition *of_entry[] = {&REPLIED, &NOT_REPLIED, &REPLIED_WITHIN, &NOT_REPLIED_WITHIN, &NOT_CONTACTED};
    PlanFacts known = world->known, nobody = world->nobody;
    known.enrolled_ms = nobody.enrolled_ms = instant("2026-11-05T09:00:00Z");

    for (gsize i = 0; i < G_N_ELEMENTS(of_entry); i++) {
        g_autofree char *what = g_strdup_printf("condition %zu", i);
        assert_answer(&known, of_entry[i], NULL, "2026-11-20T09:00:00Z", TRUE, "0", what);
        assert_answer(&known, NULL, of_entry[i], "2026-11-20T09:00:00Z", TRUE, "0", what);
        assert_answer(&nobody, of_entry[i], NULL, "2026-11-20T09:00:00Z", TRUE, "0", what);
        assert_answer(&nobody, NULL, of_entry[i], "2026-11-20T09:00:00Z", TRUE, "0", what);
    }
    /* what is not about entering still counts */
    assert_answer(&nobody, &REFERRED, NULL, "2026-11-20T09:00:00Z", FALSE, "0", "referred");
}

static void test_step_conditions(void **state)
{
    const World *world = *state;
    static const struct {
        const Condition *condition;
        const char *enrolled;
        gboolean known;
        const char *failing;
        gboolean nobody;
        const char *failing_nobody;
    } table[] = {
        {&REPLIED, "2026-11-05T09:00:00Z", FALSE,
         "wrote on 2026-11-03; the step wants somebody who did since 2026-11-05, when the rule began for them", FALSE,
         "has never written; the step wants somebody who did"},
        {&REPLIED, "2026-11-03T09:00:00Z", TRUE, NULL, FALSE, "has never written; the step wants somebody who did"},
        {&NOT_REPLIED, "2026-11-03T09:00:00.001Z", TRUE, NULL, TRUE, NULL},
        {&NOT_REPLIED, "2026-11-01T09:00:00Z", FALSE, "wrote on 2026-11-03; the step wants nobody who did", TRUE, NULL},
        /* within counts whenever the rule began */
        {&REPLIED_WITHIN, "2026-11-05T09:00:00Z", TRUE, NULL, FALSE,
         "has never written; the step wants somebody who did within 30 days"},
        {&NOT_REPLIED_WITHIN, "2026-11-05T09:00:00Z", FALSE,
         "wrote on 2026-11-03; the step wants nobody who did within 30 days", TRUE, NULL},
        {&NOT_CONTACTED, "2026-11-05T09:00:00Z", FALSE, "was contacted on 2026-11-10; not before 2026-11-24 10:00", TRUE,
         NULL},
        {&REFERRED, "2026-11-05T09:00:00Z", TRUE, NULL, FALSE, "did not come by a referral"},
        {&NOT_REFERRED, "2026-11-05T09:00:00Z", FALSE, "came by a referral", TRUE, NULL},
    };
    gint64 now_ms = instant("2026-11-20T09:00:00Z");
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        Condition *list[] = {(Condition *)table[i].condition, NULL};
        const PlanFacts *people[] = {&world->known, &world->nobody};
        const gboolean wants[] = {table[i].known, table[i].nobody};
        const char *words[] = {table[i].failing, table[i].failing_nobody};
        for (gsize n = 0; n < G_N_ELEMENTS(people); n++) {
            PlanFacts facts = *people[n];
            facts.enrolled_ms = instant(table[i].enrolled);
            g_autofree char *failing = NULL;
            gboolean met = conditions_met(list, &facts, NULL, now_ms, &failing);
            if (met != wants[n] || g_strcmp0(failing, words[n]) != 0)
                fail_msg("row %zu, person %zu: %d, %s", i, n, met, failing ? failing : "nothing fails");
        }
    }
    assert_true(conditions_met(NULL, &world->known, NULL, now_ms, NULL));
}

/* All must hold; the first that does not is told. */
static void test_several_step_conditions(void **state)
{
    const World *world = *state;
    static char *pitching[] = {(char *)"pitching", NULL};
    Condition stage = {.kind = CONDITION_STAGE, .any_of = pitching};
    Condition *list[] = {(Condition *)&NOT_REPLIED, &stage, NULL};
    PlanFacts facts = world->nobody;
    g_autofree char *failing = NULL;

    facts.stage = "pitching";
    assert_true(conditions_met(list, &facts, NULL, 1, &failing));
    assert_null(failing);
    facts.stage = "research";
    assert_false(conditions_met(list, &facts, NULL, 1, NULL));
    assert_false(conditions_met(list, &facts, NULL, 1, &failing));
    assert_string_equal(failing, "stage is \"research\", not \"pitching\"");
}

static void test_words_of_rules(void **state)
{
    const World *world = *state;
    static const struct {
        const Condition *when, *unless;
        const char *words;
    } table[] = {
        {&NOT_REPLIED_WITHIN, NULL, "wrote on 2026-11-03; the rule wants nobody who did within 30 days"},
        {&NOT_REPLIED, NULL, "wrote on 2026-11-03; the rule wants nobody who did"},
        {&NOT_CONTACTED, NULL, "was contacted on 2026-11-10; not before 2026-11-24 10:00"},
        {NULL, &REPLIED_WITHIN, "replied is what the rule leaves out (unless)"},
        {NULL, &REFERRED, "referred is what the rule leaves out (unless)"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        Condition *when[] = {(Condition *)table[i].when, NULL}, *unless[] = {(Condition *)table[i].unless, NULL};
        const Rule rule = {.when = when, .unless = unless};
        g_autofree char *words = conditions_failing(&rule, &world->known, NULL, instant("2026-11-20T09:00:00Z"));
        assert_non_null(words);
        assert_string_equal(words, table[i].words);
    }
    Condition *when[] = {(Condition *)&REPLIED_WITHIN, NULL};
    const Rule rule = {.when = when};
    g_autofree char *words = conditions_failing(&rule, &world->known, NULL, instant("2027-01-20T09:00:00Z"));
    assert_string_equal(words, "wrote on 2026-11-03; the rule wants somebody who did within 30 days");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_enters),      cmocka_unit_test(test_who_stays),
        cmocka_unit_test(test_step_conditions), cmocka_unit_test(test_several_step_conditions),
        cmocka_unit_test(test_words_of_rules),
    };
    return cmocka_run_group_tests_name("plan/history_conditions", tests, set_up, tear_down);
}
