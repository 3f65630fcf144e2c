#include "support/counted.h"
#include "support/op_check.h"

#include "core/ops/parts/filters.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BIAS_AUTO, BIAS_TRUE, BIAS_FALSE };

static struct filters defaults(int channels) {
    struct filters a;

    word_defaults(&op_find("conv")->word, &a);
    a.channels = channels;
    return a;
}

static const struct shape small_images = {4, {2, 5, 4, 3}};

static void gradients_agree_with_differences(void **state) {
    struct filters a = defaults(4);

    (void)state;
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {small_images}});
    a.bias = BIAS_FALSE;
    a.stride = (struct ints){1, {2}};
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {small_images}});
    a.pad = (struct ints){2, {0, 2}};
    a.kernel = (struct ints){2, {2, 3}};
    a.dilation = (struct ints){2, {1, 2}};
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {small_images}});
}

static void gradients_of_groups_agree_with_differences(void **state) {
    struct filters a = defaults(6);

    (void)state;
    a.groups = 3;
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {small_images}});
    a.channels = 3; /* one filter per channel */
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {small_images}});
}

/* 3x3 image 1 .. 9, kernel [[1, 2], [3, 4]], bias 100: the top left window is
 * 1*1 + 2*2 + 3*4 + 4*5 = 37; its neighbours are 10 = 1+2+3+4 more per column, 30 per row. */
static void output_worked_by_hand(void **state) {
    static const act x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const real w[] = {1, 2, 3, 4}, bias[] = {100};
    static const act y[] = {137, 147, 167, 177};
    struct filters a = defaults(1);

    (void)state;
    a.kernel = (struct ints){1, {2}};
    a.pad = (struct ints){0, {FILTERS_VALID}};
    check_output(&(struct op_case){.op = "conv",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{4, {1, 3, 3, 1}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){4, {1, 2, 2, 1}}, y);
}

/* A 1x2 image with channels (1, 2) and (3, 4), weights w[c][k] = {{1, 10}, {100, 1000}}:
 * 1*1 + 2*100 = 201, 1*10 + 2*1000 = 2010; 3*1 + 4*100 = 403, 3*10 + 4*1000 = 4030. */
static void weights_are_input_by_output_channels(void **state) {
    static const act x[] = {1, 2, 3, 4};
    static const real w[] = {1, 10, 100, 1000}, bias[] = {0, 0};
    static const act y[] = {201, 2010, 403, 4030};
    struct filters a = defaults(2);

    (void)state;
    a.kernel = (struct ints){1, {1}};
    check_output(&(struct op_case){.op = "conv",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{4, {1, 1, 2, 2}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){4, {1, 1, 2, 2}}, y);
}

/* Row 1 2 3 4 5 under taps 1, 10, 100 that lie two apart, step 2, two zeros on either side:
 * (0, 1, 3) = 310, (1, 3, 5) = 531, (3, 5, 0) = 53. */
static void stride_dilation_and_pad_worked_by_hand(void **state) {
    static const act x[] = {1, 2, 3, 4, 5};
    static const real w[] = {1, 10, 100}, bias[] = {0};
    static const act y[] = {310, 531, 53};
    struct filters a = defaults(1);

    (void)state;
    a.kernel = (struct ints){2, {1, 3}};
    a.stride = (struct ints){1, {2}};
    a.dilation = (struct ints){1, {2}};
    check_output(&(struct op_case){.op = "conv",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{4, {1, 1, 5, 1}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){4, {1, 1, 3, 1}}, y);
}

/* Two groups: output channel 0 sees channels 0 and 1, output channel 1 sees 2 and 3. */
static void groups_do_not_see_each_other(void **state) {
    static const act x[] = {1, 2, 3, 4};
    static const real w[] = {1, 100, 10, 1000}, bias[] = {0, 0}; /* [1, 1, 2, 2] */
    static const act y[] = {1 * 1 + 2 * 10, 3 * 100 + 4 * 1000};
    struct filters a = defaults(2);

    (void)state;
    a.kernel = (struct ints){1, {1}};
    a.groups = 2;
    check_output(&(struct op_case){.op = "conv",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{4, {1, 1, 1, 4}}},
                                   .x_data = {x},
                                   .w_data = {w, bias}},
                 (struct shape){4, {1, 1, 1, 2}}, y);
}

static void gradients_in_one_dimension(void **state) {
    struct filters a = defaults(4);

    (void)state;
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {{3, {2, 6, 3}}}});
    a.stride = a.dilation = (struct ints){1, {2}};
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {{3, {2, 6, 3}}}});
}

