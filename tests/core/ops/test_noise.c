#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char hundred[] = "100, normal", uniform[] = "[10, 10], uniform";

static void check_moments(const char *args, double std) {
    struct shape y;
    act *v = forward_of(&(struct op_case){"noise", .with = args, .batch = 100, .key = 5}, &y);
    double mean = 0, squares = 0;

    for (int i = 0; i < 10000; i++)
        mean += v[i] / 10000, squares += v[i] * v[i] / 10000;
    assert_int_equal(shape_len(&y), 10000);
    assert_true(fabs(mean) < 5 * std / 100); /* 5 standard errors */
    assert_true(fabs(squares - std * std) < 5 * std * std * sqrt(2.0) / 100);
    free(v);
}

static void normal_noise_has_deviation_one(void **state) {
    (void)state;
    check_moments(hundred, 1);
}

static void uniform_noise_has_deviation_one_over_root_three(void **state) {
    (void)state;
    check_moments(uniform, 1 / sqrt(3.0));
}

static void uniform_noise_lies_between_minus_one_and_one(void **state) {
    (void)state;
    struct shape y;
    act *v = forward_of(&(struct op_case){"noise", .with = uniform, .batch = 100, .key = 5}, &y);
    double least = 0, most = 0;

    for (int i = 0; i < 10000; i++)
        least = fmin(least, v[i]), most = fmax(most, v[i]);
    assert_true(least >= -1 && least < -0.99 && most < 1 && most > 0.99);
    free(v);
}

/* Samples 2 and 3 of a batch are the same on the rank that holds them alone; teams agree. */
static void a_sample_does_not_depend_on_the_rank_that_draws_it(void **state) {
    (void)state;
    struct shape y;
    act *all = forward_of(&(struct op_case){"noise", .with = uniform, .batch = 4, .key = 5}, &y);

    check_output(&(struct op_case){"noise", .with = uniform, .batch = 2, .first = 2, .key = 5},
                 (struct shape){3, {2, 10, 10}}, all + 200);
    free(all);
}

static void another_key_draws_other_numbers(void **state) {
    (void)state;
    struct shape y;
    act *a = forward_of(&(struct op_case){"noise", .with = hundred, .batch = 1, .key = 5}, &y);
    act *b = forward_of(&(struct op_case){"noise", .with = hundred, .batch = 1, .key = 6}, &y);

    assert_true(a[0] != b[0] && a[99] != b[99]);
    free(a), free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_noise_has_deviation_one),
        cmocka_unit_test(uniform_noise_has_deviation_one_over_root_three),
        cmocka_unit_test(uniform_noise_lies_between_minus_one_and_one),
        cmocka_unit_test(a_sample_does_not_depend_on_the_rank_that_draws_it),
        cmocka_unit_test(another_key_draws_other_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
