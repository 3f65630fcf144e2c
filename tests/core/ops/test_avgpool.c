#include "support/counted.h"
#include "support/op_check.h"

#include "core/ops/parts/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct window three = {
    .kernel = {1, {3}}, .stride = {1, {2}}, .pad = {1, {1}}, .count_pad = 1};
static const struct window uneven = {
    .kernel = {2, {3, 2}}, .stride = {2, {1, 2}}, .pad = {2, {1, 0}}, .count_pad = 1};

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
    const struct window big = {
        .kernel = {1, {7}}, .stride = {1, {1}}, .pad = {1, {1}}, .count_pad = 1};
    check_refused(&(struct op_case){"avgpool", .args = &big, .n_x = 1, .x = {{4, {1, 5, 3, 1}}}},
                  "avgpool: kernel 7x7 is larger than the padded input 7x5");
}

static void padding_beyond_half_the_kernel_is_refused(void **state) {
    (void)state;
    const struct window wide = {
        .kernel = {1, {3}}, .stride = {1, {1}}, .pad = {2, {1, 2}}, .count_pad = 1};
    check_refused(&(struct op_case){"avgpool", .args = &wide, .n_x = 1, .x = {{4, {1, 5, 5, 1}}}},
                  "avgpool: pad 1x2 is more than half the kernel 3x3");
    const struct window tall = {
        .kernel = {1, {3}}, .stride = {1, {1}}, .pad = {2, {2, 1}}, .count_pad = 1};
    check_refused(&(struct op_case){"avgpool", .args = &tall, .n_x = 1, .x = {{4, {1, 5, 5, 1}}}},
                  "avgpool: pad 2x1 is more than half the kernel 3x3");
}

static void three_numbers_for_two_dimensions_are_refused(void **state) {
    (void)state;
    const struct window deep = {
        .kernel = {3, {2, 2, 2}}, .stride = {1, {0}}, .pad = {1, {0}}, .count_pad = 1};
    check_refused(&(struct op_case){"avgpool", .args = &deep, .n_x = 1, .x = {{4, {1, 4, 4, 1}}}},
                  "avgpool: kernel has 3 numbers, expected one, or height, width");
}

static void anything_but_images_is_refused(void **state) {
    (void)state;
    check_refused(
        &(struct op_case){"avgpool", .n_x = 1, .x = {{2, {8, 10}}}},
        "avgpool: x is 8x10, expected images (samples x height x width x channels), or one or "
        "three dimensions in place of height x width");
}

static void gradients_in_one_and_three_dimensions(void **state) {
    const struct window deep = {.kernel = {3, {2, 3, 2}},
                                .stride = {3, {2, 1, 3}},
                                .pad = {3, {1, 1, 0}},
                                .ceil = 1,
                                .count_pad = 1};

    (void)state;
    check_gradients(&(struct op_case){"avgpool", .args = &three, .n_x = 1, .x = {{3, {2, 7, 3}}}});
    check_gradients(
        &(struct op_case){"avgpool", .args = &deep, .n_x = 1, .x = {{5, {2, 4, 3, 6, 2}}}});
}

/* x counted with step 5; y from tests/golden/convolutions.py. */
static void check_golden(const struct window *w, struct shape x, struct shape y,
                         const act *expected) {
    real in[128];

    assert_true(shape_len(&x) <= 128);
    check_output(&(struct op_case){"avgpool", .args = w, .n_x = 1, .x = {x},
                                   .x_data = {counted(in, shape_len(&x), 5)}},
                 y, expected);
}

static void one_dimension_as_pytorch(void **state) {
    static const act y[] = {
        -0.5,
        0.333333333333,
        0.166666666667,
        0,
        0.25,
        -0.333333333333,
        0.75,
        0.166666666667,
        -0.0833333333333,
        -0.25,
        0.0833333333333,
        -0.5,
    };

    (void)state;
    check_golden(&three, (struct shape){3, {2, 5, 2}}, (struct shape){3, {2, 3, 2}}, y);
}

/* A third window of height would begin in the padding; the second of width reaches beyond the end.
 */
static void ceil_as_pytorch(void **state) {
    const struct window w = {
        .kernel = {2, {2, 3}}, .stride = {1, {3}}, .pad = {2, {1, 0}}, .ceil = 1, .count_pad = 1};
    static const act y[] = {
        -0.458333333333, 0.166666666667, 0.1875, -0.25, -0.125, -0.291666666667, -0.25, 1,
    };

    (void)state;
    check_golden(&w, (struct shape){4, {1, 5, 5, 2}}, (struct shape){4, {1, 2, 2, 2}}, y);
}

