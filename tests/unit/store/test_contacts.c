/* Protects: adding and changing contacts by what differs and nothing more, their stages, tags, attributes, aliases, companies. */
#include "fixture.h"

static Contact *get(Store *store, gint64 id)
{
    GError *error = NULL;
    Contact *contact = NULL;
    assert_done(store_contact_get(store, id, &contact, &error));
    assert_non_null(contact);
    return contact;
}

static void clear_marks(Store *store)
{
    run(store, "DELETE FROM mark");
}

static gboolean marked(Store *store)
{
    return number_of(store, "SELECT count(*) FROM mark") > 0;
}

static GHashTable *table(const char *name, ...)
{
    GHashTable *members = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    va_list args;
    va_start(args, name);
    for (const char *key = name; key != NULL; key = va_arg(args, const char *))
        g_hash_table_insert(members, g_strdup(key), g_strdup(va_arg(args, const char *)));
    va_end(args);
    return members;
}

static gboolean collect_details(const Interaction *interaction, gpointer data)
{
    g_string_append_printf(data, "%s:%s@%" G_GINT64_FORMAT ";", interaction_kind_name(interaction->kind),
                           interaction->detail, interaction->at_ms);
    assert_string_equal(interaction->text, "");
    return TRUE;
}

static void expect_history(Store *store, gint64 id, const char *want)
{
    GError *error = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    assert_done(store_history_each(store, id, collect_details, found, &error));
    assert_string_equal(found->str, want);
}

static void a_full_contact_is_read_as_written(void **state)
{
    Store *store = store_of(state);
    g_autoptr(GHashTable) attributes = table("size", "40", "city", "Tromsø \"nord\"", NULL);
    const char *tags[] = {"VIP", "happy", "vip", "", NULL};
    gint64 id = save_edit(store,
                          &(ContactEdit){.email = "kari@example.no",
                                         .first_name = "Kari",
                                         .last_name = "Nordmann",
                                         .company = "Fjord AS",
                                         .stage = "pitching",
                                         .time_zone = "Europe/Oslo",
                                         .language = "nb",
                                         .owner = "anna",
                                         .source = "fair",
                                         .stage_since_ms = NOW - DAY,
                                         .add_tags = tags,
                                         .attributes = attributes},
                          CONTACT_CREATED);
    g_autoptr(Contact) contact = get(store, id);
    assert_string_equal(contact->email, "kari@example.no");
    assert_string_equal(contact->first_name, "Kari");
    assert_string_equal(contact->last_name, "Nordmann");
    assert_string_equal(contact->company, "Fjord AS");
    assert_string_equal(contact->company_time_zone, "");
    assert_string_equal(contact->company_attributes, "{}");
    assert_string_equal(contact->stage, "pitching");
    assert_int_equal(contact->stage_since_ms, NOW - DAY);
    assert_int_equal(contact->customer_since_ms, 0);
    assert_string_equal(contact->time_zone, "Europe/Oslo");
    assert_string_equal(contact->language, "nb");
    assert_string_equal(contact->owner, "anna");
    assert_string_equal(contact->source, "fair");
    assert_int_equal(g_strv_length(contact->tags), 2);
    assert_string_equal(contact->tags[0], "happy");
    assert_string_equal(contact->tags[1], "VIP");
    assert_string_equal(contact->attributes, "{\"city\":\"Tromsø \\\"nord\\\"\",\"size\":\"40\"}");
    assert_false(contact->has_score);
    assert_int_equal(contact->created_ms, NOW);
    expect_history(store, id, "stage:-> pitching@1759913600000;");
    assert_true(marked(store));
}

static void the_same_again_writes_nothing(void **state)
{
    Store *store = store_of(state);
    g_autoptr(GHashTable) attributes = table("size", "40", "city", "Oslo", "none", "", NULL);
    const char *tags[] = {"VIP", NULL};
    ContactEdit edit = {.email = "kari@example.no",
                        .first_name = "Kari",
                        .company = "Fjord AS",
                        .stage = "follow-up",
                        .owner = "anna",
                        .stage_since_ms = NOW - DAY,
                        .add_tags = tags,
                        .attributes = attributes};
    gint64 id = save_edit(store, &edit, CONTACT_CREATED);
    clear_marks(store);
    gint64 before = number_of(store, "SELECT total_changes()");
    const char *spelled[] = {"vip", NULL};
    edit.add_tags = spelled;
    edit.company = "FJORD as";
    edit.stage = "Follow-Up";
    assert_int_equal(save_edit(store, &edit, CONTACT_UNCHANGED), id);
    assert_int_equal(save_edit(store, &(ContactEdit){.email = "kari@example.no"}, CONTACT_UNCHANGED), id);
    assert_int_equal(number_of(store, "SELECT total_changes()"), before);
    assert_false(marked(store));
}

