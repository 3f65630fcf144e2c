#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const act in[] = {1, 2, 10, 0.5};
    check_gradients(&(struct op_case){"log", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}});
}

/* Of 1, 2, 10 and 1/2. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const act in[] = {1, 2, 10, 0.5};
    const act out[] = {0, 0.693147180560, 2.302585092994, -0.693147180560};
    check_output(
        &(struct op_case){"log", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}, .tolerance = 1e-11},
        (struct shape){2, {2, 2}}, out);
}

static void zero_and_less_have_no_logarithm(void **state) {
    (void)state;
    const act in[] = {0, -1};
    struct shape y;
    act *out =
        forward_of(&(struct op_case){"log", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isinf(out[0]) && out[0] < 0 && isnan(out[1]));
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(zero_and_less_have_no_logarithm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
