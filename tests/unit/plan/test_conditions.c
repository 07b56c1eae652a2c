/*
 * Protects the conditions of a rule: every kind, ages by the calendar of the contact's zone, and that the time told for the
 * next turn is exact: the same answer until just before it, the other one at it.
 */
#include "plan_test.h"

#include "plan/conditions.h"

static char *words_pitching[] = {(char *)"qualifying", (char *)"Pitching", NULL};
static char *words_happy[] = {(char *)"happy", NULL};
static char *words_nordic[] = {(char *)"Ærlig Østby AS", (char *)"STRASSE", NULL};
static char *words_numbers[] = {(char *)"3", (char *)"4.50", NULL};
static char *words_empty[] = {NULL};

static JsonObject *attributes_of(const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

/* Two conditions at most on each side. */
static gboolean holds(const PlanFacts *facts, const Condition *when, const Condition *unless, gint64 now_ms,
                      gint64 *ret_change_ms)
{
    Condition *when_list[] = {(Condition *)when, NULL};
    Condition *unless_list[] = {(Condition *)unless, NULL};
    const Rule rule = {.when = when_list, .unless = unless_list};
    return conditions_hold(&rule, facts, NULL, now_ms, ret_change_ms);
}

static void test_each_kind(void **state)
{
    (void)state;
    static const char *const tags[] = {"vip", "HAPPY", NULL};
    g_autoptr(JsonObject) attributes =
        attributes_of("{\"city\":\"Oslo\",\"seats\":3,\"rate\":4.5,\"text\":\" 12 "
                      "\",\"odd\":\"0x10\",\"empty\":\"\",\"none\":null,\"list\":[1],"
                      "\"big\":\"1e999\",\"nan\":\"nan\",\"units\":\"12 kg\",\"yes\":true,\"firma\":\"ÆRLIG østby as\"}");
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const PlanFacts facts = {.stage = "PITCHING",
                             .owner = "anna",
                             .company = "ærlig ØSTBY as",
                             .language = "nb",
                             .source = "Straße",
                             .tags = tags,
                             .attributes = attributes,
                             .has_score = TRUE,
                             .score = 7,
                             .customer_since_ms = 5,
                             .zone = zone};
    const PlanFacts nothing = {.zone = zone};
    static const struct {
        Condition condition;
        gboolean full, empty; /* for facts, for nothing */
    } table[] = {
        {{.kind = CONDITION_STAGE, .any_of = words_pitching}, TRUE, FALSE},
        {{.kind = CONDITION_STAGE, .any_of = words_happy}, FALSE, FALSE},
        {{.kind = CONDITION_STAGE, .any_of = words_empty}, FALSE, FALSE},
        {{.kind = CONDITION_CUSTOMER, .flag = TRUE}, TRUE, FALSE},
        {{.kind = CONDITION_CUSTOMER, .flag = FALSE}, FALSE, TRUE},
        {{.kind = CONDITION_TAG, .any_of = words_happy}, TRUE, FALSE},
        {{.kind = CONDITION_TAG, .any_of = words_pitching}, FALSE, FALSE},
        {{.kind = CONDITION_OWNER, .any_of = words_happy}, FALSE, FALSE},
        {{.kind = CONDITION_COMPANY, .any_of = words_nordic}, TRUE, FALSE},
        {{.kind = CONDITION_SOURCE, .any_of = words_nordic}, TRUE, FALSE},
        {{.kind = CONDITION_LANGUAGE, .any_of = words_nordic}, FALSE, FALSE},
        {{.kind = CONDITION_SCORE, .has_min = TRUE, .min = 7}, TRUE, FALSE},
        {{.kind = CONDITION_SCORE, .has_min = TRUE, .min = 7.01}, FALSE, FALSE},
        {{.kind = CONDITION_SCORE, .has_max = TRUE, .max = 7}, TRUE, FALSE},
        {{.kind = CONDITION_SCORE, .has_max = TRUE, .max = 6.99}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"city", .flag = TRUE}, TRUE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"city", .flag = FALSE}, FALSE, TRUE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"empty", .flag = TRUE}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"none", .flag = FALSE}, TRUE, TRUE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"list", .flag = TRUE}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"yes", .flag = TRUE}, TRUE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"firma", .any_of = words_nordic}, TRUE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"seats", .any_of = words_numbers}, TRUE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"rate", .any_of = words_numbers}, TRUE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"seats", .any_of = words_happy}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"seats", .has_min = TRUE, .min = 3, .has_max = TRUE, .max = 3},
         TRUE,
         FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"seats", .has_min = TRUE, .min = 4}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"text", .has_min = TRUE, .min = 12}, TRUE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"odd", .has_min = TRUE, .min = 0}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"big", .has_min = TRUE, .min = 0}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"nan", .has_min = TRUE, .min = 0}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"units", .has_min = TRUE, .min = 0}, FALSE, FALSE},
        {{.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"city", .has_max = TRUE, .max = 9}, FALSE, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        gint64 change_ms = -1, unless_change_ms = -1;
        if (holds(&facts, &table[i].condition, NULL, 1000, &change_ms) != table[i].full ||
            holds(&nothing, &table[i].condition, NULL, 1000, NULL) != table[i].empty)
            fail_msg("row %zu", i);
        /* unless is the opposite, and neither turns by time */
        if (holds(&facts, NULL, &table[i].condition, 1000, &unless_change_ms) == table[i].full)
            fail_msg("row %zu as unless", i);
        assert_int_equal(change_ms, 0);
        assert_int_equal(unless_change_ms, 0);
    }
}

