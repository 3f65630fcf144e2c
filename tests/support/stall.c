/* stall.c - a call that is slow, or never returns: loaded with LD_PRELOAD, it holds up dltrain in
 * the call STALL_CALL: `read` of a file whose path holds STALL_PATH, as of storage that hangs, or
 * `gemm`, as of an operator that never ends; for STALL_MS milliseconds each, without it for good.
 * With STALL_FILE, once that file is there; with STALL_RANK, on that rank only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Is it this process and this call? Not mpirun, not the shell. */
static bool meant(const char *call) {
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "SLURM_PROCID"};
    const char *wanted = getenv("STALL_CALL"), *only = getenv("STALL_RANK"), *rank = NULL;
    const char *file = getenv("STALL_FILE");
    char program[512];
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    program[len > 0 ? len : 0] = 0;
    for (size_t i = 0; !rank && i < sizeof ranks / sizeof *ranks; i++)
        rank = getenv(ranks[i]);
    return wanted && !strcmp(wanted, call) && strstr(program, "dltrain") &&
           (!only || !strcmp(rank ? rank : "0", only)) && (!file || !access(file, F_OK));
}

/* False: for good. */
static bool passes(void) {
    const char *ms = getenv("STALL_MS");

    if (ms)
        nanosleep(&(struct timespec){0, 1000000 * strtol(ms, NULL, 10)}, NULL);
    return ms;
}

static void stall_read(int fd) {
    const char *part = getenv("STALL_PATH");
    char link[64], path[512];

    if (!part || !meant("read"))
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = 0;
    while (strstr(path, part) && !passes())
        sleep(1);
}

/* The function of that name that this one stands before. */
static void real(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(function, &found, sizeof found);
}

ssize_t read(int fd, void *bytes, size_t n) {
    ssize_t (*next)(int, void *, size_t);

    stall_read(fd);
    real("read", &next);
    return next(fd, bytes, n);
}

ssize_t pread64(int fd, void *bytes, size_t n, off64_t at) {
    ssize_t (*next)(int, void *, size_t, off64_t);

    stall_read(fd);
    real("pread64", &next);
    return next(fd, bytes, n, at);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at) {
    ssize_t (*next)(int, void *, size_t, off_t);

    stall_read(fd);
    real("pread", &next);
    return next(fd, bytes, n, at);
}

/* As in cblas.h. */
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                 int lda, const float *b, int ldb, float beta, float *c, int ldc);

void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                 int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    void (*next)(int, int, int, int, int, int, float, const float *, int, const float *, int, float,
                 float *, int);

    while (meant("gemm") && !passes())
        ;
    real("cblas_sgemm", &next);
    next(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
