#include "core/math/rows.h"

#include "core/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#ifdef CORE_DOUBLE
#define TOLERANCE 1e-10
#else
#define TOLERANCE 1e-3
#endif

enum { MARGIN = 3 }; /* columns of c beyond n, which nobody may touch */

static real *numbers(uint64_t key, int64_t len) {
    real *v = malloc((size_t)len * sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < len; i++)
        v[i] = (real)(2 * rng_uniform(key, (uint64_t)i) - 1);
    return v;
}

/* Against three nested loops; c holds NaN before. */
static void check(int64_t m, int64_t n, int64_t k, bool with_bias) {
    const int64_t lda = k + 2, ldb = n + 1, ldc = n + MARGIN;
    real *a = numbers(1, m * lda), *b = numbers(2, k * ldb), *bias = numbers(3, n);
    real *before = numbers(4, m * ldc), *c = numbers(4, m * ldc);

    for (int64_t i = 0; i < m * n; i++)
        c[i / n * ldc + i % n] = (real)NAN;
    rows_product(m, n, k, a, lda, b, ldb, with_bias ? bias : NULL, c, ldc);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double sum = j < n ? (with_bias ? (double)bias[j] : 0) : (double)before[i * ldc + j];

            for (int64_t l = 0; j < n && l < k; l++)
                sum += (double)a[i * lda + l] * (double)b[l * ldb + j];
            assert_true(fabs((double)c[i * ldc + j] - sum) <= (j < n ? TOLERANCE : 0));
        }
    free(a), free(b), free(bias), free(before), free(c);
}

static void products_agree_with_three_loops(void **state) {
    static const int64_t sizes[][3] = {{0, 3, 2},    {1, 1, 1},     {1, 10, 64},
                                       {17, 1, 5},   {6, 16, 257},  {64, 10, 7},
                                       {65, 33, 31}, {241, 70, 90}, {14, 128, 600}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int with_bias = 0; with_bias < 2; with_bias++)
            check(sizes[i][0], sizes[i][1], sizes[i][2], with_bias);
}

/* [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50]. */
static void products_worked_by_hand(void **state) {
    static const real a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, bias[] = {100, 200};
    static const real plain[] = {19, 22, 43, 50}, more[] = {119, 222, 143, 250};
    real c[4];

    (void)state;
    rows_product(2, 2, 2, a, 2, b, 2, NULL, c, 2);
    assert_memory_equal(c, plain, sizeof c);
    rows_product(2, 2, 2, a, 2, b, 2, bias, c, 2);
    assert_memory_equal(c, more, sizeof c);
}

/* To the bit: what is predicted of a sample does not depend on those beside it. */
static void a_row_is_the_same_among_any_others(void **state) {
    enum { ROWS = 61, COLS = 128, TERMS = 700 };
    static const int64_t cols[] = {1, 7, 10, 16, 100, COLS}, terms[] = {1, 64, 392, TERMS};
    real *a = numbers(1, ROWS * TERMS), *b = numbers(2, TERMS * COLS), *bias = numbers(3, COLS);
    real *all = numbers(4, ROWS * COLS), *some = numbers(4, ROWS * COLS);

    (void)state;
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++)
        for (size_t j = 0; j < sizeof terms / sizeof *terms; j++) {
            const int64_t n = cols[i], k = terms[j];

            rows_product(ROWS, n, k, a, k, b, n, bias, all, n);
            for (int64_t m = 1; m < ROWS; m++) {
                const int64_t from = ROWS - m;

                rows_product(m, n, k, a + from * k, k, b, n, bias, some, n);
                assert_memory_equal(some, all + from * n, (size_t)(m * n) * sizeof *some);
            }
        }
    free(a), free(b), free(bias), free(all), free(some);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_agree_with_three_loops),
        cmocka_unit_test(products_worked_by_hand),
        cmocka_unit_test(a_row_is_the_same_among_any_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