static void each_difference_is_applied_and_marked(void **state)
{
    Store *store = store_of(state);
    const char *tags[] = {"happy", NULL};
    g_autoptr(GHashTable) attributes = table("size", "41", NULL);
    g_autoptr(GHashTable) cleared = table("size", "", NULL);
    const ContactEdit edits[] = {
        {.email = "a@b.no", .first_name = "Kari"},
        {.email = "a@b.no", .last_name = "Nordmann"},
        {.email = "a@b.no", .company = "Fjord"},
        {.email = "a@b.no", .stage = "pitching"},
        {.email = "a@b.no", .time_zone = "UTC"},
        {.email = "a@b.no", .language = "nb"},
        {.email = "a@b.no", .owner = "anna"},
        {.email = "a@b.no", .source = "fair"},
        {.email = "a@b.no", .add_tags = tags},
        {.email = "a@b.no", .attributes = attributes},
        {.email = "a@b.no", .stage = "pitching", .stage_since_ms = NOW - 2 * DAY},
        {.email = "a@b.no", .customer_since_ms = NOW - DAY},
        {.email = "a@b.no", .remove_tags = tags},
        {.email = "a@b.no", .attributes = cleared},
        {.email = "a@b.no", .company = ""},
        {.email = "a@b.no", .owner = ""},
    };
    gint64 id = add_contact(store, "a@b.no");
    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
        clear_marks(store);
        save_edit(store, &edits[i], CONTACT_CHANGED);
        assert_true(marked(store));
        save_edit(store, &edits[i], CONTACT_UNCHANGED);
    }
    g_autoptr(Contact) contact = get(store, id);
    assert_string_equal(contact->company, "");
    assert_string_equal(contact->owner, "");
    assert_string_equal(contact->source, "fair");
    assert_string_equal(contact->attributes, "{}");
    assert_null(contact->tags[0]);
    assert_int_equal(contact->customer_since_ms, NOW - DAY);
}

static void stages_are_told_in_the_history(void **state)
{
    Store *store = store_of(state);
    gint64 id = add_contact(store, "a@b.no");
    save_edit(store, &(ContactEdit){.email = "a@b.no", .stage = "pitching", .stage_since_ms = NOW + 1}, CONTACT_CHANGED);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .stage = "pitching", .stage_since_ms = NOW + 2}, CONTACT_CHANGED);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .stage = "follow-up", .stage_since_ms = NOW + 3}, CONTACT_CHANGED);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .stage = "", .stage_since_ms = NOW + 4}, CONTACT_CHANGED);
    expect_history(store, id,
                   "stage:-> research@1760000000000;stage:research -> pitching@1760000000001;"
                   "stage:pitching -> follow-up@1760000000003;stage:follow-up ->@1760000000004;");
    g_autoptr(Contact) contact = get(store, id);
    assert_int_equal(contact->stage_since_ms, NOW + 4);
    assert_int_equal(contact->customer_since_ms, NOW + 3); /* once a customer, always known since when */
}

static void entering_the_customer_stage_makes_a_customer_once(void **state)
{
    Store *store = store_of(state);
    gint64 given = save_edit(
        store,
        &(ContactEdit){
            .email = "a@b.no", .stage = "follow-up", .stage_since_ms = NOW - DAY, .customer_since_ms = NOW - 9 * DAY},
        CONTACT_CREATED);
    g_autoptr(Contact) contact = get(store, given);
    assert_int_equal(contact->customer_since_ms, NOW - 9 * DAY);
    gint64 entered = save_edit(store, &(ContactEdit){.email = "c@b.no", .stage = "Follow-UP"}, CONTACT_CREATED);
    g_autoptr(Contact) customer = get(store, entered);
    assert_int_equal(customer->customer_since_ms, NOW);
    save_edit(store, &(ContactEdit){.email = "c@b.no", .stage = "pitching", .stage_since_ms = NOW + DAY}, CONTACT_CHANGED);
    save_edit(store, &(ContactEdit){.email = "c@b.no", .stage = "follow-up", .stage_since_ms = NOW + 2 * DAY},
              CONTACT_CHANGED);
    g_autoptr(Contact) again = get(store, entered);
    assert_int_equal(again->customer_since_ms, NOW);
    assert_int_equal(again->stage_since_ms, NOW + 2 * DAY);
}

