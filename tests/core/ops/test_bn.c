#include "support/op_check.h"
#include "core/base/rng.h"
#include "core/ops/parts/init.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void gradient_agrees_with_differences(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"bn", .n_x = 1, .x = {{4, {2, 3, 2, 5}}}, .tolerance = 1e-6});
    check_gradients(&(struct op_case){"bn", .n_x = 1, .x = {{2, {7, 3}}}, .tolerance = 1e-6});
}

static void gradient_with_running_statistics(void **state) {
    (void)state;
    const real mean[] = {0.5, -1, 2}, var[] = {2, 0.5, 1};
    check_gradients(&(struct op_case){"bn", .n_x = 1, .x = {{4, {2, 2, 2, 3}}},
                                      .state_data = {mean, var}, .evaluate = true});
}

static void gradient_of_channels_wider_than_a_row_of_sums(void **state) {
    (void)state;
    check_gradients(
        &(struct op_case){"bn", .n_x = 1, .x = {{2, {4, 300}}}, .tolerance = 1e-5, .every = 7});
}

/* 66000 rows of 2 channels are three chunks. */
static void gradient_of_a_batch_of_several_chunks(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"bn", .n_x = 1, .x = {{4, {66, 10, 100, 2}}},
                                      .tolerance = 1e-5, .every = 13001});
}

static void gradients_of_series_and_volumes(void **state) {
    (void)state;
    check_gradients(&(struct op_case){"bn", .n_x = 1, .x = {{3, {2, 5, 3}}}, .tolerance = 1e-6});
    check_gradients(
        &(struct op_case){"bn", .n_x = 1, .x = {{5, {2, 2, 3, 2, 3}}}, .tolerance = 1e-6});
}

/* Channel 0: mean 2, variance 1. Channel 1: mean 20, variance 100. */
static void output_worked_by_hand(void **state) {
    (void)state;
    const char args[] = "eps=1e-12";
    const act in[] = {1, 10, 3, 30}, out[] = {-1, -4, 3, 2};
    const real weight[] = {2, 3}, bias[] = {1, -1};
    check_output(&(struct op_case){"bn", .with = args, .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in},
                                   .w_data = {weight, bias}},
                 (struct shape){2, {2, 2}}, out);
}

/* Variance 0.75^2 + eps 1 is 1.25^2. */
static void eps_is_added_to_the_variance(void **state) {
    (void)state;
    const char args[] = "eps=1";
    const act in[] = {0.25, 1.75}, out[] = {-0.6, 0.6};
    const real weight[] = {1}, bias[] = {0};
    check_output(&(struct op_case){"bn", .with = args, .n_x = 1, .x = {{2, {2, 1}}}, .x_data = {in},
                                   .w_data = {weight, bias}},
                 (struct shape){2, {2, 1}}, out);
}

/* Batch means 2 and 20, unbiased variances 2 and 200; from 0 and 1 by a tenth, as in PyTorch. */
static void running_statistics_move_by_momentum(void **state) {
    (void)state;
    const char args[] = "eps=1e-5";
    const act in[] = {1, 10, 3, 30};
    const real mean[] = {0.2, 2}, var[] = {1.1, 20.9};
    const struct op_case c = {"bn", .with = args, .n_x = 1, .x = {{2, {2, 2}}}, .x_data = {in}};
    check_state(&c, 0, mean);
    check_state(&c, 1, var);
}

/* (7 - 1) / sqrt(4) * 3 + 5 = 14 */
static void evaluation_uses_the_running_statistics(void **state) {
    (void)state;
    const char args[] = "eps=1e-12";
    const act in[] = {7, 1}, out[] = {14, 5};
    const real mean[] = {1}, var[] = {4}, weight[] = {3}, bias[] = {5};
    const struct op_case c = {"bn",
                              .with = args,
                              .n_x = 1,
                              .x = {{2, {2, 1}}},
                              .x_data = {in},
                              .w_data = {weight, bias},
                              .state_data = {mean, var},
                              .evaluate = true};
    check_output(&c, (struct shape){2, {2, 1}}, out);
    check_state(&c, 0, mean);
    check_state(&c, 1, var);
}

/* 10^7 +- 1: squares of 10^14 would leave two digits of the variance. */
static void a_mean_far_from_zero_costs_no_digits(void **state) {
    (void)state;
    const char args[] = "eps=1e-12";
    const act in[] = {10000001, 9999999, 10000001, 9999999}, out[] = {1, -1, 1, -1};
    const real weight[] = {1}, bias[] = {0};
    check_output(&(struct op_case){"bn", .with = args, .n_x = 1, .x = {{4, {1, 2, 2, 1}}},
                                   .x_data = {in}, .w_data = {weight, bias}},
                 (struct shape){4, {1, 2, 2, 1}}, out);
}

