/*
 * The watcher's limits. A server that takes it over finds a process that can talk to that server and to the parent, and
 * nothing else: no files, no other connections, no programs, no threads.
 *
 * The filter denies with EPERM what it does not know (a library's new habit then fails softly), and kills for what only an
 * intruder would do. Sanitizers need some calls for their reports and leak checks; those flavours permit them and leave the
 * bound on address space out, since their shadow memory takes terabytes of it.
 */
#include "sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fault.h"
#include "limits.h"

static gboolean failed(const char *what, int number, GError **error)
{
    g_set_error(error, IMAP_FAULT, IMAP_FAULT_LOCAL, "watcher: %s: %s", what, g_strerror(number));
    return FALSE;
}

static gboolean limit(__rlimit_resource_t resource, rlim_t most, const char *what, GError **error)
{
    struct rlimit current;
    if (getrlimit(resource, &current) != 0)
        return failed(what, errno, error);
    rlim_t value = current.rlim_max == RLIM_INFINITY ? most : MIN(most, current.rlim_max);
    const struct rlimit wanted = {.rlim_cur = value, .rlim_max = value};
    return setrlimit(resource, &wanted) == 0 || failed(what, errno, error);
}

gboolean sandbox_begin(GError **error)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return failed("PR_SET_PDEATHSIG", errno, error);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return failed("PR_SET_DUMPABLE", errno, error);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return failed("PR_SET_NO_NEW_PRIVS", errno, error);
    signal(SIGPIPE, SIG_IGN);
    return limit(RLIMIT_CORE, 0, "RLIMIT_CORE", error) && limit(RLIMIT_NOFILE, CHILD_FILES, "RLIMIT_NOFILE", error);
}

#ifndef NURTURE_SANITIZED
/* Address space that program and libraries take by now, in octets. */
static gboolean measure_memory(rlim_t *ret_octets, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, error))
        return FALSE;
    *ret_octets = (rlim_t)g_ascii_strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
    return TRUE;
}
#endif

static const int permitted[] = {
    /* the two conversations */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(close),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(fcntl),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    /* memory; what is mapped or protected is checked for PROT_EXEC below */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    /* time, randomness, locks within the process */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(sched_getaffinity),
    /* who it is, signals to itself (abort), its end */
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(membarrier),
#ifdef NURTURE_SANITIZED
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(ptrace),
    SCMP_SYS(wait4),
    SCMP_SYS(prctl),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(kill),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(access),
    SCMP_SYS(stat),
    SCMP_SYS(ioctl),
    SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64),
    SCMP_SYS(setrlimit),
#endif
};

static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat2),
#ifndef NURTURE_SANITIZED
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(kill),
#endif
};

static int add_rules(scmp_filter_ctx filter)
{
    int result = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(permitted) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, permitted[i], 0);
    for (gsize i = 0; i < G_N_ELEMENTS(deadly) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    static const int mapping[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)}; /* the third argument is the protection of both */
    for (gsize i = 0; i < G_N_ELEMENTS(mapping) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (result == 0) /* only to itself: abort() */
        result =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return result;
}

gboolean sandbox_close(GError **error)
{
#ifndef NURTURE_SANITIZED
    rlim_t used;
    if (!measure_memory(&used, error) || !limit(RLIMIT_AS, used + CHILD_MEMORY_OCTETS, "RLIMIT_AS", error))
        return FALSE;
#endif
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return failed("seccomp", ENOMEM, error);
    int result = add_rules(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result == 0 || failed("seccomp", -result, error);
}
