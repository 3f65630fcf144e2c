/* fault.c - a system that fails once: loaded with LD_PRELOAD, it lets a call of dltrain end with an
 * error. FAULT_CALL   open, read, write, fsync, close, rename, ftruncate, mkdir, unlink, malloc,
 * mmap or pthread_create FAULT_N      its number, from 1, of those on paths that hold FAULT_PATH;
 * of the last three, of those that the program makes itself, not its libraries FAULT_ERRNO  the
 * error FAULT_STICKY all calls from that number on, as of a disk that stays full FAULT_SHORT  a
 * write is not refused: it writes half of what it was given FAULT_RANK   on that rank only
 *   FAULT_COUNT  a file that gets the number of calls at the end
 * Besides, FAULT_CLOCK: seconds by which the host's clock is wrong. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long count;
static const char *wanted, *part, *count_file; /* wanted: NULL where this process is not meant */
static long number;
static int code;
static bool sticky, cut;
static time_t wrong_s;
static const char *text, *text_end; /* where the program itself is in memory */

static int find_program(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size, (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            text = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            text_end = text + info->dlpi_phdr[i].p_memsz;
        }
    return 1; /* the first is the program */
}

/* Is it this process? Not mpirun, not the shell. */
__attribute__((constructor)) static void begin(void) {
    const char *only = getenv("FAULT_RANK"), *rank = getenv("OMPI_COMM_WORLD_RANK");
    const char *n = getenv("FAULT_N"), *error = getenv("FAULT_ERRNO");
    const char *clock = getenv("FAULT_CLOCK");
    char program[512];
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    program[len > 0 ? len : 0] = 0;
    part = getenv("FAULT_PATH");
    number = n ? strtol(n, NULL, 10) : 0;
    code = error ? (int)strtol(error, NULL, 10) : EIO;
    wrong_s = clock ? strtol(clock, NULL, 10) : 0;
    sticky = getenv("FAULT_STICKY") != NULL;
    cut = getenv("FAULT_SHORT") != NULL;
    count_file = getenv("FAULT_COUNT");
    dl_iterate_phdr(find_program, NULL);
    if (strstr(program, "dltrain") && (!only || (rank && !strcmp(rank, only))))
        wanted = getenv("FAULT_CALL");
}

__attribute__((destructor)) static void end(void) {
    FILE *file = wanted && count_file ? fopen(count_file, "w") : NULL;

    wanted = NULL;
    if (file) {
        fprintf(file, "%ld\n", atomic_load(&count));
        fclose(file);
    }
}

static bool is(const char *call) {
    return wanted && !strcmp(wanted, call);
}

static bool fails_now(void) {
    const long n = atomic_fetch_add(&count, 1) + 1;

    if (n != number && !(sticky && number && n > number))
        return false;
    errno = code;
    return true;
}

static bool fails_on(const char *call, const char *path) {
    return is(call) && part && strstr(path, part) && fails_now();
}

static bool fails(const char *call, int fd) {
    char link[64], path[512];

    if (!is(call))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = 0;
    return fails_on(call, path);
}

/* A call of the program, by where it returns to. */
static bool fails_for(const char *call, const void *caller) {
    return is(call) && (const char *)caller >= text && (const char *)caller < text_end &&
           fails_now();
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
    const bool failed = fails("write", fd);

    real("write", &next);
    return failed && !(cut && n > 1) ? -1 : next(fd, bytes, failed ? n / 2 : n);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    ssize_t (*next)(int, const void *, size_t, off64_t);
    const bool failed = fails("write", fd);

    real("pwrite64", &next);
    return failed && !(cut && n > 1) ? -1 : next(fd, bytes, failed ? n / 2 : n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    return pwrite64(fd, bytes, n, at);
}

int fsync(int fd) {
    int (*next)(int);

    real("fsync", &next);
    return fails("fsync", fd) ? -1 : next(fd);
}

/* The descriptor is gone nevertheless, as on Linux. */
int close(int fd) {
    int (*next)(int);
    const bool failed = fails("close", fd);

    real("close", &next);
    const int rc = next(fd);
    errno = failed ? code : errno;
    return failed ? -1 : rc;
}

int rename(const char *from, const char *to) {
    int (*next)(const char *, const char *);

    real("rename", &next);
    return fails_on("rename", to) ? -1 : next(from, to);
}

int ftruncate64(int fd, off64_t len) {
    int (*next)(int, off64_t);

    real("ftruncate64", &next);
    return fails("ftruncate", fd) ? -1 : next(fd, len);
}

int ftruncate(int fd, off_t len) {
    return ftruncate64(fd, len);
}

int mkdir(const char *path, mode_t mode) {
    int (*next)(const char *, mode_t);

    real("mkdir", &next);
    return fails_on("mkdir", path) ? -1 : next(path, mode);
}

int unlink(const char *path) {
    int (*next)(const char *);

    real("unlink", &next);
    return fails_on("unlink", path) ? -1 : next(path);
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

/* dlsym itself may ask for memory: these come from where the C library has them. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);

void *malloc(size_t bytes) {
    return fails_for("malloc", __builtin_return_address(0)) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes) {
    return fails_for("malloc", __builtin_return_address(0)) ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *at, size_t bytes) {
    return fails_for("malloc", __builtin_return_address(0)) ? NULL : __libc_realloc(at, bytes);
}

void *mmap64(void *at, size_t bytes, int rights, int flags, int fd, off64_t offset) {
    void *(*next)(void *, size_t, int, int, int, off64_t);

    real("mmap64", &next);
    return fails_for("mmap", __builtin_return_address(0))
               ? MAP_FAILED
               : next(at, bytes, rights, flags, fd, offset);
}

void *mmap(void *at, size_t bytes, int rights, int flags, int fd, off_t offset) {
    void *(*next)(void *, size_t, int, int, int, off_t);

    real("mmap", &next);
    return fails_for("mmap", __builtin_return_address(0))
               ? MAP_FAILED
               : next(at, bytes, rights, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                   void *context) {
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    real("pthread_create", &next);
    return fails_for("pthread_create", __builtin_return_address(0))
               ? code
               : next(thread, attr, start, context);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*next)(clockid_t, struct timespec *);

    real("clock_gettime", &next);
    const int rc = next(clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += wrong_s;
    return rc;
}

time_t time(time_t *out) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec t;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *now = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}
