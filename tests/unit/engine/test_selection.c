/*
 * Protects: conditions mean the same for one contact (plan/conditions.c) and for many (the store's SQL). Over random contacts and
 * random rules: whom plan/ finds to fulfil the rule, now or at any later time by an age, is among those that a new rule marks; and
 * where SQL can say all of the conditions, nobody else is but those enrolled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above first */
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "plan/conditions.h"
#include "store/contacts.h"
#include "store/enrolments.h"
#include "store/history.h"
#include "store/internal.h"
#include "store/marks.h"

enum { CONTACTS = 300, RULES = 600 };

#define NOW G_GINT64_CONSTANT(1760000000000)
#define DAY G_GINT64_CONSTANT(86400000)

#define assert_done(call)                                                                                                   \
    do {                                                                                                                    \
        GError *error = NULL;                                                                                               \
        if (!(call))                                                                                                        \
            fail_msg("%s: %s", #call, error != NULL ? error->message : "no error set");                                     \
    } while (0)

/* Few, so that they meet; in all the spellings that are equal without case, and some that only look so. */
static const char *const words[] = {"pitching", "Pitching", "MØTE",      "møte", "Straße", "STRASSE",
                                    "ÅS",       "ås",       "follow-up", "x",    "X y",    ""};

typedef struct {
    GRand *random;
    char *folder;
    Store *store;
    StoreTransaction *transaction; /* all in one, never committed: it is quicker */
    GTimeZone *zone;
    GPtrArray *contacts;  /* Contact* */
    GHashTable *enrolled; /* of contact ids: has an active enrolment in RULE */
} World;

#define RULE "rule"

static gboolean chance(World *world, int percent)
{
    return g_rand_int_range(world->random, 0, 100) < percent;
}

static const char *word(World *world)
{
    return words[g_rand_int_range(world->random, 0, G_N_ELEMENTS(words))];
}

/* In the past or, now and then, to come. */
static gint64 some_time(World *world)
{
    return NOW + g_rand_int_range(world->random, -500, 30) * DAY;
}

/* ---- contacts ---- */

static void run(World *world, const char *sql)
{
    assert_done(world->store->db->driver->script(world->store->db, sql, &error));
}

static gint64 save_contact(World *world, int number)
{
    gint64 id = 0;
    g_autofree char *email = g_strdup_printf("p%d@example.no", number);
    const char *tags[] = {word(world), word(world), NULL};
    g_autoptr(GHashTable) attributes = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(attributes, (gpointer) "plan", (gpointer)word(world));
    ContactEdit edit = {
        .email = email,
        .company = chance(world, 60) ? word(world) : NULL,
        .stage = chance(world, 90) ? word(world) : NULL,
        .stage_since_ms = some_time(world),
        .customer_since_ms = chance(world, 50) ? some_time(world) : 0,
        .owner = chance(world, 80) ? word(world) : NULL,
        .language = word(world),
        .source = word(world),
        .add_tags = chance(world, 50) ? tags : NULL,
        .attributes = chance(world, 50) ? attributes : NULL,
    };
    assert_done(store_contact_save(world->store, &edit, "follow-up", "", NOW, NULL, &id, &error));
    return id;
}

static void enrich_contact(World *world, gint64 id)
{
    Interaction reply = {.contact_id = id, .kind = INTERACTION_REPLY, .at_ms = some_time(world)},
                call = {.contact_id = id, .kind = INTERACTION_CALL, .at_ms = some_time(world)};
    if (chance(world, 30))
        assert_done(store_history_add(world->store, &reply, NULL, &error));
    if (chance(world, 30))
        assert_done(store_history_add(world->store, &call, NULL, &error));
    g_autoptr(GString) sql = g_string_new("");
    int number = (int)id;
    if (chance(world, 60))
        g_string_append_printf(sql, "UPDATE contact SET score = %d WHERE id = %d;", g_rand_int_range(world->random, -3, 4),
                               number);
    if (chance(world, 30))
        g_string_append_printf(
            sql,
            "INSERT INTO referral (referrer_id, contact_id, address, name, state, evidence, message_id, rule, at_ms)"
            " VALUES (1, %d, 'p%d', '', '%s', '', '', '', 1);",
            number, number, chance(world, 70) ? "accepted" : "proposed");
    run(world, sql->str);
    if (chance(world, 15)) {
        Enrolment enrolment = {.contact_id = id, .rule = (char *)RULE, .round = 1, .enrolled_ms = NOW - DAY};
        assert_done(store_enrolment_add(world->store, &enrolment, &error));
        g_hash_table_add(world->enrolled, GINT_TO_POINTER(number));
    }
}

static void add_contact(World *world, int number)
{
    Contact *contact = NULL;
    gint64 id = save_contact(world, number);
    enrich_contact(world, id);
    assert_done(store_contact_get(world->store, id, &contact, &error));
    g_ptr_array_add(world->contacts, contact);
}

static gboolean is_enrolled(const World *world, const Contact *contact)
{
    return g_hash_table_contains(world->enrolled, GINT_TO_POINTER((int)contact->id));
}

/* ---- rules ---- */

static char **some_words(World *world)
{
    char **found = g_new0(char *, 4);
    for (int i = 0, n = g_rand_int_range(world->random, 1, 4); i < n; i++)
        found[i] = g_strdup(word(world));
    return found;
}

static void set_bounds(World *world, Condition *condition)
{
    condition->has_min = chance(world, 60);
    condition->has_max = !condition->has_min || chance(world, 30);
    condition->min = g_rand_int_range(world->random, -3, 4);
    condition->max = condition->min + g_rand_int_range(world->random, 0, 3);
    condition->min_age =
        (Duration){.months = g_rand_int_range(world->random, 0, 10), .days = g_rand_int_range(world->random, 0, 9)};
    condition->max_age =
        (Duration){.months = condition->min_age.months + 2, .business_days = g_rand_int_range(world->random, 0, 9)};
}

static Condition *some_condition(World *world, gboolean exact)
{
    static const ConditionKind exact_kinds[] = {CONDITION_STAGE,    CONDITION_CUSTOMER, CONDITION_TAG,
                                                CONDITION_OWNER,    CONDITION_COMPANY,  CONDITION_SOURCE,
                                                CONDITION_LANGUAGE, CONDITION_SCORE,    CONDITION_REFERRED};
    Condition *condition = g_new0(Condition, 1);
    condition->kind = exact ? exact_kinds[g_rand_int_range(world->random, 0, G_N_ELEMENTS(exact_kinds))]
                            : (ConditionKind)g_rand_int_range(world->random, 0, CONDITION_ATTRIBUTE + 1);
    condition->flag = chance(world, 50);
    switch (condition->kind) {
    case CONDITION_ATTRIBUTE:
        condition->attribute = g_strdup("plan");
        condition->any_of = chance(world, 60) ? some_words(world) : NULL;
        break;
    case CONDITION_CUSTOMER_AGE:
    case CONDITION_STAGE_AGE:
    case CONDITION_SCORE:
        set_bounds(world, condition);
        break;
    case CONDITION_NOT_CONTACTED:
        set_bounds(world, condition);
        condition->has_min = TRUE;
        condition->has_max = FALSE;
        break;
    case CONDITION_REPLIED:
        set_bounds(world, condition);
        condition->has_min = FALSE;
        condition->has_max = chance(world, 50);
        break;
    case CONDITION_CUSTOMER:
    case CONDITION_REFERRED:
        break;
    default:
        condition->any_of = some_words(world);
        break;
    }
    return condition;
}

static Condition **some_conditions(World *world, gboolean exact, int at_least, int at_most)
{
    int n = g_rand_int_range(world->random, at_least, at_most + 1);
    Condition **conditions = g_new0(Condition *, n + 1);
    for (int i = 0; i < n; i++)
        conditions[i] = some_condition(world, exact);
    return conditions;
}

static void free_conditions(Condition **conditions)
{
    for (Condition **condition = conditions; *condition != NULL; condition++)
        condition_free(*condition);
    g_free(conditions);
}

/* ---- the two answers ---- */

/* plan's: now, or at a later time. */
static gboolean plan_says(const World *world, const Rule *rule, const Contact *contact, gboolean *ret_now)
{
    g_autoptr(JsonObject) attributes = json_parse_object(contact->attributes, NULL);
    PlanFacts facts = {
        .stage = contact->stage,
        .owner = contact->owner,
        .company = contact->company,
        .language = contact->language,
        .source = contact->source,
        .stage_since_ms = contact->stage_since_ms,
        .customer_since_ms = contact->customer_since_ms,
        .tags = (const char *const *)contact->tags,
        .attributes = attributes,
        .has_score = contact->has_score,
        .score = contact->score,
        .referred = contact->referred,
        .last_reply_ms = contact->last_reply_ms,
        .last_contacted_ms = MAX(contact->last_contacted_ms, contact->last_talk_ms),
        .enrolled_ms = is_enrolled(world, contact) ? NOW - DAY : 0,
        .zone = world->zone,
    };
    gint64 change_ms = 0;
    *ret_now = conditions_hold(rule, &facts, NULL, NOW, &change_ms);
    return *ret_now || change_ms != 0;
}

/* The store's: ids of those whom the rule marks where it is new. */
static GHashTable *marked_by(World *world, Rule *rule)
{
    guint64 marked = 0;
    Config config = {.rules = (Rule *[]){rule, NULL}, .sending = {.digest = (char *)""}};
    g_autoptr(GPtrArray) contacts = NULL;
    gint64 last_mark = 0;
    GHashTable *found = g_hash_table_new(NULL, NULL);
    run(world, "DELETE FROM mark; DELETE FROM rule_known WHERE name <> ''");
    assert_done(store_marks_add_for_rules(world->store, &config, NOW, &marked, &error));
    assert_done(store_contacts_marked(world->store, CONTACTS + 1, &contacts, &last_mark, &error));
    assert_int_equal(contacts->len, marked);
    for (guint i = 0; i < contacts->len; i++)
        g_hash_table_add(found, GINT_TO_POINTER((int)((Contact *)contacts->pdata[i])->id));
    return found;
}

static char *in_words(const Rule *rule)
{
    GString *text = g_string_new(NULL);
    Condition **lists[] = {rule->when, rule->unless};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        for (Condition **condition = lists[i]; *condition != NULL; condition++) {
            g_autofree char *any_of = (*condition)->any_of != NULL ? g_strjoinv("|", (*condition)->any_of) : g_strdup("");
            g_string_append_printf(text, "%s kind %d flag %d any of \"%s\"; ", i == 0 ? "when" : "unless",
                                   (int)(*condition)->kind, (*condition)->flag, any_of);
        }
    return g_string_free(text, FALSE);
}

/* Counts what was compared, so that a test that compares nothing is seen. */
typedef struct {
    guint now, later, neither, marked_too_many;
} Tally;

static void compare(World *world, Rule *rule, gboolean exact, Tally *tally)
{
    g_autoptr(GHashTable) marked = marked_by(world, rule);
    for (guint i = 0; i < world->contacts->len; i++) {
        const Contact *contact = world->contacts->pdata[i];
        gboolean now = FALSE, ever = plan_says(world, rule, contact, &now);
        gboolean is_marked = g_hash_table_contains(marked, GINT_TO_POINTER((int)contact->id));
        gboolean may_be = ever || !exact || is_enrolled(world, contact);
        if ((ever && !is_marked) || (is_marked && !may_be)) {
            g_autofree char *text = in_words(rule);
            fail_msg("%s %s by SQL, and fulfils it %s by plan/: %s", contact->email, is_marked ? "is marked" : "is left out",
                     now    ? "now"
                     : ever ? "later"
                            : "never",
                     text);
        }
        *(now ? &tally->now : ever ? &tally->later : is_marked ? &tally->marked_too_many : &tally->neither) += 1;
    }
}

static void compare_rules(World *world, gboolean exact, Tally *tally)
{
    for (int i = 0; i < RULES / 2; i++) {
        Rule rule = {.name = (char *)RULE,
                     .digest = (char *)"new",
                     .when = some_conditions(world, exact, 0, 3),
                     .unless = some_conditions(world, exact, 0, 2)};
        compare(world, &rule, exact, tally);
        free_conditions(rule.when);
        free_conditions(rule.unless);
    }
}

/* ---- the world ---- */

static int setup(void **state)
{
    World *world = g_new0(World, 1);
    world->random = g_rand_new_with_seed(20261124);
    world->folder = g_dir_make_tmp("nurture-selection-XXXXXX", NULL);
    g_autofree char *url = g_strdup_printf("sqlite://%s/n.db", world->folder);
    world->store = store_open(url, STORE_OPEN_CREATE, NULL);
    world->zone = timestamp_zone("Europe/Oslo", NULL);
    world->contacts = g_ptr_array_new_with_free_func((GDestroyNotify)contact_free);
    world->enrolled = g_hash_table_new(NULL, NULL);
    *state = world;
    return world->store == NULL;
}

static int teardown(void **state)
{
    World *world = *state;
    store_transaction_free(world->transaction);
    store_close(world->store);
    static const char *const files[] = {"n.db", "n.db-wal", "n.db-shm"};
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(world->folder, files[i], NULL);
        g_remove(path);
    }
    g_rmdir(world->folder);
    g_hash_table_unref(world->enrolled);
    g_ptr_array_unref(world->contacts);
    g_time_zone_unref(world->zone);
    g_rand_free(world->random);
    g_free(world->folder);
    g_free(world);
    return 0;
}

static void sql_selects_whom_the_plan_finds(void **state)
{
    World *world = *state;
    Tally exact = {0}, wide = {0};
    assert_done((world->transaction = store_begin(world->store, &error)) != NULL);
    for (int i = 0; i < CONTACTS; i++)
        add_contact(world, i);
    compare_rules(world, TRUE, &exact);
    compare_rules(world, FALSE, &wide);
    assert_true(exact.now > CONTACTS && exact.neither > CONTACTS);
    assert_true(wide.now > CONTACTS && wide.neither > CONTACTS && wide.later > CONTACTS && wide.marked_too_many > CONTACTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sql_selects_whom_the_plan_finds, setup, teardown),
    };
    return cmocka_run_group_tests_name("selection", tests, NULL, NULL);
}