static void gradients_in_three_dimensions(void **state) {
    const struct shape x = {5, {2, 4, 3, 2, 2}};
    struct filters a = defaults(4);

    (void)state;
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {x}});
    a.stride = (struct ints){3, {2, 1, 2}};
    a.kernel = (struct ints){3, {3, 2, 1}};
    a.groups = 2;
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {x}});
    a.channels = 2; /* one filter per channel */
    a.dilation = (struct ints){3, {2, 1, 1}};
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {x}});
    a = defaults(3);
    a.kernel = (struct ints){1, {1}};
    check_gradients(&(struct op_case){.op = "conv", .args = &a, .n_x = 1, .x = {x}});
}

/* Enough channels for matrix products over pixels, which the depth of the kernel forbids. */
static void gradients_of_many_channels_over_depth(void **state) {
    struct filters a = defaults(128);

    (void)state;
    a.kernel = (struct ints){3, {2, 1, 1}};
    a.stride = (struct ints){3, {2, 1, 1}};
    check_gradients(&(struct op_case){
        .op = "conv", .args = &a, .n_x = 1, .x = {{5, {1, 4, 1, 2, 128}}}, .every = 997});
}

/* x, weights and bias counted with steps 5, 7 and 3; y from tests/golden/convolutions.py. */
static void check_golden(const struct filters *a, struct shape x, int64_t w_len, struct shape y,
                         const act *expected) {
    real in[128], w[128], bias[8];

    assert_true(shape_len(&x) <= 128 && w_len <= 128);
    check_output(&(struct op_case){.op = "conv",
                                   .args = a,
                                   .n_x = 1,
                                   .x = {x},
                                   .x_data = {counted(in, shape_len(&x), 5)},
                                   .w_data = {counted(w, w_len, 7), counted(bias, 8, 3)}},
                 y, expected);
}

static void one_dimension_as_pytorch(void **state) {
    static const act y[] = {
        -5.25, -3,     -0.75,  0.8125,  -2.875, -3.375, -0.125, -2.3125,
        -4.5,  -0.25,  -2.375, -2.375,  -4.375, -2.875, -1.375, 0.1875,
        -2.5,  -4.125, -0.75,  -1.9375, -5.25,  -1.25,  -2,     -2.75,
    };
    struct filters a = defaults(3);

    (void)state;
    a.stride = a.pad = a.dilation = (struct ints){1, {2}};
    check_golden(&a, (struct shape){3, {2, 7, 2}}, 18, (struct shape){3, {2, 4, 3}}, y);
    a.pad = (struct ints){0, {FILTERS_SAME}};
    check_golden(&a, (struct shape){3, {2, 7, 2}}, 18, (struct shape){3, {2, 4, 3}}, y);
}

static void two_dimensions_as_pytorch(void **state) {
    static const act y[] = {
        -2, -1.25, -0.5, 0.25, 2.5,    -5.125, 3.6875, -0.8125, -3.875,  -3.6875, -2.0625, -2.4375,
        -2, -1.25, -0.5, 0.25, 0.3125, 3.6875, -5.25,  2.3125,  -1.5625, -1.1875, 4.3125,  -6.5,
        -2, -1.25, -0.5, 0.25, -3.75,  -0.125, 2.9375, -0.9375, -0.8125, 1.8125,  -3.6875, -2.6875,
        -2, -1.25, -0.5, 0.25, 1.0625, 2.9375, 2.0625, -4.625,  -2.4375, -2.8125, -2.3125, -1.125,
    };
    struct filters a = defaults(4);

    (void)state;
    a.kernel = (struct ints){2, {3, 2}};
    a.stride = a.pad = (struct ints){2, {1, 2}};
    a.dilation = (struct ints){2, {2, 1}};
    a.groups = 2;
    check_golden(&a, (struct shape){4, {2, 4, 3, 4}}, 48, (struct shape){4, {2, 2, 3, 4}}, y);
}

