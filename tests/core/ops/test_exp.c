#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act in[] = {-1, 0, 1, 2};
    check_gradients(&(struct op_case){"exp", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}});
}

/* 1/e, 1, e, e^2 */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {-1, 0, 1, 2};
    const act out[] = {0.367879441171, 1, 2.718281828459, 7.389056098931};
    check_output(
        &(struct op_case){"exp", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}, .tolerance = 1e-11},
        (struct shape){2, {2, 2}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
