/* local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=1): each number is divided by what its
 * neighbours among the channels of the same pixel hold: y = x s^-beta with
 *   s = k + alpha / size * (sum of squares over the window of `size` channels),
 * size / 2 of them before, (size - 1) / 2 after, as torch.nn.LocalResponseNorm. In the paper's own
 * formula alpha is not divided by size and k is 2.
 * Source: Krizhevsky et al. 2012, section 3.3. */
#include "core/ops/parts/act_math.h"
#include "core/ops/parts/share.h"

#include <string.h>

/* Channels at a time, with those in their windows and in the windows of these. */
enum { MAX_SIZE = 63, BLOCK = 256, WIDE = BLOCK + MAX_SIZE, WIDEST = BLOCK + 2 * MAX_SIZE };

struct local_response_norm {
    int size;
    double alpha, beta, k;
};

static const struct arg_spec specs[] = {
    {.name = "size",
     .kind = ARG_INT,
     .offset = offsetof(struct local_response_norm, size),
     .fallback = 5,
     .min = 1,
     .max = MAX_SIZE,
     .help = "channels in a window"},
    {.name = "alpha",
     .kind = ARG_REAL,
     .offset = offsetof(struct local_response_norm, alpha),
     .fallback = 1e-4,
     .min = 0,
     .max = -1,
     .help = "of the mean of squares; at least 0"},
    {.name = "beta",
     .kind = ARG_REAL,
     .offset = offsetof(struct local_response_norm, beta),
     .fallback = 0.75,
     .min = 0,
     .max = -1,
     .help = "the power; at least 0"},
    {.name = "k",
     .kind = ARG_REAL,
     .offset = offsetof(struct local_response_norm, k),
     .fallback = 1,
     .min = 1e-12,
     .max = -1,
     .help = "added to the squares; above 0"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG,
                       "local_response_norm: x is %s, expected samples with channels",
                       shape_text(x, text));
    plan->y = x[0];
    plan->flops =
        (double)(((const struct local_response_norm *)args)->size + 20) * (double)shape_len(x);
    return 0;
}

/* The channels [first, first + n) of a row with `channels` of them. */
struct norm_span {
    int64_t first, n, channels;
};

/* to[j] = x[first + j], 0 outside of the row. */
static void load(const act *x, struct norm_span s, act *to) {
    const int64_t end = s.first + s.n < s.channels ? s.first + s.n : s.channels;
    const int64_t begin = s.first > 0 ? s.first : 0;

    memset(to, 0, (size_t)s.n * sizeof(act));
    memcpy(to + (begin - s.first), x + begin, (size_t)(end - begin) * sizeof(act));
}

/* sums[j] = from[j] + ... + from[j + size - 1] */
static void window_sums(const act *restrict from, int size, int64_t n, act *restrict sums) {
    for (int64_t j = 0; j < n; j++)
        sums[j] = from[j];
    for (int o = 1; o < size; o++)
        for (int64_t j = 0; j < n; j++)
            sums[j] += from[j + o];
}

/* s and s^-beta for n numbers; x [n + size - 1] begins size / 2 before them. */
static void powers(const struct local_response_norm *a, const act *restrict x, int64_t n,
                   act *restrict s, act *restrict power) {
    const act alpha = (act)(a->alpha / a->size), k = (act)a->k, beta = (act)a->beta;
    act squares[WIDEST];

    for (int64_t j = 0; j < n + a->size - 1; j++)
        squares[j] = x[j] * x[j];
    window_sums(squares, a->size, n, s);
    for (int64_t j = 0; j < n; j++) {
        s[j] = k + alpha * s[j];
        power[j] = act_exp(-beta * act_log(s[j]));
    }
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct local_response_norm *a = c->args;
    const int64_t channels = shape_channels(&c->y.shape), before = a->size / 2;
    act x[WIDE], s[BLOCK], power[BLOCK];

    for (int64_t row = begin; row < end; row++)
        for (int64_t ch = 0; ch < channels; ch += BLOCK) {
            const int64_t n = channels - ch < BLOCK ? channels - ch : BLOCK;
            act *y = c->y.data + row * channels + ch;

            load(c->x->data + row * channels,
                 (struct norm_span){ch - before, n + a->size - 1, channels}, x);
            powers(a, x, n, s, power);
            for (int64_t j = 0; j < n; j++)
                y[j] = x[before + j] * power[j];
        }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), forward_rows);
}

/* dx[j] += dy[j] s[j]^-beta - 2 alpha beta / size x[j] (sum of dy[i] x[i] s[i]^(-beta - 1) over the
 * i in whose windows j is: (size - 1) / 2 before j, size / 2 after). */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct local_response_norm *a = c->args;
    const int64_t channels = shape_channels(&c->y.shape);
    const int64_t before = a->size / 2, after = (a->size - 1) / 2, halo = a->size - 1;
    const act scale = (act)(2 * a->alpha * a->beta / a->size);
    act x[WIDEST], dy[WIDE], s[WIDE], power[WIDE], t[WIDE], sums[BLOCK];

    for (int64_t row = begin; row < end; row++)
        for (int64_t ch = 0; ch < channels; ch += BLOCK) {
            const int64_t n = channels - ch < BLOCK ? channels - ch : BLOCK;
            act *dx = c->dx->data + row * channels + ch;

            load(c->x->data + row * channels,
                 (struct norm_span){ch - after - before, n + 2 * halo, channels}, x);
            load(c->dy.data + row * channels, (struct norm_span){ch - after, n + halo, channels},
                 dy);
            powers(a, x, n + halo, s, power);
            for (int64_t j = 0; j < n + halo; j++)
                t[j] = dy[j] * x[before + j] * power[j] / s[j];
            window_sums(t, a->size, n, sums);
            for (int64_t j = 0; j < n; j++)
                dx[j] += dy[after + j] * power[after + j] - scale * x[halo + j] * sums[j];
        }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), backward_rows);
}

const struct op op_local_response_norm = {
    .word = {"local_response_norm", "each number divided by its neighbours among the channels",
             sizeof(struct local_response_norm), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
