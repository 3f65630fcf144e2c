/* flatten(x): each sample as one row of numbers, channels before pixels as in PyTorch, so that the
 * weights of a linear layer that follows mean the same: [n, h, w, c] -> [n, c * h * w]. */
#include "core/ops/parts/share.h"

/* What is turned at a time: both its rows and its columns are lines of a cache. */
enum { CHANNELS = 16, PIXELS = 16 };

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = (struct shape){2, {x->dim[0], shape_sample_len(x)}};
    return 0;
}

/* Of one sample: [pixels, channels] is x, [channels, pixels] is y. */
struct sample {
    int64_t pixels, channels;
};

static struct sample sample_of(const struct op_call *c) {
    const int64_t channels = c->x->shape.rank > 1 ? shape_channels(&c->x->shape) : 1;

    return (struct sample){shape_sample_len(&c->x->shape) / channels, channels};
}

static int64_t blocks(const struct sample *s) {
    return (s->channels + CHANNELS - 1) / CHANNELS;
}

/* Block `index` of all samples: where it begins in x and y, and its channels. */
static int64_t block_at(const struct sample *s, int64_t index, int64_t *x, int64_t *y) {
    const int64_t n = index / blocks(s), c0 = index % blocks(s) * CHANNELS;

    *x = n * s->pixels * s->channels + c0;
    *y = (n * s->channels + c0) * s->pixels;
    return s->channels - c0 < CHANNELS ? s->channels - c0 : CHANNELS;
}

static void forward_blocks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct sample s = sample_of(c);

    for (int64_t i = begin; i < end; i++) {
        int64_t x0, y0;
        const int64_t channels = block_at(&s, i, &x0, &y0);
        const act *restrict x = c->x->data + x0;
        act *restrict y = c->y.data + y0;

        for (int64_t p0 = 0; p0 < s.pixels; p0 += PIXELS) {
            const int64_t p1 = p0 + PIXELS < s.pixels ? p0 + PIXELS : s.pixels;

            for (int64_t ch = 0; ch < channels; ch++)
                for (int64_t p = p0; p < p1; p++)
                    y[ch * s.pixels + p] = x[p * s.channels + ch];
        }
    }
}

static void forward(const struct op_call *c) {
    const struct sample s = sample_of(c);

    share(c, c->x->shape.dim[0] * blocks(&s), forward_blocks);
}

static void backward_blocks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct sample s = sample_of(c);

    for (int64_t i = begin; i < end; i++) {
        int64_t x0, y0;
        const int64_t channels = block_at(&s, i, &x0, &y0);
        const act *restrict dy = c->dy.data + y0;
        act *restrict dx = c->dx->data + x0;

        for (int64_t p0 = 0; p0 < s.pixels; p0 += PIXELS) {
            const int64_t p1 = p0 + PIXELS < s.pixels ? p0 + PIXELS : s.pixels;

            for (int64_t ch = 0; ch < channels; ch++)
                for (int64_t p = p0; p < p1; p++)
                    dx[p * s.channels + ch] += dy[ch * s.pixels + p];
        }
    }
}

static void backward(const struct op_call *c) {
    const struct sample s = sample_of(c);

    if (c->dx->data)
        share(c, c->x->shape.dim[0] * blocks(&s), backward_blocks);
}

const struct op op_flatten = {
    .word = {"flatten", "each sample as one row, channels before pixels", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