static void an_alias_means_its_person(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 kari = add_contact(store, "kari@example.no");
    gint64 ola = add_contact(store, "ola@example.no");
    clear_marks(store);
    assert_done(store_contact_alias_add(store, kari, "kari@work.no", &error));
    assert_true(marked(store));
    assert_done(store_contact_alias_add(store, kari, "kari@work.no", &error));
    assert_refused(store_contact_alias_add(store, ola, "kari@work.no", &error), STORE_ERROR_EXISTS);
    assert_refused(store_contact_alias_add(store, ola, "kari@example.no", &error), STORE_ERROR_EXISTS);
    assert_int_equal(save_edit(store, &(ContactEdit){.email = "kari@work.no", .first_name = "Kari"}, CONTACT_CHANGED), kari);
    g_autoptr(Contact) found = NULL;
    assert_done(store_contact_find(store, "kari@work.no", &found, &error));
    assert_int_equal(found->id, kari);
    assert_string_equal(found->first_name, "Kari");
    assert_string_equal(found->email, "kari@example.no");
    g_auto(GStrv) aliases = NULL;
    assert_done(store_contact_aliases(store, kari, &aliases, &error));
    assert_string_equal(aliases[0], "kari@work.no");
    assert_null(aliases[1]);
    assert_done(store_contact_alias_remove(store, ola, "kari@work.no", &error)); /* not theirs */
    assert_int_equal(number_of(store, "SELECT count(*) FROM alias"), 1);
    assert_done(store_contact_alias_remove(store, kari, "kari@work.no", &error));
    Contact *gone = (Contact *)1;
    assert_done(store_contact_find(store, "kari@work.no", &gone, &error));
    assert_null(gone);
}

static void a_company_is_shared_and_marks_its_people(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    g_autoptr(GHashTable) attributes = table("sector", "fish", NULL);
    gint64 a = save_edit(store, &(ContactEdit){.email = "a@b.no", .company = "Ås Fisk"}, CONTACT_CREATED);
    save_edit(store, &(ContactEdit){.email = "c@b.no", .company = "ÅS FISK"}, CONTACT_CREATED);
    add_contact(store, "d@b.no");
    clear_marks(store);
    assert_done(store_company_save(store, "ås fisk", "Europe/Oslo", attributes, NULL, &error));
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 2);
    assert_int_equal(number_of(store, "SELECT count(*) FROM company"), 1);
    g_autoptr(Contact) contact = get(store, a);
    assert_string_equal(contact->company, "Ås Fisk");
    assert_string_equal(contact->company_time_zone, "Europe/Oslo");
    assert_string_equal(contact->company_attributes, "{\"sector\":\"fish\"}");
    clear_marks(store);
    assert_done(store_company_save(store, "ås fisk", "Europe/Oslo", attributes, NULL, &error));
    assert_false(marked(store));
}

