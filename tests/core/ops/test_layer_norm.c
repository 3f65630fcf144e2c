#include "support/op_check.h"
#include "core/ops/parts/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act in[] = {0,   0.25, 1, 2.25, 4,    0.5,  3.25, 0.75, 4.5,  3, 2,    1.5,
                         1.5, 2,    3, 4.5,  0.75, 3.25, 0.5,  4,    2.25, 1, 0.25, 0};
static const real weight[] = {1, 2, -1, 0.5}, bias[] = {0, 1, 2, 3};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"layer_norm", .n_x = 1, .x = {{4, {2, 2, 3, 5}}}, .tolerance = 1e-6});
    check_gradients(
        &(struct op_case){"layer_norm", .n_x = 1, .x = {{2, {3, 37}}}, .tolerance = 1e-6});
    check_gradients(&(struct op_case){"layer_norm", .n_x = 1, .x = {{3, {2, 4, 16}}},
                                      .evaluate = true, .tolerance = 1e-6});
}

/* Weights get the sums of several blocks of rows. */
static void gradient_of_many_rows(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"layer_norm", .n_x = 1, .x = {{2, {5000, 17}}},
                                      .tolerance = 1e-5, .every = 9973});
}

/* From PyTorch: tests/golden/operators.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const act out[] = {-0.999993469452, -0.428562099217, 1.85714379008, 3.78570915457,
                       1.22884524165,   -1.12999841886,  1.26269285501, 2.54942341139,
                       1.52751941254,   1.43643411787,   2.6546511768,  2.45445735266,
                       -1.09108529467,  -0.309302353607, 1.78178294107, 3.76375970627,
                       -0.90115317721,  2.47461428998,   3.06499920943, 3.61442262083,
                       1.57141830914,   1.28571241984,   2.71428104961, 2.50000326527};
    check_output(&(struct op_case){"layer_norm", .n_x = 1, .x = {{3, {2, 3, 4}}}, .x_data = {in},
                                   .w_data = {weight, bias}, .tolerance = 1e-10},
                 (struct shape){3, {2, 3, 4}}, out);
    check_output(&(struct op_case){"layer_norm", .n_x = 1, .x = {{2, {6, 4}}}, .x_data = {in},
                                   .w_data = {weight, bias}, .tolerance = 1e-10},
                 (struct shape){2, {6, 4}}, out);
}

/* 10^7 +- 1: squares of 10^14 would leave two digits of the variance. */
static void a_mean_far_from_zero_costs_no_digits(void **state) {
    (void)state;
    const double eps = 1e-12; /* layer_norm's arguments are one number */
    const act far[] = {10000001, 9999999, 10000001, 9999999}, out[] = {1, -1, 1, -1};
    const real ones[] = {1, 1, 1, 1}, zeros[4] = {0};
    check_output(&(struct op_case){"layer_norm", &eps, .n_x = 1, .x = {{2, {1, 4}}},
                                   .x_data = {far}, .w_data = {ones, zeros}},
                 (struct shape){2, {1, 4}}, out);
}

static void weights_start_at_one_and_do_not_decay(void **state) {
    (void)state;
    const struct shape eight = {1, {8}};
    const struct op_plan plan =
        plan_of(&(struct op_case){"layer_norm", .n_x = 1, .x = {{4, {2, 3, 3, 8}}}});
    real v[8];

    assert_string_equal(plan.w[0].name, "weight");
    assert_string_equal(plan.w[1].name, "bias");
    assert_true(shape_equal(&plan.w[0].shape, &eight) && shape_equal(&plan.w[1].shape, &eight));
    assert_true(!plan.w[0].decay && !plan.w[1].decay && plan.w[0].norm && plan.w[1].norm);
    init_fill(&plan.w[0].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 1 && v[7] == 1);
    init_fill(&plan.w[1].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 0 && v[7] == 0);
}

static void a_tensor_without_channels_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"layer_norm", .n_x = 1, .x = {{1, {8}}}},
                  "layer_norm: x is 8, expected samples with channels");
}

static void one_channel_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"layer_norm", .n_x = 1, .x = {{4, {2, 3, 3, 1}}}},
                  "layer_norm: x is 2x3x3x1, so a pixel has 1 value, which normalised is always 0; "
                  "expected at least 2 values");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_many_rows),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(a_mean_far_from_zero_costs_no_digits),
        cmocka_unit_test(weights_start_at_one_and_do_not_decay),
        cmocka_unit_test(a_tensor_without_channels_is_refused),
        cmocka_unit_test(one_channel_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
