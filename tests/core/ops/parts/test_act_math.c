#include "support/op_check.h"
#include "core/ops/parts/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* The largest error against the library's functions in double, in units of the last place of a
 * float (2^-23 of the value), over x = from, from + step, ... */
static double worst(float (*f)(float), double (*exact)(double), float from, float to, float step) {
    double most = 0;

    for (float x = from; x <= to; x += step) {
        const double y = exact((double)x), ulp = fmax(fabs(y), 1e-30) * 0x1p-23;

        most = fmax(most, fabs((double)f(x) - y) / ulp);
    }
    return most;
}

static void exp_is_good_to_three_units(void **state) {
    (void)state;
    assert_true(worst(exp_float, exp, -87, 88, 1e-3f) < 3);
    assert_true(worst(exp_float, exp, -1, 1, 1e-5f) < 3);
    assert_true(exp_float(0) == 1);
}

static void exp_ends_in_zero_and_stays_finite(void **state) {
    (void)state;
    assert_true(exp_float(-88) == 0 && exp_float(-INFINITY) == 0);
    assert_true(exp_float(1000) > 1e38f && !isinf(exp_float(1000)));
}

static void expm1_is_good_to_three_units_also_near_zero(void **state) {
    (void)state;
    assert_true(worst(expm1_float, expm1, -20, 20, 1e-3f) < 3);
    assert_true(worst(expm1_float, expm1, -1e-3f, 1e-3f, 1e-7f) < 3);
    assert_true(expm1_float(0) == 0 && expm1_float(-100) == -1);
}

static void tanh_is_good_to_three_units_also_near_zero(void **state) {
    (void)state;
    assert_true(worst(tanh_float, tanh, -12, 12, 1e-4f) < 3);
    assert_true(worst(tanh_float, tanh, -1e-3f, 1e-3f, 1e-7f) < 3);
    assert_true(tanh_float(INFINITY) == 1 && tanh_float(-INFINITY) == -1);
}

static void log_is_good_to_three_units(void **state) {
    (void)state;
    assert_true(worst(log_float, log, 1e-3f, 0.7f, 1e-6f) < 3);
    assert_true(worst(log_float, log, 1.4f, 1000, 1e-3f) < 3);
    assert_true(worst(log_float, log, 0.9f, 1.1f, 1e-7f) < 3);
    assert_true(worst(log_float, log, 1e30f, 3e38f, 1e33f) < 3);
    assert_true(worst(log_float, log, 1e-44f, 1e-37f, 1e-41f) < 3); /* with and without leading 1 */
    assert_true(log_float(1) == 0);
}

static void log_ends_in_infinities(void **state) {
    (void)state;
    assert_true(log_float(0) == -INFINITY && log_float(INFINITY) == INFINITY);
    assert_true(isnan(log_float(-1)) && isnan(log_float(-INFINITY)));
}

static void log1p_is_good_to_three_units_also_near_zero(void **state) {
    (void)state;
    assert_true(worst(log1p_unit_float, log1p, 0, 1, 1e-6f) < 3);
    assert_true(worst(log1p_unit_float, log1p, 0, 1e-3f, 1e-9f) < 3);
    assert_true(log1p_unit_float(0) == 0);
}

static float below(float x) {
    float density;

    return normal_float(x, &density);
}

static float density_at(float x) {
    float density;

    normal_float(x, &density);
    return density;
}

static double exactly_below(double x) {
    return 0.5 * erfc(-x / sqrt(2.0));
}

static double exact_density_at(double x) {
    return exp(-0.5 * x * x) / sqrt(2 * acos(-1.0));
}

/* The tail is exp(-x^2 / 2) times a polynomial, and x^2 / 2 is rounded: its error grows with it. */
static void normal_distribution_is_good_in_its_tail_too(void **state) {
    (void)state;
    assert_true(worst(below, exactly_below, -1, 40, 1e-5f) < 5);
    assert_true(worst(below, exactly_below, -4, -1, 1e-5f) < 12);
    assert_true(worst(below, exactly_below, -8, -4, 1e-4f) < 40);
    assert_true(worst(density_at, exact_density_at, -4, 4, 1e-4f) < 10);
    assert_true(below(-20) == 0 && below(20) == 1 && below(-INFINITY) == 0 && below(INFINITY) == 1);
}

static void not_a_number_stays_visible(void **state) {
    (void)state;
    assert_true(isnan(exp_float(NAN)) && isnan(expm1_float(NAN)) && isnan(tanh_float(NAN)));
    assert_true(isnan(log_float(NAN)) && isnan(log1p_unit_float(NAN)) && isnan(below(NAN)));
}

/* Largest and sum over lengths around the number of lanes; exp(k - k) = 1. */
static void rows_of_any_length_are_reduced(void **state) {
    (void)state;
    act x[40];

    for (int n = 1; n <= 40; n++) {
        for (int j = 0; j < n; j++)
            x[j] = 7 - (j != n / 2); /* one largest, in the middle */
        assert_true(row_max(x, n) == 7);
        assert_true(fabs(row_sum_exp(x, n, 7) - (1 + (n - 1) * exp(-1.0))) < 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_good_to_three_units),
        cmocka_unit_test(exp_ends_in_zero_and_stays_finite),
        cmocka_unit_test(expm1_is_good_to_three_units_also_near_zero),
        cmocka_unit_test(tanh_is_good_to_three_units_also_near_zero),
        cmocka_unit_test(log_is_good_to_three_units),
        cmocka_unit_test(log_ends_in_infinities),
        cmocka_unit_test(log1p_is_good_to_three_units_also_near_zero),
        cmocka_unit_test(normal_distribution_is_good_in_its_tail_too),
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(rows_of_any_length_are_reduced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
