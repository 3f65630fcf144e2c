/* maxpool(x, kernel=2, stride=0, pad=0, ceil=false): the largest number of each window and channel,
 * the first one of equals; padding never wins; NaN does. */
#include "core/ops/parts/window.h"

static const struct arg_spec specs[] = {
    WINDOW_KERNEL, WINDOW_STRIDE, WINDOW_PAD, WINDOW_CEIL, {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    if (window_plan("maxpool", args, x, plan, err))
        return -1;
    plan->saved_bytes = (size_t)shape_len(&plan->y) * sizeof(int32_t);
    return 0;
}

/* Rows of y, over all samples. saved: [pixels, c] position of the maximum in its sample, in pixels.
 */
static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct shape *x = &c->x->shape;
    const int64_t channels = shape_channels(x);
    struct window_axis axes[AXES_MAX];

    window_axes(c->args, x, axes);
    const int64_t rows = axes[0].n_out * axes[1].n_out, n_out = axes[2].n_out;
    for (int64_t row = begin; row < end; row++) {
        const act *sample = c->x->data + row / rows * shape_sample_len(x);
        act *y = c->y.data + row * n_out * channels;
        int32_t *at = (int32_t *)c->saved + row * n_out * channels;
        struct window_box box = window_row(axes, row);

        for (int64_t out = 0; out < n_out; out++, y += channels, at += channels) {
            window_clip(&axes[2], out, &box.w0, &box.w1);
            window_max(&box, sample, channels, channels, y, at);
        }
    }
}

static void forward(const struct op_call *c) {
    share(c, window_rows(&c->y.shape), forward_rows);
}

/* Add dy where the `at`-th pixel was the largest. */
static void add_where(const act *restrict dy, const int32_t *restrict best_at, int32_t at,
                      int64_t channels, act *restrict dx) {
    for (int64_t ch = 0; ch < channels; ch++)
        dx[ch] += best_at[ch] == at ? dy[ch] : 0;
}

/* By whole samples: windows of one sample may overlap. */
static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct shape *x = &c->x->shape;
    const int64_t channels = shape_channels(x);
    struct window_axis axes[AXES_MAX];

    window_axes(c->args, x, axes);
    const int64_t rows = axes[0].n_out * axes[1].n_out, n_out = axes[2].n_out;
    for (int64_t row = begin * rows; row < end * rows; row++) {
        act *sample = c->dx->data + row / rows * shape_sample_len(x);
        const act *dy = c->dy.data + row * n_out * channels;
        const int32_t *at = (const int32_t *)c->saved + row * n_out * channels;
        struct window_box b = window_row(axes, row);

        for (int64_t out = 0; out < n_out; out++, dy += channels, at += channels) {
            window_clip(&axes[2], out, &b.w0, &b.w1);
            for (int64_t d = b.d0; d < b.d1; d++)
                for (int64_t i = b.h0; i < b.h1; i++)
                    for (int64_t j = b.w0; j < b.w1; j++) {
                        const int64_t in = (d * b.h + i) * b.w + j;

                        add_where(dy, at, (int32_t)in, channels, sample + in * channels);
                    }
        }
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_maxpool = {
    .word = {"maxpool", "largest number of each window", sizeof(struct window), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
