/* global_avgpool(x): the mean over all pixels: [n, ..., c] -> [n, c]. */
#include "core/ops/parts/share.h"

enum { BLOCK_ROWS = 64, BLOCK_CHANNELS = 64 }; /* sums of sums: error grows with 64, not h * w */

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 3)
        return err_set(
            err, ERR_CONFIG,
            "global_avgpool: x is %s, expected images (samples x height x width x channels)",
            shape_text(x, text));
    plan->y = (struct shape){2, {x->dim[0], shape_channels(x)}};
    plan->flops = (double)shape_len(x);
    return 0;
}

/* sums[ch] = sum over rows of x[row * stride + ch], for at most BLOCK_CHANNELS channels. */
static void sum_rows(const act *restrict x, int64_t rows, int64_t stride, int64_t channels,
                     real *restrict sums) {
    for (int64_t ch = 0; ch < channels; ch++)
        sums[ch] = 0;
    for (int64_t row = 0; row < rows; row++, x += stride)
        for (int64_t ch = 0; ch < channels; ch++)
            sums[ch] += x[ch];
}

static void forward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->x->shape);
    const int64_t pixels = shape_sample_len(&c->x->shape) / channels;
    real sums[BLOCK_CHANNELS], total[BLOCK_CHANNELS];

    for (int64_t n = begin; n < end; n++)
        for (int64_t ch = 0; ch < channels; ch += BLOCK_CHANNELS) {
            const int64_t some = channels - ch < BLOCK_CHANNELS ? channels - ch : BLOCK_CHANNELS;

            for (int64_t i = 0; i < some; i++)
                total[i] = 0;
            for (int64_t row = 0; row < pixels; row += BLOCK_ROWS) {
                const int64_t rows = pixels - row < BLOCK_ROWS ? pixels - row : BLOCK_ROWS;

                sum_rows(c->x->data + (n * pixels + row) * channels + ch, rows, channels, some,
                         sums);
                for (int64_t i = 0; i < some; i++)
                    total[i] += sums[i];
            }
            for (int64_t i = 0; i < some; i++)
                c->y.data[n * channels + ch + i] = (act)(total[i] / (real)pixels);
        }
}

static void forward(const struct op_call *c) {
    share(c, c->y.shape.dim[0], forward_samples);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->x->shape);
    const int64_t pixels = shape_sample_len(&c->x->shape) / channels;
    const act scale = (act)(1 / (real)pixels);

    for (int64_t row = begin * pixels; row < end * pixels; row++) {
        const act *restrict dy = c->dy.data + row / pixels * channels;
        act *restrict dx = c->dx->data + row * channels;

        for (int64_t ch = 0; c->dx_first && ch < channels; ch++)
            dx[ch] = dy[ch] * scale;
        for (int64_t ch = 0; !c->dx_first && ch < channels; ch++)
            dx[ch] += dy[ch] * scale;
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_global_avgpool = {
    .word = {"global_avgpool", "mean over all pixels", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
