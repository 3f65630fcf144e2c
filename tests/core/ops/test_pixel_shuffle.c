#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const int two = 2; /* pixel_shuffle's arguments are one number */

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const int three = 3;
    check_gradients(&(struct op_case){"pixel_shuffle", &two, .n_x = 1, .x = {{4, {2, 3, 2, 8}}}});
    check_gradients(
        &(struct op_case){"pixel_shuffle", &three, .n_x = 1, .x = {{4, {1, 2, 2, 18}}}});
}

/* From PyTorch: tests/golden/operators.py. */
static void order_of_channels_is_that_of_pytorch(void **state) {
    (void)state;
    const act in[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const act out[] = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
    check_output(&(struct op_case){"pixel_shuffle", &two, .n_x = 1, .x = {{4, {1, 2, 1, 8}}},
                                   .x_data = {in}},
                 (struct shape){4, {1, 4, 2, 2}}, out);
}

static void channels_that_make_no_squares_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"pixel_shuffle", &two, .n_x = 1, .x = {{4, {1, 2, 2, 6}}}},
                  "pixel_shuffle: x is 1x2x2x6, expected images whose channels are a multiple of "
                  "4");
    check_refused(&(struct op_case){"pixel_shuffle", &two, .n_x = 1, .x = {{2, {1, 8}}}},
                  "pixel_shuffle: x is 1x8, expected images whose channels are a multiple of 4");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(order_of_channels_is_that_of_pytorch),
        cmocka_unit_test(channels_that_make_no_squares_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
