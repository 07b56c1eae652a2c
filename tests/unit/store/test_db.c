/* Protects: the seam to the database: values as bound, statements within statements, and its errors as STORE_ERRORs. */
#include "fixture.h"

#include <sys/wait.h>

static void values_are_read_as_bound(void **state)
{
    Db *db = store_of(state)->db;
    GError *error = NULL;
    g_autoptr(DbStatement) row = db_query(db, "SELECT $3, $2, $1, $4, $5, $1", &error, DB_INT(G_MAXINT64), DB_REAL(0.1),
                                          DB_TEXT("a'b\"ø"), DB_TEXT(NULL), DB_NULL);
    assert_non_null(row);
    assert_int_equal(db_step(row, &error), DB_ROW);
    assert_string_equal(db_text(row, 0), "a'b\"ø");
    assert_true(db_real(row, 1) > 0.0999 && db_real(row, 1) < 0.1001);
    assert_true(db_int(row, 2) == G_MAXINT64);
    assert_string_equal(db_text(row, 3), "");
    assert_false(db_is_null(row, 3));
    assert_true(db_is_null(row, 4));
    assert_string_equal(db_text(row, 4), "");
    assert_true(db_int(row, 5) == G_MAXINT64);
    assert_int_equal(db_step(row, &error), DB_DONE);
}

static void a_statement_in_use_is_not_disturbed(void **state)
{
    Db *db = store_of(state)->db;
    GError *error = NULL;
    const char *sql = "SELECT $1 UNION ALL SELECT $1 + 1";
    g_autoptr(DbStatement) outer = db_query(db, sql, &error, DB_INT(10));
    assert_int_equal(db_step(outer, &error), DB_ROW);
    gint64 inner = 0;
    assert_done(db_run_int(db, sql, NULL, &inner, &error, DB_INT(20)));
    assert_int_equal(inner, 20);
    assert_int_equal(db_step(outer, &error), DB_ROW);
    assert_int_equal(db_int(outer, 0), 11);
    g_clear_pointer(&outer, db_release);
    assert_done(db_run_int(db, sql, NULL, &inner, &error, DB_INT(30)));
    assert_int_equal(inner, 30);
    guint kept = 0;
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, db->statements);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        kept += key == sql;
    assert_int_equal(kept, 1);
}

static void bad_sql_and_bad_values_are_errors(void **state)
{
    Db *db = store_of(state)->db;
    GError *error = NULL;
    assert_refused(db_run(db, "SELEC 1", &error), STORE_ERROR_FAILED);
    assert_refused(db_run(db, "SELECT $1", &error, DB_INT(1), DB_INT(2)), STORE_ERROR_FAILED);
    gboolean found = TRUE;
    gint64 number = 7;
    assert_done(db_run_int(db, "SELECT 1 FROM contact", &found, &number, &error));
    assert_false(found);
    assert_int_equal(number, 0);
}

static void keys_and_checks_are_told_apart(void **state)
{
    Db *db = store_of(state)->db;
    GError *error = NULL;
    const char *add = "INSERT INTO suppression (address, reason, detail, at_ms) VALUES ($1, '', '', 1)";
    assert_done(db_run(db, add, &error, DB_TEXT("a@b.no")));
    assert_refused(db_run(db, add, &error, DB_TEXT("a@b.no")), STORE_ERROR_EXISTS);
    assert_refused(db_run(db, add, &error, DB_TEXT("")), STORE_ERROR_FAILED);
    assert_refused(db_run(db, "INSERT INTO alias VALUES ('x@y', '@y', 99)", &error), STORE_ERROR_FAILED);
    add_contact(store_of(state), "r@b.no");
    assert_refused(db_run(db,
                          "INSERT INTO referral (referrer_id, address, name, state, evidence, message_id, rule, at_ms)"
                          " VALUES (1, 'f@b.no', '', 'perhaps', '', '', '', 1)",
                          &error),
                   STORE_ERROR_FAILED);
    const char *refer = "INSERT INTO referral (referrer_id, address, name, state, evidence, message_id, rule, at_ms)"
                        " VALUES (1, 'f@b.no', '', 'proposed', '', '', '', 1)";
    assert_done(db_run(db, refer, &error));
    assert_refused(db_run(db, refer, &error), STORE_ERROR_EXISTS);
    assert_refused(db_run(db, "UPDATE contact SET email = ''", &error), STORE_ERROR_FAILED);
}

