/* Protects: opening and its words, migrations, transactions and their spoiling, the daemon's lock, the copy for rehearsals. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/schema.h"

static void expect_open(const char *url, StoreOpenFlags flags, StoreError code, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) store = store_open(url, flags, &error);
    assert_null(store);
    if (!g_error_matches(error, STORE_ERROR, (gint)code) || strstr(error->message, words) == NULL)
        fail_msg("%s: code %d, \"%s\", wanted \"%s\"", url, error->code, error->message, words);
}

static void open_errors_say_what_to_do(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *missing = g_strconcat("sqlite://", fixture->folder, "/no/n.db", NULL);
    g_autofree char *absent = g_strconcat("sqlite://", fixture->folder, "/absent.db", NULL);
    g_autofree char *folder = g_strconcat("sqlite://", fixture->folder, NULL);
    g_autofree char *under_file = g_strconcat("sqlite://", fixture->path, "/n.db", NULL);
    g_autofree char *create_it = g_strconcat("create it with: mkdir -p -m 700 ", fixture->folder, "/no", NULL);
    expect_open(missing, STORE_OPEN_CREATE, STORE_ERROR_OPEN, create_it);
    expect_open(absent, 0, STORE_ERROR_OPEN, "does not exist; it is made when");
    expect_open(absent, STORE_OPEN_READ_ONLY, STORE_ERROR_OPEN, "does not exist; it is made when");
    expect_open(folder, STORE_OPEN_CREATE, STORE_ERROR_OPEN, fixture->folder);
    expect_open(under_file, STORE_OPEN_CREATE, STORE_ERROR_OPEN, "is not a folder");
    expect_open("sqlite://n.db", STORE_OPEN_CREATE, STORE_ERROR_OPEN, "absolute path");
    expect_open("/n.db", STORE_OPEN_CREATE, STORE_ERROR_OPEN, "no scheme");
    expect_open("postgresql://me:secret@host/db", STORE_OPEN_CREATE, STORE_ERROR_OPEN, "postgresql scheme");
    g_autoptr(GError) error = NULL;
    assert_null(store_open("postgresql://me:secret@host/db", STORE_OPEN_CREATE, &error));
    assert_null(strstr(error->message, "secret"));
}

static void other_files_are_refused_and_left_alone(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *text = g_build_filename(fixture->folder, "notes.txt", NULL);
    g_autofree char *text_url = g_strconcat("sqlite://", text, NULL);
    const char *words =
        "Dear diary, this is not a database, but it is long enough to have a header of one hundred bytes or more.\n";
    assert_true(g_file_set_contents(text, words, -1, NULL));
    expect_open(text_url, STORE_OPEN_CREATE, STORE_ERROR_OPEN, "not a database");
    g_autofree char *after = NULL;
    assert_true(g_file_get_contents(text, &after, NULL, NULL));
    assert_string_equal(after, words);

    g_autofree char *other = g_build_filename(fixture->folder, "other.db", NULL);
    g_autofree char *other_url = g_strconcat("sqlite://", other, NULL);
    g_close(g_open(other, O_CREAT | O_RDWR, 0600), NULL);
    g_autoptr(Db) db = db_open(other_url, DB_MODE_READ_WRITE, NULL);
    assert_true(db->driver->script(db, "CREATE TABLE bird (name TEXT)", NULL));
    expect_open(other_url, STORE_OPEN_CREATE, STORE_ERROR_OPEN, "another program");
}

static void files_are_the_owners_alone(void **state)
{
    Fixture *fixture = *state;
    mode_t before = umask(0);
    g_autofree char *path = g_build_filename(fixture->folder, "m.db", NULL);
    g_autofree char *url = g_strconcat("sqlite://", path, NULL);
    g_autoptr(Store) store = store_open(url, STORE_OPEN_CREATE, NULL);
    assert_true(store_claim_daemon(store, NULL));
    add_contact(store, "kari@example.no");
    umask(before);
    const char *suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        struct stat status;
        assert_int_equal(stat(file, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static void settings_are_the_safe_ones(void **state)
{
    Store *store = store_of(state);
    assert_int_equal(number_of(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(number_of(store, "PRAGMA synchronous"), 2);
    assert_int_equal(number_of(store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number_of(store, "PRAGMA trusted_schema"), 0);
}

static void an_empty_file_becomes_a_store_once(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *secret = g_strdup(store_token_secret(fixture->store));
    assert_true(strlen(secret) >= 50);
    gint64 contact = add_contact(fixture->store, "kari@example.no");
    store_close(fixture->store);
    fixture->store = store_open(fixture->url, STORE_OPEN_CREATE, NULL);
    assert_string_equal(store_token_secret(fixture->store), secret);
    gint64 version = 0;
    assert_true(schema_version(fixture->store->db, &version, NULL));
    assert_int_equal(version, schema_migrations[schema_n_migrations - 1].version);
    g_autoptr(Contact) found = NULL;
    assert_true(store_contact_get(fixture->store, contact, &found, NULL));
    assert_string_equal(found->email, "kari@example.no");
}

static void a_zero_length_file_needs_create(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *path = g_build_filename(fixture->folder, "zero.db", NULL);
    g_autofree char *url = g_strconcat("sqlite://", path, NULL);
    assert_true(g_file_set_contents(path, "", 0, NULL));
    expect_open(url, 0, STORE_ERROR_OPEN, "the store is empty");
    g_autoptr(Store) store = store_open(url, STORE_OPEN_CREATE, NULL);
    assert_non_null(store);
}

static void a_newer_schema_is_refused_untouched(void **state)
{
    Fixture *fixture = *state;
    run(fixture->store, "UPDATE meta SET value = '999' WHERE key = 'schema_version'");
    g_clear_pointer(&fixture->store, store_close);
    g_autofree char *before = NULL, *after = NULL;
    gsize length_before = 0, length_after = 0;
    assert_true(g_file_get_contents(fixture->path, &before, &length_before, NULL));
    expect_open(fixture->url, STORE_OPEN_CREATE, STORE_ERROR_NEWER, "newer program (schema 999");
    expect_open(fixture->url, STORE_OPEN_READ_ONLY, STORE_ERROR_NEWER, "newer program");
    assert_true(g_file_get_contents(fixture->path, &after, &length_after, NULL));
    assert_int_equal(length_before, length_after);
    assert_memory_equal(before, after, length_before);
}

static void an_older_schema_is_migrated_or_refused(void **state)
{
    Fixture *fixture = *state;
    run(fixture->store, "UPDATE meta SET value = '0' WHERE key = 'schema_version'");
    g_clear_pointer(&fixture->store, store_close);
    expect_open(fixture->url, 0, STORE_ERROR_OPEN, "is empty");
    g_autoptr(Db) db = db_open(fixture->url, DB_MODE_READ_WRITE, NULL);
    assert_true(db_run(db, "UPDATE meta SET value = '1' WHERE key = 'schema_version'", NULL));

    const Migration good[] = {
        {1, {"SELECT no_such_function()"}}, {2, {"CREATE TABLE two (id {identity})"}}, {3, {"CREATE TABLE three (a TEXT)"}}};
    const Migration bad[] = {{4, {"CREATE TABLE four (a TEXT)"}}, {5, {"CREATE TABLE four (a TEXT)"}}};
    gint64 version = 0;
    assert_true(schema_migrate(db, good, G_N_ELEMENTS(good), NULL)); /* 1 is there already */
    assert_true(schema_version(db, &version, NULL));
    assert_int_equal(version, 3);
    assert_true(db_run(db, "INSERT INTO two DEFAULT VALUES", NULL));

    g_autoptr(GError) error = NULL;
    assert_false(schema_migrate(db, bad, G_N_ELEMENTS(bad), &error));
    assert_non_null(strstr(error->message, "four"));
    assert_true(schema_version(db, &version, NULL));
    assert_int_equal(version, 3);
    assert_null(db_query_once(db, "SELECT * FROM four", DB_VALUES(), NULL)); /* all or none */
}

