#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"relu6", .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
    check_gradients(&(struct op_case){"relu6", .n_x = 1, .x = {{2, {1, 1}}}});
}

/* By definition. */
static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    const act in[] = {-2, -0.5, 0, 0.5, 3, 8};
    const act out[] = {0, 0, 0, 0.5, 3, 6};
    check_output(&(struct op_case){"relu6", .n_x = 1, .x = {{2, {2, 3}}}, .x_data = {in}},
                 (struct shape){2, {2, 3}}, out);
}

static void not_a_number_stays_visible(void **state) {
    (void)state;
    const act in[] = {(act)NAN, 1};
    struct shape y;
    act *out =
        forward_of(&(struct op_case){"relu6", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isnan(out[0]) && !isnan(out[1]));
    free(out);
}

static void no_gradient_passes_above_six(void **state) {
    (void)state;
    const act in[] = {5, 7, -1, 5.5};
    check_gradients(&(struct op_case){"relu6", .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(no_gradient_passes_above_six),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
