/* conv_fixed_act, conv_fixed_add_act: a convolution or linear layer, bn by its running
 * statistics, what is added to it and the activation behind it. bn is a factor and a summand of
 * each channel: it is folded into weights and bias, once a call. */
#include "core/base/arena.h"
#include "core/ops/fused/fused.h"

#include <math.h>

/* The front of scratch. */
struct folded {
    real *w, *scale, *bias; /* as the product's weights; [channels]; [channels] */
    void *rest;
};

static size_t folded_bytes(const struct fused *f, int64_t channels) {
    return arena_round((size_t)f->n_weights * sizeof(real)) +
           2 * arena_round((size_t)channels * sizeof(real));
}

static struct folded folded_of(const struct op_call *c) {
    const struct fused *f = c->args;
    const int64_t k = shape_channels(&c->y.shape);
    const size_t weights = arena_round((size_t)f->n_weights * sizeof(real));
    const size_t channels = arena_round((size_t)k * sizeof(real));
    unsigned char *at = c->scratch;

    return (struct folded){(real *)(void *)at, (real *)(void *)(at + weights),
                           (real *)(void *)(at + weights + channels), at + folded_bytes(f, k)};
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct fused *f = args;

    (void)n_x;
    if (fused_plan_product(f, x, plan, err))
        return -1;
    const struct shape z = plan->y;
    const int64_t k = shape_channels(&z);
    const size_t product = plan->scratch_bytes, after = after_scratch_bytes(shape_len(&z) / k, k);
    if (fused_plan_norm(f, &z, plan, err))
        return -1;
    plan->scratch_bytes = folded_bytes(f, k) + (product > after ? product : after);
    plan->saved_bytes = 0;
    return 0;
}

static void fold_scale(const struct op_call *c, const struct folded *to) {
    const struct fused *f = c->args;
    const int first = fused_norm_weight(f);

    for (int64_t j = 0; j < shape_channels(&c->y.shape); j++) {
        const double inverse = 1 / sqrt((double)c->state[1][j] + f->bn->eps);
        const double scale = (double)c->w[first][j] * inverse;
        const double bias = f->bias ? (double)c->w[1][j] : 0;

        to->scale[j] = (real)scale;
        to->bias[j] = (real)((bias - (double)c->state[0][j]) * scale + (double)c->w[first + 1][j]);
    }
}

/* Rows [begin, end) of the weights as a matrix, of which the last dimension is one row. */
static void fold_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct fused *f = c->args;
    const struct folded to = folded_of(c);
    const int64_t k = shape_channels(&c->y.shape), in = shape_channels(&c->x->shape);
    const int64_t cols = f->transposed ? in : k;

    for (int64_t i = begin; i < end; i++) {
        const real *restrict w = c->w[0] + i * cols;
        real *restrict out = to.w + i * cols;

        for (int64_t j = 0; !f->transposed && j < cols; j++)
            out[j] = w[j] * to.scale[j];
        for (int64_t j = 0; f->transposed && j < cols; j++) {
            const int64_t group = j / (in / f->groups), of_group = k / f->groups;

            out[j] = w[j] * to.scale[group * of_group + i % of_group];
        }
    }
}

static void forward(const struct op_call *c) {
    const struct fused *f = c->args;
    const struct folded folded = folded_of(c);
    const struct after after = fused_after(c, folded.rest);
    struct op_call product = fused_product_call(f, c);

    fold_scale(c, &folded);
    share(c, f->n_weights / shape_channels(f->transposed ? &c->x->shape : &c->y.shape), fold_rows);
    product.w[0] = folded.w, product.w[1] = folded.bias;
    product.scratch = folded.rest;
    f->product->forward(&product);
    after_forward(&after, c->n_x > 1 ? c->x[1].data : NULL, c->y.data);
}

static void start_backward(const struct op_call *c) {
    const struct folded folded = folded_of(c);
    const struct after after = fused_after(c, folded.rest);

    fold_scale(c, &folded);
    after_backward(&after, c->y.data, folded.scale, c->dy.data, c->dx_first >> 1 & 1,
                   c->n_x > 1 ? c->dx[1].data : NULL, NULL);
}

const struct op op_conv_fixed_act = {
    .word = {"conv_fixed_act", "conv, bn that stays and an activation", sizeof(struct fused), NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .memory.start_backward = start_backward,
    .backward = fused_product_backward,
};

const struct op op_conv_fixed_add_act = {
    .word = {"conv_fixed_add_act", "conv, bn that stays, an addition and an activation",
             sizeof(struct fused), NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_y = true,
    .memory.overwrites = 3,
    .plan = plan,
    .forward = forward,
    .memory.start_backward = start_backward,
    .backward = fused_product_backward,
};
