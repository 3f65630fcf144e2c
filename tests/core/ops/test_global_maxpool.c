#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradients_agree_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"global_maxpool", .n_x = 1, .x = {{4, {3, 3, 2, 5}}}});
    check_gradients(&(struct op_case){"global_maxpool", .n_x = 1, .x = {{3, {2, 3, 70}}}});
    check_gradients(&(struct op_case){"global_maxpool", .n_x = 1, .x = {{5, {2, 2, 3, 2, 2}}}});
}

static void output_worked_by_hand(void **state) {
    const act in[] = {1, -80, 2, -20, 3, -30, 4, -40, 5, -50, 6, -60, 8, -70, 7, -10};
    const act out[] = {4, -20, 8, -10};

    (void)state;
    check_output(
        &(struct op_case){"global_maxpool", .n_x = 1, .x = {{4, {2, 2, 2, 2}}}, .x_data = {in}},
        (struct shape){2, {2, 2}}, out);
    check_output(
        &(struct op_case){"global_maxpool", .n_x = 1, .x = {{3, {2, 4, 2}}}, .x_data = {in}},
        (struct shape){2, {2, 2}}, out);
}

static void not_a_number_stays_visible(void **state) {
    const act in[] = {1, (act)NAN, 3};
    struct shape y;
    act *out = forward_of(
        &(struct op_case){"global_maxpool", .n_x = 1, .x = {{3, {1, 3, 1}}}, .x_data = {in}}, &y);

    (void)state;
    assert_true(isnan(out[0]));
    free(out);
}

static void a_row_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"global_maxpool", .n_x = 1, .x = {{2, {8, 10}}}},
                  "global_maxpool: x is 8x10, expected images (samples x height x width x "
                  "channels), or one or three dimensions in place of height x width");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(not_a_number_stays_visible),
        cmocka_unit_test(a_row_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
