/* bn(x, momentum=0.1, eps=1e-5): batch normalisation of each channel over samples and pixels.
 *   y = (x - mean) / sqrt(var + eps) * weight + bias
 * In training mean and (biased) variance are the batch's, and the running ones move towards them by
 * momentum, the variance made unbiased; otherwise the running ones are used. A batch of one pixel
 * has variance 0 and so gives bias. Source: Ioffe & Szegedy 2015, arXiv:1502.03167
 *
 * Memory decides the speed: forward and backward each read their inputs twice, once to sum and once
 * to normalise. Rows of few channels are taken several at a time (`width` numbers), with what
 * belongs to a channel repeated, so that the innermost loop is always long. */
#include "core/ops/init.h"
#include "core/ops/share.h"

#include <math.h>
#include <string.h>

/* Numbers in the innermost loop, at least; numbers and rows of a chunk, whose sums are taken in
 * `real` and depend on no other chunk: error grows with the chunk, not with the batch. */
enum { MIN_WIDTH = 256, CHUNK_LEN = 65536, MIN_CHUNK_ROWS = 64 };

struct bn {
    double momentum, eps;
};

static const struct arg_spec specs[] = {
    {.name = "momentum",
     .kind = ARG_REAL,
     .offset = offsetof(struct bn, momentum),
     .fallback = 0.1,
     .min = 0,
     .max = 1,
     .help = "how far running statistics move to the batch's"},
    {.name = "eps",
     .kind = ARG_REAL,
     .offset = offsetof(struct bn, eps),
     .fallback = 1e-5,
     .min = 1e-12,
     .max = 1,
     .help = "added to the variance"},
    {0},
};

static const struct constant_args one = {1};

/* How [rows, channels] numbers are cut. Scratch holds for each chunk 3 rows of `width`: sums, then
 * 4 rows of coefficients. */
struct cut {
    int64_t len, channels, width, chunk, n_chunks; /* all but channels, n_chunks: in numbers */
};

static struct cut cut_of(const struct shape *x) {
    struct cut k = {.len = shape_len(x), .channels = shape_channels(x)};
    const int64_t repeats = k.channels < MIN_WIDTH ? MIN_WIDTH / k.channels : 1;
    const int64_t wide_rows = CHUNK_LEN / (k.channels * repeats);

    k.width = k.channels * repeats;
    k.chunk =
        k.width * (wide_rows * repeats < MIN_CHUNK_ROWS ? MIN_CHUNK_ROWS / repeats : wide_rows);
    k.n_chunks = (k.len + k.chunk - 1) / k.chunk;
    return k;
}

static real *chunk_sums(const struct op_call *c, const struct cut *k, int64_t chunk) {
    return (real *)c->scratch + chunk * 3 * k->width;
}

static real *coefficients(const struct op_call *c, const struct cut *k) {
    return chunk_sums(c, k, k->n_chunks);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t channels = shape_channels(x);
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "bn: x is %s, expected samples with channels",
                       shape_text(x, text));
    const struct cut k = cut_of(x);
    plan->y = x[0];
    const struct applied ones = {&init_constant.word, &one};
    const struct shape each = {1, {channels}};
    plan->w[0] = (struct op_param){.name = "weight", .shape = each, .init = ones};
    plan->w[1] = (struct op_param){.name = "bias", .shape = each};
    plan->state[0] = (struct op_param){.name = "running_mean", .shape = each};
    plan->state[1] = (struct op_param){.name = "running_var", .shape = each, .init = ones};
    plan->saved_bytes = 2 * (size_t)channels * sizeof(real); /* mean, 1 / sqrt(var + eps) */
    plan->scratch_bytes = (size_t)((3 * k.n_chunks + 4) * k.width) * sizeof(real);
    plan->flops = 8 * (double)shape_len(x);
    return 0;
}

/* Add up the repeats of each channel: v[width] to v[channels]. */
static void fold(real *v, const struct cut *k) {
    for (int64_t i = k->channels; i < k->width; i++)
        v[i % k->channels] += v[i];
}

/* Repeat v[channels] to v[width]. */
static void repeat(real *v, const struct cut *k) {
    for (int64_t i = k->channels; i < k->width; i++)
        v[i] = v[i - k->channels];
}

/* s += x - shift, q += (x - shift)^2 */
static void add_moments(const act *restrict x, const real *restrict shift, int64_t len,
                        real *restrict s, real *restrict q) {
    for (int64_t i = 0; i < len; i++) {
        const real d = x[i] - shift[i];

        s[i] += d;
        q[i] += d * d;
    }
}

/* Mean and sum of squared deviations of each channel in each chunk, from sums about the chunk's
 * first row, so that a mean far from 0 costs no digits. */