static void a_full_disk_loses_nothing_that_was_committed(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    add_contact(store, "first@example.no");
    g_autofree char *limit = g_strdup_printf("PRAGMA max_page_count=%d", (int)number_of(store, "PRAGMA page_count") + 4);
    run(store, limit);
    g_autofree char *long_text = g_strnfill(200000, 'x');
    ContactEdit edit = {.email = "second@example.no", .first_name = long_text};
    assert_refused(store_contact_save(store, &edit, NULL, "research", NOW, NULL, NULL, &error), STORE_ERROR_FULL);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 1);

    /* the same inside a transaction of the caller's: SQLite may have rolled back by itself */
    StoreTransaction *transaction = store_begin(store, &error);
    add_contact(store, "third@example.no");
    assert_refused(store_contact_save(store, &edit, NULL, "research", NOW, NULL, NULL, &error), STORE_ERROR_FULL);
    assert_refused(store_commit(transaction, &error), STORE_ERROR_FAILED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 1);
    run(store, "PRAGMA max_page_count=1000000");
    save_edit(store, &edit, CONTACT_CREATED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 2);
}

static void another_writer_is_busy_for_the_time_out_only(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    g_autoptr(Store) other = store_open(fixture->url, 0, NULL);
    run(fixture->store, "PRAGMA busy_timeout=100");
    StoreTransaction *held = store_begin(other, &error);
    gint64 start = g_get_monotonic_time();
    assert_refused(store_mark(fixture->store, 1, &error), STORE_ERROR_BUSY);
    assert_null(store_begin(fixture->store, &error));
    assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY));
    g_clear_error(&error);
    assert_true(g_get_monotonic_time() - start >= 150 * 1000);
    guint64 count = 0;
    assert_done(store_contact_count(fixture->store, &count, &error)); /* reading goes on */
    add_contact(other, "a@b.no");
    assert_done(store_commit(held, &error));
    assert_done(store_mark(fixture->store, 1, &error));
}

static gboolean write_in_callback(const Contact *contact, gpointer data)
{
    store_mark(data, contact->id, NULL);
    return TRUE;
}

static void a_callback_that_writes_is_a_bug(void **state)
{
    Fixture *fixture = *state;
    add_contact(fixture->store, "a@b.no");
    pid_t child = fork();
    if (child == 0) {
        g_autoptr(Store) store = store_open(fixture->url, 0, NULL);
        close(STDOUT_FILENO); /* the assertion's words are not this test's */
        close(STDERR_FILENO);
        store_contact_each(store, NULL, write_in_callback, store, NULL);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

typedef struct {
    Store *store;
    guint seen;
    gboolean nested; /* read the same list again within the list */
} Reading;

static gboolean read_in_callback(const Contact *contact, gpointer data)
{
    Reading *reading = data;
    GError *error = NULL;
    g_autoptr(Contact) same = NULL;
    assert_done(store_contact_get(reading->store, contact->id, &same, &error));
    assert_string_equal(same->email, contact->email);
    if (reading->nested) {
        Reading inner = {.store = reading->store};
        assert_done(store_contact_each(reading->store, NULL, read_in_callback, &inner, &error));
        assert_int_equal(inner.seen, 3);
    }
    reading->seen++;
    return TRUE;
}

static void a_callback_may_read(void **state)
{
    Reading outer = {.store = store_of(state), .nested = TRUE};
    GError *error = NULL;
    for (int i = 0; i < 3; i++) {
        g_autofree char *email = g_strdup_printf("%d@b.no", i);
        add_contact(outer.store, email);
    }
    assert_done(store_contact_each(outer.store, NULL, read_in_callback, &outer, &error));
    assert_int_equal(outer.seen, 3);
}

static void keys_fold_in_every_script(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {{NULL, ""},
                 {"", ""},
                 {"ABC-9", "abc-9"},
                 {"ÅSE", "åse"},
                 {"Straße", "strasse"},
                 {"МИР", "мир"},
                 {"bad \xff", "bad \xff"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *key = store_key(cases[i].text);
        assert_string_equal(key, cases[i].want);
    }
    g_autofree char *bare = store_message_key("<A.b@C>"), *plain = store_message_key("A.b@C"),
                    *short_one = store_message_key("<"), *none = store_message_key(NULL);
    assert_string_equal(bare, "a.b@c");
    assert_string_equal(plain, "a.b@c");
    assert_string_equal(short_one, "<");
    assert_string_equal(none, "");
    assert_string_equal(store_domain_of("\"a@b\"@c.no"), "@c.no");
    assert_string_equal(store_domain_of("nobody"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(values_are_read_as_bound),
        with_store(a_statement_in_use_is_not_disturbed),
        with_store(bad_sql_and_bad_values_are_errors),
        with_store(keys_and_checks_are_told_apart),
        with_store(a_full_disk_loses_nothing_that_was_committed),
        with_store(another_writer_is_busy_for_the_time_out_only),
        with_store(a_callback_that_writes_is_a_bug),
        with_store(a_callback_may_read),
        cmocka_unit_test(keys_fold_in_every_script),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
