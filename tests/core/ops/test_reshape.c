#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct ints two_by_three = {2, {2, 3}}, free_rows = {3, {-1, 2, 1}};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"reshape", .args = &two_by_three, .n_x = 1, .x = {{2, {2, 6}}}});
}

static void numbers_keep_their_order(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6};
    check_output(&(struct op_case){"reshape", .args = &two_by_three, .n_x = 1, .x = {{2, {1, 6}}},
                                   .x_data = {in}},
                 (struct shape){3, {1, 2, 3}}, in);
}

static void minus_one_is_worked_out(void **state) {
    (void)state;
    const act in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    check_output(&(struct op_case){"reshape", .args = &free_rows, .n_x = 1, .x = {{2, {2, 6}}},
                                   .x_data = {in}},
                 (struct shape){4, {2, 3, 2, 1}}, in);
}

static void other_numbers_of_elements_are_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"reshape", .args = &two_by_three, .n_x = 1, .x = {{3, {4, 5, 2}}}},
        "reshape: samples are 5x2 (10 numbers), not 2x3");
    check_refused(&(struct op_case){"reshape", .args = &free_rows, .n_x = 1, .x = {{2, {4, 7}}}},
                  "reshape: samples are 7 (7 numbers), not -1x2x1");
    check_refused(&(struct op_case){"reshape", .args = &two_by_three, .n_x = 1, .x = {{1, {4}}}},
                  "reshape: samples are one number (1 numbers), not 2x3");
}

static void two_free_dimensions_are_refused(void **state) {
    (void)state;
    const struct ints twice = {2, {-1, -1}};
    check_refused(&(struct op_case){"reshape", .args = &twice, .n_x = 1, .x = {{2, {4, 6}}}},
                  "reshape: -1x-1 holds -1 2 times, expected once at most");
}

static void zero_is_refused(void **state) {
    (void)state;
    const struct ints nothing = {2, {3, 0}};
    check_refused(&(struct op_case){"reshape", .args = &nothing, .n_x = 1, .x = {{2, {4, 6}}}},
                  "reshape: 3x0 holds a 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(numbers_keep_their_order),
        cmocka_unit_test(minus_one_is_worked_out),
        cmocka_unit_test(other_numbers_of_elements_are_refused),
        cmocka_unit_test(two_free_dimensions_are_refused),
        cmocka_unit_test(zero_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
