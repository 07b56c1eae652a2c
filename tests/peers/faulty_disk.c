/*
 * A disk that refuses while the daemon runs, as no file system does on demand: loaded before the program, it has every write to the store fail with
 * the error whose number stands in the file that FAULTY_DISK names, as long as that file is there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fault_of(const char *path)
{
    FILE *file = strstr(path, "nurture.db") ? fopen(getenv("FAULTY_DISK"), "r") : NULL;
    int fault = 0;
    if (!file)
        return 0;
    if (fscanf(file, "%d", &fault) != 1)
        fault = 0;
    fclose(file);
    return fault;
}

int access(const char *path, int how)
{
    int (*real)(const char *, int) = dlsym(RTLD_NEXT, "access");
    int fault = how & W_OK ? fault_of(path) : 0;
    if (!fault)
        return real(path, how);
    errno = fault;
    return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t count, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int fault = readlink(link, path, sizeof path - 1) > 0 ? fault_of(path) : 0;
    if (!fault)
        return real(fd, data, count, at);
    errno = fault;
    return -1;
}
