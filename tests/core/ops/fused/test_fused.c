#include "core/ops/fused/fused.h"
#include "core/ops/parts/filters.h"
#include "support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct bn bn = {.momentum = 0.1, .eps = 1e-3};

static struct then then_of(enum then_kind kind) {
    return (struct then){kind, 0.2};
}

static struct filters filters_of(const char *word, int channels) {
    struct filters a;

    word_defaults(&op_find(word)->word, &a);
    a.channels = channels;
    return a;
}

/* A product of that word, with bn unless it is to have none. */
static struct fused fused_of(const char *word, const void *args, bool bias, bool normalised,
                             enum then_kind kind) {
    return (struct fused){.product = op_find(word),
                          .product_args = args,
                          .bias = bias,
                          .transposed = !strcmp(word, "conv_transpose"),
                          .groups = 1,
                          .bn = normalised ? &bn : NULL,
                          .then = then_of(kind)};
}

static void gradients_of_bn_with_each_activation(void **state) {
    (void)state;
    for (int kind = 0; kind < THEN_KINDS; kind++) {
        const struct fused f = {.bn = &bn, .then = then_of((enum then_kind)kind)};

        check_gradients(&(struct op_case){.internal = &op_norm_act,
                                          .args = &f,
                                          .n_x = 1,
                                          .x = {{4, {4, 2, 3, 5}}},
                                          .tolerance = 1e-6});
        check_gradients(&(struct op_case){.internal = &op_norm_add_act,
                                          .args = &f,
                                          .n_x = 2,
                                          .x = {{4, {4, 2, 3, 5}}, {4, {4, 2, 3, 5}}},
                                          .tolerance = 1e-6});
    }
}

/* Weights near 4 bring values beyond 6, where relu6 is flat. */
static void gradients_where_relu6_is_flat(void **state) {
    (void)state;
    const struct fused f = {.bn = &bn, .then = then_of(THEN_RELU6)};
    const real weight[] = {4, -4, 5};

    check_gradients(&(struct op_case){.internal = &op_norm_act,
                                      .args = &f,
                                      .n_x = 1,
                                      .x = {{3, {4, 5, 3}}},
                                      .w_data = {weight},
                                      .tolerance = 1e-6});
}

static void gradients_with_running_statistics(void **state) {
    (void)state;
    const struct fused f = {.bn = &bn, .then = then_of(THEN_RELU)};
    const real mean[] = {0.5, -1, 2}, var[] = {2, 0.5, 1};

    check_gradients(&(struct op_case){.internal = &op_norm_add_act,
                                      .args = &f,
                                      .n_x = 2,
                                      .x = {{4, {2, 2, 2, 3}}, {4, {2, 2, 2, 3}}},
                                      .state_data = {mean, var},
                                      .evaluate = true});
}

/* 66000 rows of 2 channels are three chunks. */
static void gradients_of_several_chunks(void **state) {
    (void)state;
    const struct fused f = {.bn = &bn, .then = then_of(THEN_RELU)};

    check_gradients(&(struct op_case){.internal = &op_norm_add_act,
                                      .args = &f,
                                      .n_x = 2,
                                      .x = {{4, {66, 10, 100, 2}}, {4, {66, 10, 100, 2}}},
                                      .tolerance = 1e-5,
                                      .every = 13001});
}

/* bn gives (-1, -4), (3, 2) from means 2 and 20, variances 1 and 100, as in the test of bn. */
static void outputs_worked_by_hand(void **state) {
    (void)state;
    const struct bn exact = {.momentum = 0.1};
    struct fused f = {.bn = &exact, .then = then_of(THEN_LEAKY_RELU)};
    const act in[] = {1, 10, 3, 30}, other[] = {-1, 6, -5, 7};
    const act leaky[] = {-0.2, -0.8, 3, 2}, sums[] = {-0.4, 2, -0.4, 9}, sixes[] = {0, 2, 0, 6};
    const real weight[] = {2, 3}, bias[] = {1, -1};
    struct op_case c = {.internal = &op_norm_act,
                        .args = &f,
                        .n_x = 1,
                        .x = {{2, {2, 2}}},
                        .x_data = {in, other},
                        .w_data = {weight, bias}};
    const struct shape y = {2, {2, 2}};

    check_output(&c, y, leaky);
    c.internal = &op_norm_add_act, c.n_x = 2, c.x[1] = y;
    check_output(&c, y, sums);
    f.then = then_of(THEN_RELU6);
    check_output(&c, y, sixes);
}

static void gradients_of_products_with_each_activation(void **state) {
    (void)state;
    const struct filters conv = filters_of("conv", 3), up = filters_of("conv_transpose", 3);
    const struct {
        const char *word;
        const struct filters *args;
    } products[] = {{"conv", &conv}, {"conv_transpose", &up}};

    for (int kind = THEN_RELU; kind < THEN_KINDS; kind++)
        for (int p = 0; p < 2; p++)
            for (int bias = 0; bias < 2; bias++) {
                const struct fused f =
                    fused_of(products[p].word, products[p].args, bias, false, (enum then_kind)kind);

                check_gradients(&(struct op_case){.internal = &op_conv_act,
                                                  .args = &f,
                                                  .n_x = 1,
                                                  .x = {{4, {2, 4, 3, 2}}},
                                                  .no_bias = !bias});
            }
}

/* 300 rows of 300 channels are two chunks of sums. */
static void gradients_of_the_bias_of_many_rows(void **state) {
    (void)state;
    struct filters a = filters_of("conv", 300);

    a.kernel = (struct ints){1, {1}};
    const struct fused f = fused_of("conv", &a, true, false, THEN_RELU);
    check_gradients(&(struct op_case){
        .internal = &op_conv_act, .args = &f, .n_x = 1, .x = {{4, {3, 10, 10, 2}}}, .every = 83});
}

static void gradients_of_normalised_products(void **state) {
    (void)state;
    struct filters args[] = {filters_of("conv", 4), filters_of("conv_transpose", 4)};
    static const char *const words[] = {"conv", "conv_transpose"};

    args[0].groups = args[1].groups = 2;
    for (int kind = 0; kind < THEN_KINDS; kind++)
        for (int p = 0; p < 2; p++) {
            struct fused f = fused_of(words[p], &args[p], false, true, (enum then_kind)kind);
            struct shape y = {4, {3, 3, 3, 4}};

            check_gradients(&(struct op_case){.internal = &op_conv_norm_act,
                                              .args = &f,
                                              .n_x = 1,
                                              .x = {{4, {3, 3, 3, 2}}},
                                              .no_bias = true,
                                              .tolerance = 1e-5});
            y.dim[1] = y.dim[2] = p ? 5 : 3;
            f.bias = true;
            check_gradients(&(struct op_case){.internal = &op_conv_norm_add_act,
                                              .args = &f,
                                              .n_x = 2,
                                              .x = {{4, {3, 3, 3, 2}}, y},
                                              .tolerance = 1e-5});
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_bn_with_each_activation),
        cmocka_unit_test(gradients_where_relu6_is_flat),
        cmocka_unit_test(gradients_with_running_statistics),
        cmocka_unit_test(gradients_of_several_chunks),
        cmocka_unit_test(outputs_worked_by_hand),
        cmocka_unit_test(gradients_of_products_with_each_activation),
        cmocka_unit_test(gradients_of_the_bias_of_many_rows),
        cmocka_unit_test(gradients_of_normalised_products),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
