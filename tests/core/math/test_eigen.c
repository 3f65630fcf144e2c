#include "core/math/eigen.h"

#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* (x - 1)(x - 3): eigenvectors (1, -1) and (1, 1) over sqrt(2). */
static void values_and_vectors_worked_by_hand(void **state) {
    (void)state;
    double a[] = {2, 1, 1, 2}, values[2];
    void *work = malloc(eigen_work_bytes(2));

    assert_int_equal(eigen_symmetric(2, true, a, values, work), 0);
    assert_true(fabs(values[0] - 1) < 1e-14 && fabs(values[1] - 3) < 1e-14);
    assert_true(fabs(a[0] + a[1]) < 1e-14 && fabs(a[2] - a[3]) < 1e-14);
    assert_true(fabs(fabs(a[0]) - sqrt(0.5)) < 1e-14 && fabs(fabs(a[2]) - sqrt(0.5)) < 1e-14);
    free(work);
}

/* Toeplitz matrix of 2 and -1: 2 - 2 cos(pi k / (n + 1)). Large enough for LAPACK's blocks. */
static void values_of_a_known_matrix(void **state) {
    (void)state;
    enum { N = 150 };
    double *a = calloc(N * N, sizeof *a), values[N];
    void *work = malloc(eigen_work_bytes(N));

    for (int vectors = 0; vectors < 2; vectors++) {
        for (int i = 0; i < N * N; i++)
            a[i] = i / N == i % N ? 2 : abs(i / N - i % N) == 1 ? -1 : 0;
        assert_int_equal(eigen_symmetric(N, vectors, a, values, work), 0);
        for (int k = 0; k < N; k++)
            assert_true(fabs(values[k] - (2 - 2 * cos(acos(-1) * (k + 1) / (N + 1)))) < 1e-12);
    }
    free(a), free(work);
}

/* Rows v of the result: A v = value v. */
static void rows_are_the_vectors_of_their_values(void **state) {
    (void)state;
    enum { N = 40 };
    double a[N * N], v[N * N], values[N];
    void *work = malloc(eigen_work_bytes(N));

    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            a[i * N + j] = a[j * N + i] = (double)rng_uniform(1, (uint64_t)(i * N + j)) - 0.5;
    for (int i = 0; i < N * N; i++)
        v[i] = a[i];
    assert_int_equal(eigen_symmetric(N, true, v, values, work), 0);
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int j = 0; j < N; j++)
                sum += a[i * N + j] * v[k * N + j];
            assert_true(fabs(sum - values[k] * v[k * N + i]) < 1e-12);
        }
    free(work);
}

static void what_is_not_finite_has_no_values(void **state) {
    (void)state;
    double a[] = {1, 0, 0, NAN}, values[2];
    void *work = malloc(eigen_work_bytes(2));

    assert_int_equal(eigen_symmetric(2, false, a, values, work), -1);
    free(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_vectors_worked_by_hand),
        cmocka_unit_test(values_of_a_known_matrix),
        cmocka_unit_test(rows_are_the_vectors_of_their_values),
        cmocka_unit_test(what_is_not_finite_has_no_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
