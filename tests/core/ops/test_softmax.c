#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"softmax", .n_x = 1, .x = {{4, {2, 2, 3, 5}}}});
    check_gradients(&(struct op_case){"softmax", .n_x = 1, .x = {{2, {3, 1}}}});
}

/* exp(1), exp(0), exp(4) are 2.718281828, 1 and 54.598150033; their sum is 58.316431862. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {1, 0, 4}, out[] = {0.0466126226, 0.0171478255, 0.9362395519};
    check_output(&(struct op_case){"softmax", .n_x = 1, .x = {{2, {1, 3}}}, .x_data = {in},
                                   .tolerance = 1e-9},
                 (struct shape){2, {1, 3}}, out);
}

static void large_numbers_do_not_overflow(void **state) {
    (void)state;
    const act in[] = {10001, 10000, 10004, -10000, -10000, -10000};
    const act out[] = {0.0466126226, 0.0171478255, 0.9362395519, 1.0 / 3, 1.0 / 3, 1.0 / 3};
    check_output(&(struct op_case){"softmax", .n_x = 1, .x = {{2, {2, 3}}}, .x_data = {in},
                                   .tolerance = 1e-8},
                 (struct shape){2, {2, 3}}, out);
}

static void a_tensor_without_channels_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"softmax", .n_x = 1, .x = {{1, {8}}}},
                  "softmax: x is 8, expected samples with channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(large_numbers_do_not_overflow),
        cmocka_unit_test(a_tensor_without_channels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