/* Bytes that are no UTF-8 must not be read past their end, and equal only themselves. */
static void test_broken_text(void **state)
{
    (void)state;
    static char *cut[] = {(char *)"caf\xC3", NULL};
    const Condition condition = {.kind = CONDITION_OWNER, .any_of = cut};
    const PlanFacts same = {.owner = "caf\xC3"}, other = {.owner = "CAF\xC3"};

    assert_true(holds(&same, &condition, NULL, 1, NULL));
    assert_false(holds(&other, &condition, NULL, 1, NULL));
}

static void test_ages(void **state)
{
    (void)state;
    g_autoptr(GTimeZone) zone = zone_named("Europe/Oslo");
    const PlanFacts facts = {.customer_since_ms = instant("2026-01-31T09:00:00Z"),
                             .stage_since_ms = instant("2026-10-24T08:00:00Z"),
                             .zone = zone};
    const Condition month_to_year = {.kind = CONDITION_CUSTOMER_AGE,
                                     .has_min = TRUE,
                                     .min_age = {.months = 1},
                                     .has_max = TRUE,
                                     .max_age = {.months = 12}};
    const Condition a_day_in_stage = {.kind = CONDITION_STAGE_AGE, .has_min = TRUE, .min_age = {.days = 1}};
    const Condition not_a_day = {.kind = CONDITION_STAGE_AGE, .has_max = TRUE, .max_age = {.days = 1}};
    static const struct {
        int condition;
        const char *now;
        gboolean holds;
        const char *change;
    } table[] = {
        {0, "2026-02-01T00:00:00Z", FALSE, "2026-02-28T09:00:00Z"},
        {0, "2026-02-28T08:59:59.999Z", FALSE, "2026-02-28T09:00:00Z"},
        {0, "2026-02-28T09:00:00Z", TRUE, "2027-01-31T09:00:00Z"},
        {0, "2027-01-31T08:59:59.999Z", TRUE, "2027-01-31T09:00:00Z"},
        {0, "2027-01-31T09:00:00Z", FALSE, "0"},
        /* a day of 25 hours */
        {1, "2026-10-25T08:59:59Z", FALSE, "2026-10-25T09:00:00Z"},
        {1, "2026-10-25T09:00:00Z", TRUE, "0"},
        {2, "2026-10-25T08:59:59Z", TRUE, "2026-10-25T09:00:00Z"},
        /* before the moment from which the age counts, it has none */
        {2, "2026-10-24T07:59:59Z", FALSE, "2026-10-24T08:00:00Z"},
    };
    const Condition *conditions[] = {&month_to_year, &a_day_in_stage, &not_a_day};
    const PlanFacts prospect = {.zone = zone};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        gint64 change_ms = -1;
        g_autofree char *what = g_strdup_printf("row %zu", i);
        gboolean got = holds(&facts, conditions[table[i].condition], NULL, instant(table[i].now), &change_ms);
        if (got != table[i].holds)
            fail_msg("%s: %d", what, got);
        assert_instant(change_ms, table[i].change, what);
        assert_false(holds(&prospect, conditions[table[i].condition], NULL, instant(table[i].now), &change_ms));
        assert_int_equal(change_ms, 0);
    }
}