static void three_dimensions_as_pytorch(void **state) {
    static const act y[] = {
        -1.5625, 0.6875,  -0.375, 1.3125,  -4.9375, 1.5,     -0.4375, -5.1875, -0.3125, 2.1875,
        -0.75,   3.8125,  0.8125, -2.125,  -6.8125, -3.4375, 0.25,    3.4375,  -2.3125, 2.9375,
        -7.75,   -2.5625, 0.5625, 4.625,   -2.9375, 0,       -0.3125, 2.0625,  0.1875,  0.9375,
        -8.75,   2.0625,  -0.375, 1.3125,  -3.4375, 0.875,   -0.4375, -5.1875, -2.3125, -0.1875,
        -0.75,   3.8125,  -2.25,  -3.0625, -6.8125, -3.4375, 1.5,     3.75,    -2.3125, 2.9375,
        -2.75,   -2.875,  0.5625, 4.625,   -8.125,  2.25,    -0.3125, 2.0625,  -4.0625, 0.9375,
        -8.75,   2.0625,  0.375,  0,
    };
    static const act strided[] = {
        -3.25, 4.4375, 7.75, -10.5, -1.1875, 3.0625,
    };
    struct filters a = defaults(2);

    (void)state;
    a.kernel = (struct ints){3, {2, 3, 1}};
    a.stride = (struct ints){3, {1, 2, 1}};
    a.pad = (struct ints){3, {1, 1, 0}};
    check_golden(&a, (struct shape){5, {2, 3, 3, 2, 2}}, 24, (struct shape){5, {2, 4, 2, 2, 2}}, y);
    a.kernel = (struct ints){3, {3, 2, 2}};
    a.stride = (struct ints){3, {2, 1, 1}};
    a.pad = (struct ints){3, {2, 0, 0}};
    a.dilation = (struct ints){3, {2, 1, 1}};
    a.groups = 2;
    check_golden(&a, (struct shape){5, {1, 5, 2, 2, 2}}, 24, (struct shape){5, {1, 3, 1, 1, 2}},
                 strided);
}

static struct op_plan planned(const struct filters *a, struct shape x, bool bias_auto) {
    struct op_plan plan = {.batch = x.dim[0], .bias_auto = bias_auto};
    struct err err = {0};

    if (op_find("conv")->plan(a, &x, 1, &plan, &err))
        fail_msg("%s", err.msg);
    return plan;
}

/* The first convolution of ResNet: 7x7, stride 2, 224 -> 112; 118 million multiply-adds
 * (He et al. 2016, table 1, give the sizes). */
static void plan_of_the_first_layer_of_resnet(void **state) {
    const struct shape weight = {4, {7, 7, 3, 64}}, y = {4, {1, 112, 112, 64}};
    struct filters a = defaults(64);

    (void)state;
    a.kernel = (struct ints){1, {7}};
    a.stride = (struct ints){1, {2}};
    const struct op_plan p = planned(&a, (struct shape){4, {1, 224, 224, 3}}, false);
    assert_true(shape_equal(&p.y, &y));
    assert_true(shape_equal(&p.w[0].shape, &weight));
    assert_string_equal(p.w[0].name, "weight");
    assert_true(p.w[0].decay);
    assert_int_equal(p.w[0].fan_in, 147);
    assert_int_equal(p.w[0].fan_out, 3136);
    assert_int_equal(p.w[1].shape.rank, 0);
    assert_true(p.flops == 2 * 118013952.0);
    assert_int_equal(p.kernel.v[0], 7);
    assert_int_equal(p.stride.v[1], 2);
}

