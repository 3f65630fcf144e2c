/* avgpool(x, kernel=2, stride=0, pad=0): the mean of each window and channel; padding counts as
 * zeros: y = 1 / (kernel_h * kernel_w) * the sum of what lies inside. */
#include "core/ops/window.h"

#include <string.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return window_plan("avgpool", args, x, plan, err);
}

static void add_scaled(const act *restrict from, real scale, int64_t channels, act *restrict to) {
    for (int64_t ch = 0; ch < channels; ch++)
        to[ch] += from[ch] * scale;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct window_axis h = window_axis(c->args, &c->x->shape, 0);
    const struct window_axis w = window_axis(c->args, &c->x->shape, 1);
    const int64_t channels = shape_channels(&c->x->shape);
    const real share_of_one = 1 / (real)(h.kernel * w.kernel);

    for (int64_t row = begin; row < end; row++) {
        const act *image = c->x->data + row / h.n_out * h.n_in * w.n_in * channels;
        act *y = c->y.data + row * w.n_out * channels;
        int64_t i0, i1, j0, j1;

        memset(y, 0, (size_t)(w.n_out * channels) * sizeof(act));
        window_clip(&h, row % h.n_out, &i0, &i1);
        for (int64_t out = 0; out < w.n_out; out++, y += channels) {
            window_clip(&w, out, &j0, &j1);
            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = j0; j < j1; j++)
                    add_scaled(image + (i * w.n_in + j) * channels, share_of_one, channels, y);
        }
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0] * c->y.shape.dim[1], forward_rows);
}

/* By whole samples: windows of one sample may overlap. */
static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct window_axis h = window_axis(c->args, &c->x->shape, 0);
    const struct window_axis w = window_axis(c->args, &c->x->shape, 1);
    const int64_t channels = shape_channels(&c->x->shape), n_out = h.n_out * w.n_out;
    const real share_of_one = 1 / (real)(h.kernel * w.kernel);

    for (int64_t pixel = begin * n_out; pixel < end * n_out; pixel++) {
        act *image = c->dx->data + pixel / n_out * h.n_in * w.n_in * channels;
        int64_t i0, i1, j0, j1;

        window_clip(&h, pixel % n_out / w.n_out, &i0, &i1);
        window_clip(&w, pixel % w.n_out, &j0, &j1);
        for (int64_t i = i0; i < i1; i++)
            for (int64_t j = j0; j < j1; j++)
                add_scaled(c->dy.data + pixel * channels, share_of_one, channels,
                           image + (i * w.n_in + j) * channels);
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_avgpool = {
    .word = {"avgpool", "mean of each window", sizeof(struct window), window_specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
