/* Protects: the history as written, stop events after a mark, marks in order and once, and that rules mark whom they can touch. */
#include "fixture.h"

#include "store/conditions_sql.h"

static gboolean note_kind(const Interaction *interaction, gpointer data)
{
    GString *found = data;
    g_string_append_printf(found, "%s ", interaction_kind_name(interaction->kind));
    return found->len < 12;
}

static void it_is_told_oldest_first(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 a = add_contact(store, "a@b.no"), b = add_contact(store, "b@b.no"), id = 0;
    run(store, "DELETE FROM interaction");
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = a, .at_ms = 30, .kind = INTERACTION_NOTE}, &id, &error));
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = b, .at_ms = 5, .kind = INTERACTION_TASK}, NULL, &error));
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = a, .at_ms = 10, .kind = INTERACTION_CALL}, NULL, &error));
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = a, .at_ms = 10, .kind = INTERACTION_SENT}, NULL, &error));
    g_autoptr(GString) found = g_string_new(NULL);
    assert_done(store_history_each(store, a, note_kind, found, &error));
    assert_string_equal(found->str, "call sent note ");
    assert_refused(store_history_add(store, &(Interaction){.contact_id = 99, .kind = INTERACTION_NOTE}, NULL, &error),
                   STORE_ERROR_FAILED);
}

static gboolean same_text(const Interaction *found, gpointer data)
{
    const Interaction *want = data;
    assert_int_equal(found->kind, want->kind);
    assert_int_equal(found->at_ms, want->at_ms);
    assert_int_equal(found->contact_id, want->contact_id);
    assert_string_equal(found->account, want->account);
    assert_string_equal(found->rule, want->rule);
    assert_string_equal(found->step, want->step);
    assert_string_equal(found->subject, want->subject);
    assert_string_equal(found->text, want->text);
    assert_string_equal(found->full_text, "");
    assert_string_equal(found->message_id, want->message_id);
    assert_string_equal(found->detail, want->detail);
    return TRUE;
}

static void every_kind_is_read_as_written(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no");
    for (guint kind = 0; kind <= INTERACTION_TAG; kind++) {
        Interaction want = {.contact_id = contact,
                            .at_ms = NOW,
                            .kind = (InteractionKind)kind,
                            .account = "anna",
                            .rule = "r'; DROP TABLE contact;--",
                            .step = "s",
                            .subject = "Hei 👋",
                            .text = "ja\n\ntakk",
                            .message_id = "x@y",
                            .detail = "550 5.1.1"};
        InteractionKind parsed = INTERACTION_OTHER;
        run(store, "DELETE FROM interaction");
        assert_done(store_history_add(store, &want, NULL, &error));
        assert_done(store_history_each(store, contact, same_text, &want, &error));
        assert_true(interaction_kind_parse(interaction_kind_name(want.kind), &parsed));
        assert_int_equal(parsed, kind);
    }
    InteractionKind none;
    assert_false(interaction_kind_parse("lunch", &none));
}

static void stop_events_are_those_after_a_mark(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 a = add_contact(store, "a@b.no"), b = add_contact(store, "b@b.no"), newest = 0;
    run(store, "DELETE FROM interaction");
    guint kinds = 1;
    assert_done(store_history_kinds_after(store, a, 0, &kinds, &newest, &error));
    assert_int_equal(kinds, 0);
    assert_int_equal(newest, 0);
    gint64 reply = 0, call = 0;
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = a, .kind = INTERACTION_REPLY, .at_ms = 9}, &reply, &error));
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = a, .kind = INTERACTION_CALL, .at_ms = 1}, &call, &error));
    assert_done(
        store_history_add(store, &(Interaction){.contact_id = b, .kind = INTERACTION_BOUNCE, .at_ms = 9}, NULL, &error));
    assert_done(store_history_kinds_after(store, a, 0, &kinds, &newest, &error));
    assert_int_equal(kinds, 1U << INTERACTION_REPLY | 1U << INTERACTION_CALL);
    assert_int_equal(newest, call);
    assert_done(store_history_kinds_after(store, a, reply, &kinds, NULL, &error));
    assert_int_equal(kinds, 1U << INTERACTION_CALL);
    assert_done(store_history_kinds_after(store, a, call, &kinds, NULL, &error));
    assert_int_equal(kinds, 0);
}

/* ---- marks ---- */

