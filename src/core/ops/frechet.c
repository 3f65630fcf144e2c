/* frechet(a, b): the Frechet distance of two normal distributions, given as a = moments(x) and
 * b = moments(y):
 *   |mean a - mean b|^2 + tr(C + D - 2 (C D)^(1/2)), C and D their covariances E[x x^T] - m m^T.
 * With features of a classifier as x and y it is the FID of two sets of images. The root's trace is
 * the sum of the roots of the eigenvalues of C^(1/2) D C^(1/2); small negative ones, which rounding
 * makes, count as 0. Covariances are divided by n, where published figures divide by n - 1. NaN
 * where the moments are not finite.
 * Source: Heusel et al. 2017, arXiv:1706.08500; Dowson & Landau 1982,
 * doi:10.1016/0047-259X(82)90077-X */
#include "core/math/eigen.h"
#include "core/math/gemm.h"
#include "core/ops/op.h"

#include <math.h>

/* scratch: three matrices [n, n] and n values in double, then eigen's work. */
static size_t matrix_bytes(int64_t n) {
    return (size_t)(n * n) * sizeof(double);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t n = shape_channels(x);
    char text[SHAPE_TEXT], other[SHAPE_TEXT];

    (void)args;
    for (int i = 0; i < n_x; i++)
        if (x[i].rank != 3 || x[i].dim[0] != 1 || x[i].dim[1] != x[i].dim[2] + 1)
            return err_set(err, ERR_CONFIG, "frechet: x is %s, expected moments(features)",
                           shape_text(&x[i], text));
    if (!shape_equal(&x[0], &x[1]))
        return err_set(err, ERR_CONFIG, "frechet: the first moments are %s and the second %s",
                       shape_text(&x[0], text), shape_text(&x[1], other));
    op_plan_mean(plan);
    plan->scratch_bytes = 3 * matrix_bytes(n) + (size_t)n * sizeof(double) + eigen_work_bytes(n);
    return 0;
}

/* c[n, n] = E[x x^T] - m m^T; returns its trace. */
static double covariance(const real *moments, int64_t n, double *c) {
    const real *second = moments + n;
    double trace = 0;

    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) /* halves: rounding need not be symmetric */
            c[i * n + j] = ((double)second[i * n + j] + (double)second[j * n + i]) / 2 -
                           (double)moments[i] * (double)moments[j];
        trace += c[i * n + i];
    }
    return trace;
}

static double root(double x) {
    return x < 0 ? 0 : sqrt(x);
}

/* tr (C D)^(1/2) of c[n, n] and d[n, n], which are overwritten. With C = Q^T L Q the eigenvalues of
 * C^(1/2) D C^(1/2) are those of S D S^T, S = L^(1/2) Q. */
static double trace_of_root(int64_t n, double *c, double *d, double *product, double *values,
                            void *work) {
    double sum = 0;

    if (eigen_symmetric(n, true, c, values, work))
        return (double)NAN;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            c[i * n + j] *= root(values[i]);
    gemm_double(false, false, n, n, n, c, n, d, n, 0, product, n);
    gemm_double(false, true, n, n, n, product, n, c, n, 0, d, n);
    if (eigen_symmetric(n, false, d, values, work))
        return (double)NAN;
    for (int64_t i = 0; i < n; i++)
        sum += root(values[i]);
    return sum;
}

static void forward(const struct op_call *call) {
    const int64_t n = shape_channels(&call->x->shape);
    const real *a = call->x[0].reals, *b = call->x[1].reals;
    double *c = call->scratch, *d = c + n * n, *product = d + n * n, *values = product + n * n;
    double distance = covariance(a, n, c) + covariance(b, n, d);

    for (int64_t i = 0; i < n; i++)
        distance += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    distance -= 2 * trace_of_root(n, c, d, product, values, values + n);
    call->y.reals[0] = distance < 0 ? 0 : (real)distance; /* rounding */
}

const struct op op_frechet = {
    .word = {"frechet", "Frechet distance of two moments(): the FID of their features", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .meaning.means_x = 3,
    .meaning.better = -1,
    .plan = plan,
    .forward = forward,
};