static void damaged_attributes_fail_and_change_nothing(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    add_contact(store, "a@b.no");
    run(store, "UPDATE contact SET attributes = '[1'");
    g_autoptr(GHashTable) attributes = table("size", "41", NULL);
    ContactEdit edit = {.email = "a@b.no", .first_name = "Kari", .attributes = attributes};
    assert_refused(store_contact_save(store, &edit, CUSTOMER_STAGE, NULL, NOW, NULL, NULL, &error), STORE_ERROR_FAILED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact WHERE first_name = 'Kari'"), 0);
}

static gboolean count_each(const Contact *contact, gpointer data)
{
    (void)contact;
    ++*(guint *)data;
    return TRUE;
}

static gboolean take_two(const Contact *contact, gpointer data)
{
    g_string_append_printf(data, "%s ", contact->email);
    return strlen(data ? ((GString *)data)->str : "") < 10;
}

static void lists_are_filtered(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    const char *tags[] = {"Happy", NULL};
    save_edit(store,
              &(ContactEdit){.email = "b@x.no",
                             .first_name = "Åse",
                             .last_name = "Berg",
                             .stage = "pitching",
                             .owner = "Anna",
                             .company = "X"},
              CONTACT_CREATED);
    save_edit(store, &(ContactEdit){.email = "a@x.no", .stage = "follow-up", .add_tags = tags, .company = "X"},
              CONTACT_CREATED);
    save_edit(store, &(ContactEdit){.email = "c@y.no", .stage = "research"}, CONTACT_CREATED);
    const struct {
        ContactFilter filter;
        guint want;
    } table_of[] = {
        {{.stage = "Pitching"}, 1},
        {{.owner = "anna"}, 1},
        {{.tag = "happy"}, 1},
        {{.company = "x"}, 2},
        {{.customers_only = TRUE}, 1},
        {{.search = "åSE b"}, 1},
        {{.search = "X.no"}, 2},
        {{.search = "%"}, 0},
        {{.company = "x", .tag = "sad"}, 0},
        {{0}, 3},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table_of); i++) {
        guint found = 0;
        assert_done(store_contact_each(store, &table_of[i].filter, count_each, &found, &error));
        assert_int_equal(found, table_of[i].want);
    }
    g_autoptr(GString) order = g_string_new(NULL);
    assert_done(store_contact_each(store, NULL, take_two, order, &error));
    assert_string_equal(order->str, "a@x.no b@x.no ");
    guint64 count = 0;
    assert_done(store_contact_count(store, &count, &error));
    assert_int_equal(count, 3);
}

static void a_pause_is_a_fact(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_contact(store, "a@b.no");
    clear_marks(store);
    assert_done(store_contact_pause(store, id, G_MAXINT64, NOW, &error));
    assert_true(marked(store));
    g_autoptr(Contact) paused = get(store, id);
    assert_true(paused->paused_until_ms == G_MAXINT64);
    clear_marks(store);
    assert_done(store_contact_pause(store, id, G_MAXINT64, NOW, &error));
    assert_false(marked(store));
    assert_done(store_contact_pause(store, id, NOW - 1, NOW, &error)); /* over already */
    g_autoptr(Contact) resumed = get(store, id);
    assert_int_equal(resumed->paused_until_ms, 0);
    assert_true(marked(store));
}

static void expect_hold(Store *store, gint64 id, gint64 until_ms, const char *reason, gboolean changed)
{
    g_autoptr(Contact) contact = get(store, id);
    assert_true(contact->hold_until_ms == until_ms);
    assert_string_equal(contact->hold_reason, reason);
    assert_int_equal(marked(store), changed);
    clear_marks(store);
}

static void of_two_holds_the_later_counts(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_contact(store, "a@b.no");
    clear_marks(store);
    expect_hold(store, id, 0, "", FALSE);
    assert_done(store_contact_hold(store, id, NOW, "away", &error));
    expect_hold(store, id, NOW, "away", TRUE);
    assert_done(store_contact_hold(store, id, NOW - 1, "shorter", &error));
    assert_done(store_contact_hold(store, id, NOW, "as long", &error));
    expect_hold(store, id, NOW, "away", FALSE);
    assert_done(store_contact_hold(store, id, NOW + 1, "longer", &error));
    expect_hold(store, id, NOW + 1, "longer", TRUE);
    assert_done(store_contact_hold(store, id, 0, "back", &error));
    expect_hold(store, id, 0, "", TRUE);
    assert_done(store_contact_hold(store, id, 0, "back", &error));
    expect_hold(store, id, 0, "", FALSE);
    assert_done(store_contact_hold(store, 99, NOW, "nobody", &error));
    expect_hold(store, id, 0, "", FALSE);
}

