/*
 * Protects: somebody gets one variant of a step, the same on every day and after a restart; the shares are those of the weights; what the
 * queue says is what is sent and stands on the history; a variant that is taken out of the rules is sent to nobody any more.
 */
#include "engine/variant.h"
#include "faults.h"

#define RULE_TRIES(variants)                                                                                                \
    "{ name = \"tries\"; anchor = \"stage\"; when = { stage = \"pitching\"; };"                                             \
    "  steps = ( { after = \"1 day\"; template = \"ask\"; " variants " } ); }"
#define A_AND_B "variants = ( { template = \"ask-a\"; weight = 3; }, { template = \"ask-b\"; weight = 1; } );"

static int setup(void **state)
{
    int failed = rig_setup(state);
    if (failed)
        return failed;
    rig_write(*state, "ask-a.txt", "Subject: A\n\nHello\n");
    rig_write(*state, "ask-b.txt", "Subject: B\nFrom-Name: Anna from Berg\n\nHello\n");
    rig_write(*state, "ask-c.txt", "Subject: C\n\nHello\n");
    rig_configure(*state, ACCOUNT("anna"), RULE_TRIES(A_AND_B));
    return 0;
}

#define with_variants(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

/* 20,000 people: the shares are right to a percent, whichever rule and step, and one step tells nothing of another. */
static void shares_are_those_of_the_weights(void **state)
{
    (void)state;
    Variant a = {(char *)"a", 3}, b = {(char *)"b", 1}, c = {(char *)"c", 996};
    Variant *two[] = {&a, &b, NULL}, *three[] = {&a, &b, &c, NULL}, *none[] = {NULL};
    Rule rule = {.name = (char *)"r"};
    Step first = {.template_name = (char *)"one", .variants = two},
         second = {.template_name = (char *)"two", .variants = two};
    Step rare = {.template_name = (char *)"one", .variants = three},
         plain = {.template_name = (char *)"one", .variants = none};
    guint of_a = 0, of_both = 0, of_rare = 0;
    for (gint64 id = 1; id <= 20000; id++) {
        gboolean one = *variant_choose(&rule, &first, id, "") == 'a', other = *variant_choose(&rule, &second, id, "") == 'a';
        of_a += one ? 1 : 0;
        of_both += one && other ? 1 : 0;
        of_rare += *variant_choose(&rule, &rare, id, "") == 'b';
        assert_ptr_equal(variant_choose(&rule, &first, id, ""), variant_choose(&rule, &first, id, ""));
    }
    assert_in_range(of_a, 14800, 15200);
    assert_in_range(of_both, 11050, 11450); /* 9 of 16 */
    assert_in_range(of_rare, 5, 40);
    assert_string_equal(variant_choose(&rule, &first, 7, "b"), "b");     /* what was given stays … */
    assert_string_not_equal(variant_choose(&rule, &first, 7, "z"), "z"); /* … while there is such a variant */
    assert_string_equal(variant_choose(&rule, &plain, 7, "b"), "");
}

static gint64 queued(Rig *rig, guint i)
{
    g_autofree char *email = g_strdup_printf("p%u@customer.test", i);
    gint64 contact = rig_pitched(rig, email, 0);
    rig_decide(rig, contact);
    rig_queue_due(rig);
    assert_message(rig, contact, "ask", OUTBOX_QUEUED);
    return contact;
}

static char *variant_of(Rig *rig, gint64 contact)
{
    g_autoptr(OutboxMessage) message = rig_message(rig, contact);
    return g_strdup(message->variant);
}

/* The only letter that is due, composed. */
static void claim_one(Rig *rig, gint64 contact, ComposedMessage *ret_composed, char **ret_template)
{
    GError *error = NULL;
    const ClaimAccount account = {.account = config_account(rig->config, "anna"), .paused = ""};
    g_autoptr(OutboxMessage) message = rig_message(rig, contact);
    ClaimResult claim;
    assert_done(claim_message(rig->core, &account, message, &claim, &error));
    assert_non_null(claim.letter);
    *ret_template = g_strdup(letter_template(claim.letter));
    assert_done(letter_compose(claim.letter, ret_composed, &error));
    letter_free(claim.letter);
}

