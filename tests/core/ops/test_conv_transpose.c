#include "support/counted.h"
#include "support/op_check.h"

#include "core/ops/parts/filters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { BIAS_AUTO, BIAS_TRUE, BIAS_FALSE };

static struct filters defaults(int channels) {
    struct filters a;

    word_defaults(&op_find("conv_transpose")->word, &a);
    a.channels = channels;
    return a;
}

static void check(const struct filters *a, struct shape x) {
    check_gradients(&(struct op_case){.op = "conv_transpose", .args = a, .n_x = 1, .x = {x}});
}

static void gradients_agree_with_differences(void **state) {
    const struct shape x = {4, {2, 3, 2, 3}};
    struct filters a = defaults(4);

    (void)state;
    check(&a, x);
    a.stride = (struct ints){1, {2}};
    a.pad = (struct ints){0, {FILTERS_SAME}};
    check(&a, x);
    a.bias = BIAS_FALSE;
    a.pad = (struct ints){2, {1, 0}};
    a.kernel = (struct ints){2, {2, 3}};
    a.dilation = (struct ints){2, {1, 2}};
    a.output_pad = (struct ints){1, {1}};
    check(&a, x);
}

static void gradients_of_groups_agree_with_differences(void **state) {
    const struct shape x = {4, {2, 3, 2, 3}};
    struct filters a = defaults(6);

    (void)state;
    a.groups = 3;
    check(&a, x);
    a.channels = 3; /* one filter per channel */
    a.stride = (struct ints){1, {2}};
    check(&a, x);
}

/* DCGAN's first layer: one pixel becomes an image. */
static void gradients_of_one_pixel_agree_with_differences(void **state) {
    struct filters a = defaults(3);

    (void)state;
    a.kernel = (struct ints){1, {4}};
    check(&a, (struct shape){4, {3, 1, 1, 5}});
}

static void gradients_in_one_and_three_dimensions(void **state) {
    struct filters a = defaults(2);

    (void)state;
    a.stride = (struct ints){1, {2}};
    check(&a, (struct shape){3, {2, 4, 3}});
    a.pad = (struct ints){3, {1, 0, 1}};
    a.output_pad = (struct ints){3, {0, 1, 1}};
    check(&a, (struct shape){5, {2, 2, 3, 2, 2}});
    a.groups = 2; /* one filter per channel */
    check(&a, (struct shape){5, {2, 2, 1, 2, 2}});
}