static void bias_is_left_out_where_batch_norm_follows(void **state) {
    struct filters a = defaults(2);

    (void)state;
    assert_int_equal(planned(&a, small_images, true).w[1].shape.rank, 1);
    assert_false(planned(&a, small_images, true).w[1].decay);
    assert_int_equal(planned(&a, small_images, false).w[1].shape.rank, 0);
    a.bias = BIAS_TRUE;
    assert_int_equal(planned(&a, small_images, false).w[1].shape.rank, 1);
    a.bias = BIAS_FALSE;
    assert_int_equal(planned(&a, small_images, true).w[1].shape.rank, 0);
}

static void same_padding_keeps_the_size(void **state) {
    struct filters a = defaults(2);

    (void)state;
    for (int kernel = 1; kernel <= 11; kernel += 2)
        for (int dilation = 1; dilation <= 3; dilation++) {
            a.kernel = (struct ints){1, {kernel}};
            a.dilation = (struct ints){1, {dilation}};
            const struct op_plan p = planned(&a, small_images, true);
            assert_int_equal(p.y.dim[1], 5);
            assert_int_equal(p.y.dim[2], 4);
            assert_int_equal(p.kernel.v[0], dilation * (kernel - 1) + 1);
        }
    a = defaults(2);
    a.kernel = (struct ints){1, {4}}; /* even: half the kernel, and one row more */
    assert_int_equal(planned(&a, small_images, true).y.dim[1], 6);
}

/* He et al. 2015: standard deviation sqrt(2 / fan_in). */
static void weights_start_as_pytorch_says(void **state) {
    enum { LEN = 3 * 3 * 8 * 1000 };
    static real w[LEN];
    const struct filters a = defaults(1000);
    const struct op_plan p = planned(&a, (struct shape){4, {1, 4, 4, 8}}, false);
    double square = 0;

    (void)state;
    init_fill(&p.w[0].init, p.w[0].fan_in, p.w[0].fan_out, 3, w, LEN);
    for (int i = 0; i < LEN; i++)
        square += (double)w[i] * (double)w[i] / LEN;
    /* uniform within 1 / sqrt(72): the mean square is a third of 1 / 72, that of the squares a
     * fifth */
    assert_true(fabs(square * 3 * 72 - 1) < 5 * sqrt(0.8 / LEN));
}

static void refused(const struct filters *a, struct shape x, const char *msg) {
    check_refused(&(struct op_case){.op = "conv", .args = a, .n_x = 1, .x = {x}}, msg);
}

static void a_kernel_larger_than_the_input_is_refused(void **state) {
    struct filters a = defaults(1);

    (void)state;
    a.kernel = (struct ints){1, {7}};
    a.pad = (struct ints){0, {FILTERS_VALID}};
    refused(&a, (struct shape){4, {1, 5, 5, 1}},
            "conv: kernel 7x7 is larger than the padded input 5x5");
    a.kernel = (struct ints){1, {3}};
    a.dilation = (struct ints){1, {3}};
    refused(&a, (struct shape){4, {1, 9, 5, 1}},
            "conv: kernel 7x7 (with its dilation) is larger than the padded input 9x5");
}

static void a_stride_beyond_the_input_leaves_one_pixel(void **state) {
    struct filters a = defaults(1);
    act image[5 * 7];

    (void)state;
    a.stride = (struct ints){1, {2000000000}};
    a.bias = BIAS_FALSE;
    for (int i = 0; i < 5 * 7; i++)
        image[i] = (act)i;
    const struct op_plan p = planned(&a, (struct shape){4, {1, 5, 7, 1}}, false);
    assert_int_equal(p.y.dim[1] * p.y.dim[2], 1);
    check_gradients(&(struct op_case){
        .op = "conv", .args = &a, .n_x = 1, .x = {{4, {1, 5, 7, 1}}}, .x_data = {image}});
}

static void what_is_not_images_is_refused(void **state) {
    const struct filters a = defaults(1);

    (void)state;
    refused(&a, (struct shape){2, {64, 10}},
            "conv: x is 64x10, expected images (samples x height x width x channels), or one or "
            "three dimensions in place of height x width");
}

