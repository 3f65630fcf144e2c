/* slow.c - a rank that is slow: loaded with LD_PRELOAD, it lets each call of SLOW_CALL (pread: of
 * samples; cblas_sgemm: of operators) take SLOW_MS milliseconds more on rank SLOW_RANK. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static void wait_in(const char *call) {
    const char *wanted = getenv("SLOW_CALL"), *only = getenv("SLOW_RANK"), *ms = getenv("SLOW_MS");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");

    rank = rank ? rank : getenv("PMI_RANK");
    if (!wanted || !only || !ms || !rank || strcmp(wanted, call) != 0 || strcmp(rank, only) != 0)
        return;
    nanosleep(&(struct timespec){0, 1000000 * strtol(ms, NULL, 10)}, NULL);
}

/* The function of that name that this one stands before. */
static void real(const char *name, void *function) {
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(function, &found, sizeof found);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at) {
    ssize_t (*next)(int, void *, size_t, off_t);

    real("pread", &next);
    wait_in("pread");
    return next(fd, bytes, n, at);
}

void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                 int lda, const float *b, int ldb, float beta, float *c, int ldc);

void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                 int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    void (*next)(int, int, int, int, int, int, float, const float *, int, const float *, int, float,
                 float *, int);

    real("cblas_sgemm", &next);
    wait_in("cblas_sgemm");
    next(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
