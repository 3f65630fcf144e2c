#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct ints pixels = {2, {1, 2}}, channels = {1, {3}}; /* its only argument */

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const struct ints ends = {2, {3, 1}}, all = {3, {1, 2, 3}}, middle = {1, {2}};
    const struct ints *const lists[] = {&pixels, &channels, &ends, &all, &middle};

    for (int i = 0; i < 5; i++)
        check_gradients(
            &(struct op_case){"mean_over", lists[i], .n_x = 1, .x = {{4, {3, 2, 3, 11}}}});
    check_gradients(&(struct op_case){"mean_over", &middle, .n_x = 1, .x = {{5, {2, 2, 3, 1, 2}}}});
}

/* Samples 1 .. 8 and 10 .. 80 of 2 x 2 pixels with 2 channels. */
static const act counted[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 30, 40, 50, 60, 70, 80};

static void output_worked_by_hand(void **state) {
    (void)state;
    const act over_pixels[] = {4, 5, 40, 50};
    const act over_channels[] = {1.5, 3.5, 5.5, 7.5, 15, 35, 55, 75};
    const act over_all[] = {4.5, 45};
    const struct ints all = {3, {3, 2, 1}};
    struct op_case c = {"mean_over", &pixels, .n_x = 1, .x = {{4, {2, 2, 2, 2}}},
                        .x_data = {counted}};
    check_output(&c, (struct shape){4, {2, 1, 1, 2}}, over_pixels);
    c.args = &channels;
    check_output(&c, (struct shape){4, {2, 2, 2, 1}}, over_channels);
    c.args = &all;
    check_output(&c, (struct shape){4, {2, 1, 1, 1}}, over_all);
}

static void rows_and_columns_are_told_apart(void **state) {
    (void)state;
    const struct ints rows = {1, {1}}, columns = {1, {2}};
    const act over_rows[] = {3, 4, 5, 6, 30, 40, 50, 60};
    const act over_columns[] = {2, 3, 6, 7, 20, 30, 60, 70};
    struct op_case c = {"mean_over", &rows, .n_x = 1, .x = {{4, {2, 2, 2, 2}}},
                        .x_data = {counted}};
    check_output(&c, (struct shape){4, {2, 1, 2, 2}}, over_rows);
    c.args = &columns;
    check_output(&c, (struct shape){4, {2, 2, 1, 2}}, over_columns);
}

static void axes_that_are_not_there_are_refused(void **state) {
    (void)state;
    const struct ints twice = {2, {1, 1}};
    check_refused(&(struct op_case){"mean_over", &channels, .n_x = 1, .x = {{3, {2, 4, 8}}}},
                  "mean_over: x is 2x4x8, expected axes of 1 to 2, not 3");
    check_refused(&(struct op_case){"mean_over", &twice, .n_x = 1, .x = {{3, {2, 4, 8}}}},
                  "mean_over: axis 1 is named twice");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(rows_and_columns_are_told_apart),
        cmocka_unit_test(axes_that_are_not_there_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
