#include "core/math/gemm.h"

#include <cblas.h>

/* Threads of OpenBLAS would compete with ours for the same processors. */
__attribute__((constructor)) static void use_one_thread(void) {
    openblas_set_num_threads(1);
}

void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const real *a, int64_t lda,
          const real *b, int64_t ldb, real beta, real *c, int64_t ldc) {
    const CBLAS_TRANSPOSE ta = trans_a ? CblasTrans : CblasNoTrans;
    const CBLAS_TRANSPOSE tb = trans_b ? CblasTrans : CblasNoTrans;

    if (m <= 0 || n <= 0)
        return;
#ifdef CORE_DOUBLE
    cblas_dgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
#endif
}
