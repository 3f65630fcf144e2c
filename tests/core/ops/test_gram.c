#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"gram", .n_x = 1, .x = {{4, {2, 3, 2, 5}}}});
    check_gradients(&(struct op_case){"gram", .n_x = 1, .x = {{3, {2, 4, 1}}}});
}

/* 70 channels and 300 pixels are two pieces each. */
static void gradient_of_several_pieces(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"gram", .n_x = 1, .x = {{4, {2, 3, 100, 70}}}, .every = 4001});
}

/* Pixels (1, 2) and (3, 4): products 1 + 9, 2 + 12, 4 + 16, over 2 pixels times 2 channels. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 0, 2, 0, 0}, out[] = {2.5, 3.5, 3.5, 5, 0, 0, 0, 1};
    check_output(&(struct op_case){"gram", .n_x = 1, .x = {{4, {2, 1, 2, 2}}}, .x_data = {in}},
                 (struct shape){3, {2, 2, 2}}, out);
}

static void rows_without_pixels_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"gram", .n_x = 1, .x = {{2, {2, 3}}}},
                  "gram: x is 2x3, expected images (samples x height x width x channels)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_several_pieces),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(rows_without_pixels_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