static void processes_that_create_at_once_agree(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *path = g_build_filename(fixture->folder, "race.db", NULL);
    g_autofree char *url = g_strconcat("sqlite://", path, NULL);
    pid_t children[6];
    for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(store_open(url, STORE_OPEN_CREATE, NULL) != NULL ? 0 : 1);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    g_autoptr(Store) store = store_open(url, 0, NULL);
    assert_int_equal(number_of(store, "SELECT count(*) FROM meta"), 3); /* the version and two secrets */
}

static void a_transaction_is_kept_or_undone_whole(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    StoreTransaction *transaction = store_begin(store, &error);
    add_contact(store, "a@example.no");
    store_transaction_free(transaction);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 0);

    transaction = store_begin(store, &error);
    add_contact(store, "a@example.no");
    add_contact(store, "b@example.no");
    assert_done(store_commit(transaction, &error));
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 2);
}

static void a_failed_write_spoils_its_transaction(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    StoreTransaction *transaction = store_begin(store, &error);
    add_contact(store, "a@example.no");
    Interaction orphan = {.contact_id = 99, .kind = INTERACTION_NOTE, .at_ms = NOW};
    assert_refused(store_history_add(store, &orphan, NULL, &error), STORE_ERROR_FAILED);
    assert_refused(store_mark(store, 1, &error), STORE_ERROR_FAILED);
    assert_refused(store_commit(transaction, &error), STORE_ERROR_FAILED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 0);
    add_contact(store, "b@example.no"); /* and the next is whole again */
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 1);
}