/* count_include_pad=False, then True. */
static void padding_that_does_not_count_as_pytorch(void **state) {
    struct window w = {.kernel = {1, {3}}, .stride = {1, {2}}, .pad = {1, {1}}, .ceil = 1};
    static const act without[] = {
        0,
        0.1875,
        0.208333333333,
        0.0416666666667,
        -0.125,
        -1,
        0.125,
        -0.0416666666667,
        0.333333333333,
        0.166666666667,
        0,
        -0.166666666667,
        -0.416666666667,
        0.125,
        0.0277777777778,
        0.333333333333,
        0.166666666667,
        0,
        0.375,
        -0.5,
        0.583333333333,
        0.416666666667,
        0.25,
        1.5,
    };
    static const act with[] = {
        0,
        0.0833333333333,
        0.138888888889,
        0.0277777777778,
        -0.0416666666667,
        -0.333333333333,
        0.0833333333333,
        -0.0277777777778,
        0.333333333333,
        0.166666666667,
        0,
        -0.0833333333333,
        -0.277777777778,
        0.0833333333333,
        0.0277777777778,
        0.333333333333,
        0.0833333333333,
        0,
        0.125,
        -0.166666666667,
        0.291666666667,
        0.208333333333,
        0.0625,
        0.375,
    };
    const struct shape x = {4, {1, 6, 4, 2}}, y = {4, {1, 4, 3, 2}};

    (void)state;
    check_golden(&w, x, y, without);
    check_gradients(&(struct op_case){"avgpool", .args = &w, .n_x = 1, .x = {x}});
    w.count_pad = 1;
    check_golden(&w, x, y, with);
}

static void three_dimensions_as_pytorch(void **state) {
    const struct window w = {
        .kernel = {3, {2, 3, 2}}, .stride = {3, {2, 1, 2}}, .pad = {3, {1, 1, 0}}, .count_pad = 1};
    static const act y[] = {
        0,
        0.0625,
        -0.104166666667,
        -0.0416666666667,
        0.0208333333333,
        -0.0625,
        0.0416666666667,
        -0.0416666666667,
        0.145833333333,
        -0.145833333333,
        0.0416666666667,
        0.104166666667,
        -0.458333333333,
        0.0208333333333,
        0.0416666666667,
        0.166666666667,
        -0.291666666667,
        -0.104166666667,
        0.104166666667,
        0.291666666667,
        -0.166666666667,
        -0.0416666666667,
        -0.0208333333333,
        0.458333333333,
        -0.104166666667,
        -0.0416666666667,
        0.145833333333,
        -0.145833333333,
        0.0416666666667,
        -0.0416666666667,
        0.0625,
        -0.0208333333333,
        0.0416666666667,
        0.104166666667,
        -0.0625,
        0,
    };

    (void)state;
    check_golden(&w, (struct shape){5, {1, 4, 3, 4, 2}}, (struct shape){5, {1, 3, 3, 2, 2}}, y);
}

static void ceil_lets_one_window_cover_less_than_itself(void **state) {
    const struct window w = {.kernel = {1, {3}}, .stride = {1, {0}}, .pad = {1, {0}}, .ceil = 1};
    const act in[] = {4, 8}, out[] = {6};

    (void)state;
    check_output(
        &(struct op_case){"avgpool", .args = &w, .n_x = 1, .x = {{3, {1, 2, 1}}}, .x_data = {in}},
        (struct shape){3, {1, 1, 1}}, out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_overlapping_padded_windows),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(padding_counts_as_zeros),
        cmocka_unit_test(ragged_edge_is_left_out),
        cmocka_unit_test(gradients_in_one_and_three_dimensions),
        cmocka_unit_test(one_dimension_as_pytorch),
        cmocka_unit_test(ceil_as_pytorch),
        cmocka_unit_test(padding_that_does_not_count_as_pytorch),
        cmocka_unit_test(three_dimensions_as_pytorch),
        cmocka_unit_test(ceil_lets_one_window_cover_less_than_itself),
        cmocka_unit_test(a_kernel_larger_than_the_padded_input_is_refused),
        cmocka_unit_test(padding_beyond_half_the_kernel_is_refused),
        cmocka_unit_test(three_numbers_for_two_dimensions_are_refused),
        cmocka_unit_test(anything_but_images_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
