#define _GNU_SOURCE /* processor affinity */
#include "core/math/gemm.h"
#include "core/base/memory.h"

#include <cblas.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Threads of OpenBLAS would compete with ours for the same processors. It starts one for each that
 * it sees when it is loaded, and each takes memory then and there, or asks for it for ever: so at
 * that moment, which is between the two functions below, it sees one. */
static cpu_set_t processors;
static int n_processors;

__attribute__((no_sanitize("address", "undefined"))) static void show_one_processor(void) {
    cpu_set_t one = {0};
    size_t first = 0;

    if (sched_getaffinity(0, sizeof processors, &processors))
        return;
    n_processors = CPU_COUNT(&processors);
    while (first < CPU_SETSIZE && !CPU_ISSET(first, &processors))
        first++;
    CPU_SET(first, &one);
    sched_setaffinity(0, sizeof one, &one);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(void) = show_one_processor;

__attribute__((constructor)) static void use_one_thread(void) {
    if (n_processors)
        sched_setaffinity(0, sizeof processors, &processors);
    openblas_set_num_threads(1);
}

/* Of each of OpenBLAS' buffers on processors of today, and at most so many are kept. */
enum { BUFFER_MIB = 128, MAX_BUFFERS = 64 };

/* Exported, though in no header; absent in other builds, which then take the buffers when they need
 * them. One that is given back stays mapped for the next product. */
extern void *blas_memory_alloc(int place) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

int gemm_reserve(int n_threads, struct err *err) {
    void *buffers[MAX_BUFFERS];
    const int n = n_threads < MAX_BUFFERS ? n_threads : MAX_BUFFERS;

    if (memory_probe(((size_t)n * BUFFER_MIB + 1) << 20, "OpenBLAS", err))
        return -1;
    if (!blas_memory_alloc || !blas_memory_free)
        return 0;
    for (int i = 0; i < n; i++)
        buffers[i] = blas_memory_alloc(0);
    for (int i = 0; i < n; i++)
        blas_memory_free(buffers[i]);
    return 0;
}

void gemm_double(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const double *a,
                 int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc) {
    if (m > 0 && n > 0)
        cblas_dgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
                    trans_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
                    (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const real *a, int64_t lda,
          const real *b, int64_t ldb, real beta, real *c, int64_t ldc) {
#ifdef CORE_DOUBLE
    gemm_double(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
#else
    if (m > 0 && n > 0)
        cblas_sgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
                    trans_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
                    (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
#endif
}

/* Here act and real are one type: BLAS has no products of two. */
void gemm_act(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const act *a,
              int64_t lda, const real *b, int64_t ldb, real beta, act *c, int64_t ldc) {
    gemm(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

void gemm_sum(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const act *a,
              int64_t lda, const act *b, int64_t ldb, real beta, real *c, int64_t ldc) {
    gemm(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

/* The library's text goes on with how it was built. */
void gemm_library(char library[GEMM_TEXT], char kernels[GEMM_TEXT], int *threads) {
    const char *config = openblas_get_config();
    const char *space = strchr(config, ' ');
    const size_t name = space ? (size_t)(space + 1 - config) : 0;

    snprintf(library, GEMM_TEXT, "%.*s", (int)(name + strcspn(config + name, " ")), config);
    snprintf(kernels, GEMM_TEXT, "%s", openblas_get_corename());
    *threads = openblas_get_num_threads();
}
