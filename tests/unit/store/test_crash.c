/*
 * Protects: what was acknowledged survives SIGKILL at any moment, nothing half-done does, and two processes that write at once both
 * succeed. The child writes and tells through a pipe what was committed; it is killed at a random moment; what it told must be there.
 */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 12, LONGEST_US = 60000, WRITERS = 4, EACH = 60 };

/* One person with enrolment and message in one transaction, then the claim in another, until killed. */
static void write_until_killed(const char *url, int round, int out)
{
    g_autoptr(Store) store = store_open(url, STORE_OPEN_CREATE, NULL);
    for (int i = 0; store != NULL; i++) {
        g_autofree char *email = g_strdup_printf("r%d-%d@example.no", round, i);
        StoreTransaction *transaction = store_begin(store, NULL);
        gint64 id = add_due_message(store, email);
        if (!store_commit(transaction, NULL))
            _exit(1);
        gint64 told[2] = {id, OUTBOX_QUEUED};
        if (write(out, told, sizeof told) != sizeof told)
            _exit(1);
        if (!claim_at(store, id, NOW))
            _exit(1);
        told[1] = OUTBOX_SENDING;
        if (write(out, told, sizeof told) != sizeof told)
            _exit(1);
    }
    _exit(1);
}

static void check_told(Store *store, int in)
{
    GError *error = NULL;
    gint64 told[2];
    while (read(in, told, sizeof told) == sizeof told) {
        g_autoptr(OutboxMessage) message = NULL;
        assert_done(store_outbox_get(store, told[0], &message, &error));
        assert_non_null(message);
        if (told[1] == OUTBOX_SENDING) {
            assert_int_equal(message->state, OUTBOX_SENDING);
            assert_string_not_equal(message->message_id, "");
        }
    }
}

static void sigkill_loses_nothing_acknowledged(void **state)
{
    Fixture *fixture = *state;
    g_clear_pointer(&fixture->store, store_close);
    g_autoptr(GRand) random = g_rand_new_with_seed(20261124);
    gint64 told = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            write_until_killed(fixture->url, round, ends[1]);
        }
        close(ends[1]);
        g_usleep((gulong)g_rand_int_range(random, 5000, LONGEST_US));
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status)); /* it never failed by itself */
        g_autoptr(Store) store = store_open(fixture->url, STORE_OPEN_CREATE, NULL);
        assert_non_null(store);
        check_told(store, ends[0]);
        close(ends[0]);
        /* nothing half-done: a contact, its enrolment and its message are there together, and the file is sound */
        assert_int_equal(number_of(store, "SELECT count(*) FROM contact"), number_of(store, "SELECT count(*) FROM outbox"));
        assert_int_equal(number_of(store, "SELECT count(*) FROM contact"),
                         number_of(store, "SELECT count(*) FROM enrolment"));
        assert_int_equal(number_of(store, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
        assert_int_equal(number_of(store, "SELECT count(*) FROM outbox o JOIN contact c ON c.id = o.contact_id"
                                          " WHERE (o.state = 'sending') <> (c.last_contacted_ms > 0)"),
                         0);
        told = number_of(store, "SELECT count(*) FROM outbox");
    }
    assert_true(told > 0);
}

static void writers_at_once_all_succeed(void **state)
{
    Fixture *fixture = *state;
    pid_t children[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        children[w] = fork();
        if (children[w] != 0)
            continue;
        g_autoptr(Store) store = store_open(fixture->url, 0, NULL);
        gboolean done = store != NULL;
        for (int i = 0; done && i < EACH; i++) {
            /* half of them are everybody's, so that the same rows are fought over */
            g_autofree char *email =
                i % 2 == 0 ? g_strdup_printf("shared%d@example.no", i) : g_strdup_printf("w%d-%d@example.no", w, i);
            g_autofree char *source = g_strdup_printf("w%d", w);
            done = store_contact_save(store, &(ContactEdit){.email = email, .source = source}, CUSTOMER_STAGE, "research",
                                      NOW, NULL, NULL, NULL);
        }
        _exit(done ? 0 : 1);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = 0;
        waitpid(children[w], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(number_of(fixture->store, "SELECT count(*) FROM contact"), EACH / 2 + WRITERS * EACH / 2);
    assert_int_equal(number_of(fixture->store, "SELECT count(*) FROM interaction"), EACH / 2 + WRITERS * EACH / 2);
}

/* Two daemons can never be, but the claim would still be one's alone. */
static void a_row_is_claimed_by_one_process(void **state)
{
    Fixture *fixture = *state;
    gint64 id = add_due_message(fixture->store, "a@b.no");
    pid_t children[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        children[w] = fork();
        if (children[w] == 0) {
            g_autoptr(Store) store = store_open(fixture->url, 0, NULL);
            _exit(claim_at(store, id, NOW) ? 1 : 0);
        }
    }
    int claims = 0;
    for (int w = 0; w < WRITERS; w++) {
        int status = 0;
        waitpid(children[w], &status, 0);
        assert_true(WIFEXITED(status));
        claims += WEXITSTATUS(status);
    }
    assert_int_equal(claims, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(sigkill_loses_nothing_acknowledged),
        with_store(writers_at_once_all_succeed),
        with_store(a_row_is_claimed_by_one_process),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
