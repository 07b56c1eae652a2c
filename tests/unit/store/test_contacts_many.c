/* Protects: many contacts saved at once end as the same ones saved one by one; what is remembered meanwhile never outlives the truth. */
#include "fixture.h"

/* batches of several statements for many rows, in which the same people come again and again, between others who are new */
enum { PEOPLE = 12, BATCH = 50, ROUNDS = 40, SEED = 20261124 };

static Store *open_other(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    g_autofree char *url = g_strconcat("sqlite://", fixture->folder, "/other.db", NULL);
    Store *other = store_open(url, STORE_OPEN_CREATE, &error);
    assert_non_null(other);
    return other;
}

/* All rows of a statement of two columns, a line each. */
static char *dump(Store *store, const char *sql)
{
    GError *error = NULL;
    g_autoptr(DbStatement) rows = db_query_once(store->db, sql, DB_VALUES(), &error);
    if (rows == NULL)
        fail_msg("%s: %s", sql, error->message);
    GString *all = g_string_new(NULL);
    while (db_step(rows, &error) == DB_ROW)
        g_string_append_printf(all, "%s: %s\n", db_text(rows, 0), db_text(rows, 1));
    assert_null(error);
    return g_string_free(all, FALSE);
}

static void assert_same(Store *one, Store *other)
{
    static const char *const questions[] = {
        "SELECT c.email, domain || first_name || last_name || stage || stage_key || stage_since_ms || ' ' || "
        "customer_since_ms || "
        "c.time_zone || language || language_key || owner || owner_key || source || source_key || c.attributes || ' ' || "
        "created_ms || "
        "coalesce(k.name, '-') FROM contact c LEFT JOIN company k ON k.id = c.company_id ORDER BY 1",
        "SELECT c.email, t.name_key || t.name FROM tag t JOIN contact c ON c.id = t.contact_id ORDER BY 1, 2",
        "SELECT c.email, i.kind || i.at_ms || i.detail || i.text FROM interaction i JOIN contact c ON c.id = i.contact_id "
        "ORDER BY 1, 2",
        "SELECT c.email, count(*) FROM mark m JOIN contact c ON c.id = m.contact_id GROUP BY 1 ORDER BY 1",
        "SELECT name, name_key FROM company ORDER BY 1",
        "SELECT address, domain FROM alias ORDER BY 1",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
        g_autofree char *want = dump(one, questions[i]);
        g_autofree char *got = dump(other, questions[i]);
        assert_string_equal(got, want);
    }
    assert_int_equal(number_of(other, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

static const char *one_of(GRand *random, const char *const *words, int n)
{
    return words[g_rand_int_range(random, 0, n)];
}

/* A wish that leaves some fields as they are, clears others, and now and then names an alias. */
static void wish(GRand *random, ContactEdit *edit, const char *const *tags, const char *newcomer)
{
    static const char *const emails[PEOPLE] = {"a@x.no", "b@x.no", "c@x.no", "d@y.no",     "e@y.no",        "f@y.no",
                                               "g@z.no", "h@z.no", "i@z.no", "alias@x.no", "\xC3\xA5@x.no", "k@z.no"};
    static const char *const words[] = {NULL, "", "Kari", "Ola", "\xC3\x85se"};
    static const char *const stages[] = {NULL, "", "research", "Pitching", "follow-up"};
    GHashTable *attributes = edit->attributes;
    g_hash_table_remove_all(attributes);
    *edit = (ContactEdit){.email = newcomer != NULL ? newcomer : one_of(random, emails, PEOPLE),
                          .first_name = one_of(random, words, 5),
                          .last_name = one_of(random, words, 5),
                          .company = one_of(random, words, 5),
                          .source = one_of(random, words, 5),
                          .stage = one_of(random, stages, 5),
                          .attributes = attributes};
    if (edit->stage != NULL && *edit->stage != '\0')
        edit->stage_since_ms = g_rand_int_range(random, 0, 3) * DAY;
    if (g_rand_boolean(random))
        edit->customer_since_ms = g_rand_int_range(random, 1, 3) * DAY;
    if (g_rand_boolean(random))
        g_hash_table_insert(attributes, (gpointer) "plan", (gpointer)(g_rand_boolean(random) ? "a \"b\" \\ \x7f" : "gold"));
    if (g_rand_boolean(random))
        g_hash_table_insert(attributes, (gpointer) "city", (gpointer)(g_rand_boolean(random) ? "" : "Troms\xC3\xB8"));
    if (g_rand_boolean(random))
        edit->add_tags = tags + g_rand_int_range(random, 0, 3);
    if (g_rand_boolean(random))
        edit->remove_tags = tags + g_rand_int_range(random, 0, 3);
}

static void save_both(Store *one, Store *many, const ContactEdit *const *edits, guint len)
{
    GError *error = NULL;
    ContactSaveResult results[BATCH], want = CONTACT_CREATED;
    assert_done(store_contacts_save(many, &(ContactEdits){.edits = edits, .len = len}, CUSTOMER_STAGE, "research", NOW,
                                    results, &error));
    for (guint i = 0; i < len; i++) {
        assert_done(store_contact_save(one, edits[i], CUSTOMER_STAGE, "research", NOW, &want, NULL, &error));
        assert_int_equal(results[i], want);
    }
}

static void many_at_once_are_the_same_as_one_by_one(void **state)
{
    static const char *const tags[] = {"happy", "VIP", "fair", NULL};
    GError *error = NULL;
    Store *one = store_of(state), *many = open_other(state);
    g_autoptr(GRand) random = g_rand_new_with_seed(SEED);
    GStringChunk *addresses = g_string_chunk_new(4096);
    ContactEdit edits[BATCH] = {{0}};
    const ContactEdit *pointers[BATCH];
    for (guint i = 0; i < BATCH; i++) {
        edits[i].attributes = g_hash_table_new(g_str_hash, g_str_equal);
        pointers[i] = &edits[i];
    }
    assert_done(store_set_bulk(many, TRUE, &error));
    for (guint round = 0; round < ROUNDS; round++) {
        guint len = (guint)g_rand_int_range(random, 0, BATCH + 1);
        gboolean mostly_new = g_rand_boolean(random);
        for (guint i = 0; i < len; i++) {
            g_autofree char *address = g_strdup_printf("n%u-%u@x.no", round, i);
            gboolean is_new = mostly_new && g_rand_int_range(random, 0, 30) != 0;
            wish(random, &edits[i], tags, is_new ? g_string_chunk_insert(addresses, address) : NULL);
        }
        save_both(one, many, pointers, len);
        if (round % 10 == 3) {
            run(one, "DELETE FROM mark");
            run(many, "DELETE FROM mark");
        }
        if (round == 1) { /* from now on an address that was nobody's is somebody's */
            gint64 in_one = add_contact(one, "somebody@x.no"), in_many = add_contact(many, "somebody@x.no");
            run(one, "DELETE FROM contact WHERE email = 'alias@x.no'");
            run(many, "DELETE FROM contact WHERE email = 'alias@x.no'");
            assert_done(store_contact_alias_add(one, in_one, "alias@x.no", &error));
            assert_done(store_contact_alias_add(many, in_many, "alias@x.no", &error));
        }
        assert_same(one, many);
    }
    assert_done(store_set_bulk(many, FALSE, &error));
    assert_int_equal(number_of(many, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number_of(many, "PRAGMA synchronous"), 2);
    for (guint i = 0; i < BATCH; i++)
        g_hash_table_unref(edits[i].attributes);
    g_string_chunk_free(addresses);
    store_close(many);
}

static void save_of_company(Store *store, const char *email)
{
    GError *error = NULL;
    ContactSaveResult result;
    const ContactEdit edit = {.email = email, .company = "Fjord AS"}, *pointer = &edit;
    assert_done(store_contacts_save(store, &(ContactEdits){.edits = &pointer, .len = 1}, CUSTOMER_STAGE, "research", NOW,
                                    &result, &error));
}

static void a_company_that_another_took_away_is_made_again(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    Store *store = fixture->store;
    assert_done(store_set_bulk(store, TRUE, &error));
    save_of_company(store, "a@x.no");
    g_autoptr(Store) other = store_open(fixture->url, STORE_OPEN_CREATE, &error);
    g_autoptr(Contact) only = NULL;
    assert_done(store_contact_find(other, "a@x.no", &only, &error));
    assert_done(store_contact_forget(other, only->id, &error));
    assert_int_equal(number_of(other, "SELECT count(*) FROM company"), 0);
    save_of_company(store, "b@x.no");
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact c JOIN company k ON k.id = c.company_id"), 1);
    assert_done(store_set_bulk(store, FALSE, &error));
}

static void a_company_that_was_rolled_back_is_made_again(void **state)
{
    GError *error = NULL;
    Store *store = store_of(state);
    assert_done(store_set_bulk(store, TRUE, &error));
    StoreTransaction *transaction = store_begin(store, &error);
    save_of_company(store, "a@x.no");
    store_transaction_free(transaction);
    save_of_company(store, "b@x.no");
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact c JOIN company k ON k.id = c.company_id"), 1);
    assert_done(store_set_bulk(store, FALSE, &error));
}

static void when_one_fails_none_is_saved(void **state)
{
    GError *error = NULL;
    Store *store = store_of(state);
    ContactSaveResult results[2];
    add_contact(store, "b@x.no");
    run(store, "UPDATE contact SET attributes = 'damaged'; DELETE FROM mark");
    g_autoptr(GHashTable) attributes = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(attributes, (gpointer) "plan", (gpointer) "gold");
    const ContactEdit good = {.email = "a@x.no", .company = "Fjord"}, bad = {.email = "b@x.no", .attributes = attributes};
    const ContactEdit *edits[] = {&good, &bad};
    assert_refused(store_contacts_save(store, &(ContactEdits){.edits = edits, .len = 2}, CUSTOMER_STAGE, "research", NOW,
                                       results, &error),
                   STORE_ERROR_FAILED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(number_of(store, "SELECT count(*) FROM company"), 0);
    assert_int_equal(number_of(store, "SELECT count(*) FROM mark"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(many_at_once_are_the_same_as_one_by_one),
        with_store(a_company_that_another_took_away_is_made_again),
        with_store(a_company_that_was_rolled_back_is_made_again),
        with_store(when_one_fails_none_is_saved),
    };
    return cmocka_run_group_tests_name("contacts_many", tests, NULL, NULL);
}
