#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const act a[] = {1, 2, 3, 4}, b[] = {1, 0, 6, 3};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"mse", .n_x = 2, .x = {{4, {2, 2, 3, 2}}, {4, {2, 2, 3, 2}}}});
    check_gradients(&(struct op_case){"mse", .n_x = 2, .x = {{2, {5, 1}}, {1, {5}}}});
}

static void gradient_against_a_number(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"mse", .n_x = 2, .x = {{2, {5, 2}}, {1, {1}}}});
    check_gradients(&(struct op_case){"mse", .n_x = 2, .x = {{1, {1}}, {2, {5, 2}}}});
}

/* (0 + 4 + 9 + 1) / 4 */
static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    const act loss[] = {3.5};
    const struct op_case c = {"mse", .n_x = 2, .x = {{2, {2, 2}}, {2, {2, 2}}}, .x_data = {a, b},
                              .tolerance = 1e-9};
    check_output(&c, (struct shape){1, {1}}, loss);
    check_count(&c, 4);
}

static void a_number_stands_for_all(void **state) {
    (void)state;
    const act number[] = {1}, loss[] = {3.5};
    check_output(&(struct op_case){"mse", .n_x = 2, .x = {{2, {2, 2}}, {1, {1}}},
                                   .x_data = {a, number}, .tolerance = 1e-9},
                 (struct shape){1, {1}}, loss);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"mse", .n_x = 2, .x = {{4, {8, 4, 4, 3}}, {4, {8, 4, 4, 1}}}},
                  "mse: the first input is 8x4x4x3 and the second 8x4x4x1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_against_a_number),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(a_number_stands_for_all),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
