/* dice(logits, mask, smooth=1, ignore=-1): the soft Dice loss, the mean over samples of
 *   1 - mean over classes of (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth),
 * where the sums are over the labelled pixels of the sample, p = softmax(logits) and t is 1 where
 * the mask is of the class. One channel: p = sigmoid(logits), and class 1 alone counts.
 * Source: Milletari et al. 2016, doi:10.1109/3DV.2016.79, without its squares. */
#include "core/ops/parts/labels.h"
#include "core/ops/parts/rows.h"

#include <string.h>

/* A sample is summed in so many parts, for threads to share. */
enum { PARTS = 16 };

struct dice {
    double smooth;
    int ignore;
};

static const struct arg_spec specs[] = {
    {.name = "smooth",
     .kind = ARG_REAL,
     .offset = offsetof(struct dice, smooth),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "pixels added to both sides of the ratio"},
    LABELS_IGNORE(struct dice),
    {0},
};

/* Sums over the pixels of a part of a sample, one for each class: of p, of t and of p t. */
enum { SUM_P, SUM_T, SUM_BOTH, N_SUMS };

static int64_t pixels(const struct op_call *c) {
    return labels_rows(c) / c->x[0].shape.dim[0];
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t n = shape_channels(&x[0]), samples = x[0].dim[0];

    (void)args, (void)n_x;
    if (labels_check("dice", &x[0], &x[1], err))
        return -1;
    op_plan_mean(plan);
    plan->saved_bytes = 2 * (size_t)(samples * n + shape_len(&x[0]) / n) * sizeof(real);
    plan->scratch_bytes = (size_t)(samples * PARTS * N_SUMS * n) * sizeof(double);
    plan->flops = 6 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x[0].shape.dim[0];
}

/* saved: what backward needs of each class in each sample, the slope along p where t is 0 and what
 * it is less where t is 1, as [samples, 2, channels]; then [rows, 2] the largest logit and the sum
 * of exp(logit - largest). */
static real *saved_slopes(const struct op_call *c, int64_t sample) {
    return (real *)c->saved + 2 * sample * shape_channels(&c->x[0].shape);
}

static real *saved_row(const struct op_call *c, int64_t row) {
    return saved_slopes(c, c->x[0].shape.dim[0]) + 2 * row;
}

static int64_t label_of(const struct op_call *c, int64_t row) {
    const struct dice *a = c->args;

    return labels_below(c, row, labels_classes(shape_channels(&c->x[0].shape)), a->ignore);
}

/* sums: [N_SUMS, channels]. */
static void add_row(const struct op_call *c, int64_t row, double *restrict sums) {
    const int64_t n = shape_channels(&c->x[0].shape), label = label_of(c, row);
    const act *restrict x = c->x[0].data + row * n;
    real *saved = saved_row(c, row);

    if (label < 0)
        return;
    row_softmax_parts(x, n, &saved[0], &saved[1]);
    const real scale = 1 / saved[1];
    const act max = (act)saved[0];
    for (int64_t j = 0; j < n; j++)
        sums[SUM_P * n + j] += (double)(act_exp(x[j] - max) * scale);
    const int64_t channel = labels_channel(label, n);
    if (channel < 0)
        return;
    sums[SUM_T * n + channel]++;
    sums[SUM_BOTH * n + channel] += (double)(act_exp(x[channel] - max) * scale);
}

/* scratch: sums [samples, PARTS, N_SUMS, channels]. */
static void sum_parts(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape), len = pixels(c);

    for (int64_t i = begin; i < end; i++) {
        double *sums = (double *)c->scratch + i * N_SUMS * n;
        const int64_t first = i / PARTS * len, part = i % PARTS;

        memset(sums, 0, (size_t)(N_SUMS * n) * sizeof *sums);
        for (int64_t k = part * len / PARTS; k < (part + 1) * len / PARTS; k++)
            add_row(c, first + k, sums);
    }
}

/* One class of one sample: 1 - its ratio, and the slopes of that. */
static double loss_of(const struct op_call *c, int64_t sample, int64_t channel) {
    const double smooth = ((const struct dice *)c->args)->smooth;
    const int64_t n = shape_channels(&c->x[0].shape);
    const double *part = (const double *)c->scratch + sample * PARTS * N_SUMS * n + channel;
    real *slopes = saved_slopes(c, sample) + channel;
    double p = 0, t = 0, both = 0;

    for (int64_t k = 0; k < PARTS; k++, part += N_SUMS * n)
        p += part[SUM_P * n], t += part[SUM_T * n], both += part[SUM_BOTH * n];
    const double divisor = p + t + smooth, over = divisor > 0 ? 1 / divisor : 0;
    const double ratio = divisor == 0 ? 1 : (2 * both + smooth) / divisor; /* nothing: all right */
    slopes[0] = (real)(ratio * over);
    slopes[n] = (real)(2 * over);
    return 1 - ratio;
}

static double losses_of_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape);
    double loss = 0;

    for (int64_t i = begin * n; i < end * n; i++)
        loss += loss_of(c, i / n, i % n) / (double)n;
    return loss;
}

static void forward(const struct op_call *c) {
    const int64_t samples = c->x[0].shape.dim[0];

    share(c, samples * PARTS, sum_parts);
    c->y.reals[0] = (real)share_sum(c, samples, losses_of_samples);
}

/* The sum of exp(x[j] - max) g[j], as row_sum_exp. */
static real row_dot_exp(const act *x, const real *g, int64_t n, act max) {
    real lanes[ROW_LANES] = {0}, sum = 0;
    int64_t j = 0;

    for (; j + ROW_LANES <= n; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            lanes[l] += act_exp(x[j + l] - max) * g[j + l];
    for (; j < n; j++)
        sum += act_exp(x[j] - max) * g[j];
    for (int l = 0; l < ROW_LANES; l++)
        sum += lanes[l];
    return sum;
}

/* With slope g[j] along p[j], that along logit j is p[j] (g[j] - sum of p g). */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape), len = pixels(c);
    const double scale = (double)c->dy.reals[0] / (double)n;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x[0].data + row * n;
        act *restrict dx = c->dx[0].data + row * n;
        const real *restrict g = saved_slopes(c, row / len);
        const real *saved = saved_row(c, row);
        const int64_t label = label_of(c, row);

        if (label < 0)
            continue;
        const int64_t channel = labels_channel(label, n);
        const act max = (act)saved[0];
        const real less = channel < 0 ? 0 : act_exp(x[channel] - max) * g[n + channel];
        const real mean = (row_dot_exp(x, g, n, max) - less) / saved[1];
        const real p_scale = (real)(scale / (double)saved[1]);
        for (int64_t j = 0; j < n; j++)
            dx[j] += (act)(p_scale * act_exp(x[j] - max) * (g[j] - mean));
        if (channel >= 0)
            dx[channel] -= (act)(p_scale * less);
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, labels_rows(c), backward_rows);
}

const struct op op_dice = {
    .word = {"dice", "mean over samples of the soft Dice loss", sizeof(struct dice), specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.index_x = 2,
    .meaning.binary = true,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
