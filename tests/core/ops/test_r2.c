#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void check_r2(int64_t n, const act *means, double expected) {
    const act y[] = {expected};
    const struct op_case c = {"r2", .n_x = 1, .x = {{3, {1, n, 3}}}, .x_data = {means},
                              .tolerance = 1e-12};
    check_output(&c, (struct shape){1, {1}}, y);
}

/* The example of sklearn.metrics.r2_score: targets 3, -0.5, 2, 7, guesses 2.5, 0, 2, 8. */
static void output_is_that_of_scikit_learn(void **state) {
    (void)state;
    const act means[] = {0.375, 2.875, 15.5625};
    check_r2(1, means, 0.9486081370449679);
}

/* 1 - 2 / 1 and 1 - 0 / 4. */
static void several_numbers_count_alike(void **state) {
    (void)state;
    const act means[] = {2, 3, 10, 0, 0, 4};
    check_r2(2, means, (-1 + 1) / 2.);
}

static void targets_that_never_vary_are_met_or_not(void **state) {
    (void)state;
    const act met[] = {0, 3, 9}, missed[] = {1, 3, 9};
    check_r2(1, met, 1);
    check_r2(1, missed, 0);
}

static void without_samples_it_says_nothing(void **state) {
    (void)state;
    const act none[] = {NAN, NAN, NAN};
    const struct op_case c = {"r2", .n_x = 1, .x = {{3, {1, 1, 3}}}, .x_data = {none}};
    struct shape y;
    act *found = forward_of(&c, &y);
    assert_true(isnan(found[0]));
    free(found);
}

static void it_is_a_metric_that_grows(void **state) {
    (void)state;
    assert_null(op_find("r2")->backward);
    assert_int_equal(op_find("r2")->meaning.better, 1);
}

static void other_tensors_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"r2", .n_x = 1, .x = {{2, {3, 2}}}},
                  "r2: x is 3x2, expected residuals(guess, target)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_that_of_scikit_learn),
        cmocka_unit_test(several_numbers_count_alike),
        cmocka_unit_test(targets_that_never_vary_are_met_or_not),
        cmocka_unit_test(without_samples_it_says_nothing),
        cmocka_unit_test(it_is_a_metric_that_grows),
        cmocka_unit_test(other_tensors_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
