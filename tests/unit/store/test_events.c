/*
 * Protects: what of the history may stop a rule or hold a message back: tags that are added, what happens to colleagues, when the
 * person last wrote and was last spoken to; and that colleagues are marked once for each news.
 */
#include "fixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define KIND(kind) (1U << INTERACTION_##kind)

static gint64 add_to_company(Store *store, const char *email, const char *company)
{
    return save_edit(store, &(ContactEdit){.email = email, .company = company}, CONTACT_CREATED);
}

static gint64 happened(Store *store, gint64 contact, InteractionKind kind, const char *rule, gint64 at_ms)
{
    GError *error = NULL;
    gint64 id = 0;
    assert_done(store_history_add(store, &(Interaction){.contact_id = contact, .kind = kind, .rule = rule, .at_ms = at_ms},
                                  &id, &error));
    return id;
}

static gint64 newest_of_all(Store *store)
{
    GError *error = NULL;
    gint64 newest = -1;
    assert_done(store_history_newest(store, &newest, &error));
    return newest;
}

static void the_last_reply_and_talk_only_move_forward(void **state)
{
    static const struct {
        InteractionKind kind;
        const char *rule;
        gint64 at_ms, reply_ms, talk_ms;
    } steps[] = {
        {INTERACTION_REPLY, "r", 10, 10, 0},      {INTERACTION_REPLY, NULL, 7, 10, 0},
        {INTERACTION_SENT, "r", 50, 10, 0},       {INTERACTION_SENT, NULL, 20, 10, 20},
        {INTERACTION_SENT, "", 25, 10, 25},       {INTERACTION_CALL, NULL, 30, 10, 30},
        {INTERACTION_MEETING, NULL, 40, 10, 40},  {INTERACTION_CALL, NULL, 35, 10, 40},
        {INTERACTION_AUTO_REPLY, "", 60, 10, 40}, {INTERACTION_NOTE, "", 60, 10, 40},
        {INTERACTION_TASK, "", 60, 10, 40},       {INTERACTION_REPLY, "", 90, 90, 40},
    };
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_contact(store, "a@b.no"), other = add_contact(store, "b@b.no");
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        happened(store, id, steps[i].kind, steps[i].rule, steps[i].at_ms);
        g_autoptr(Contact) contact = NULL;
        assert_done(store_contact_get(store, id, &contact, &error));
        if (contact->last_reply_ms != steps[i].reply_ms || contact->last_talk_ms != steps[i].talk_ms)
            fail_msg("after step %d: reply %d, talk %d", (int)i, (int)contact->last_reply_ms, (int)contact->last_talk_ms);
    }
    g_autoptr(Contact) untouched = NULL;
    assert_done(store_contact_get(store, other, &untouched, &error));
    assert_int_equal(untouched->last_reply_ms + untouched->last_talk_ms, 0);
}

static void the_newest_of_all_is_known(void **state)
{
    Store *store = store_of(state);
    assert_int_equal(newest_of_all(store), 0);
    gint64 a = add_contact(store, "a@b.no"), b = add_contact(store, "b@b.no");
    gint64 later = happened(store, a, INTERACTION_NOTE, NULL, 9);
    assert_int_equal(newest_of_all(store), later);
    gint64 earlier = happened(store, b, INTERACTION_NOTE, NULL, 3);
    assert_int_equal(newest_of_all(store), earlier); /* by number, not by time */
}

/* ---- tags ---- */

static void expect_tagged(Store *store, gint64 contact, gboolean colleagues, gint64 after, const char *const *tags,
                          gboolean want)
{
    GError *error = NULL;
    gboolean tagged = !want;
    assert_done(colleagues ? store_history_colleagues_tagged_after(store, contact, after, tags, &tagged, &error)
                           : store_history_tagged_after(store, contact, after, tags, &tagged, &error));
    assert_int_equal(tagged, want);
}

