#include "core/math/eigen.h"

#include <math.h>
#include <openblas_config.h> /* blasint */

/* LAPACK, divide and conquer, matrices by columns; the last two arguments are the lengths of the
 * texts, which Fortran adds. With vectors it takes a fifth of dsyev's time at n = 2048. */
void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda,
             double *w, double *work, const blasint *work_len, blasint *iwork,
             const blasint *iwork_len, blasint *info, size_t jobz_len, size_t uplo_len);

static int64_t work_len(int64_t n) {
    return 1 + 6 * n + 2 * n * n;
}

static int64_t iwork_len(int64_t n) {
    return 3 + 5 * n;
}

size_t eigen_work_bytes(int64_t n) {
    return (size_t)work_len(n) * sizeof(double) + (size_t)iwork_len(n) * sizeof(blasint);
}

int eigen_symmetric(int64_t n, bool vectors, double *a, double *values, void *work) {
    const blasint order = (blasint)n, len = (blasint)work_len(n), ilen = (blasint)iwork_len(n);
    blasint *iwork = (blasint *)(void *)((double *)work + len), info = 0;

    for (int64_t i = 0; i < n * n; i++)
        if (!isfinite(a[i])) /* LAPACK might not come back */
            return -1;
    dsyevd_(vectors ? "V" : "N", "L", &order, a, &order, values, work, &len, iwork, &ilen, &info, 1,
            1);
    return info ? -1 : 0;
}