static void groups_that_do_not_divide_are_refused(void **state) {
    struct filters a = defaults(6);

    (void)state;
    a.groups = 3;
    refused(&a, (struct shape){4, {1, 5, 5, 16}},
            "conv: groups=3 does not divide the 16 input channels");
    a.groups = 4;
    refused(&a, (struct shape){4, {1, 5, 5, 16}},
            "conv: groups=4 does not divide the 6 output channels");
}

static void three_numbers_for_a_kernel_are_refused(void **state) {
    struct filters a = defaults(6);

    (void)state;
    a.kernel = (struct ints){3, {3, 3, 3}};
    refused(&a, small_images, "conv: kernel has 3 numbers, expected one, or height, width");
    a.pad = (struct ints){2, {1, 1}};
    refused(&a, (struct shape){5, {1, 4, 4, 4, 6}},
            "conv: pad has 2 numbers, expected one, or depth, height, width");
    refused(&a, (struct shape){3, {1, 4, 6}}, "conv: kernel has 3 numbers, expected one");
}

static void a_kernel_larger_than_a_volume_is_refused(void **state) {
    struct filters a = defaults(1);

    (void)state;
    a.kernel = (struct ints){3, {1, 2, 5}};
    a.pad = (struct ints){1, {0}};
    refused(&a, (struct shape){5, {1, 4, 4, 4, 1}},
            "conv: kernel 1x2x5 is larger than the padded input 4x4x4");
    refused(&(struct filters){.channels = 1,
                              .kernel = {1, {5}},
                              .stride = {1, {1}},
                              .pad = {1, {0}},
                              .dilation = {1, {1}},
                              .groups = 1},
            (struct shape){3, {1, 4, 1}}, "conv: kernel 5 is larger than the padded input 4");
}

/* Lists of images are computed as the images one after another. */
static void each_image_of_a_list_is_one_of_its_own(void **state) {
    const struct op_case lists = {"conv", .with = "3, 3, each=true", .n_x = 1,
                                  .x = {{5, {2, 3, 4, 5, 2}}}};
    const struct op_case images = {"conv", .with = "3, 3", .n_x = 1, .x = {{4, {6, 4, 5, 2}}}};
    struct shape shape;

    (void)state;
    check_gradients(&lists);
    act *y = forward_of(&images, &shape);
    check_output(&lists, (struct shape){5, {2, 3, shape.dim[1], shape.dim[2], 3}}, y);
    free(y);
    check_refused(
        &(struct op_case){"conv", .with = "3, 3, each=true", .n_x = 1, .x = {{4, {6, 4, 5, 2}}}},
        "conv: x is 6x4x5x2, expected lists of images with each=true");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(gradients_of_groups_agree_with_differences),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(weights_are_input_by_output_channels),
        cmocka_unit_test(stride_dilation_and_pad_worked_by_hand),
        cmocka_unit_test(groups_do_not_see_each_other),
        cmocka_unit_test(gradients_in_one_dimension),
        cmocka_unit_test(gradients_in_three_dimensions),
        cmocka_unit_test(gradients_of_many_channels_over_depth),
        cmocka_unit_test(one_dimension_as_pytorch),
        cmocka_unit_test(two_dimensions_as_pytorch),
        cmocka_unit_test(three_dimensions_as_pytorch),
        cmocka_unit_test(plan_of_the_first_layer_of_resnet),
        cmocka_unit_test(bias_is_left_out_where_batch_norm_follows),
        cmocka_unit_test(same_padding_keeps_the_size),
        cmocka_unit_test(weights_start_as_pytorch_says),
        cmocka_unit_test(a_kernel_larger_than_the_input_is_refused),
        cmocka_unit_test(a_stride_beyond_the_input_leaves_one_pixel),
        cmocka_unit_test(what_is_not_images_is_refused),
        cmocka_unit_test(groups_that_do_not_divide_are_refused),
        cmocka_unit_test(a_kernel_larger_than_a_volume_is_refused),
        cmocka_unit_test(three_numbers_for_a_kernel_are_refused),
        cmocka_unit_test(each_image_of_a_list_is_one_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
