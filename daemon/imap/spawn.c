/*
 * The watcher as a process, seen from the parent. By pidfd instead of SIGCHLD: nothing global is touched, and a process id
 * is never used for a process that is not ours any more.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fault.h"
#include "limits.h"

enum { CHILD_SOCKET_FD = 3 };

static char **child_environment(void)
{
    static const char *const kept[] = {"SSL_CERT_FILE",
                                       "SSL_CERT_DIR",
                                       "GNUTLS_SYSTEM_PRIORITY_FILE",
                                       "LANG",
                                       "LC_ALL",
                                       "LC_CTYPE",
                                       "LC_MESSAGES",
                                       "TZ",
                                       "ASAN_OPTIONS",
                                       "LSAN_OPTIONS",
                                       "UBSAN_OPTIONS",
                                       "TSAN_OPTIONS",
                                       "GCOV_PREFIX"};
    g_autoptr(GPtrArray) environment = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        const char *value = g_getenv(kept[i]);
        if (value != NULL)
            g_ptr_array_add(environment, g_strdup_printf("%s=%s", kept[i], value));
    }
    g_ptr_array_add(environment, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&environment), FALSE);
}

/* 0 or an errno. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int socket)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int result = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (result == 0)
        result = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (result == 0)
        result = posix_spawn_file_actions_adddup2(actions, socket, CHILD_SOCKET_FD);
    if (result == 0)
        result = posix_spawn_file_actions_addclosefrom_np(actions, CHILD_SOCKET_FD + 1);
    if (result == 0)
        result = posix_spawnattr_setsigmask(attributes, &none);
    if (result == 0)
        result = posix_spawnattr_setsigdefault(attributes, &all);
    if (result == 0)
        result = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return result;
}

static int run(const char *program, int socket, pid_t *ret_pid)
{
    char *const arguments[] = {(char *)program, (char *)"--watch", NULL};
    g_auto(GStrv) environment = child_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int result = posix_spawn_file_actions_init(&actions);
    if (result != 0)
        return result;
    result = posix_spawnattr_init(&attributes);
    if (result == 0) {
        result = prepare(&actions, &attributes, socket);
        if (result == 0)
            result = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

static gboolean failed(const char *what, int number, GError **error)
{
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "the watcher cannot be started: %s: %s", what, g_strerror(number));
    return FALSE;
}

gboolean spawn_child(const char *program, SpawnedChild *ret_child, GError **error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return failed("socketpair", errno, error);
    SpawnedChild child = {.pidfd = -1, .socket = pair[0]};
    int result = run(program, pair[1], &child.pid);
    close(pair[1]);
    if (result != 0) {
        close(child.socket);
        return failed(program, result, error);
    }
    child.pidfd = pidfd_open(child.pid, 0);
    if (child.pidfd < 0) {
        result = errno;
        kill(child.pid, SIGKILL);
        waitpid(child.pid, NULL, 0);
        close(child.socket);
        return failed("pidfd_open", result, error);
    }
    *ret_child = child;
    return TRUE;
}

static gboolean has_ended(const SpawnedChild *child, gint64 timeout_ms)
{
    const gint64 until_ms = clock_monotonic_ms() + timeout_ms;
    for (;;) {
        struct pollfd wanted = {.fd = child->pidfd, .events = POLLIN};
        int ready = poll(&wanted, 1, (int)MAX(until_ms - clock_monotonic_ms(), 0));
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

void spawn_kill_child(const SpawnedChild *child)
{
    pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
}

int spawn_end_child(SpawnedChild *child)
{
    int status = 0;
    close(child->socket);
    if (!has_ended(child, 0)) {
        pidfd_send_signal(child->pidfd, SIGTERM, NULL, 0);
        if (!has_ended(child, GRACE_MS))
            pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
    }
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(child->pidfd);
    *child = (SpawnedChild){.pidfd = -1, .socket = -1};
    return status;
}
