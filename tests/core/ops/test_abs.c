#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act in[] = {-1.5, 2.5, -3, 4};
    check_gradients(&(struct op_case){"abs", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}});
}

/* Signs go. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {-1.5, 2.5, -3, 4};
    const act out[] = {1.5, 2.5, 3, 4};
    check_output(
        &(struct op_case){"abs", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}, .tolerance = 1e-11},
        (struct shape){2, {2, 2}}, out);
}

static void slope_at_zero_is_zero(void **state) {
    (void)state;
    const act in[] = {0, 0};
    check_gradients(&(struct op_case){"abs", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(slope_at_zero_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
