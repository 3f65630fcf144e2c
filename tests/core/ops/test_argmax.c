#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void the_first_of_the_largest_is_chosen(void **state) {
    (void)state;
    const act in[] = {1, 5, 2, 7, 7, 0, -3, -2, -1, 0, 0, 0};
    const act out[] = {1, 0, 2, 0};
    check_output(&(struct op_case){"argmax", .n_x = 1, .x = {{4, {1, 2, 2, 3}}}, .x_data = {in}},
                 (struct shape){3, {1, 2, 2}}, out);
    check_output(&(struct op_case){"argmax", .n_x = 1, .x = {{2, {4, 3}}}, .x_data = {in}},
                 (struct shape){1, {4}}, out);
}

static void no_gradient_passes(void **state) {
    (void)state;
    assert_null(op_find("argmax")->backward);
}

static void a_tensor_without_channels_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"argmax", .n_x = 1, .x = {{1, {8}}}},
                  "argmax: x is 8, expected samples with channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_the_largest_is_chosen),
        cmocka_unit_test(no_gradient_passes),
        cmocka_unit_test(a_tensor_without_channels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
