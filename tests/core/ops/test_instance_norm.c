#include "support/op_check.h"
#include "core/ops/parts/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char affine[] = "affine=true, eps=1e-5";
static const act in[] = {0,   0.25, 1, 2.25, 4,    0.5,  3.25, 0.75, 4.5,  3, 2,    1.5,
                         1.5, 2,    3, 4.5,  0.75, 3.25, 0.5,  4,    2.25, 1, 0.25, 0};
static const real weight[] = {1, 2, -1, 0.5}, bias[] = {0, 1, 2, 3};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"instance_norm", .n_x = 1, .x = {{4, {3, 3, 3, 5}}}, .tolerance = 1e-5});
    check_gradients(&(struct op_case){"instance_norm", .with = affine, .n_x = 1,
                                      .x = {{4, {3, 3, 3, 5}}}, .tolerance = 1e-5});
    check_gradients(&(struct op_case){"instance_norm", .with = affine, .n_x = 1,
                                      .x = {{3, {2, 9, 3}}}, .evaluate = true, .tolerance = 1e-5});
}

/* One sample of 140 x 160 pixels and 3 channels is two chunks. */
static void gradient_of_one_large_sample(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"instance_norm", .with = affine, .n_x = 1,
                                      .x = {{4, {1, 140, 160, 3}}}, .tolerance = 1e-5,
                                      .every = 7001});
}

/* From PyTorch: tests/golden/operators.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const act out[] = {-1.40692827606,
                       -0.805384654203,
                       -1.17695775259,
                       1.22472854179,
                       0.579323407788,
                       -0.604038490652,
                       1.26749296433,
                       -1.22472854179,
                       0.827604868268,
                       1.40942314485,
                       -0.0905352117379,
                       0,
                       0,
                       -0.0905352117379,
                       1.40942314485,
                       0.827604868268,
                       -1.22472854179,
                       1.26749296433,
                       -0.604038490652,
                       0.579323407788,
                       1.22472854179,
                       -1.17695775259,
                       -0.805384654203,
                       -1.40692827606};
    struct op_case c = {"instance_norm", .n_x = 1, .x = {{3, {2, 3, 4}}}, .x_data = {in},
                        .tolerance = 1e-10};
    check_output(&c, (struct shape){3, {2, 3, 4}}, out);
    c.evaluate = true;
    check_output(&c, (struct shape){3, {2, 3, 4}}, out);
}

static void weight_and_bias_follow_where_affine(void **state) {
    (void)state;
    const act out[] = {-1.40692827606,
                       -0.610769308405,
                       3.17695775259,
                       3.61236427089,
                       0.579323407788,
                       -0.208076981304,
                       0.732507035669,
                       2.38763572911,
                       0.827604868268,
                       3.81884628971,
                       2.09053521174,
                       3,
                       0,
                       0.818929576524,
                       0.590576855145,
                       3.41380243413,
                       -1.22472854179,
                       3.53498592866,
                       2.60403849065,
                       3.28966170389,
                       1.22472854179,
                       -1.35391550519,
                       2.8053846542,
                       2.29653586197};
    check_output(&(struct op_case){"instance_norm", .with = affine, .n_x = 1, .x = {{3, {2, 3, 4}}},
                                   .x_data = {in}, .w_data = {weight, bias}, .tolerance = 1e-10},
                 (struct shape){3, {2, 3, 4}}, out);
}

static void there_are_no_weights_unless_affine(void **state) {
    (void)state;
    const struct op_plan plan =
        plan_of(&(struct op_case){"instance_norm", .n_x = 1, .x = {{4, {2, 3, 3, 8}}}});

    assert_true(!plan.w[0].shape.rank && !plan.w[1].shape.rank);
}

static void weights_start_at_one_and_do_not_decay(void **state) {
    (void)state;
    const struct shape eight = {1, {8}};
    const struct op_plan plan = plan_of(&(struct op_case){"instance_norm", .with = "affine=true",
                                                          .n_x = 1, .x = {{4, {2, 3, 3, 8}}}});
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

static void rows_without_pixels_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"instance_norm", .n_x = 1, .x = {{2, {2, 4}}}},
                  "instance_norm: x is 2x4, expected images (samples x height x width x channels)");
}

static void one_pixel_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"instance_norm", .n_x = 1, .x = {{4, {20, 1, 1, 32}}}},
                  "instance_norm: x is 20x1x1x32, so a channel of a sample has 1 value, which "
                  "normalised is always 0; expected at least 2 values");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_one_large_sample),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(weight_and_bias_follow_where_affine),
        cmocka_unit_test(there_are_no_weights_unless_affine),
        cmocka_unit_test(weights_start_at_one_and_do_not_decay),
        cmocka_unit_test(rows_without_pixels_are_refused),
        cmocka_unit_test(one_pixel_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
