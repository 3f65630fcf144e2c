/* maxpool(x, kernel=2, stride=0, pad=0): the largest number of each window and channel, the first
 * one of equals; padding never wins; NaN does. */
#include "core/ops/window.h"

#include <string.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    if (window_plan("maxpool", args, x, plan, err))
        return -1;
    plan->saved_bytes = (size_t)shape_len(&plan->y) * sizeof(int32_t);
    return 0;
}

/* One pixel in[channels] of a window, the `at`-th of the image, against the best so far. */
static void take_larger(const act *restrict in, int32_t at, int64_t channels, act *restrict best,
                        int32_t *restrict best_at) {
    for (int64_t ch = 0; ch < channels; ch++) {
        const bool better = in[ch] > best[ch] || in[ch] != in[ch];

        best[ch] = better ? in[ch] : best[ch];
        best_at[ch] = better ? at : best_at[ch];
    }
}

/* Rows of y, over all samples. saved: [rows, w, c] position of the maximum in its image, in pixels.
 */
static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct window_axis h = window_axis(c->args, &c->x->shape, 0);
    const struct window_axis w = window_axis(c->args, &c->x->shape, 1);
    const int64_t channels = shape_channels(&c->x->shape), pixels = h.n_in * w.n_in;

    for (int64_t row = begin; row < end; row++) {
        const act *image = c->x->data + row / h.n_out * pixels * channels;
        act *y = c->y.data + row * w.n_out * channels;
        int32_t *at = (int32_t *)c->saved + row * w.n_out * channels;
        int64_t i0, i1, j0, j1;

        window_clip(&h, row % h.n_out, &i0, &i1);
        for (int64_t out = 0; out < w.n_out; out++, y += channels, at += channels) {
            window_clip(&w, out, &j0, &j1);
            const int32_t first = (int32_t)(i0 * w.n_in + j0);
            memcpy(y, image + first * channels, (size_t)channels * sizeof(act));
            for (int64_t ch = 0; ch < channels; ch++)
                at[ch] = first;
            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = j0; j < j1; j++)
                    if (i > i0 || j > j0)
                        take_larger(image + (i * w.n_in + j) * channels, (int32_t)(i * w.n_in + j),
                                    channels, y, at);
        }
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

/* Add dy where the `at`-th pixel was the largest. */
static void add_where(const act *restrict dy, const int32_t *restrict best_at, int32_t at,
                      int64_t channels, act *restrict dx) {
    for (int64_t ch = 0; ch < channels; ch++)
        dx[ch] += best_at[ch] == at ? dy[ch] : 0;
}

/* By whole samples: windows of one sample may overlap. */
static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct window_axis h = window_axis(c->args, &c->x->shape, 0);
    const struct window_axis w = window_axis(c->args, &c->x->shape, 1);
    const int64_t channels = shape_channels(&c->x->shape), n_out = h.n_out * w.n_out;

    for (int64_t pixel = begin * n_out; pixel < end * n_out; pixel++) {
        act *image = c->dx->data + pixel / n_out * h.n_in * w.n_in * channels;
        const act *dy = c->dy.data + pixel * channels;
        const int32_t *at = (const int32_t *)c->saved + pixel * channels;
        int64_t i0, i1, j0, j1;

        window_clip(&h, pixel % n_out / w.n_out, &i0, &i1);
        window_clip(&w, pixel % w.n_out, &j0, &j1);
        for (int64_t i = i0; i < i1; i++)
            for (int64_t j = j0; j < j1; j++)
                add_where(dy, at, (int32_t)(i * w.n_in + j), channels,
                          image + (i * w.n_in + j) * channels);
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_maxpool = {
    .word = {"maxpool", "largest number of each window", sizeof(struct window), window_specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
