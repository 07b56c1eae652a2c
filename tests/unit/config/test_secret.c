/*
 * Protects: a password_command that hangs, or leaves something behind that does, holds up nobody for longer than it may.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above first */
#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "base/clock.h"
#include "config/secret.h"

typedef struct {
    const char *command;
    gint cancelled;
} Reader;

static gpointer read_in_thread(gpointer data)
{
    Reader *reader = data;
    GError *error = NULL;
    const SecretSource source = {.kind = SECRET_COMMAND, .value = (char *)reader->command};
    char *secret = secret_read_until(&source, &reader->cancelled, &error);
    if (!secret) {
        assert_non_null(error);
        assert_null(strstr(error->message, "hunter2"));
        g_error_free(error);
    }
    return secret;
}

static void a_command_that_hangs_ends_when_nobody_waits_any_more(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "sleep 60",
        "echo hunter2; sleep 60",
        "sleep 60; echo hunter2",       /* the shell waits, and its child has our pipe as well */
        "(sleep 60; echo hunter2) & wait",
        "trap '' TERM HUP INT; while :; do sleep 1; done",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        Reader reader = {.command = commands[i]};
        GThread *thread = g_thread_new("reader", read_in_thread, &reader);
        g_usleep(200 * 1000);
        const gint64 asked_ms = clock_monotonic_ms();
        g_atomic_int_set(&reader.cancelled, 1);
        assert_null(g_thread_join(thread));
        assert_true(clock_monotonic_ms() - asked_ms < 2000);
    }
}

static void what_a_command_leaves_behind_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    Reader reader = {.command = "sleep 60 & echo hunter2"}; /* the shell has ended; its child keeps the pipe */
    GThread *thread = g_thread_new("reader", read_in_thread, &reader);
    g_usleep(300 * 1000);
    const gint64 asked_ms = clock_monotonic_ms();
    g_atomic_int_set(&reader.cancelled, 1);
    secret_free(g_thread_join(thread));
    assert_true(clock_monotonic_ms() - asked_ms < 2000);
}

static void a_command_that_answers_is_read_at_once(void **state)
{
    (void)state;
    const gint64 began_ms = clock_monotonic_ms();
    Reader reader = {.command = "echo abc"};
    char *secret = read_in_thread(&reader);
    assert_string_equal(secret, "abc");
    secret_free(secret);
    assert_true(clock_monotonic_ms() - began_ms < 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_that_hangs_ends_when_nobody_waits_any_more),
        cmocka_unit_test(what_a_command_leaves_behind_is_not_waited_for_for_ever),
        cmocka_unit_test(a_command_that_answers_is_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