static void what_exists_does_not_spoil_the_transaction(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@example.no");
    add_enrolment(store, contact, "rule", NOW);
    StoreTransaction *transaction = store_begin(store, &error);
    Enrolment again = {.contact_id = contact, .rule = (char *)"rule", .round = 1, .next_step = (char *)"one"};
    assert_refused(store_enrolment_add(store, &again, &error), STORE_ERROR_EXISTS);
    add_contact(store, "b@example.no");
    assert_done(store_commit(transaction, &error));
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 2);
}

static void one_process_is_the_daemon(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        Store *mine = store_open(fixture->url, 0, NULL);
        char byte = store_claim_daemon(mine, NULL) ? 'y' : 'n';
        if (write(ready[1], &byte, 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    char byte = 0;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_false(store_claim_daemon(fixture->store, &error));
    g_autofree char *who = g_strdup_printf("process %ld is the daemon", (long)child);
    assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_TAKEN));
    assert_non_null(strstr(error->message, who));
    g_clear_error(&error);
    /* a link is the same store */
    g_autofree char *link_path = g_build_filename(fixture->folder, "link.db", NULL);
    g_autofree char *link_url = g_strconcat("sqlite://", link_path, NULL);
    assert_int_equal(symlink(fixture->path, link_path), 0);
    g_autoptr(Store) linked = store_open(link_url, 0, NULL);
    assert_refused(store_claim_daemon(linked, &error), STORE_ERROR_TAKEN);

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_done(store_claim_daemon(fixture->store, &error)); /* the file is still there; only the lock counts */
    assert_done(store_claim_daemon(fixture->store, &error));
    assert_refused(store_claim_daemon(linked, &error), STORE_ERROR_TAKEN);
    close(ready[0]);
    close(ready[1]);
}

static void a_copy_in_memory_is_its_own(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 message = add_due_message(store, "kari@example.no");
    g_autoptr(Store) copy = store_copy_to_memory(store, &error);
    assert_non_null(copy);
    assert_string_equal(store_token_secret(copy), store_token_secret(store));
    assert_true(claim_at(copy, message, NOW));
    add_contact(copy, "ola@example.no");
    assert_int_equal(state_now(copy, message), OUTBOX_SENDING);
    assert_int_equal(state_now(store, message), OUTBOX_QUEUED);
    assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), 1);
    assert_int_equal(number_of(copy, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number_of(copy, "SELECT journal_mode = 'off' FROM pragma_journal_mode"), 1); /* it would be written for nothing */
    assert_refused(store_claim_daemon(copy, &error), STORE_ERROR_FAILED);
}

static void read_only_reads_and_nothing_else(void **state)
{
    Fixture *fixture = *state;
    GError *error = NULL;
    add_contact(fixture->store, "kari@example.no");
    g_autoptr(Store) reader = store_open(fixture->url, STORE_OPEN_READ_ONLY, &error);
    assert_non_null(reader);
    g_autoptr(Contact) contact = NULL;
    assert_done(store_contact_find(reader, "kari@example.no", &contact, &error));
    assert_non_null(contact);
    assert_refused(store_mark(reader, contact->id, &error), STORE_ERROR_FULL);
    assert_refused(store_contact_forget(reader, contact->id, &error), STORE_ERROR_FULL);
}

static void a_file_that_may_not_be_read_is_named(void **state)
{
    Fixture *fixture = *state;
    if (geteuid() == 0) {
        print_message("skipped a_file_that_may_not_be_read_is_named: root may read every file\n");
        skip();
    }
    g_autofree char *path = g_build_filename(fixture->folder, "closed.db", NULL);
    g_autofree char *url = g_strconcat("sqlite://", path, NULL);
    assert_true(g_file_set_contents(path, "", 0, NULL));
    assert_int_equal(g_chmod(path, 0), 0);
    expect_open(url, STORE_OPEN_CREATE, STORE_ERROR_OPEN, "let that user own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(open_errors_say_what_to_do),
        with_store(other_files_are_refused_and_left_alone),
        with_store(files_are_the_owners_alone),
        with_store(settings_are_the_safe_ones),
        with_store(an_empty_file_becomes_a_store_once),
        with_store(a_zero_length_file_needs_create),
        with_store(a_newer_schema_is_refused_untouched),
        with_store(an_older_schema_is_migrated_or_refused),
        with_store(processes_that_create_at_once_agree),
        with_store(a_transaction_is_kept_or_undone_whole),
        with_store(a_failed_write_spoils_its_transaction),
        with_store(what_exists_does_not_spoil_the_transaction),
        with_store(one_process_is_the_daemon),
        with_store(a_copy_in_memory_is_its_own),
        with_store(read_only_reads_and_nothing_else),
        with_store(a_file_that_may_not_be_read_is_named),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
