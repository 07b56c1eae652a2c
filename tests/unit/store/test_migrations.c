/*
 * Protects: a database of the first schema, with rows in every table, comes through to the newest one whole, with what the new columns
 * say of its history; and one that was killed half-way is still the old one.
 */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "store/schema.h"

enum { TABLES_OF_1 = 15 };

static const char rows_of_1[] =
    "INSERT INTO company VALUES (1, 'Ås AS', 'ås as', 'UTC', '{\"size\":4}');"
    "INSERT INTO contact VALUES"
    " (1, 'a@b.no', '@b.no', 'Åse', 'Berg', 1, 'Pitching', 'pitching', 5, 0, '', 'nb', 'nb', '', '', '', '', '{}', NULL, 0, "
    "70, 0, 1),"
    " (2, 'c@b.no', '@b.no', '', '', NULL, '', '', 0, 9, '', '', '', 'O', 'o', 's', 's', '{}', 2.5, 8, 0, 6, 1),"
    " (3, 'd@b.no', '@b.no', '', '', NULL, '', '', 0, 9, '', '', '', 'O', 'o', 's', 's', '{}', 2.5, 8, 0, 6, 1);"
    "INSERT INTO alias VALUES ('z@b.no', '@b.no', 1);"
    "INSERT INTO tag VALUES (1, 'happy', 'Happy'), (2, 'x', 'x');"
    "INSERT INTO mark VALUES (4, 2);"
    "INSERT INTO suppression VALUES ('q@q.no', 'manual', 'asked', 3);"
    "INSERT INTO interaction (id, contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, "
    "detail)"
    " VALUES (1, 1, 10, 'reply', 'anna', 'r', 's', 'Re', 't', 'f', 'm', 'd'), (2, 1, 30, 'reply', '', '', '', '', '', '', "
    "'', ''),"
    " (3, 1, 20, 'reply', '', '', '', '', '', '', '', ''), (4, 1, 99, 'sent', 'anna', 'r', 's', '', '', '', '', ''),"
    " (5, 1, 40, 'sent', 'anna', '', '', '', '', '', '', ''), (6, 1, 35, 'call', '', '', '', '', '', '', '', ''),"
    " (7, 2, 50, 'meeting', '', '', '', '', '', '', '', ''), (8, 3, 60, 'note', '', '', '', '', '', '', '', '');"
    "INSERT INTO referral VALUES (1, 1, 2, 'c@b.no', 'C', 'accepted', 'e', 'm', 'r', 7);"
    "INSERT INTO enrolment VALUES (1, 1, 'r', 1, 'active', 'pitching', 5, 's', 0, 0, 3, 5, 0, ''),"
    " (2, 2, 'r', 1, 'ended', '', 5, 's', 0, 0, 3, 5, 9, 'reply'), (3, 2, 'w', 1, 'active', '', 5, 's', 90, 0, 3, 5, 0, '');"
    "INSERT INTO outbox VALUES (1, 1, 1, 'anna', 'r', 's', 1, 'sent', 60, 60, 1, 'M@x', 'm@x', 'i', 'refs', 'Hi', '', 5, "
    "70, 71),"
    " (2, 1, 1, 'anna', 'r', 't', 1, 'queued', 80, 81, 0, '', '', '', '', '', 'window', 5, 0, 0);"
    "INSERT INTO mailbox_cursor VALUES ('anna', 'INBOX', 1, 2, 3);"
    "INSERT INTO inbound VALUES ('anna', 'f', 3);"
    "INSERT INTO rule_known VALUES ('r', 'digest', 3);"
    "INSERT INTO account VALUES ('anna', 'password', 3);"
    "DELETE FROM meta WHERE key = 'address_secret';" /* which the third schema brought */
    "DELETE FROM contact WHERE id = 3;";             /* with the newest interaction, whose number is not given again */

static Db *make_old(Fixture *fixture)
{
    GError *error = NULL;
    g_clear_pointer(&fixture->store, store_close);
    g_remove(fixture->path);
    Db *db = db_open(fixture->url, DB_MODE_CREATE, &error);
    assert_non_null(db);
    assert_done(db->driver->settle(db, &error));
    assert_done(schema_migrate(db, schema_migrations, 1, &error));
    assert_done(db->driver->script(db, rows_of_1, &error));
    return db;
}

/* For each table a statement that gives its rows, of the columns that it has now, as text. */
static GPtrArray *statements_of_all_rows(Db *db)
{
    GError *error = NULL;
    GPtrArray *statements = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(DbStatement) rows = db_query_once(
        db,
        "SELECT 'SELECT ' || (SELECT group_concat('quote(' || p.name || ')', ' || '','' || ') FROM "
        "pragma_table_info(m.name) p)"
        " || ' FROM ' || m.name || ' ORDER BY 1' FROM sqlite_master m WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        DB_VALUES(), &error);
    while (rows != NULL && db_step(rows, &error) == DB_ROW)
        g_ptr_array_add(statements, g_strdup(db_text(rows, 0)));
    assert_null(error);
    return statements;
}

/* What the statements give, without what becomes of meta: the version, and a secret that is made. */
static char *all_rows(Db *db, const GPtrArray *statements)
{
    GError *error = NULL;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < statements->len; i++) {
        g_autoptr(DbStatement) rows = db_query_once(db, statements->pdata[i], DB_VALUES(), &error);
        guint found = 0;
        while (rows != NULL && db_step(rows, &error) == DB_ROW) {
            found++;
            if (strstr(db_text(rows, 0), "schema_version") == NULL && strstr(db_text(rows, 0), "address_secret") == NULL)
                g_string_append_printf(text, "%u %s\n", i, db_text(rows, 0));
        }
        assert_null(error);
        assert_true(found > 0); /* every table is tried */
    }
    return g_string_free(text, FALSE);
}

