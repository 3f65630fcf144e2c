#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"swish", .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
    check_gradients(&(struct op_case){"swish", .n_x = 1, .x = {{2, {1, 1}}}});
}

/* Beyond all bends and where exponentials end. */
static void gradient_far_from_zero(void **state) {
    (void)state;
    const act in[] = {-30, -4.5, -3.5, -2.5, -1.5, 1.5, 2.5, 3.5, 4.5, 30};
    check_gradients(&(struct op_case){"swish", .n_x = 1, .x = {{2, {2, 5}}}, .x_data = {in}});
}

/* From PyTorch: tests/golden/operators.py. */
static void output_agrees_with_pytorch(void **state) {
    (void)state;
    const act in[] = {-20, -4, -3, -1, -0.25, 0, 0.5, 2, 3, 10};
    const act out[] = {
        -4.12230723638e-08, -0.0719448398484, -0.142277619533, -0.26894142137, -0.109455874779, 0,
        0.311229665601,     1.76159415596,    2.85772238047,   9.99954602131};
    check_output(&(struct op_case){"swish", .n_x = 1, .x = {{2, {2, 5}}}, .x_data = {in},
                                   .tolerance = 1e-10},
                 (struct shape){2, {2, 5}}, out);
}

static void not_a_number_stays_visible(void **state) {
    (void)state;
    const act in[] = {(act)NAN, 1};
    struct shape y;
    act *out =
        forward_of(&(struct op_case){"swish", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isnan(out[0]) && !isnan(out[1]));
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_far_from_zero),
        cmocka_unit_test(output_agrees_with_pytorch),
        cmocka_unit_test(not_a_number_stays_visible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
