#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act in[] = {2.25, 6.25, 9, 16};
    check_gradients(&(struct op_case){"sqrt", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}});
}

/* Of squares. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {2.25, 6.25, 9, 16};
    const act out[] = {1.5, 2.5, 3, 4};
    check_output(
        &(struct op_case){"sqrt", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}, .tolerance = 1e-11},
        (struct shape){2, {2, 2}}, out);
}

static void less_than_zero_has_no_root(void **state) {
    (void)state;
    const act in[] = {-1, 4};
    struct shape y;
    act *out =
        forward_of(&(struct op_case){"sqrt", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isnan(out[0]) && fabs(out[1] - 2) < 1e-12);
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(less_than_zero_has_no_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