static void every_row_comes_through(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Db) old = make_old(fixture);
    g_autoptr(GPtrArray) statements = statements_of_all_rows(old);
    assert_int_equal(statements->len, TABLES_OF_1);
    g_autofree char *before = all_rows(old, statements);
    g_clear_pointer(&old, db_close);

    GError *error = NULL;
    assert_null(store_open(fixture->url, 0, &error));
    assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_OPEN));
    g_clear_error(&error);
    fixture->store = store_open(fixture->url, STORE_OPEN_CREATE, &error);
    assert_non_null(fixture->store);
    g_autofree char *after = all_rows(fixture->store->db, statements);
    assert_string_equal(after, before);
    assert_non_null(strstr(before, store_token_secret(fixture->store))); /* the tokens that are out stay good */
    assert_int_equal(number_of(fixture->store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number_of(fixture->store, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
                     0);
    assert_int_equal(number_of(fixture->store, "SELECT count(*) FROM sqlite_master WHERE name LIKE '%interaction_2%'"), 0);
}

static void the_history_fills_the_new_columns(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    db_close(make_old(fixture));
    fixture->store = store_open(fixture->url, STORE_OPEN_CREATE, &error);
    assert_non_null(fixture->store);
    g_autoptr(Contact) one = NULL, two = NULL;
    assert_done(store_contact_get(fixture->store, 1, &one, &error));
    assert_done(store_contact_get(fixture->store, 2, &two, &error));
    assert_int_equal(one->last_reply_ms, 30); /* the latest, not the last written */
    assert_int_equal(one->last_talk_ms, 40);  /* what a rule sent is no talk */
    assert_int_equal(two->last_reply_ms, 0);
    assert_int_equal(two->last_talk_ms, 50);
    assert_false(one->referred);
    assert_true(two->referred);
    g_autoptr(OutboxMessage) message = NULL;
    assert_done(store_outbox_get(fixture->store, 2, &message, &error));
    assert_int_equal(message->priority, 0);
    assert_false(message->is_task);
    assert_int_equal(message->approval, APPROVAL_NONE);

    gint64 due_ms = 0; /* of the one that waits for its time */
    g_autoptr(Enrolment) enrolment = NULL;
    assert_done(store_enrolments_next_due(fixture->store, &due_ms, &error));
    assert_int_equal(due_ms, 90);
    assert_done(store_enrolment_get(fixture->store, 3, &enrolment, &error));
    assert_int_equal(enrolment->due_ms, 90);

    /* the new table is as strict as the old one, and counts on */
    gint64 id = 0;
    Interaction tag = {.contact_id = 2, .at_ms = 1, .kind = INTERACTION_TAG, .detail = "added x"};
    assert_done(store_history_add(fixture->store, &tag, &id, &error));
    assert_int_equal(id, 9);
    assert_refused(store_history_add(fixture->store, &(Interaction){.contact_id = 77}, NULL, &error), STORE_ERROR_FAILED);
    assert_false(fixture->store->db->driver->script(fixture->store->db, "UPDATE interaction SET kind = 'lunch' WHERE id = 9",
                                                    &error));
    g_clear_error(&error);
    assert_done(store_contact_forget(fixture->store, 2, &error));
    assert_int_equal(number_of(fixture->store, "SELECT count(*) FROM interaction WHERE contact_id = 2"), 0);
}

/* All statements of the migrations behind the first, and then the end. */
static void migrate_and_die(const char *url)
{
    g_autoptr(Db) db = db_open(url, DB_MODE_READ_WRITE, NULL);
    if (db == NULL || !db_begin(db, NULL))
        _exit(1);
    for (gsize i = 1; i < schema_n_migrations; i++)
        if (!schema_run(db, &schema_migrations[i], NULL))
            _exit(1);
    kill(getpid(), SIGKILL);
}

static void one_that_was_killed_half_way_is_still_old(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Db) old = make_old(fixture);
    g_autoptr(GPtrArray) statements = statements_of_all_rows(old);
    g_autofree char *before = all_rows(old, statements);
    g_clear_pointer(&old, db_close);
    pid_t child = fork();
    if (child == 0)
        migrate_and_die(fixture->url);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));

    old = db_open(fixture->url, DB_MODE_READ_WRITE, NULL);
    gint64 version = 0;
    assert_true(schema_version(old, &version, NULL));
    assert_int_equal(version, 1);
    g_autoptr(GPtrArray) statements_now = statements_of_all_rows(old);
    g_autofree char *now = all_rows(old, statements_now); /* of the columns that there are: none is new */
    assert_string_equal(now, before);
    g_clear_pointer(&old, db_close);
    fixture->store = store_open(fixture->url, STORE_OPEN_CREATE, NULL);
    assert_non_null(fixture->store);
    g_autofree char *after = all_rows(fixture->store->db, statements);
    assert_string_equal(after, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(every_row_comes_through),
        with_store(the_history_fills_the_new_columns),
        with_store(one_that_was_killed_half_way_is_still_old),
    };
    return cmocka_run_group_tests_name("migrations", tests, NULL, NULL);
}