static void a_tag_that_is_added_is_an_event(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id =
        save_edit(store, &(ContactEdit){.email = "a@b.no", .company = "X", .add_tags = WORDS("Old")}, CONTACT_CREATED);
    gint64 colleague = add_to_company(store, "c@b.no", "X"), stranger = add_to_company(store, "s@b.no", "Y");
    expect_tagged(store, id, FALSE, 0, WORDS("old"), FALSE); /* they came with it */
    gint64 before = newest_of_all(store);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .add_tags = WORDS("Wön", "Old")}, CONTACT_CHANGED);
    gint64 after = newest_of_all(store);
    assert_int_equal(after, before + 1); /* Old they had */
    expect_tagged(store, id, FALSE, before, WORDS("x", "WÖN"), TRUE);
    expect_tagged(store, id, FALSE, before, WORDS("wön2", "wö", "old"), FALSE);
    expect_tagged(store, id, FALSE, after, WORDS("wön"), FALSE);
    expect_tagged(store, id, TRUE, before, WORDS("wön"), FALSE); /* no colleague of herself */
    expect_tagged(store, colleague, TRUE, before, WORDS("wön"), TRUE);
    expect_tagged(store, colleague, TRUE, after, WORDS("wön"), FALSE);
    expect_tagged(store, colleague, FALSE, before, WORDS("wön"), FALSE);
    expect_tagged(store, stranger, TRUE, 0, WORDS("wön"), FALSE);
    guint kinds = 0;
    assert_done(store_history_kinds_after(store, id, before, &kinds, NULL, &error));
    assert_int_equal(kinds, KIND(TAG));
}

static void a_tag_that_is_taken_away_is_none(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    add_to_company(store, "c@b.no", "X");
    gint64 id =
        save_edit(store, &(ContactEdit){.email = "a@b.no", .company = "X", .add_tags = WORDS("Won")}, CONTACT_CREATED);
    gint64 before = newest_of_all(store), newest = 0;
    save_edit(store, &(ContactEdit){.email = "a@b.no", .remove_tags = WORDS("won", "other")}, CONTACT_CHANGED);
    assert_int_equal(newest_of_all(store), before + 1); /* the history tells it */
    expect_tagged(store, id, FALSE, 0, WORDS("won"), FALSE);
    expect_tagged(store, 1, TRUE, 0, WORDS("won"), FALSE);
    guint kinds = 1;
    assert_done(store_history_kinds_after(store, id, before, &kinds, &newest, &error));
    assert_int_equal(kinds, 0);
    assert_int_equal(newest, before + 1);
    assert_done(store_history_colleagues_kinds_after(store, 1, before, &kinds, &error));
    assert_int_equal(kinds, 0);
}

/* ---- colleagues ---- */

static guint colleagues_kinds(Store *store, gint64 contact, gint64 after)
{
    GError *error = NULL;
    guint kinds = G_MAXUINT;
    assert_done(store_history_colleagues_kinds_after(store, contact, after, &kinds, &error));
    return kinds;
}

static void colleagues_are_all_others_of_the_company(void **state)
{
    Store *store = store_of(state);
    gint64 a = add_to_company(store, "a@b.no", "X"), b = add_to_company(store, "b@b.no", "x"),
           c = add_to_company(store, "c@b.no", "X"), other = add_to_company(store, "o@b.no", "Y"),
           alone = add_contact(store, "1@b.no");
    add_contact(store, "2@b.no");
    run(store, "DELETE FROM interaction");
    gint64 own = happened(store, a, INTERACTION_CALL, NULL, 1);
    happened(store, b, INTERACTION_REPLY, NULL, 2);
    gint64 last = happened(store, c, INTERACTION_MEETING, NULL, 2);
    happened(store, other, INTERACTION_BOUNCE, NULL, 3);
    happened(store, 6, INTERACTION_NOTE, NULL, 3); /* without a company, as alone */
    assert_int_equal(colleagues_kinds(store, a, 0), KIND(REPLY) | KIND(MEETING));
    assert_int_equal(colleagues_kinds(store, b, 0), KIND(CALL) | KIND(MEETING));
    assert_int_equal(colleagues_kinds(store, b, own), KIND(MEETING));
    assert_int_equal(colleagues_kinds(store, a, last), 0);
    assert_int_equal(colleagues_kinds(store, alone, 0), 0);
    assert_int_equal(colleagues_kinds(store, other, 0), 0);
}

/* As it is told when nothing was known before: from the histories. */
static void assert_told(Store *store, gint64 contact, gint64 after, guint want)
{
    assert_int_equal(colleagues_kinds(store, contact, after), want);
    run(store, "DELETE FROM company_event; UPDATE company SET events_known = 0");
    assert_int_equal(colleagues_kinds(store, contact, after), want);
}

