/*
 * What a watcher that a server has taken over can still do: nothing but talk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imap/limits.h"
#include "imap/sandbox.h"
#include "mail/read.h"

enum { WELL = 0, REFUSED = 40, DONE_IT = 41, NO_SANDBOX = 42 };

/* Runs attempt() in a child behind the sandbox; its wait status. */
static int behind_sandbox(int (*attempt)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        inbound_message_free(mail_read("Subject: x\r\n\r\ny\r\n", 17, 1));
        if (!sandbox_begin(NULL) || !sandbox_close(NULL))
            _exit(NO_SANDBOX);
        _exit(attempt());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_killed(int (*attempt)(void))
{
    int status = behind_sandbox(attempt);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_exits(int (*attempt)(void), int wanted)
{
    int status = behind_sandbox(attempt);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), wanted);
}

static int run_program(void)
{
    execl("/bin/true", "true", NULL);
    return DONE_IT;
}

static int open_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? DONE_IT : REFUSED;
}

static int remove_file(void)
{
    return unlink("/nonexistent") == 0 || errno == ENOENT ? DONE_IT : REFUSED;
}

static int map_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED && errno == EPERM ? REFUSED : DONE_IT;
}

static int make_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0 && errno == EPERM ? REFUSED : DONE_IT;
}

static int make_folder(void)
{
    return rmdir("/nonexistent") != 0 && errno == EPERM ? REFUSED : DONE_IT;
}

#ifndef NURTURE_SANITIZED
static int open_file(void)
{
    return open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? REFUSED : DONE_IT;
}

static int signal_parent(void)
{
    return kill(getppid(), 0) == 0 ? DONE_IT : REFUSED;
}

static int take_memory(void)
{
    void *much = mmap(NULL, 2 * (size_t)CHILD_MEMORY_OCTETS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return much == MAP_FAILED && errno == ENOMEM ? REFUSED : DONE_IT;
}
#endif

/* What a watcher does all day still works. */
static int read_mail_and_talk(void)
{
    int pair[2] = {STDERR_FILENO, STDERR_FILENO};
    g_autoptr(GString) mail = g_string_new("From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>");
    for (guint i = 0; i < 200000; i++)
        g_string_append(mail, "word ");
    g_autoptr(InboundMessage) message = mail_read(mail->str, mail->len, 1);
    return message != NULL && write(pair[0], "", 0) == 0 && getpid() > 0 && *message->full_text != '\0' ? WELL : DONE_IT;
}

static int abort_itself(void)
{
    abort();
}

static void test_what_kills(void **state)
{
    (void)state;
    assert_killed(run_program);
    assert_killed(open_socket);
    assert_killed(remove_file);
#ifndef NURTURE_SANITIZED
    assert_killed(signal_parent);
#endif
}

static void test_what_is_refused(void **state)
{
    (void)state;
    assert_exits(map_executable, REFUSED);
    assert_exits(make_executable, REFUSED);
    assert_exits(make_folder, REFUSED);
#ifndef NURTURE_SANITIZED
    assert_exits(open_file, REFUSED);
    assert_exits(take_memory, REFUSED);
#endif
}

static void test_what_works(void **state)
{
    (void)state;
    assert_exits(read_mail_and_talk, WELL);
    int status = behind_sandbox(abort_itself);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_kills),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
