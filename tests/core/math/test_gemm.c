#include "core/math/gemm.h"

#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MARGIN = 3 }; /* columns of c beyond n, which nobody may touch */

static real *numbers(uint64_t key, int64_t len) {
    real *v = malloc((size_t)len * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)(2 * rng_uniform(key, (uint64_t)i) - 1);
    return v;
}

/* c against three nested loops; with beta 0, c holds NaN before. */
static void check(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, real beta) {
    const int64_t lda = (trans_a ? m : k) + 2, ldb = (trans_b ? k : n) + 1, ldc = n + MARGIN;
    real *a = numbers(1, (trans_a ? k : m) * lda), *b = numbers(2, (trans_b ? n : k) * ldb);
    real *before = numbers(3, m * ldc), *c = numbers(3, m * ldc);

    for (int64_t i = 0; beta == 0 && i < m; i++)
        for (int64_t j = 0; j < n; j++)
            c[i * ldc + j] = (real)NAN;
    gemm(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double sum = j < n && beta == 0 ? 0 : (double)before[i * ldc + j];

            for (int64_t l = 0; j < n && l < k; l++)
                sum += (double)(trans_a ? a[l * lda + i] : a[i * lda + l]) *
                       (double)(trans_b ? b[j * ldb + l] : b[l * ldb + j]);
            assert_true(fabs((double)c[i * ldc + j] - sum) <= 1e-10);
        }
    free(a), free(b), free(before), free(c);
}

static void all_forms_agree_with_three_loops(void **state) {
    static const int64_t sizes[][3] = {{1, 1, 1},   {1, 10, 64},  {17, 1, 5},   {6, 16, 144},
                                       {64, 10, 7}, {65, 33, 31}, {130, 70, 90}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int form = 0; form < 8; form++)
            check(form & 1, form & 2, sizes[i][0], sizes[i][1], sizes[i][2], form & 4 ? 1 : 0);
}

static void sums_of_no_terms_are_zero(void **state) {
    (void)state;
    check(false, false, 3, 4, 0, 0);
    check(false, false, 3, 4, 0, 1);
}

static void empty_results_are_left_alone(void **state) {
    real c[] = {5};

    (void)state;
    gemm(false, false, 0, 3, 2, c, 2, c, 3, 0, c, 3);
    gemm(false, false, 3, 0, 2, c, 2, c, 1, 0, c, 1);
    assert_true(c[0] == 5);
}

/* [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50], and with the left one transposed [26 30; 38 44]. */
static void products_worked_by_hand(void **state) {
    static const real a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
    static const real plain[] = {19, 22, 43, 50}, transposed[] = {26, 30, 38, 44};
    real c[4];

    (void)state;
    gemm(false, false, 2, 2, 2, a, 2, b, 2, 0, c, 2);
    assert_memory_equal(c, plain, sizeof c);
    gemm(true, false, 2, 2, 2, a, 2, b, 2, 0, c, 2);
    assert_memory_equal(c, transposed, sizeof c);
}

/* [1 2 3; 4 5 6] times [1 0; 2 1; 0 3], and with both transposed. */
static void double_is_worked_by_hand(void **state) {
    (void)state;
    const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, 1, 0, 3}, expected[] = {5, 11, 14, 23};
    const double at[] = {1, 4, 2, 5, 3, 6}, bt[] = {1, 2, 0, 0, 1, 3};
    double c[] = {1, 1, 1, 1};

    gemm_double(false, false, 2, 2, 3, a, 3, b, 2, 0, c, 2);
    for (int i = 0; i < 4; i++)
        assert_true(c[i] == expected[i]);
    gemm_double(true, true, 2, 2, 3, at, 2, bt, 3, 1, c, 2);
    for (int i = 0; i < 4; i++)
        assert_true(c[i] == 2 * expected[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_agree_with_three_loops),
        cmocka_unit_test(sums_of_no_terms_are_zero),
        cmocka_unit_test(empty_results_are_left_alone),
        cmocka_unit_test(products_worked_by_hand),
        cmocka_unit_test(double_is_worked_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