/* What is kept of a company's events is what the histories say, whoever comes, goes, or has the last word. */
static void what_is_known_of_a_company_follows_its_people(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 a = add_to_company(store, "a@b.no", "X"), b = add_to_company(store, "b@b.no", "X"), c = add_to_company(store, "c@b.no", "X");
    gint64 mover = add_to_company(store, "m@b.no", "Y"), stays = add_to_company(store, "s@b.no", "Y");
    assert_told(store, a, 0, 0);
    gint64 first = happened(store, a, INTERACTION_REPLY, NULL, 1);
    gint64 second = happened(store, b, INTERACTION_REPLY, NULL, 2);
    gint64 third = happened(store, b, INTERACTION_REPLY, NULL, 3);
    happened(store, c, INTERACTION_SENT, NULL, 4);
    happened(store, c, INTERACTION_BOUNCE, NULL, 4);
    assert_told(store, a, third - 1, KIND(REPLY));
    assert_told(store, a, third, 0);
    assert_told(store, b, first - 1, KIND(REPLY)); /* a's, older than two of their own */
    assert_told(store, b, first, 0);
    assert_told(store, c, second, KIND(REPLY));
    happened(store, mover, INTERACTION_CALL, NULL, 5);
    assert_told(store, stays, third, KIND(CALL));
    save_edit(store, &(ContactEdit){.email = "m@b.no", .company = "X"}, CONTACT_CHANGED);
    assert_told(store, stays, 0, 0); /* they took it along */
    assert_told(store, c, third, KIND(CALL));
    assert_told(store, mover, third - 1, KIND(REPLY));
    assert_done(store_contact_forget(store, b, &error));
    assert_told(store, c, 0, KIND(REPLY) | KIND(CALL));
    assert_told(store, c, first, KIND(CALL));
    save_edit(store, &(ContactEdit){.email = "m@b.no", .company = ""}, CONTACT_CHANGED);
    assert_told(store, c, first, 0);
    assert_told(store, mover, 0, 0);
}

static void tell(Store *store, gint64 contact, const char *const *rules, const char *want)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) marked = NULL;
    gint64 last_mark = 0;
    g_autoptr(GString) found = g_string_new(NULL);
    run(store, "DELETE FROM mark");
    assert_done(store_mark_colleagues(store, contact, rules, &error));
    assert_done(store_contacts_marked(store, 100, &marked, &last_mark, &error));
    for (guint i = 0; i < marked->len; i++)
        g_string_append_printf(found, "%d ", (int)((Contact *)marked->pdata[i])->id);
    assert_string_equal(found->str, want);
}

static void colleagues_are_told_each_news_once(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    for (char email[] = "1@b.no"; email[0] <= '5'; email[0]++) /* their ids, too */
        add_to_company(store, email, email[0] == '5' ? "Y" : "X");
    add_enrolment(store, 1, "r", NOW);
    add_enrolment(store, 2, "r", NOW);
    add_enrolment(store, 3, "other", NOW);
    add_enrolment(store, 5, "r", NOW);
    assert_done(store_enrolment_end(store, add_enrolment(store, 4, "r", NOW), "reply", NOW, &error));
    run(store, "DELETE FROM interaction");
    tell(store, 1, WORDS("r"), ""); /* nothing happened */
    happened(store, 1, INTERACTION_SENT, NULL, 1);
    happened(store, 1, INTERACTION_BOUNCE, NULL, 1);
    assert_done(store_history_add(store, &(Interaction){.contact_id = 1, .kind = INTERACTION_STAGE, .detail = "-> pitching"}, NULL, &error));
    assert_done(store_history_add(store, &(Interaction){.contact_id = 1, .kind = INTERACTION_TAG, .detail = "removed won"}, NULL, &error));
    tell(store, 1, WORDS("r"), ""); /* nothing of it stops a colleague's rule */
    happened(store, 1, INTERACTION_REPLY, NULL, 1);
    tell(store, 1, WORDS("nobody's", "r"), "2 ");
    tell(store, 1, WORDS("r", "other"), ""); /* told */
    happened(store, 1, INTERACTION_REPLY, NULL, 1);
    tell(store, 1, WORDS("r", "other"), "2 3 ");
    tell(store, 2, WORDS("r"), ""); /* what was told to her is no news of hers */
    happened(store, 2, INTERACTION_CALL, NULL, 1);
    tell(store, 2, WORDS("r"), "1 ");
    happened(store, 5, INTERACTION_CALL, NULL, 1);
    tell(store, 5, WORDS("r"), ""); /* has no colleague */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(the_last_reply_and_talk_only_move_forward), with_store(the_newest_of_all_is_known),
        with_store(a_tag_that_is_added_is_an_event),           with_store(a_tag_that_is_taken_away_is_none),
        with_store(colleagues_are_all_others_of_the_company),
        with_store(what_is_known_of_a_company_follows_its_people),  with_store(colleagues_are_told_each_news_once),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
