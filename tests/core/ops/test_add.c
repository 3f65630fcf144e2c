#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void check_shapes(struct shape a, struct shape b) {
    struct op_case c = {"add", .n_x = 2, .x = {a, b}};

    check_gradients(&c);
}

static void gradient_of_equal_shapes(void **state) {
    (void)state;
    check_shapes((struct shape){4, {2, 1, 2, 3}}, (struct shape){4, {2, 1, 2, 3}});
}

static void gradient_of_a_number(void **state) {
    (void)state;
    check_shapes((struct shape){4, {2, 3, 2, 3}}, (struct shape){1, {1}});
    check_shapes((struct shape){1, {1}}, (struct shape){2, {4, 3}});
}

static void gradient_of_channels_against_pixels(void **state) {
    (void)state;
    check_shapes((struct shape){4, {2, 3, 2, 3}}, (struct shape){2, {2, 3}});
    check_shapes((struct shape){2, {2, 3}}, (struct shape){4, {2, 1, 2, 3}});
}

static void gradient_of_repeated_dimensions(void **state) {
    (void)state;
    check_shapes((struct shape){4, {2, 3, 2, 3}}, (struct shape){4, {1, 1, 1, 3}});
    check_shapes((struct shape){4, {2, 3, 2, 3}}, (struct shape){4, {2, 3, 2, 1}});
    check_shapes((struct shape){4, {2, 1, 3, 1}}, (struct shape){4, {1, 2, 1, 3}});
}

static void output_worked_by_hand(void **state) {
    (void)state;
    const act a[] = {6, -8, 10, 12}, b[] = {3, 2, -5, 4};
    const act out[] = {9, -6, 5, 16};
    check_output(
        &(struct op_case){"add", .n_x = 2, .x = {{2, {2, 2}}, {2, {2, 2}}}, .x_data = {a, b}},
        (struct shape){2, {2, 2}}, out);
}

/* Two samples of two pixels and two channels; a number per sample and channel. */
static void channels_apply_to_every_pixel(void **state) {
    (void)state;
    const act a[] = {6, -8, 10, 12, 2, 4, 6, 8}, b[] = {2, 4, -2, -4};
    const act out[] = {8, -4, 12, 16, 0, 0, 4, 4};
    check_output(
        &(struct op_case){"add", .n_x = 2, .x = {{4, {2, 1, 2, 2}}, {2, {2, 2}}}, .x_data = {a, b}},
        (struct shape){4, {2, 1, 2, 2}}, out);
}

static void a_number_may_stand_first(void **state) {
    (void)state;
    const act a[] = {12}, b[] = {3, 2, -6, 4};
    const act out[] = {15, 14, 6, 16};
    check_output(&(struct op_case){"add", .n_x = 2, .x = {{1, {1}}, {2, {2, 2}}}, .x_data = {a, b}},
                 (struct shape){2, {2, 2}}, out);
}

/* Longer than one stretch, with the pixels of a sample on both sides of the cut. */
static void long_tensors_are_walked_to_the_end(void **state) {
    (void)state;
    enum { PIXELS = 700 };
    static act a[2 * PIXELS * 3], out[2 * PIXELS * 3];
    const act b[] = {1, 2, 4, 8, 16, 32};

    for (int i = 0; i < 2 * PIXELS * 3; i++) {
        a[i] = i;
        out[i] = a[i] + b[i / (PIXELS * 3) * 3 + i % 3];
    }
    check_output(&(struct op_case){"add", .n_x = 2, .x = {{4, {2, 7, 100, 3}}, {2, {2, 3}}},
                                   .x_data = {a, b}},
                 (struct shape){4, {2, 7, 100, 3}}, out);
}

static void shapes_that_do_not_match_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"add", .n_x = 2, .x = {{2, {8, 10}}, {2, {8, 4}}}},
                  "add: shapes 8x10 and 8x4 do not match");
    check_refused(&(struct op_case){"add", .n_x = 2, .x = {{4, {8, 2, 2, 3}}, {1, {8}}}},
                  "add: shapes 8x2x2x3 and 8 do not match");
    check_refused(&(struct op_case){"add", .n_x = 2, .x = {{4, {8, 2, 2, 3}}, {3, {8, 2, 3}}}},
                  "add: shapes 8x2x2x3 and 8x2x3 do not match");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_of_equal_shapes),
        cmocka_unit_test(gradient_of_a_number),
        cmocka_unit_test(gradient_of_channels_against_pixels),
        cmocka_unit_test(gradient_of_repeated_dimensions),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(channels_apply_to_every_pixel),
        cmocka_unit_test(a_number_may_stand_first),
        cmocka_unit_test(long_tensors_are_walked_to_the_end),
        cmocka_unit_test(shapes_that_do_not_match_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