/* 50000 rows of 3 channels; mean and variance of the whole in two passes. */
static void chunks_merge_to_the_statistics_of_the_whole(void **state) {
    (void)state;
    enum { ROWS = 50000, CHANNELS = 3 };
    act *in = malloc(ROWS * CHANNELS * sizeof *in), *out = malloc(ROWS * CHANNELS * sizeof *out);
    const char args[] = "eps=1e-12";
    const real weight[] = {1, 2, 3}, bias[] = {3, 2, 1};

    assert_true(in && out);
    for (int i = 0; i < ROWS * CHANNELS; i++)
        in[i] = (double)i / 1000 + rng_uniform(8, (uint64_t)i); /* drifts from chunk to chunk */
    for (int ch = 0; ch < CHANNELS; ch++) {
        double mean = 0, var = 0;

        for (int i = ch; i < ROWS * CHANNELS; i += CHANNELS)
            mean += in[i] / ROWS;
        for (int i = ch; i < ROWS * CHANNELS; i += CHANNELS)
            var += (in[i] - mean) * (in[i] - mean) / ROWS;
        for (int i = ch; i < ROWS * CHANNELS; i += CHANNELS)
            out[i] = (in[i] - mean) / sqrt(var) * weight[ch] + bias[ch];
    }
    check_output(&(struct op_case){"bn", .with = args, .n_x = 1,
                                   .x = {{4, {50, 10, 100, CHANNELS}}}, .x_data = {in},
                                   .w_data = {weight, bias}, .tolerance = 1e-9},
                 (struct shape){4, {50, 10, 100, CHANNELS}}, out);
    free(in), free(out);
}

/* The formula with variance 0; of the running statistics it would make those of nothing. */
static void one_pixel_gives_the_bias_and_moves_nothing(void **state) {
    (void)state;
    const act in[] = {5, -5}, out[] = {0.5, 2};
    const real weight[] = {1, 1}, bias[] = {0.5, 2}, mean[] = {0, 0}, var[] = {1, 1};
    const struct op_case c = {"bn", .n_x = 1, .x = {{2, {1, 2}}}, .x_data = {in},
                              .w_data = {weight, bias}};
    check_output(&c, (struct shape){2, {1, 2}}, out);
    check_state(&c, 0, mean);
    check_state(&c, 1, var);
    check_gradients(&(struct op_case){"bn", .n_x = 1, .x = {{2, {1, 3}}}});
}

static void weights_start_at_one_and_do_not_decay(void **state) {
    (void)state;
    const struct shape eight = {1, {8}};
    const struct op_plan plan =
        plan_of(&(struct op_case){"bn", .n_x = 1, .x = {{4, {2, 3, 3, 8}}}});
    real v[8];

    assert_string_equal(plan.w[0].name, "weight");
    assert_string_equal(plan.w[1].name, "bias");
    assert_true(shape_equal(&plan.w[0].shape, &eight) && shape_equal(&plan.w[1].shape, &eight));
    assert_true(!plan.w[0].decay && !plan.w[1].decay && plan.w[0].norm && plan.w[1].norm);
    init_fill(&plan.w[0].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 1 && v[7] == 1);
    init_fill(&plan.w[1].init, 1, 1, 1, v, 8);
    assert_true(v[0] == 0 && v[7] == 0);
}

static void the_scale_begins_as_init_says(void **state) {
    (void)state;
    static const char *const calls[] = {"init=0", "init=constant(0.5)"};
    real v[8];

    for (int i = 0; i < 2; i++) {
        const struct op_plan plan =
            plan_of(&(struct op_case){"bn", .n_x = 1, .x = {{4, {2, 3, 3, 8}}}, .with = calls[i]});
        init_fill(&plan.w[0].init, 1, 1, 1, v, 8);
        assert_true(v[0] == (i ? 0.5 : 0) && v[7] == v[0]);
        init_fill(&plan.w[1].init, 1, 1, 1, v, 8);
        assert_true(v[0] == 0);
    }
}

static void a_tensor_without_channels_is_refused(void **state) {
    (void)state;
    check_refused(&(struct op_case){"bn", .n_x = 1, .x = {{1, {8}}}},
                  "bn: x is 8, expected samples with channels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(gradients_of_series_and_volumes),
        cmocka_unit_test(gradient_with_running_statistics),
        cmocka_unit_test(gradient_of_channels_wider_than_a_row_of_sums),
        cmocka_unit_test(gradient_of_a_batch_of_several_chunks),
        cmocka_unit_test(output_worked_by_hand),
        cmocka_unit_test(eps_is_added_to_the_variance),
        cmocka_unit_test(running_statistics_move_by_momentum),
        cmocka_unit_test(evaluation_uses_the_running_statistics),
        cmocka_unit_test(a_mean_far_from_zero_costs_no_digits),
        cmocka_unit_test(chunks_merge_to_the_statistics_of_the_whole),
        cmocka_unit_test(one_pixel_gives_the_bias_and_moves_nothing),
        cmocka_unit_test(weights_start_at_one_and_do_not_decay),
        cmocka_unit_test(the_scale_begins_as_init_says),
        cmocka_unit_test(a_tensor_without_channels_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