static void who_was_referred_is_known(void **state)
{
    static const struct {
        const char *state;
        gboolean want;
    } cases[] = {{"proposed", FALSE}, {"accepted", TRUE}, {"declined", FALSE},
                 {"contacted", TRUE}, {"customer", TRUE}, {"lost", TRUE}};
    Store *store = store_of(state);
    gint64 referrer = add_contact(store, "a@b.no"), friend = add_contact(store, "b@b.no");
    run(store, "INSERT INTO referral (referrer_id, contact_id, address, name, state, evidence, message_id, rule, at_ms)"
               " VALUES (1, 2, 'b@b.no', '', 'proposed', '', '', '', 1)");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf("UPDATE referral SET state = '%s'", cases[i].state);
        run(store, sql);
        g_autoptr(Contact) found = get(store, friend), other = get(store, referrer);
        assert_int_equal(found->referred, cases[i].want);
        assert_false(other->referred);
    }
}

static void tags_are_told_in_the_history_of_those_there(void **state)
{
    Store *store = store_of(state);
    const char *first[] = {"Happy", "x", NULL}, *more[] = {"HAPPY", "Møte", "", NULL}, *gone[] = {"x", "y", NULL};
    gint64 id = save_edit(store, &(ContactEdit){.email = "a@b.no", .add_tags = first}, CONTACT_CREATED);
    run(store, "DELETE FROM interaction WHERE kind = 'stage'");
    expect_history(store, id, "");
    clear_marks(store);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .add_tags = more, .remove_tags = gone}, CONTACT_CHANGED);
    assert_true(marked(store));
    expect_history(store, id, "tag:removed x@1760000000000;tag:added Møte@1760000000000;");
    clear_marks(store);
    save_edit(store, &(ContactEdit){.email = "a@b.no", .add_tags = more, .remove_tags = gone}, CONTACT_UNCHANGED);
    assert_false(marked(store));
    assert_int_equal(number_of(store, "SELECT count(*) FROM interaction"), 2);
}

static void forgetting_leaves_a_digest_of_the_suppression(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    add_due_message(store, "kari@example.no");
    gint64 other = add_contact(store, "ola@example.no");
    const char *tags[] = {"x", NULL};
    gint64 id = save_edit(store, &(ContactEdit){.email = "kari@example.no", .company = "Alone AS", .add_tags = tags},
                          CONTACT_CHANGED);
    assert_done(store_contact_alias_add(store, id, "kari@work.no", &error));
    assert_done(store_suppression_add(
        store, &(Suppression){.address = "kari@example.no", .reason = "unsubscribe", .at_ms = NOW}, &error));
    g_autofree char *told =
        g_strdup_printf("INSERT INTO referral (referrer_id, address, name, state, evidence, message_id, rule, at_ms)"
                        " VALUES (%d, 'kari@work.no', 'Kari', 'proposed', '', '', '', 1)",
                        (int)other);
    run(store, told);
    assert_done(store_contact_forget(store, id, &error));
    const char *tables[] = {"alias", "tag", "enrolment", "outbox", "company", "referral"};
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strconcat("SELECT count(*) FROM ", tables[i], NULL);
        assert_int_equal(number_of(store, sql), 0);
    }
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(number_of(store, "SELECT count(*) FROM interaction"), 1);
    assert_int_equal(number_of(store, "SELECT count(*) FROM suppression"), 0);
    assert_int_equal(number_of(store, "SELECT count(*) FROM suppression_erased"), 2); /* of the alias as well */
    /* no number is given twice: a late result of a forgotten message must not meet another row */
    gint64 next = add_contact(store, "new@example.no");
    assert_true(next > id && next > other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(a_full_contact_is_read_as_written),
        with_store(the_same_again_writes_nothing),
        with_store(each_difference_is_applied_and_marked),
        with_store(stages_are_told_in_the_history),
        with_store(entering_the_customer_stage_makes_a_customer_once),
        with_store(an_alias_means_its_person),
        with_store(a_company_is_shared_and_marks_its_people),
        with_store(damaged_attributes_fail_and_change_nothing),
        with_store(lists_are_filtered),
        with_store(a_pause_is_a_fact),
        with_store(of_two_holds_the_later_counts),
        with_store(who_was_referred_is_known),
        with_store(tags_are_told_in_the_history_of_those_there),
        with_store(forgetting_leaves_a_digest_of_the_suppression),
    };
    return cmocka_run_group_tests_name("contacts", tests, NULL, NULL);
}
