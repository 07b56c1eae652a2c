/*
 * The lock of the one daemon of a store. The lock is on the open file description (fcntl F_OFD_SETLK): SIGKILL frees it, and the
 * file itself, which stays, means nothing. The process id in it is for messages only. No state of its own.
 */
#include "store/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

enum { PID_TEXT_MAX = 32 };

static gint64 read_pid(int fd)
{
    char text[PID_TEXT_MAX] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static gboolean write_pid(int fd)
{
    char text[PID_TEXT_MAX];
    int n = g_snprintf(text, sizeof text, "%ld\n", (long)getpid());
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (gsize)n, 0) == n;
}

static void set_taken(int fd, const char *path, GError **error)
{
    gint64 pid = read_pid(fd);
    if (pid > 0)
        g_set_error(error, STORE_ERROR, STORE_ERROR_TAKEN,
                    "process %" G_GINT64_FORMAT " is the daemon of this store (it holds %s); end it first", pid, path);
    else
        g_set_error(error, STORE_ERROR, STORE_ERROR_TAKEN,
                    "another process is the daemon of this store (it holds %s); end it first", path);
}

int lock_file_take(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot open the lock file %s: %s", path, g_strerror(errno));
        return -1;
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            set_taken(fd, path, error);
        else
            g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot lock %s: %s", path, g_strerror(errno));
        close(fd);
        return -1;
    }
    if (!write_pid(fd)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FULL, "cannot write %s: %s", path, g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}
