/* flatten(x, from=1): each sample as one row of numbers, channels before pixels as in PyTorch, so
 * that the weights of a linear layer that follows mean the same: [n, h, w, c] -> [n, c * h * w].
 * With from=2 each row of a list: [n, r, h, w, c] -> [n, r, c * h * w]. */
#include "core/ops/parts/share.h"

/* What is turned at a time: both its rows and its columns are lines of a cache. */
enum { CHANNELS = 16, PIXELS = 16 };

struct flatten {
    int from;
};

static const struct arg_spec specs[] = {
    {.name = "from",
     .kind = ARG_INT,
     .offset = offsetof(struct flatten, from),
     .fallback = 1,
     .min = 1,
     .max = 2,
     .help = "the first dimension that goes; 2: rows of lists stay apart"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];
    int64_t len = 1;

    (void)n_x;
    if (((const struct flatten *)args)->from == 1) {
        plan->y = (struct shape){2, {x->dim[0], shape_sample_len(x)}};
        return 0;
    }
    if (x->rank < 3)
        return err_set(err, ERR_CONFIG, "flatten: x is %s, expected a list with from=2",
                       shape_text(x, text));
    for (int i = 2; i < x->rank; i++)
        len *= x->dim[i];
    plan->y = (struct shape){3, {x->dim[0], x->dim[1], len}};
    return 0;
}

/* Of one row of y: [pixels, channels] is x, [channels, pixels] is y. */
struct sample {
    int64_t pixels, channels;
};

static struct sample sample_of(const struct op_call *c) {
    const int64_t channels = c->x->shape.rank > 1 ? shape_channels(&c->x->shape) : 1;

    return (struct sample){shape_channels(&c->y.shape) / channels, channels};
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

/* Of all rows of y. */
static int64_t all_blocks(const struct op_call *c) {
    const struct sample s = sample_of(c);

    return shape_len(&c->y.shape) / shape_channels(&c->y.shape) * blocks(&s);
}

static void forward(const struct op_call *c) {
    share(c, all_blocks(c), forward_blocks);
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
    if (c->dx->data)
        share(c, all_blocks(c), backward_blocks);
}

const struct op op_flatten = {
    .word = {"flatten", "each sample, or row of a list, as one row, channels before pixels",
             sizeof(struct flatten), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
