#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"l2_norm", .n_x = 1, .x = {{4, {2, 3, 2, 5}}}});
    check_gradients(&(struct op_case){"l2_norm", .with = "eps=0.5", .n_x = 1, .x = {{2, {3, 4}}}});
}

/* By hand: lengths 5, 13 and 1e-5 of nothing. */
static void each_pixel_has_the_length_of_its_weights(void **state) {
    (void)state;
    const act x[] = {3, 4, -5, 12, 0, 0}, out[] = {12, 16, -20. * 5 / 13, 20. * 12 / 13, 0, 0};
    const real weight[] = {20, 20}, other[] = {1, -2};
    const act turned[] = {0.6, -1.6, -5. / 13, -24. / 13, 0, 0};
    struct op_case c = {"l2_norm", .n_x = 1, .x = {{3, {1, 3, 2}}}, .x_data = {x},
                        .w_data = {weight}};

    check_output(&c, c.x[0], out);
    c.w_data[0] = other;
    check_output(&c, c.x[0], turned);
}

static void weights_begin_at_20_unless_said_otherwise(void **state) {
    (void)state;
    const struct op_case c = {"l2_norm", .n_x = 1, .x = {{2, {1, 2}}}};
    const struct op_plan plan = plan_of(&c);

    assert_string_equal(plan.w[0].init.word->name, "constant");
    assert_true(*(const double *)plan.w[0].init.args == 20);
}

static void numbers_without_channels_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"l2_norm", .n_x = 1, .x = {{1, {4}}}},
                  "l2_norm: x is 4, expected samples with channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(each_pixel_has_the_length_of_its_weights),
        cmocka_unit_test(weights_begin_at_20_unless_said_otherwise),
        cmocka_unit_test(numbers_without_channels_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
