#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"leaky_relu", .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
    check_gradients(&(struct op_case){"leaky_relu", .n_x = 1, .x = {{2, {1, 1}}}});
}

/* By definition: slope 0.01 unless given. */
static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    const act in[] = {-2, -0.5, 0, 0.5, 3, 8};
    const act out[] = {-0.02, -0.005, 0, 0.5, 3, 8};
    check_output(&(struct op_case){"leaky_relu", .n_x = 1, .x = {{2, {2, 3}}}, .x_data = {in}},
                 (struct shape){2, {2, 3}}, out);
}

static void not_a_number_stays_visible(void **state) {
    (void)state;
    const act in[] = {(act)NAN, 1};
    struct shape y;
    act *out = forward_of(
        &(struct op_case){"leaky_relu", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isnan(out[0]) && !isnan(out[1]));
    free(out);
}

static void slope_is_as_given(void **state) {
    (void)state;
    const double fifth = 0.2; /* leaky_relu's arguments are one number */
    const act in[] = {-5, 5}, out[] = {-1, 5};
    const struct op_case c = {"leaky_relu", .args = &fifth, .n_x = 1, .x = {{2, {1, 2}}},
                              .x_data = {in}};
    check_output(&c, (struct shape){2, {1, 2}}, out);
    check_gradients(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(slope_is_as_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
