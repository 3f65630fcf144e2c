/* global_maxpool(x): the largest number of each channel over all pixels, the first one of equals;
 * NaN wins: [n, ..., c] -> [n, c]. */
#include "core/ops/parts/window.h"

enum { BLOCK = 64 }; /* channels looked at together, so that threads share single samples too */

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (axes_check("global_maxpool", x, err))
        return -1;
    plan->y = (struct shape){2, {x->dim[0], shape_channels(x)}};
    plan->saved_bytes = (size_t)shape_len(&plan->y) * sizeof(int32_t);
    plan->flops = (double)shape_len(x);
    return 0;
}

static int64_t blocks(const struct shape *x) {
    return (shape_channels(x) + BLOCK - 1) / BLOCK;
}

/* saved: [n, c] position of the maximum in its sample, in pixels. */
static void forward_blocks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct shape *x = &c->x->shape;
    const int64_t channels = shape_channels(x), pixels = shape_sample_len(x) / channels;
    const struct window_box all = {0, 1, 0, 1, 0, pixels, 1, pixels};

    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / blocks(x), c0 = i % blocks(x) * BLOCK;
        const int64_t some = channels - c0 < BLOCK ? channels - c0 : BLOCK;

        window_max(&all, c->x->data + n * pixels * channels + c0, channels, some,
                   c->y.data + n * channels + c0, (int32_t *)c->saved + n * channels + c0);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->x->shape.dim[0] * blocks(&c->x->shape), forward_blocks);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->x->shape);
    const int32_t *at = c->saved;

    for (int64_t n = begin; n < end; n++)
        for (int64_t i = n * channels; i < (n + 1) * channels; i++)
            c->dx->data[n * shape_sample_len(&c->x->shape) + at[i] * channels + i - n * channels] +=
                c->dy.data[i];
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_global_maxpool = {
    .word = {"global_maxpool", "largest number over all pixels", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
