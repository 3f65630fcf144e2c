#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char doubled[] = "2, nearest";
static const char smooth[] = "2, bilinear";

/* 0, 1, 4, 9, ... as an image of 2 x 3 pixels with 2 channels. */
static const act squares[] = {0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121};

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    const char third[] = "[3, 1], bilinear";
    const char smaller[] = "2, bilinear, size=[3, 2]";
    const char any[] = "2, nearest, size=[7, 2]";
    const char *const all[] = {doubled, smooth, third, smaller, any};

    for (int i = 0; i < 5; i++)
        check_gradients(
            &(struct op_case){"upsample", .with = all[i], .n_x = 1, .x = {{4, {2, 4, 5, 3}}}});
}

static void gradient_of_series_and_volumes(void **state) {
    (void)state;
    const char of_series[] = "2, bilinear, size=7";
    const char of_volumes[] = "2, bilinear, size=[3, 5, 2]";
    check_gradients(
        &(struct op_case){"upsample", .with = of_series, .n_x = 1, .x = {{3, {2, 5, 3}}}});
    check_gradients(
        &(struct op_case){"upsample", .with = doubled, .n_x = 1, .x = {{3, {2, 5, 3}}}});
    check_gradients(
        &(struct op_case){"upsample", .with = of_volumes, .n_x = 1, .x = {{5, {2, 2, 3, 4, 2}}}});
    check_gradients(
        &(struct op_case){"upsample", .with = doubled, .n_x = 1, .x = {{5, {1, 2, 3, 2, 2}}}});
}

static void nearest_repeats_pixels(void **state) {
    (void)state;
    const act in[] = {1, 10, 2, 20};
    const act out[] = {1, 10, 1, 10, 2, 20, 2, 20, 1, 10, 1, 10, 2, 20, 2, 20};
    check_output(&(struct op_case){"upsample", .n_x = 1, .x = {{4, {1, 1, 2, 2}}}, .x_data = {in}},
                 (struct shape){4, {1, 2, 4, 2}}, out);
}

/* From PyTorch: tests/golden/operators.py. */
static void nearest_to_a_size_agrees_with_pytorch(void **state) {
    (void)state;
    const char args[] = "2, nearest, size=[3, 5]";
    const act out[] = {0, 1, 0, 1,  4,  9,  4,  9,  16, 25, 0,  1,  0,  1,   4,
                       9, 4, 9, 16, 25, 36, 49, 36, 49, 64, 81, 64, 81, 100, 121};
    check_output(&(struct op_case){"upsample", .with = args, .n_x = 1, .x = {{4, {1, 2, 3, 2}}},
                                   .x_data = {squares}},
                 (struct shape){4, {1, 3, 5, 2}}, out);
}

static void bilinear_agrees_with_pytorch(void **state) {
    (void)state;
    const act out[] = {0,  1,  1,    3,    3,    7,    7,    13,   13,   21,   16,  25,
                       9,  13, 11.5, 16.5, 16.5, 23.5, 23.5, 32.5, 32.5, 43.5, 37,  49,
                       27, 37, 32.5, 43.5, 43.5, 56.5, 56.5, 71.5, 71.5, 88.5, 79,  97,
                       36, 49, 43,   57,   57,   73,   73,   91,   91,   111,  100, 121};
    check_output(&(struct op_case){"upsample", .with = smooth, .n_x = 1, .x = {{4, {1, 2, 3, 2}}},
                                   .x_data = {squares}},
                 (struct shape){4, {1, 4, 6, 2}}, out);
}

static void bilinear_to_a_size_agrees_with_pytorch(void **state) {
    (void)state;
    const char args[] = "2, bilinear, size=[3, 2]";
    const act out[] = {1, 3, 13, 21, 22, 30, 52, 66, 43, 57, 91, 111};
    check_output(&(struct op_case){"upsample", .with = args, .n_x = 1, .x = {{4, {1, 2, 3, 2}}},
                                   .x_data = {squares}},
                 (struct shape){4, {1, 3, 2, 2}}, out);
}

static void series_and_volumes_agree_with_pytorch(void **state) {
    (void)state;
    const char five[] = "2, bilinear, size=5";
    const char three[] = "2, bilinear, size=3";
    const act line[] = {0, 1, 1.6, 4.2, 4, 9, 11.2, 18.6, 16, 25};
    const act cube[] = {0,  0.5, 1,    2,  3.5, 5,    4,  6.5, 9,    8,  10.5, 13,   14, 17.5,
                        21, 20,  24.5, 29, 16,  20.5, 25, 26,  31.5, 37, 36,   42.5, 49};
    check_output(&(struct op_case){"upsample", .with = five, .n_x = 1, .x = {{3, {1, 3, 2}}},
                                   .x_data = {squares}},
                 (struct shape){3, {1, 5, 2}}, line);
    check_output(&(struct op_case){"upsample", .with = three, .n_x = 1, .x = {{5, {1, 2, 2, 2, 1}}},
                                   .x_data = {squares}},
                 (struct shape){5, {1, 3, 3, 3, 1}}, cube);
}

static void flat_rows_are_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"upsample", .n_x = 1, .x = {{2, {2, 3}}}},
                  "upsample: x is 2x3, expected images (samples x height x width x channels)");
}

static void lists_of_another_length_are_refused(void **state) {
    (void)state;
    const char scale[] = "[1, 2, 3], nearest";
    const char size[] = "2, nearest, size=[4, 0]";
    check_refused(&(struct op_case){"upsample", .with = scale, .n_x = 1, .x = {{4, {1, 2, 3, 2}}}},
                  "upsample: scale has 3 numbers, expected one or 2");
    check_refused(&(struct op_case){"upsample", .with = size, .n_x = 1, .x = {{4, {1, 2, 3, 2}}}},
                  "upsample: size holds a 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradient_of_series_and_volumes),
        cmocka_unit_test(nearest_repeats_pixels),
        cmocka_unit_test(nearest_to_a_size_agrees_with_pytorch),
        cmocka_unit_test(bilinear_agrees_with_pytorch),
        cmocka_unit_test(bilinear_to_a_size_agrees_with_pytorch),
        cmocka_unit_test(series_and_volumes_agree_with_pytorch),
        cmocka_unit_test(flat_rows_are_refused),
        cmocka_unit_test(lists_of_another_length_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