static char *marks_text(Store *store, guint limit)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) contacts = NULL;
    gint64 last_mark = 0;
    GString *found = g_string_new(NULL);
    assert_done(store_contacts_marked(store, limit, &contacts, &last_mark, &error));
    assert_int_equal(last_mark != 0, contacts->len != 0);
    for (guint i = 0; i < contacts->len; i++)
        g_string_append_printf(found, "%d ", (int)((Contact *)contacts->pdata[i])->id);
    return g_string_free(found, FALSE);
}

static void expect_marks(Store *store, guint limit, const char *want)
{
    g_autofree char *found = marks_text(store, limit);
    assert_string_equal(found, want);
}

/* Marked again after it was read, a contact keeps that mark. */
static void marks_are_cleared_up_to_what_was_read(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    g_autoptr(GPtrArray) contacts = NULL;
    gboolean exist = FALSE;
    gint64 last_mark = 0, a = add_contact(store, "a@b.no"), b = add_contact(store, "b@b.no");
    run(store, "DELETE FROM mark");
    assert_done(store_marks_exist(store, &exist, &error));
    assert_false(exist);
    assert_done(store_mark(store, a, &error));
    assert_done(store_mark(store, b, &error));
    assert_done(store_contacts_marked(store, 1, &contacts, &last_mark, &error));
    assert_done(store_marks_clear_until(store, last_mark, &error));
    assert_done(store_mark(store, a, &error));
    g_autofree char *want = g_strdup_printf("%d %d ", (int)b, (int)a);
    expect_marks(store, 10, want);
    assert_done(store_marks_exist(store, &exist, &error));
    assert_true(exist);
}

static void marks_come_in_order_and_once(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean exists = FALSE;
    add_contact(store, "1@b.no");
    add_contact(store, "2@b.no");
    add_contact(store, "3@b.no");
    expect_marks(store, 10, "1 2 3 ");
    assert_done(store_mark_clear(store, 1, &error));
    assert_done(store_mark(store, 1, &error));
    assert_done(store_mark(store, 2, &error));
    expect_marks(store, 10, "2 3 1 ");
    expect_marks(store, 2, "2 3 ");
    assert_done(store_mark_exists(store, 1, &exists, &error));
    assert_true(exists);
    assert_done(store_mark_clear(store, 1, &error));
    assert_done(store_mark_exists(store, 1, &exists, &error));
    assert_false(exists);
}

static void time_marks_whom_it_touches(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 at = 1;
    guint marked = 9;
    assert_done(store_marks_next(store, &at, &error));
    assert_int_equal(at, 0);
    for (int i = 1; i <= 4; i++) {
        g_autofree char *email = g_strdup_printf("%d@b.no", i);
        assert_done(store_contact_set_reconsider(store, add_contact(store, email), NOW + 10 - i, &error));
    }
    run(store, "DELETE FROM mark");
    assert_done(store_mark(store, 4, &error));
    assert_done(store_marks_next(store, &at, &error));
    assert_int_equal(at, NOW + 6);
    assert_done(store_marks_add_due(store, NOW + 8, 2, &marked, &error));
    assert_int_equal(marked, 2);
    expect_marks(store, 10, "4 3 ");
    assert_done(store_marks_add_due(store, NOW + 8, 2, &marked, &error));
    assert_int_equal(marked, 1);
    expect_marks(store, 10, "4 3 2 ");
    assert_done(store_marks_next(store, &at, &error));
    assert_int_equal(at, NOW + 9);
    assert_done(store_contact_set_reconsider(store, 1, 0, &error));
    assert_done(store_marks_next(store, &at, &error));
    assert_int_equal(at, 0);
}

/* ---- rules ---- */

typedef struct {
    const char *name;
    Condition when, unless; /* kind -1: none */
    const char *want;
} RuleCase;

#define WORDS(...) ((char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define NONE                                                                                                                \
    {                                                                                                                       \
        .kind = (ConditionKind)-1                                                                                           \
    }

static void mark_by_rule(Store *store, Rule *rule, guint64 *ret_marked)
{
    GError *error = NULL;
    Config config = {.rules = rule != NULL ? (Rule *[]){rule, NULL} : (Rule *[]){NULL}};
    assert_done(store_marks_add_for_rules(store, &config, NOW, ret_marked, &error));
}