static void moments_of_chunks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cut k = cut_of(&c->x->shape);

    for (int64_t chunk = begin; chunk < end; chunk++) {
        const act *x = c->x->data + chunk * k.chunk;
        const int64_t len = k.len - chunk * k.chunk < k.chunk ? k.len - chunk * k.chunk : k.chunk;
        const real rows = (real)(len / k.channels);
        real *s = chunk_sums(c, &k, chunk), *q = s + k.width, *shift = q + k.width;

        memset(s, 0, 2 * (size_t)k.width * sizeof(real));
        for (int64_t i = 0; i < k.channels; i++)
            shift[i] = x[i];
        repeat(shift, &k);
        for (int64_t i = 0; i < len; i += k.width)
            add_moments(x + i, shift, len - i < k.width ? len - i : k.width, s, q);
        fold(s, &k), fold(q, &k);
        for (int64_t ch = 0; ch < k.channels; ch++) {
            const real squares = q[ch] - s[ch] * (s[ch] / rows);

            s[ch] = shift[ch] + s[ch] / rows;
            q[ch] = squares > 0 ? squares : 0;
        }
    }
}

/* Statistics of the batch from those of its chunks, in their order.
 * Source: Chan, Golub & LeVeque 1979, equation 2.1. */
static void merge_moments(const struct op_call *c, int64_t begin, int64_t end) {
    const struct bn *a = c->args;
    const struct cut k = cut_of(&c->x->shape);
    const double rows = (double)(k.len / k.channels);

    for (int64_t ch = begin; ch < end; ch++) {
        double n = 0, mean = 0, squares = 0;

        for (int64_t chunk = 0; chunk < k.n_chunks; chunk++) {
            const real *s = chunk_sums(c, &k, chunk);
            const double m = fmin((double)(k.chunk / k.channels), rows - n);
            const double delta = (double)s[ch] - mean;

            squares += (double)s[k.width + ch] + delta * delta * n * m / (n + m);
            mean += delta * m / (n + m);
            n += m;
        }
        real *saved = c->saved, *running_mean = c->state[0], *running_var = c->state[1];
        const double unbiased = rows > 1 ? squares / (rows - 1) : 0;
        saved[ch] = (real)mean;
        saved[k.channels + ch] = (real)(1 / sqrt(squares / rows + a->eps));
        running_mean[ch] += (real)(a->momentum * (mean - (double)running_mean[ch]));
        running_var[ch] += (real)(a->momentum * (unbiased - (double)running_var[ch]));
    }
}

static void take_running(const struct op_call *c, int64_t channels) {
    const struct bn *a = c->args;
    real *saved = c->saved;

    for (int64_t ch = 0; ch < channels; ch++) {
        saved[ch] = c->state[0][ch];
        saved[channels + ch] = (real)(1 / sqrt((double)c->state[1][ch] + a->eps));
    }
}

static void normalise(const act *x, const real *restrict mean, const real *restrict scale,
                      const real *restrict bias, int64_t len, act *y) {
    for (int64_t i = 0; i < len; i++)
        y[i] = (x[i] - mean[i]) * scale[i] + bias[i];
}

static void normalise_chunks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cut k = cut_of(&c->x->shape);
    const real *mean = coefficients(c, &k), *scale = mean + k.width, *bias = scale + k.width;
    const int64_t last = end * k.chunk < k.len ? end * k.chunk : k.len;

    for (int64_t i = begin * k.chunk; i < last; i += k.width)
        normalise(c->x->data + i, mean, scale, bias, last - i < k.width ? last - i : k.width,
                  c->y.data + i);
}

static void forward(const struct op_call *c) {
    const struct cut k = cut_of(&c->x->shape);
    const real *saved = c->saved;
    real *mean = coefficients(c, &k), *scale = mean + k.width, *bias = scale + k.width;

    if (c->training) {
        share(c, k.n_chunks, moments_of_chunks);
        share(c, k.channels, merge_moments);
    } else {
        take_running(c, k.channels);
    }
    for (int64_t ch = 0; ch < k.channels; ch++) {
        mean[ch] = saved[ch];
        scale[ch] = saved[k.channels + ch] * c->w[0][ch];
        bias[ch] = c->w[1][ch];
    }
    repeat(mean, &k), repeat(scale, &k), repeat(bias, &k);
    share(c, k.n_chunks, normalise_chunks);
}

/* s += dy, q += dy (x - mean) */
static void add_products(const act *restrict x, const act *restrict dy, const real *restrict mean,
                         int64_t len, real *restrict s, real *restrict q) {
    for (int64_t i = 0; i < len; i++) {
        s[i] += dy[i];
        q[i] += dy[i] * (x[i] - mean[i]);
    }
}

