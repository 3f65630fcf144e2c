#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct window {
    struct ints kernel, stride, pad;
};

static const struct window three = {{1, {3}}, {1, {2}}, {1, {1}}};
static const struct window uneven = {{2, {3, 2}}, {2, {1, 2}}, {2, {1, 0}}};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"avgpool", .n_x = 1, .x = {{4, {3, 4, 6, 3}}}});
}

static void gradient_of_overlapping_padded_windows(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"avgpool", .args = &three, .n_x = 1, .x = {{4, {2, 5, 6, 2}}}});
    check_gradients(
        &(struct op_case){"avgpool", .args = &uneven, .n_x = 1, .x = {{4, {2, 4, 5, 2}}}});
}

static void output_worked_by_hand(void **state) {
    (void)state;
    /* 2x4 pixels, 2 channels */
    const act in[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 7, 70, 8, 80};
    const act out[] = {3.5, 35, 5.5, 55};
    check_output(&(struct op_case){"avgpool", .n_x = 1, .x = {{4, {1, 2, 4, 2}}}, .x_data = {in}},
                 (struct shape){4, {1, 1, 2, 2}}, out);
}

/* Kernel 3, stride 2, pad 1 over 3x3 pixels: four of nine are inside, as PyTorch counts by default.
 */
static void padding_counts_as_zeros(void **state) {
    (void)state;
    const act in[] = {9, 18, 27, 36, 45, 54, 63, 72, 81}, out[] = {12, 16, 24, 28};
    check_output(&(struct op_case){"avgpool", .args = &three, .n_x = 1, .x = {{4, {1, 3, 3, 1}}},
                                   .x_data = {in}},
                 (struct shape){4, {1, 2, 2, 1}}, out);
}

static void ragged_edge_is_left_out(void **state) {
    (void)state;
    const act in[] = {1, 1, 9, 1, 1, 9, 9, 9, 9}, out[] = {1};
    check_output(&(struct op_case){"avgpool", .n_x = 1, .x = {{4, {1, 3, 3, 1}}}, .x_data = {in}},
                 (struct shape){4, {1, 1, 1, 1}}, out);
}

static void a_kernel_larger_than_the_padded_input_is_refused(void **state) {
    (void)state;
    const struct window big = {{1, {7}}, {1, {1}}, {1, {1}}};
    check_refused(&(struct op_case){"avgpool", .args = &big, .n_x = 1, .x = {{4, {1, 5, 3, 1}}}},
                  "avgpool: kernel 7x7 is larger than the padded input 7x5");
}

static void padding_beyond_half_the_kernel_is_refused(void **state) {
    (void)state;
    const struct window wide = {{1, {3}}, {1, {1}}, {2, {1, 2}}};
    check_refused(&(struct op_case){"avgpool", .args = &wide, .n_x = 1, .x = {{4, {1, 5, 5, 1}}}},
                  "avgpool: pad 1x2 is more than half the kernel 3x3");
    const struct window tall = {{1, {3}}, {1, {1}}, {2, {2, 1}}};
    check_refused(&(struct op_case){"avgpool", .args = &tall, .n_x = 1, .x = {{4, {1, 5, 5, 1}}}},
                  "avgpool: pad 2x1 is more than half the kernel 3x3");
}

static void three_numbers_for_two_dimensions_are_refused(void **state) {
    (void)state;
    const struct window deep = {{3, {2, 2, 2}}, {1, {0}}, {1, {0}}};
    check_refused(&(struct op_case){"avgpool", .args = &deep, .n_x = 1, .x = {{4, {1, 4, 4, 1}}}},
                  "avgpool: kernel has 3 numbers, expected one, or height, width");
}

static void anything_but_images_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"avgpool", .n_x = 1, .x = {{2, {8, 10}}}},
                  "avgpool: x is 8x10, expected images (samples x height x width x channels)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_overlapping_padded_windows),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(padding_counts_as_zeros),
        cmocka_unit_test(ragged_edge_is_left_out),
        cmocka_unit_test(a_kernel_larger_than_the_padded_input_is_refused),
        cmocka_unit_test(padding_beyond_half_the_kernel_is_refused),
        cmocka_unit_test(three_numbers_for_two_dimensions_are_refused),
        cmocka_unit_test(anything_but_images_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