static void conditions_select_whom_they_can_touch(void **state)
{
    Store *store = store_of(state);
    const char *tags[] = {"Happy", NULL};
    save_edit(
        store,
        &(ContactEdit){
            .email = "1@b.no", .stage = "Møte", .owner = "Åse", .company = "Ås AS", .language = "nb", .source = "fair"},
        CONTACT_CREATED);
    save_edit(store, &(ContactEdit){.email = "2@b.no", .stage = "follow-up", .add_tags = tags}, CONTACT_CREATED);
    save_edit(store, &(ContactEdit){.email = "3@b.no", .stage = "pitching"}, CONTACT_CREATED);
    run(store, "UPDATE contact SET score = 5 WHERE id = 3");
    char *evil = (char *)"x') OR 1=1 --";
    const RuleCase cases[] = {
        {"all", NONE, NONE, "1 2 3 "},
        {"stage", {.kind = CONDITION_STAGE, .any_of = WORDS((char *)"MØTE", (char *)"Pitching")}, NONE, "1 3 "},
        {"stage but",
         {.kind = CONDITION_STAGE, .any_of = WORDS((char *)"MØTE", (char *)"Pitching")},
         {.kind = CONDITION_SCORE, .has_min = TRUE, .min = 5},
         "1 "},
        {"customer", {.kind = CONDITION_CUSTOMER, .flag = TRUE}, NONE, "2 "},
        {"prospect", {.kind = CONDITION_CUSTOMER, .flag = FALSE}, NONE, "1 3 "},
        {"customer age", {.kind = CONDITION_CUSTOMER_AGE, .has_min = TRUE, .min_age = {.days = 700}}, NONE, "2 "},
        {"unless old", NONE, {.kind = CONDITION_CUSTOMER_AGE, .has_max = TRUE, .max_age = {.days = 1}}, "1 2 3 "},
        {"stage age", {.kind = CONDITION_STAGE_AGE, .has_max = TRUE, .max_age = {.days = 1}}, NONE, "1 2 3 "},
        {"tag", {.kind = CONDITION_TAG, .any_of = WORDS((char *)"hAPPY")}, NONE, "2 "},
        {"no tag", NONE, {.kind = CONDITION_TAG, .any_of = WORDS((char *)"hAPPY")}, "1 3 "},
        {"owner", {.kind = CONDITION_OWNER, .any_of = WORDS((char *)"åse")}, NONE, "1 "},
        {"no owner", {.kind = CONDITION_OWNER, .any_of = WORDS((char *)"")}, NONE, "2 3 "},
        {"company", {.kind = CONDITION_COMPANY, .any_of = WORDS((char *)"ÅS as")}, NONE, "1 "},
        {"no company", NONE, {.kind = CONDITION_COMPANY, .any_of = WORDS((char *)"ÅS as")}, "2 3 "},
        {"lone", {.kind = CONDITION_COMPANY, .any_of = WORDS((char *)"")}, NONE, "2 3 "},
        {"language", {.kind = CONDITION_LANGUAGE, .any_of = WORDS((char *)"NB")}, NONE, "1 "},
        {"source", {.kind = CONDITION_SOURCE, .any_of = WORDS((char *)"web", (char *)"fair")}, NONE, "1 "},
        {"score", {.kind = CONDITION_SCORE, .has_min = TRUE, .min = 5, .has_max = TRUE, .max = 5}, NONE, "3 "},
        {"low score", {.kind = CONDITION_SCORE, .has_max = TRUE, .max = 4.5}, NONE, ""},
        {"no score", NONE, {.kind = CONDITION_SCORE, .has_min = TRUE, .min = 1}, "1 2 "},
        {"attribute", {.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"x", .flag = TRUE}, NONE, "1 2 3 "},
        {"no attribute", NONE, {.kind = CONDITION_ATTRIBUTE, .attribute = (char *)"x", .flag = TRUE}, "1 2 3 "},
        {"evil", {.kind = CONDITION_OWNER, .any_of = WORDS(evil)}, NONE, ""},
        {"nothing", {.kind = CONDITION_OWNER, .any_of = WORDS()}, NONE, ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Condition when = cases[i].when, unless = cases[i].unless;
        Rule rule = {.name = (char *)cases[i].name,
                     .digest = (char *)"1",
                     .when = (Condition *[]){(int)when.kind >= 0 ? &when : NULL, NULL},
                     .unless = (Condition *[]){(int)unless.kind >= 0 ? &unless : NULL, NULL}};
        guint64 marked = 0;
        run(store, "DELETE FROM mark; DELETE FROM rule_known");
        mark_by_rule(store, &rule, &marked);
        g_autofree char *found = marks_text(store, 10);
        if (strcmp(found, cases[i].want) != 0 || marked != strlen(found) / 2)
            fail_msg("%s: marked %s(%d), wanted %s", cases[i].name, found, (int)marked, cases[i].want);
    }
}

static void only_changed_rules_mark(void **state)
{
    Store *store = store_of(state);
    gint64 in_stage = save_edit(store, &(ContactEdit){.email = "1@b.no", .stage = "pitching"}, CONTACT_CREATED);
    gint64 enrolled = add_contact(store, "2@b.no");
    add_contact(store, "3@b.no");
    gint64 left = add_contact(store, "4@b.no");
    add_enrolment(store, enrolled, "rule", NOW);
    GError *error = NULL;
    assert_done(store_enrolment_end(store, add_enrolment(store, left, "rule", NOW), "reply", NOW, &error));
    run(store, "DELETE FROM mark");
    Condition when = {.kind = CONDITION_STAGE, .any_of = WORDS((char *)"pitching")};
    Rule rule = {.name = (char *)"rule",
                 .digest = (char *)"1",
                 .when = (Condition *[]){&when, NULL},
                 .unless = (Condition *[]){NULL}};
    guint64 marked = 0;
    mark_by_rule(store, &rule, &marked);
    assert_int_equal(marked, 2);
    g_autofree char *both = g_strdup_printf("%d %d ", (int)in_stage, (int)enrolled);
    expect_marks(store, 10, both);

    run(store, "DELETE FROM mark");
    gint64 before = number_of(store, "SELECT total_changes()");
    mark_by_rule(store, &rule, &marked);
    assert_int_equal(marked, 0);
    assert_int_equal(number_of(store, "SELECT total_changes()"), before);

    rule.digest = (char *)"2";
    mark_by_rule(store, &rule, &marked);
    assert_int_equal(marked, 2);

    /* where all are marked already, no contact is looked at, and the rule is known all the same */
    rule.digest = (char *)"3";
    run(store, "INSERT INTO mark (contact_id) SELECT id FROM contact WHERE true ON CONFLICT DO NOTHING");
    mark_by_rule(store, &rule, &marked);
    assert_int_equal(marked, 0);
    run(store, "DELETE FROM mark");
    mark_by_rule(store, &rule, &marked);
    assert_int_equal(marked, 0);
    run(store, "DELETE FROM mark");
    mark_by_rule(store, NULL, &marked); /* removed: those enrolled */
    assert_int_equal(marked, 1);
    run(store, "DELETE FROM mark");
    mark_by_rule(store, NULL, &marked);
    assert_int_equal(marked, 0);
}

static void sending_that_changed_marks_all_enrolled(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 enrolled = add_contact(store, "1@b.no");
    gint64 left = add_contact(store, "2@b.no");
    add_contact(store, "3@b.no");
    add_enrolment(store, enrolled, "one", NOW);
    add_enrolment(store, enrolled, "two", NOW);
    assert_done(store_enrolment_end(store, add_enrolment(store, left, "one", NOW), "reply", NOW, &error));
    static const struct {
        const char *digest, *want;
    } steps[] = {{"a", "1 "}, {"a", ""}, {"b", "1 "}, {"b", ""}};
    Config config = {.rules = (Rule *[]){NULL}};
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        guint64 marked = 9;
        run(store, "DELETE FROM mark");
        config.sending.digest = (char *)steps[i].digest;
        assert_done(store_marks_add_for_rules(store, &config, NOW, &marked, &error));
        expect_marks(store, 10, steps[i].want);
        assert_int_equal(marked, strlen(steps[i].want) / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(it_is_told_oldest_first),
        with_store(every_kind_is_read_as_written),
        with_store(stop_events_are_those_after_a_mark),
        with_store(marks_come_in_order_and_once),
        with_store(marks_are_cleared_up_to_what_was_read),
        with_store(time_marks_whom_it_touches),
        with_store(conditions_select_whom_they_can_touch),
        with_store(only_changed_rules_mark),
        with_store(sending_that_changed_marks_all_enrolled),
    };
    return cmocka_run_group_tests_name("history and marks", tests, NULL, NULL);
}