static void products_of_chunks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cut k = cut_of(&c->x->shape);
    const real *mean = coefficients(c, &k);

    for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t at = chunk * k.chunk, len = k.len - at < k.chunk ? k.len - at : k.chunk;
        real *s = chunk_sums(c, &k, chunk), *q = s + k.width;

        memset(s, 0, 2 * (size_t)k.width * sizeof(real));
        for (int64_t i = 0; i < len; i += k.width)
            add_products(c->x->data + at + i, c->dy.data + at + i, mean,
                         len - i < k.width ? len - i : k.width, s, q);
        fold(s, &k), fold(q, &k);
    }
}

/* The gradients of weight and bias, and what backward subtracts from each dy of a channel:
 * mean of dy + (x - mean) / (var + eps) * mean of dy (x - mean). */
static void merge_products(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cut k = cut_of(&c->x->shape);
    const double rows = (double)(k.len / k.channels);
    const real *inverse = (const real *)c->saved + k.channels;
    real *mean_dy = coefficients(c, &k) + 2 * k.width, *slope = mean_dy + k.width;

    for (int64_t ch = begin; ch < end; ch++) {
        const double inv = (double)inverse[ch];
        double sum = 0, product = 0;

        for (int64_t chunk = 0; chunk < k.n_chunks; chunk++) {
            sum += (double)chunk_sums(c, &k, chunk)[ch];
            product += (double)chunk_sums(c, &k, chunk)[k.width + ch];
        }
        if (c->dw[0])
            c->dw[0][ch] += (real)(product * inv);
        if (c->dw[1])
            c->dw[1][ch] += (real)sum;
        mean_dy[ch] = c->training ? (real)(sum / rows) : 0;
        slope[ch] = c->training ? (real)(product / rows * inv * inv) : 0;
    }
}

struct pull {
    const real *mean, *scale, *mean_dy, *slope; /* [width] */
};

static void add_gradient(const act *restrict x, const act *restrict dy, const struct pull *p,
                         int64_t len, act *restrict dx) {
    const real *restrict mean = p->mean, *restrict scale = p->scale;
    const real *restrict mean_dy = p->mean_dy, *restrict slope = p->slope;

    for (int64_t i = 0; i < len; i++)
        dx[i] += (dy[i] - mean_dy[i] - (x[i] - mean[i]) * slope[i]) * scale[i];
}

/* The same where dx lies in dy's memory. */
static void put_gradient(const act *restrict x, act *restrict dy, const struct pull *p,
                         int64_t len) {
    const real *restrict mean = p->mean, *restrict scale = p->scale;
    const real *restrict mean_dy = p->mean_dy, *restrict slope = p->slope;

    for (int64_t i = 0; i < len; i++)
        dy[i] = (dy[i] - mean_dy[i] - (x[i] - mean[i]) * slope[i]) * scale[i];
}

static void gradient_chunks(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cut k = cut_of(&c->x->shape);
    const real *v = coefficients(c, &k);
    const struct pull p = {v, v + k.width, v + 2 * k.width, v + 3 * k.width};
    const int64_t last = end * k.chunk < k.len ? end * k.chunk : k.len;

    for (int64_t i = begin * k.chunk; i < last; i += k.width) {
        const int64_t len = last - i < k.width ? last - i : k.width;

        if (c->dx->data == c->dy.data)
            put_gradient(c->x->data + i, c->dx->data + i, &p, len);
        else
            add_gradient(c->x->data + i, c->dy.data + i, &p, len, c->dx->data + i);
    }
}

static void backward(const struct op_call *c) {
    const struct cut k = cut_of(&c->x->shape);
    const real *saved = c->saved;
    real *mean = coefficients(c, &k), *scale = mean + k.width;
    real *mean_dy = scale + k.width, *slope = mean_dy + k.width;

    for (int64_t ch = 0; ch < k.channels; ch++) {
        mean[ch] = saved[ch];
        scale[ch] = saved[k.channels + ch] * c->w[0][ch];
    }
    repeat(mean, &k), repeat(scale, &k);
    share(c, k.n_chunks, products_of_chunks);
    share(c, k.channels, merge_products);
    repeat(mean_dy, &k), repeat(slope, &k);
    if (c->dx->data)
        share(c, k.n_chunks, gradient_chunks);
}

const struct op op_bn = {
    .word = {"bn", "batch normalisation of each channel", sizeof(struct bn), specs},
    .min_x = 1,
    .max_x = 1,
    .reads_x = 1,
    .in_place = true,
    .cancels_bias = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
