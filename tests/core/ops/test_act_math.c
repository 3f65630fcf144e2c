#include "support/op_check.h"
#include "core/ops/rows.h"

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

static void not_a_number_stays_visible(void **state) {
    (void)state;
    assert_true(isnan(exp_float(NAN)) && isnan(expm1_float(NAN)) && isnan(tanh_float(NAN)));
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
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(rows_of_any_length_are_reduced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