/* A company's attribute counts where the contact has none of the name. */
static void test_company_attributes(void **state)
{
    (void)state;
    static char *oslo[] = {(char *)"Oslo", NULL};
    const Condition in_oslo = {.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"city", .any_of = oslo};
    const Condition big = {.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"seats", .has_min = TRUE, .min = 10};
    const Condition no_city = {.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"city", .flag = FALSE};
    static const struct {
        const char *own, *company; /* NULL: no object at all */
        gboolean in_oslo, big, no_city;
    } table[] = {
        {NULL, "{\"city\":\"Oslo\",\"seats\":12}", TRUE, TRUE, FALSE},
        {"{}", "{\"city\":\"Oslo\",\"seats\":\"12\"}", TRUE, TRUE, FALSE},
        {"{\"city\":\"\",\"seats\":null}", "{\"city\":\"Oslo\",\"seats\":12}", TRUE, TRUE, FALSE},
        {"{\"city\":\"Bergen\",\"seats\":0}", "{\"city\":\"Oslo\",\"seats\":12}", FALSE, FALSE, FALSE},
        {"{\"city\":\"Oslo\"}", "{\"city\":\"Bergen\"}", TRUE, FALSE, FALSE},
        {"{\"seats\":11}", "{\"city\":\"\"}", FALSE, TRUE, TRUE},
        {NULL, NULL, FALSE, FALSE, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(JsonObject) own = table[i].own ? attributes_of(table[i].own) : NULL;
        g_autoptr(JsonObject) company = table[i].company ? attributes_of(table[i].company) : NULL;
        const PlanFacts facts = {.attributes = own, .company_attributes = company};
        if (holds(&facts, &in_oslo, NULL, 1, NULL) != table[i].in_oslo ||
            holds(&facts, &big, NULL, 1, NULL) != table[i].big || holds(&facts, &no_city, NULL, 1, NULL) != table[i].no_city)
            fail_msg("row %zu", i);
    }
}

static void test_empty_rule_holds(void **state)
{
    (void)state;
    const Rule rule = {.name = (char *)"all"};
    const PlanFacts facts = {.stage = ""};
    gint64 change_ms = -1;
    assert_true(conditions_hold(&rule, &facts, NULL, 1, &change_ms));
    assert_int_equal(change_ms, 0);
}

/* ---- the turn, as a property ---- */

static Condition random_age(GRand *random)
{
    Condition condition = {.kind = g_rand_boolean(random) ? CONDITION_CUSTOMER_AGE : CONDITION_STAGE_AGE};
    condition.has_min = g_rand_boolean(random);
    condition.has_max = g_rand_boolean(random);
    condition.min_age = (Duration){.months = g_rand_int_range(random, 0, 4), .days = g_rand_int_range(random, 0, 40)};
    condition.max_age = (Duration){.months = g_rand_int_range(random, 0, 9),
                                   .days = g_rand_int_range(random, 0, 40),
                                   .ms = g_rand_int_range(random, 0, 9)};
    return condition;
}

/* Any condition that turns by time. */
static Condition random_timed(GRand *random)
{
    Condition condition = random_age(random);
    switch (g_rand_int_range(random, 0, 4)) {
    case 0:
        condition.kind = CONDITION_REPLIED;
        condition.flag = g_rand_boolean(random);
        break;
    case 1:
        condition.kind = CONDITION_NOT_CONTACTED;
        break;
    default:
        break;
    }
    return condition;
}

/* Walks from turn to turn; between them, at random times, the answer must be the one told. */
static void walk(const Rule *rule, const PlanFacts *facts, gint64 from_ms, GRand *random)
{
    gint64 now_ms = from_ms, change_ms = 0;
    gboolean answer = conditions_hold(rule, facts, NULL, now_ms, &change_ms);

    for (int turns = 0; turns < 40; turns++) {
        gint64 end_ms = change_ms ? change_ms : now_ms + G_GINT64_CONSTANT(86400000) * 2000;
        assert_true(end_ms > now_ms);
        for (int i = 0; i < 8; i++) {
            gint64 inside_ms = now_ms + (gint64)(g_rand_double(random) * (double)(end_ms - now_ms));
            gint64 inside_change_ms = -1;
            assert_int_equal(conditions_hold(rule, facts, NULL, inside_ms, &inside_change_ms), answer);
            assert_int_equal(inside_change_ms, change_ms);
        }
        assert_int_equal(conditions_hold(rule, facts, NULL, end_ms - 1, NULL), answer);
        if (!change_ms)
            return;
        gint64 next_ms = 0;
        assert_int_equal(conditions_hold(rule, facts, NULL, change_ms, &next_ms), !answer);
        answer = !answer;
        now_ms = change_ms;
        change_ms = next_ms;
    }
    fail_msg("ages turn without end");
}

static void test_turns(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Oslo", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "UTC"};
    guint32 seed = g_random_int();
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    print_message("random seed %u\n", seed);

    for (int round = 0; round < 2000; round++) {
        g_autoptr(GTimeZone) zone = zone_named(zones[g_rand_int_range(random, 0, G_N_ELEMENTS(zones))]);
        gint64 start_ms = instant("2011-01-01T00:00:00Z") + g_rand_int(random) * G_GINT64_CONSTANT(100);
        PlanFacts facts = {.stage_since_ms = start_ms,
                           .customer_since_ms = start_ms + g_rand_int(random) * G_GINT64_CONSTANT(5),
                           .last_reply_ms = g_rand_boolean(random) ? start_ms + g_rand_int(random) : 0,
                           .last_contacted_ms =
                               g_rand_boolean(random) ? start_ms + g_rand_int(random) * G_GINT64_CONSTANT(3) : 0,
                           .zone = zone};
        Condition pool[4];
        for (gsize i = 0; i < G_N_ELEMENTS(pool); i++)
            pool[i] = random_timed(random);
        Condition *when[] = {&pool[0], g_rand_boolean(random) ? &pool[1] : NULL, NULL};
        Condition *unless[] = {&pool[2], g_rand_boolean(random) ? &pool[3] : NULL, NULL};
        const Rule rule = {.when = when, .unless = g_rand_int_range(random, 0, 4) ? unless : NULL};
        walk(&rule, &facts, start_ms - 1000, random);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind), cmocka_unit_test(test_broken_text),
        cmocka_unit_test(test_ages),      cmocka_unit_test(test_empty_rule_holds),
        cmocka_unit_test(test_turns),     cmocka_unit_test(test_company_attributes),
    };
    return cmocka_run_group_tests_name("plan/conditions", tests, NULL, NULL);
}
