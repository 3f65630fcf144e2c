/* max_unpool(z, x, kernel=2, stride=0, pad=0, ceil=false): each number of z where the largest
 * number of its window stands in x, zeros elsewhere; x is what the maxpool with these windows saw.
 * Of numbers that meet, as those of overlapping windows may, the last one stays, and every one gets
 * the gradient of the place where they meet, as in PyTorch. No gradient passes to x.
 * Source: Badrinarayanan et al. 2017 (SegNet), doi:10.1109/TPAMI.2016.2644615 */
#include "core/ops/parts/window.h"

#include <string.h>

enum { BLOCK = 64 }; /* channels */

static const struct arg_spec specs[] = {
    WINDOW_KERNEL, WINDOW_STRIDE, WINDOW_PAD, WINDOW_CEIL, {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    struct op_plan pool = {0};
    char found[SHAPE_TEXT], expected[SHAPE_TEXT], before[SHAPE_TEXT];

    (void)n_x;
    if (window_plan("max_unpool", args, &x[1], &pool, err))
        return -1;
    if (!shape_equal(&x[0], &pool.y))
        return err_set(err, ERR_CONFIG, "max_unpool: z is %s, expected %s: x, %s, pooled",
                       shape_text(&x[0], found), shape_text(&pool.y, expected),
                       shape_text(&x[1], before));
    plan->y = x[1];
    plan->saved_bytes = (size_t)shape_len(&x[0]) * sizeof(int32_t);
    plan->flops = pool.flops;
    return 0;
}

/* By whole samples: windows may overlap. saved: [pixels of z, c] pixel of its sample of y. */
static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape), len = shape_sample_len(&c->y.shape);
    const int64_t n_z = shape_sample_len(&c->x[0].shape) / channels;
    int32_t *saved = c->saved;
    struct window_axis axes[AXES_MAX];
    act best[BLOCK];

    window_axes(c->args, &c->y.shape, axes);
    memset(c->y.data + begin * len, 0, (size_t)((end - begin) * len) * sizeof(act));
    for (int64_t pixel = begin * n_z; pixel < end * n_z; pixel++) {
        struct window_box box = window_row(axes, pixel / axes[2].n_out);
        const act *sample = c->x[1].data + pixel / n_z * len, *z = c->x[0].data + pixel * channels;
        int32_t *at = saved + pixel * channels;
        act *y = c->y.data + pixel / n_z * len;

        window_clip(&axes[2], pixel % axes[2].n_out, &box.w0, &box.w1);
        for (int64_t c0 = 0; c0 < channels; c0 += BLOCK)
            window_max(&box, sample + c0, channels, channels - c0 < BLOCK ? channels - c0 : BLOCK,
                       best, at + c0);
        for (int64_t ch = 0; ch < channels; ch++)
            y[at[ch] * channels + ch] = z[ch];
    }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

static void backward_pixels(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->y.shape), len = shape_sample_len(&c->y.shape);
    const int64_t n_z = shape_sample_len(&c->x[0].shape) / channels;

    for (int64_t pixel = begin; pixel < end; pixel++) {
        const int32_t *at = (const int32_t *)c->saved + pixel * channels;
        const act *dy = c->dy.data + pixel / n_z * len;
        act *dz = c->dx[0].data + pixel * channels;

        for (int64_t ch = 0; ch < channels; ch++)
            dz[ch] += dy[at[ch] * channels + ch];
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, shape_len(&c->x[0].shape) / shape_channels(&c->y.shape), backward_pixels);
}

const struct op op_max_unpool = {
    .word = {"max_unpool", "numbers back to where maxpool found its largest", sizeof(struct window),
             specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