static gboolean on_interaction(const Interaction *interaction, gpointer data)
{
    if (interaction->kind == INTERACTION_SENT) {
        g_free(*(char **)data);
        *(char **)data = g_strdup(interaction->variant);
    }
    return TRUE;
}

static void send_to(Rig *rig, gint64 contact, const char *want)
{
    GError *error = NULL;
    ComposedMessage composed = {0};
    g_autofree char *used = NULL;
    g_autofree char *on_history = NULL;
    claim_one(rig, contact, &composed, &used);
    g_autofree char *on_row = variant_of(rig, contact);
    assert_string_equal(used, want);
    assert_string_equal(on_row, want);
    assert_string_equal(composed.subject, g_str_equal(want, "ask-a") ? "A" : g_str_equal(want, "ask-b") ? "B" : "C");
    gboolean own_name =
        strstr(g_bytes_get_data(composed.bytes, NULL), "From: Anna from Berg <anna@example.com>\r\n") != NULL;
    assert_int_equal(own_name, g_str_equal(want, "ask-b"));
    composed_message_clear(&composed);
    rig_outcome(rig, contact, DELIVERY_SENT);
    assert_done(store_history_each(rig->store, contact, on_interaction, &on_history, &error));
    assert_string_equal(on_history, want);
}

static void what_the_queue_says_is_sent_and_stands_on_the_history(void **state)
{
    Rig *rig = *state;
    guint seen[2] = {0};
    for (guint i = 0; i < 40; i++) {
        gint64 contact = queued(rig, i);
        g_autofree char *variant = variant_of(rig, contact);
        seen[g_str_equal(variant, "ask-b")]++;
        send_to(rig, contact, variant);
    }
    assert_true(seen[0] > seen[1] && seen[1] > 0);
}

static void a_reload_that_changes_weights_moves_nobody(void **state)
{
    Rig *rig = *state;
    gint64 contacts[30];
    char *before[30];
    for (guint i = 0; i < 30; i++) {
        contacts[i] = queued(rig, i);
        before[i] = variant_of(rig, contacts[i]);
    }
    rig_configure(rig, ACCOUNT("anna"),
                  RULE_TRIES("variants = ( \"ask-c\", { template = \"ask-b\"; weight = 1000; }, \"ask-a\" );"));
    for (guint i = 0; i < 30; i++) {
        send_to(rig, contacts[i], before[i]);
        g_free(before[i]);
    }
}

static void a_variant_that_was_taken_out_is_sent_to_nobody(void **state)
{
    Rig *rig = *state;
    guint moved = 0;
    for (guint i = 0; i < 30; i++) {
        rig_configure(rig, ACCOUNT("anna"), RULE_TRIES(A_AND_B));
        gint64 contact = queued(rig, i);
        g_autofree char *before = variant_of(rig, contact);
        rig_configure(rig, ACCOUNT("anna"), RULE_TRIES("variants = [ \"ask-a\", \"ask-c\" ];"));
        const Rule *rule = config_rule(rig->config, "tries");
        gboolean stays = g_str_equal(before, "ask-a");
        send_to(rig, contact, stays ? "ask-a" : variant_choose(rule, rule->steps[0], contact, ""));
        moved += !stays;
    }
    assert_true(moved > 0);
}

/* The step's own name needs no template of its own where it tries others. */
static void variants_must_be_there(void **state)
{
    Rig *rig = *state;
    g_autoptr(GPtrArray) faults = NULL;
    g_autofree char *path = g_build_filename(rig->folder, "ask-b.txt", NULL);
    g_remove(path);
    g_autoptr(TemplateSet) set = templates_load(rig->config, &faults, NULL);
    assert_null(set);
    assert_int_equal(faults->len, 1);
    assert_non_null(strstr(faults->pdata[0], "template \"ask-b\" is not in"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_variants(shares_are_those_of_the_weights),
        with_variants(what_the_queue_says_is_sent_and_stands_on_the_history),
        with_variants(a_reload_that_changes_weights_moves_nobody),
        with_variants(a_variant_that_was_taken_out_is_sent_to_nobody),
        with_variants(variants_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
