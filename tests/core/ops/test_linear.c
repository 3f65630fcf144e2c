#include "support/op_check.h"

#include "core/ops/parts/init.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradients_agree_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){.op = "linear", .with = "5, bias=true", .n_x = 1, .x = {{2, {3, 7}}}});
    check_gradients(&(struct op_case){
        .op = "linear", .with = "5, bias=false", .n_x = 1, .x = {{4, {3, 1, 1, 7}}}});
}

static void gradients_of_several_pieces_agree_with_differences(void **state) {
    const char wide[] = "150", narrow[] = "2";

    (void)state;
    check_gradients(&(struct op_case){.op = "linear", .with = wide, .n_x = 1, .x = {{2, {2, 3}}}});
    check_gradients(&(struct op_case){
        .op = "linear", .with = wide, .n_x = 1, .x = {{2, {2, 3}}}, .evaluate = true});
    check_gradients(
        &(struct op_case){.op = "linear", .with = narrow, .n_x = 1, .x = {{2, {2, 150}}}});
}

/* (1, 2, 3) times columns (1, 10, 100) and (2, 0, -1), plus (1000, -1). */
static void output_worked_by_hand(void **state) {
    static const act x[] = {1, 2, 3, -1, 0, 5};
    static const real w[] = {1, 2, 10, 0, 100, -1}, bias[] = {1000, -1};
    static const act y[] = {1321, -2, 1499, -8};
    const char a[] = "2";

    (void)state;
    check_output(&(struct op_case){.op = "linear",
                                   .with = a,
                                   .n_x = 1,
                                   .x = {{2, {2, 3}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){2, {2, 2}}, y);
}

static struct op_plan planned(const char *a, bool bias_auto) {
    return plan_of(&(struct op_case){
        .op = "linear", .with = a, .n_x = 1, .x = {{2, {64, 400}}}, .no_bias = !bias_auto});
}

static void plan_names_and_sizes_the_weights(void **state) {
    const char a[] = "10";
    const struct op_plan p = planned(a, true);
    const struct shape weight = {2, {400, 10}}, bias = {1, {10}};

    (void)state;
    assert_true(shape_equal(&p.w[0].shape, &weight));
    assert_true(shape_equal(&p.w[1].shape, &bias));
    assert_string_equal(p.w[0].name, "weight");
    assert_string_equal(p.w[1].name, "bias");
    assert_true(p.w[0].decay && !p.w[1].decay && !p.w[0].norm && !p.w[1].norm);
    assert_true(p.flops == 512000);
    assert_int_equal(p.w[0].fan_in, 400);
    assert_int_equal(planned(a, false).w[1].shape.rank, 0);
}

/* Uniform within 1 / sqrt(400) = 0.05. */
static void weights_start_within_the_root_of_the_inputs(void **state) {
    enum { LEN = 4000 };
    static real w[LEN];
    const char a[] = "10";
    const struct op_plan p = planned(a, true);
    double largest = 0;

    (void)state;
    init_fill(&p.w[0].init, p.w[0].fan_in, p.w[0].fan_out, 1, w, LEN);
    for (int i = 0; i < LEN; i++)
        largest = fmax(largest, fabs((double)w[i]));
    assert_true(largest <= 0.05000001 && largest > 0.0495);
}

/* (1, 2), (3, 4) and (5, 6), (7, 8) times ((1, 0), (2, 1)), plus (10, 20). */
static void each_row_of_a_list_is_multiplied(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8}, out[] = {15, 22, 21, 24, 27, 26, 33, 28};
    const real weight[] = {1, 0, 2, 1}, bias[] = {10, 20};
    for (int evaluate = 0; evaluate < 2; evaluate++)
        check_output(&(struct op_case){"linear", .with = "2", .n_x = 1, .x = {{3, {2, 2, 2}}},
                                       .x_data = {in}, .w_data = {weight, bias},
                                       .evaluate = evaluate},
                     (struct shape){3, {2, 2, 2}}, out);
    check_gradients(&(struct op_case){"linear", .with = "3", .n_x = 1, .x = {{3, {2, 4, 5}}}});
}

static void images_are_refused(void **state) {
    const char a[] = "10";

    (void)state;
    check_refused(
        &(struct op_case){.op = "linear", .with = a, .n_x = 1, .x = {{4, {64, 8, 8, 32}}}},
        "linear: x is 64x8x8x32, expected samples x channels; put flatten or global_avgpool "
        "before it");
}

static void a_number_is_refused(void **state) {
    const char a[] = "10";

    (void)state;
    check_refused(&(struct op_case){.op = "linear", .with = a, .n_x = 1, .x = {{1, {1}}}},
                  "linear: x is 1, expected samples x channels; put flatten or global_avgpool "
                  "before it");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(gradients_of_several_pieces_agree_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(plan_names_and_sizes_the_weights),
        cmocka_unit_test(weights_start_within_the_root_of_the_inputs),
        cmocka_unit_test(each_row_of_a_list_is_multiplied),
        cmocka_unit_test(images_are_refused),
        cmocka_unit_test(a_number_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
