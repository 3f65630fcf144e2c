#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char channels[] = "1, 3, axis=-1", rows[] = "1, 0, axis=1", columns[] = "0, -1, axis=2";
    check_gradients(
        &(struct op_case){"slice", .with = channels, .n_x = 1, .x = {{4, {2, 3, 2, 4}}}});
    check_gradients(&(struct op_case){"slice", .with = rows, .n_x = 1, .x = {{4, {2, 3, 2, 4}}}});
    check_gradients(
        &(struct op_case){"slice", .with = columns, .n_x = 1, .x = {{4, {2, 3, 2, 4}}}});
}

static const act counted[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static void part_of_the_channels(void **state) {
    (void)state;
    const char args[] = "1, 3, axis=-1";
    const act out[] = {1, 2, 5, 6, 9, 10};
    check_output(
        &(struct op_case){"slice", .with = args, .n_x = 1, .x = {{2, {3, 4}}}, .x_data = {counted}},
        (struct shape){2, {3, 2}}, out);
}

static void part_of_another_axis(void **state) {
    (void)state;
    const char args[] = "1, 2, axis=1";
    const act out[] = {2, 3, 8, 9}; /* samples 0 .. 5 and 6 .. 11, three rows each */
    check_output(&(struct op_case){"slice", .with = args, .n_x = 1, .x = {{3, {2, 3, 2}}},
                                   .x_data = {counted}},
                 (struct shape){3, {2, 1, 2}}, out);
}

static void places_count_from_the_end_where_negative(void **state) {
    (void)state;
    const char last[] = "-1, 0, axis=-1", all_but_last[] = "0, -1, axis=-1";
    const act end[] = {3, 7, 11}, rest[] = {0, 1, 2, 4, 5, 6, 8, 9, 10};
    check_output(
        &(struct op_case){"slice", .with = last, .n_x = 1, .x = {{2, {3, 4}}}, .x_data = {counted}},
        (struct shape){2, {3, 1}}, end);
    check_output(&(struct op_case){"slice", .with = all_but_last, .n_x = 1, .x = {{2, {3, 4}}},
                                   .x_data = {counted}},
                 (struct shape){2, {3, 3}}, rest);
}

static void the_batch_is_not_cut(void **state) {
    (void)state;
    const char batch[] = "0, 1, axis=0", beyond[] = "0, 1, axis=2", before[] = "0, 1, axis=-2";
    check_refused(&(struct op_case){"slice", .with = batch, .n_x = 1, .x = {{2, {3, 4}}}},
                  "slice: x is 3x4, expected an axis of 1 to 1, not 0");
    check_refused(&(struct op_case){"slice", .with = beyond, .n_x = 1, .x = {{2, {3, 4}}}},
                  "slice: x is 3x4, expected an axis of 1 to 1, not 2");
    check_refused(&(struct op_case){"slice", .with = before, .n_x = 1, .x = {{2, {3, 4}}}},
                  "slice: x is 3x4, expected an axis of 1 to 1, not -2");
}

static void places_outside_are_refused(void **state) {
    (void)state;
    const char far[] = "2, 5, axis=-1", empty[] = "2, 2, axis=-1", before[] = "-5, 0, axis=-1";
    check_refused(&(struct op_case){"slice", .with = far, .n_x = 1, .x = {{2, {3, 4}}}},
                  "slice: 2 to 5 of 4 places in 3x4 is not a piece");
    check_refused(&(struct op_case){"slice", .with = empty, .n_x = 1, .x = {{2, {3, 4}}}},
                  "slice: 2 to 2 of 4 places in 3x4 is not a piece");
    check_refused(&(struct op_case){"slice", .with = before, .n_x = 1, .x = {{2, {3, 4}}}},
                  "slice: -1 to 4 of 4 places in 3x4 is not a piece");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(part_of_the_channels),
        cmocka_unit_test(part_of_another_axis),
        cmocka_unit_test(places_count_from_the_end_where_negative),
        cmocka_unit_test(the_batch_is_not_cut),
        cmocka_unit_test(places_outside_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
