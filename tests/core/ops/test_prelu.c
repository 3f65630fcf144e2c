#include "support/op_check.h"
#include "core/ops/parts/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char shared[] = "shared=true";

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"prelu", .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
    check_gradients(&(struct op_case){"prelu", .with = shared, .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
}

/* 400 rows of 200 channels are several blocks of sums; so are 3000 rows of 11, all but full. */
static void gradient_of_many_rows(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"prelu", .n_x = 1, .x = {{3, {4, 100, 200}}}, .every = 1999});
    check_gradients(&(struct op_case){"prelu", .n_x = 1, .x = {{2, {3000, 11}}}, .every = 1999});
}

static void negative_numbers_are_weighted_by_channel(void **state) {
    (void)state;
    const act in[] = {-1, -2, 3, 4, -5, 0}, out[] = {-0.5, -4, 3, 4, -2.5, 0};
    const real weight[] = {0.5, 2};
    check_output(&(struct op_case){"prelu", .n_x = 1, .x = {{2, {3, 2}}}, .x_data = {in},
                                   .w_data = {weight}},
                 (struct shape){2, {3, 2}}, out);
}

static void one_weight_may_serve_all_channels(void **state) {
    (void)state;
    const act in[] = {-1, -2, 3, 4}, out[] = {-3, -6, 3, 4};
    const real weight[] = {3};
    check_output(&(struct op_case){"prelu", .with = shared, .n_x = 1, .x = {{2, {2, 2}}},
                                   .x_data = {in}, .w_data = {weight}},
                 (struct shape){2, {2, 2}}, out);
}

static void weights_begin_at_a_quarter_and_do_not_decay(void **state) {
    (void)state;
    const struct shape eight = {1, {8}};
    const struct op_plan plan =
        plan_of(&(struct op_case){"prelu", .n_x = 1, .x = {{4, {2, 3, 3, 8}}}});
    real v[8];

    assert_string_equal(plan.w[0].name, "weight");
    assert_true(shape_equal(&plan.w[0].shape, &eight) && !plan.w[0].decay);
    init_fill(&plan.w[0].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 0.25 && v[7] == 0.25);
}

static void a_tensor_without_channels_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"prelu", .n_x = 1, .x = {{1, {8}}}},
                  "prelu: x is 8, expected samples with channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_many_rows),
        cmocka_unit_test(negative_numbers_are_weighted_by_channel),
        cmocka_unit_test(one_weight_may_serve_all_channels),
        cmocka_unit_test(weights_begin_at_a_quarter_and_do_not_decay),
        cmocka_unit_test(a_tensor_without_channels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
