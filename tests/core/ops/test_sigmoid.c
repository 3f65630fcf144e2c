#include "support/op_check.h"
#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"sigmoid", .n_x = 1, .x = {{4, {2, 3, 3, 5}}}});
    check_gradients(&(struct op_case){"sigmoid", .n_x = 1, .x = {{2, {1, 1}}}});
}

/* numpy: 1 / (1 + exp(-x)). */
static void output_agrees_with_numbers_from_elsewhere(void **state) {
    (void)state;
    const act in[] = {-2, -0.5, 0, 0.5, 3, 8};
    const act out[] = {0.119202922022, 0.377540668798, 0.5,
                       0.622459331202, 0.952574126822, 0.99966464987};
    check_output(&(struct op_case){"sigmoid", .n_x = 1, .x = {{2, {2, 3}}}, .x_data = {in}},
                 (struct shape){2, {2, 3}}, out);
}

static void not_a_number_stays_visible(void **state) {
    (void)state;
    const act in[] = {(act)NAN, 1};
    struct shape y;
    act *out =
        forward_of(&(struct op_case){"sigmoid", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in}}, &y);
    assert_true(isnan(out[0]) && !isnan(out[1]));
    free(out);
}

static void far_ends_do_not_overflow(void **state) {
    (void)state;
    const act in[] = {-1000, 1000, -40}, out[] = {0, 1, 4.248354255291589e-18};
    check_output(&(struct op_case){"sigmoid", .n_x = 1, .x = {{2, {1, 3}}}, .x_data = {in},
                                   .tolerance = 1e-15},
                 (struct shape){2, {1, 3}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_agrees_with_numbers_from_elsewhere),
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(far_ends_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