/* Each pixel of [[1, 2], [3, 4]] puts its multiple of the kernel two pixels from the next one's. */
static void output_worked_by_hand(void **state) {
    static const act x[] = {1, 2, 3, 4};
    static const real w[] = {0, 1, 0, 1, 2, 1, 1, 1, 1}, bias[] = {0};
    static const act y[] = {0, 1, 0, 2, 0, 1, 2, 3, 4, 2, 1, 4, 3,
                            6, 2, 3, 6, 7, 8, 4, 3, 3, 7, 4, 4};
    struct filters a = defaults(1);

    (void)state;
    a.stride = (struct ints){1, {2}};
    check_output(&(struct op_case){.op = "conv_transpose",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{4, {1, 2, 2, 1}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){4, {1, 5, 5, 1}}, y);
}

/* x, weights and bias counted with steps 5, 7 and 3; y from tests/golden/convolutions.py. */
static void check_golden(const struct filters *a, struct shape x, int64_t w_len, struct shape y,
                         const act *expected) {
    real in[64], w[256], bias[8];

    assert_true(shape_len(&x) <= 64 && w_len <= 256);
    check_output(&(struct op_case){.op = "conv_transpose",
                                   .args = a,
                                   .n_x = 1,
                                   .x = {x},
                                   .x_data = {counted(in, shape_len(&x), 5)},
                                   .w_data = {counted(w, w_len, 7), counted(bias, 8, 3)}},
                 y, expected);
}

static void groups_and_output_pad_as_pytorch(void **state) {
    static const act y[] = {
        -1.25,   -1.5625, -5.625,  -2.8125, -2,      -1.25,   -1.0625, -3.5625, -4.5,    2.5,
        -2,      -1.25,   -0.875,  -4.5,    -3.375,  2.5,     -2.375,  -0.75,   -3,      -2.5625,
        -2,      -1.25,   -4.125,  -5.8125, 3.5,     -2.5625, -2,      -1.25,   -6.9375, -4.5,
        2.5625,  -2.5625, -0.6875, 0.9375,  -2.25,   -2.8125, -2,      -1.25,   -4.75,   0,
        1,       -2.8125, -2,      -1.25,   -4.5625, -0.9375, 2.125,   -2.8125, -4.875,  -1.25,
        -1.125,  1.375,   -2,      -1.25,   2.5,     -0.3125, -4.5,    0.0625,  -2,      -1.25,
        1.375,   0.625,   -4.6875, -1.25,   -1.1875, -1.875,  -5.25,   -2.8125, -2,      -1.25,
        -1,      -3.875,  -4.125,  2.5,     -2,      -1.25,   -0.8125, 1.5625,  -3,      -2.8125,
        -3.3125, -0.3125, -3.3125, -2.5625, -2,      -1.25,   -5.0625, -5.375,  3.1875,  -2.5625,
        -2,      -1.25,   -7.875,  -3,      2.25,    4.875,   -0.625,  0.625,   -1.875,  -2.8125,
        -2,      -1.25,   -4.6875, -0.3125, 1.375,   -2.8125, -2,      -1.25,   -4.5,    -1.25,
        2.5,     -2.8125, -5.25,   -0.9375, -1.1875, 0.9375,  -2,      -1.25,   2.125,   0,
        -4.5625, -0.375,  -2,      -1.25,   1,       0.9375,  -4.75,   -1.6875,
    };
    struct filters a = defaults(2);

    (void)state;
    a.kernel = (struct ints){2, {3, 2}};
    a.stride = (struct ints){2, {2, 3}};
    a.pad = a.output_pad = (struct ints){2, {1, 0}};
    a.groups = 2;
    check_golden(&a, (struct shape){4, {2, 2, 3, 4}}, 24, (struct shape){4, {2, 4, 8, 2}}, y);
}

static void dilation_as_pytorch(void **state) {
    static const act y[] = {
        -4.6875, 2.5, -2.75,   -0.1875, 2.25,    -3.75,  -4.4375, 2.5625,  -4.875,
        2.625,   2,   -4.1875, 1,       -4.5625, -0.375, 0.0625,  -3.1875, -3.875,
    };
    struct filters a = defaults(2);

    (void)state;
    a.kernel = (struct ints){2, {2, 3}};
    a.stride = (struct ints){2, {1, 2}};
    a.pad = (struct ints){1, {1}};
    a.output_pad = (struct ints){2, {1, 0}};
    a.dilation = (struct ints){2, {2, 1}};
    check_golden(&a, (struct shape){4, {1, 2, 2, 3}}, 36, (struct shape){4, {1, 3, 3, 2}}, y);
}

static void one_dimension_as_pytorch(void **state) {
    static const act y[] = {
        -3.3125, -0.5,    2.3125, -7.0625, -3.8125, -2.6875, 0.4375,  1.5625,  2.6875, 0.625,
        -4.6875, -4.6875, 0.5,    0.5,     0.5,     -6.5625, 0.8125,  2.875,   -4.75,  -2.6875,
        -0.625,  1.375,   2.5,    3.625,   -0.6875, -0.125,  0.4375,  -7.125,  1.1875, 1,
        -2.5,    -2.6875, -2.875, 1.625,   1.375,   0.0625,  -1.375,  -2.6875, -4,     0.8125,
        -4.8125, -4.0625, -0.25,  0.5,     1.25,    -4.875,  -2.8125, -0.75,
    };
    struct filters a = defaults(3);

    (void)state;
    a.kernel = (struct ints){1, {4}};
    a.stride = (struct ints){1, {2}};
    a.pad = (struct ints){1, {1}};
    check_golden(&a, (struct shape){3, {2, 4, 2}}, 24, (struct shape){3, {2, 8, 3}}, y);
}

static void three_dimensions_as_pytorch(void **state) {
    static const act y[] = {
        -1.5,     -1.875,  -0.5625, 2.25,    -2,      -1.25,   -8.1875, 0.375,   -3.1875,
        -2.0625,  -2,      -1.25,   -2.4375, -3.375,  1.625,   0.6875,  -2,      -1.25,
        2.625,    1.0625,  -5.1875, -1.4375, -2,      -1.25,   -4.1875, 3.5625,  1.3125,
        -12.1875, -2,      -1.25,   -1.625,  -2.1875, 1.0625,  2.625,   -2,      -1.25,
        -2.625,   -0.9375, -0.75,   0.9375,  -2,      -1.25,   -0.0625, -5.4375, -4.875,
        -2.8125,  -2,      -1.25,   1.5,     2.625,   -5.1875, -4.0625, -2,      -1.25,
        -0.4375,  1.25,    -3.875,  -2.1875, -2,      -1.25,   -4.4375, -2.375,  3.5,
        0.25,     -2,      -1.25,   -5.0625, -3.9375, -4.3125, 2.125,   -2,      -1.25,
    };
    struct filters a = defaults(2);

    (void)state;
    a.kernel = (struct ints){3, {3, 2, 2}};
    a.stride = (struct ints){3, {2, 1, 2}};
    a.pad = (struct ints){3, {1, 0, 0}};
    a.output_pad = (struct ints){3, {1, 0, 1}};
    check_golden(&a, (struct shape){5, {1, 2, 2, 1, 2}}, 48, (struct shape){5, {1, 4, 3, 3, 2}}, y);
}

static struct op_plan planned(const struct filters *a, struct shape x, bool bias_auto) {
    struct op_plan plan = {.batch = x.dim[0], .bias_auto = bias_auto};
    struct err err = {0};

    if (op_find("conv_transpose")->plan(a, &x, 1, &plan, &err))
        fail_msg("%s", err.msg);
    return plan;
}

/* The second layer of DCGAN's generator: 4x4 -> 8x8, and PyTorch's fan_in of it, 256 * 16. */
static void plan_of_a_layer_of_dcgan(void **state) {
    const struct shape weight = {4, {4, 4, 256, 512}}, y = {4, {8, 8, 8, 256}};
    struct filters a = defaults(256);

    (void)state;
    a.kernel = (struct ints){1, {4}};
    a.stride = (struct ints){1, {2}};
    a.pad = (struct ints){1, {1}};
    const struct op_plan p = planned(&a, (struct shape){4, {8, 4, 4, 512}}, false);
    assert_true(shape_equal(&p.y, &y));
    assert_true(shape_equal(&p.w[0].shape, &weight));
    assert_true(p.w[0].decay);
    assert_int_equal(p.w[0].fan_in, 4096);
    assert_int_equal(p.w[0].fan_out, 8192);
    assert_int_equal(p.w[1].shape.rank, 0);
    assert_true(p.flops == 2.0 * 8 * 16 * 512 * 256 * 16);
    assert_int_equal(planned(&a, (struct shape){4, {8, 4, 4, 512}}, true).w[1].shape.dim[0], 256);
}

static void same_padding_gives_stride_times_the_size(void **state) {
    struct filters a = defaults(2);

    (void)state;
    a.pad = (struct ints){0, {FILTERS_SAME}};
    for (int kernel = 1; kernel <= 6; kernel++)
        for (int stride = 1; stride <= 4; stride++)
            for (int dilation = 1; dilation <= 3; dilation++) {
                a.kernel = (struct ints){1, {kernel}};
                a.stride = (struct ints){1, {stride}};
                a.dilation = (struct ints){1, {dilation}};
                const struct op_plan p = planned(&a, (struct shape){4, {1, 5, 1, 2}}, true);
                assert_int_equal(p.y.dim[1], 5 * stride);
                assert_int_equal(p.y.dim[2], stride);
            }
}

/* Kernel 3 and stride 2, as PyTorch's padding=1, output_padding=1: a 1 under the centre tap. */
static void same_padding_cuts_at_the_beginning(void **state) {
    static const act x[] = {1, 2}, y[] = {10, 102, 20, 200};
    static const real w[] = {1, 10, 100}, bias[] = {0};
    struct filters a = defaults(1);

    (void)state;
    a.stride = (struct ints){1, {2}};
    a.pad = (struct ints){0, {FILTERS_SAME}};
    check_output(&(struct op_case){.op = "conv_transpose",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{3, {1, 2, 1}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){3, {1, 4, 1}}, y);
}

static void refused(const struct filters *a, struct shape x, const char *msg) {
    check_refused(&(struct op_case){.op = "conv_transpose", .args = a, .n_x = 1, .x = {x}}, msg);
}

static void what_makes_no_sense_is_refused(void **state) {
    const struct shape images = {4, {2, 3, 3, 4}};
    struct filters a = defaults(4);

    (void)state;
    refused(&a, (struct shape){2, {8, 10}},
            "conv_transpose: x is 8x10, expected images (samples x height x width x channels), or "
            "one or three dimensions in place of height x width");
    a.output_pad = (struct ints){1, {1}};
    refused(&a, images,
            "conv_transpose: output_pad 1, expected less than the stride 1 or the dilation 1");
    a.pad = (struct ints){0, {FILTERS_SAME}};
    refused(&a, images, "conv_transpose: output_pad=1 and pad=same, which works output_pad out");
    a = defaults(4);
    a.pad = (struct ints){1, {3}};
    refused(&a, images, "conv_transpose: pad 3 cuts off all of the 5 output pixels");
    a = defaults(4);
    a.stride = (struct ints){3, {1, 2, 3}};
    refused(&a, images, "conv_transpose: stride has 3 numbers, expected one, or height, width");
    refused(&a, (struct shape){3, {2, 5, 4}}, "conv_transpose: stride has 3 numbers, expected one");
    a = defaults(4);
    a.groups = 3;
    refused(&a, images, "conv_transpose: groups=3 does not divide the 4 input channels");
    a.groups = 4, a.channels = 6;
    refused(&a, images, "conv_transpose: groups=4 does not divide the 6 output channels");
}

/* Lists of images are computed as the images one after another. */
static void each_image_of_a_list_is_one_of_its_own(void **state) {
    const struct op_case lists = {"conv_transpose", .with = "3, 2, stride=2, each=true", .n_x = 1,
                                  .x = {{5, {2, 3, 4, 5, 2}}}};
    const struct op_case images = {"conv_transpose", .with = "3, 2, stride=2", .n_x = 1,
                                   .x = {{4, {6, 4, 5, 2}}}};
    struct shape shape;

    (void)state;
    check_gradients(&lists);
    act *y = forward_of(&images, &shape);
    check_output(&lists, (struct shape){5, {2, 3, shape.dim[1], shape.dim[2], 3}}, y);
    free(y);
    check_refused(&(struct op_case){"conv_transpose", .with = "3, 2, stride=2, each=true", .n_x = 1,
                                    .x = {{4, {6, 4, 5, 2}}}},
                  "conv_transpose: x is 6x4x5x2, expected lists of images with each=true");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(gradients_of_groups_agree_with_differences),
        cmocka_unit_test(gradients_of_one_pixel_agree_with_differences),
        cmocka_unit_test(gradients_in_one_and_three_dimensions),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(groups_and_output_pad_as_pytorch),
        cmocka_unit_test(dilation_as_pytorch),
        cmocka_unit_test(one_dimension_as_pytorch),
        cmocka_unit_test(three_dimensions_as_pytorch),
        cmocka_unit_test(plan_of_a_layer_of_dcgan),
        cmocka_unit_test(same_padding_gives_stride_times_the_size),
        cmocka_unit_test(same_padding_cuts_at_the_beginning),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(each_image_of_a_list_is_one_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
