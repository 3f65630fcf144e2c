/* fault.c - a file system that fails once: loaded with LD_PRELOAD, it lets the call number FAULT_N
 * of FAULT_CALL (open, read, write or fsync) end with the error FAULT_ERRNO, of those on paths that
 * hold FAULT_PATH. With FAULT_RANK, on that rank only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;

/* Is it this process and this call? Not mpirun, not the shell. */
static bool meant(const char *call) {
    const char *wanted = getenv("FAULT_CALL"), *only = getenv("FAULT_RANK");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    char program[512];
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    program[len > 0 ? len : 0] = 0;
    return wanted && !strcmp(wanted, call) && strstr(program, "dltrain") &&
           (!only || (rank && !strcmp(rank, only)));
}

static bool fails_on(const char *call, const char *path) {
    const char *part = getenv("FAULT_PATH"), *number = getenv("FAULT_N");
    const char *code = getenv("FAULT_ERRNO");

    if (!part || !number || !code || !meant(call) || !strstr(path, part) ||
        atomic_fetch_add(&count, 1) + 1 != strtol(number, NULL, 10))
        return false;
    errno = (int)strtol(code, NULL, 10);
    return true;
}

static bool fails(const char *call, int fd) {
    char link[64], path[512];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = 0;
    return fails_on(call, path);
}

/* The function of that name that this one stands before. */
static void real(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(function, &found, sizeof found);
}

ssize_t read(int fd, void *bytes, size_t n) {
    ssize_t (*next)(int, void *, size_t);

    real("read", &next);
    return fails("read", fd) ? -1 : next(fd, bytes, n);
}

ssize_t pread64(int fd, void *bytes, size_t n, off64_t at) {
    ssize_t (*next)(int, void *, size_t, off64_t);

    real("pread64", &next);
    return fails("read", fd) ? -1 : next(fd, bytes, n, at);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at) {
    ssize_t (*next)(int, void *, size_t, off_t);

    real("pread", &next);
    return fails("read", fd) ? -1 : next(fd, bytes, n, at);
}

ssize_t write(int fd, const void *bytes, size_t n) {
    ssize_t (*next)(int, const void *, size_t);

    real("write", &next);
    return fails("write", fd) ? -1 : next(fd, bytes, n);
}

int fsync(int fd) {
    int (*next)(int);

    real("fsync", &next);
    return fails("fsync", fd) ? -1 : next(fd);
}

static int open_next(const char *name, const char *path, int flags, va_list ap) {
    int (*next)(const char *, int, ...);
    const mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;

    real(name, &next);
    return fails_on("open", path) ? -1 : next(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list ap;

    va_start(ap, flags);
    const int fd = open_next("open", path, flags, ap);
    va_end(ap);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list ap;

    va_start(ap, flags);
    const int fd = open_next("open64", path, flags, ap);
    va_end(ap);
    return fd;
}
