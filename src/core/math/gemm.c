#include "core/math/gemm.h"

#include <cblas.h>

/* Threads of OpenBLAS would compete with ours for the same processors. */
__attribute__((constructor)) static void use_one_thread(void) {
    openblas_set_num_threads(1);
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
