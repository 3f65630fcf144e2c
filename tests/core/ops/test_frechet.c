#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { D = 4 };

/* Features [n <= 7, D] of tests/golden/frechet.py, and their moments. */
static void moments(int k, int n, act *y) {
    act x[7 * D];

    for (int i = 0; i < 7 * D; i++)
        x[i] = (i * i * (k + 3) + 5 * i * k) % 23 / 10. + 0.3 * k;
    for (int i = 0; i < (D + 1) * D; i++) {
        y[i] = 0;
        for (int s = 0; s < n; s++)
            y[i] += (i < D ? 1 : x[s * D + i / D - 1]) * x[s * D + i % D] / n;
    }
}

static struct op_case two(const act *a, const act *b, int64_t d) {
    return (struct op_case){"frechet", .n_x = 2, .x = {{3, {1, d + 1, d}}, {3, {1, d + 1, d}}},
                            .x_data = {a, b}};
}

static void check_distance(struct op_case c, double expected, double tolerance) {
    c.tolerance = tolerance;
    check_output(&c, (struct shape){1, {1}}, &expected);
}

/* Variances 4 and 9 around 1 and 3: (1 - 3)^2 + (2 - 3)^2. */
static void two_normal_numbers_worked_by_hand(void **state) {
    (void)state;
    const act a[] = {1, 5}, b[] = {3, 18};
    check_distance(two(a, b, 1), 5, 1e-12);
}

/* Covariances [2 1; 1 2] and its square over 3, [5 4; 4 5] / 3, around 0. With eigenvalues 1, 3 and
 * 1/3, 3 of the same vectors: (1 - sqrt(1/3))^2. */
static void two_correlated_numbers_worked_by_hand(void **state) {
    (void)state;
    const act a[] = {0, 0, 2, 1, 1, 2}, b[] = {0, 0, 5. / 3, 4. / 3, 4. / 3, 5. / 3};
    check_distance(two(a, b, 2), (1 - sqrt(1. / 3)) * (1 - sqrt(1. / 3)), 1e-12);
}

static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    act a[(D + 1) * D], b[(D + 1) * D];

    moments(1, 7, a), moments(2, 7, b);
    check_distance(two(a, b, D), 0.972370607449, 1e-11);
    check_distance(two(b, a, D), 0.972370607449, 1e-11);
    check_distance(two(a, a, D), 0, 1e-7);
}

static void fewer_samples_than_channels(void **state) {
    (void)state;
    act a[(D + 1) * D], b[(D + 1) * D];

    moments(1, 2, a), moments(2, 2, b);
    check_distance(two(a, b, D), 3.724999996713, 1e-7);
}

static void what_is_not_finite_has_no_distance(void **state) {
    (void)state;
    const act a[] = {1, (act)NAN}, b[] = {3, 18};
    struct shape y;
    const struct op_case c = two(a, b, 1);
    act *found = forward_of(&c, &y);
    assert_true(isnan(found[0]));
    free(found);
}

static void it_is_a_metric_that_falls(void **state) {
    (void)state;
    assert_null(op_find("frechet")->count);
    assert_null(op_find("frechet")->backward);
    assert_int_equal(op_find("frechet")->meaning.better, -1);
}

static void what_are_no_moments_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"frechet", .n_x = 2, .x = {{2, {8, 10}}, {3, {1, 11, 10}}}},
                  "frechet: x is 8x10, expected moments(features)");
    check_refused(&(struct op_case){"frechet", .n_x = 2, .x = {{3, {1, 11, 10}}, {3, {1, 4, 4}}}},
                  "frechet: x is 1x4x4, expected moments(features)");
    check_refused(&(struct op_case){"frechet", .n_x = 2, .x = {{3, {1, 11, 10}}, {3, {1, 9, 8}}}},
                  "frechet: the first moments are 1x11x10 and the second 1x9x8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_normal_numbers_worked_by_hand),
        cmocka_unit_test(two_correlated_numbers_worked_by_hand),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(fewer_samples_than_channels),
        cmocka_unit_test(what_is_not_finite_has_no_distance),
        cmocka_unit_test(it_is_a_metric_that_falls),
        cmocka_unit_test(what_are_no_moments_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
