#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"softplus", .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
    check_gradients(&(struct op_case){"softplus", .n_x = 1, .x = {{2, {1, 1}}}});
}

/* Beyond all bends and where exponentials end. */
static void gradient_far_from_zero(void **state) {
    (void)state;
    const act in[] = {-30, -4.5, -3.5, -2.5, -1.5, 1.5, 2.5, 3.5, 4.5, 30};
    check_gradients(&(struct op_case){"softplus", .n_x = 1, .x = {{2, {2, 5}}}, .x_data = {in}});
}

/* From PyTorch: tests/golden/operators.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const act in[] = {-20, -4, -3, -1, -0.25, 0, 0.5, 2, 3, 10};
    const act out[] = {2.06115362031e-09, 0.0181499279178, 0.0485873515737, 0.313261687518,
                       0.575939419879,    0.69314718056,   0.97407698418,   2.12692801104,
                       3.04858735157,     10.0000453989};
    check_output(&(struct op_case){"softplus", .n_x = 1, .x = {{2, {2, 5}}}, .x_data = {in},
                                   .tolerance = 1e-10},
                 (struct shape){2, {2, 5}}, out);
}

static void not_a_number_stays_visible(void **state) {
    (void)state;
    const act in[] = {(act)NAN, 1};
    struct shape y;
    act *out =
        forward_of(&(struct op_case){"softplus", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isnan(out[0]) && !isnan(out[1]));
    free(out);
}

/* From PyTorch, as above. */
static void beta_sharpens_the_bend(void **state) {
    (void)state;
    const double two = 2; /* softplus's arguments are one number */
    const act in[] = {-20, -4, -3, -1, -0.25, 0, 0.5, 2, 3, 10};
    const act out[] = {2.12417712765e-18, 0.000167703186448, 0.00123784256887, 0.0634640055215,
                       0.23703849209,     0.34657359028,     0.656630843759,   2.00907496396,
                       3.00123784257,     10.000000001};
    const struct op_case c = {"softplus", .args = &two, .n_x = 1, .x = {{2, {2, 5}}},
                              .x_data = {in}};
    check_output(&c, (struct shape){2, {2, 5}}, out);
    check_gradients(&c);
}

static void large_numbers_do_not_overflow(void **state) {
    (void)state;
    const act in[] = {1e6, -1e6}, out[] = {1e6, 0};
    check_output(&(struct op_case){"softplus", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}},
                 (struct shape){2, {1, 2}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_far_from_zero),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(beta_sharpens_the_bend),
        cmocka_unit_test(large_numbers_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
