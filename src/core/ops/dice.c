/* dice(logits, mask, smooth=1, ignore=-1): the soft Dice loss, the mean over samples of
 *   1 - mean over classes of (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth),
 * where the sums are over the labelled pixels of the sample, p = softmax(logits) and t is 1 where
 * the mask is of the class. One channel: p = sigmoid(logits), and class 1 alone counts.
 * Source: Milletari et al. 2016, doi:10.1109/3DV.2016.79, without its squares. */
#include "core/ops/labels.h"
#include "core/ops/rows.h"

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
    {.name = "ignore",
     .kind = ARG_INT,
     .offset = offsetof(struct dice, ignore),
     .fallback = -1,
     .min = -1,
     .max = -2,
     .help = "class that does not count"},
    {0},
};

/* Of one class in one sample, or in a part of one. */
struct overlap {
    double both, p, t; /* sums of p t, p and t */
};

/* What backward needs of one class in one sample. */
struct ratio {
    double value, over; /* over: 1 / divisor; of nothing at all value is 1 and over 0 */
};

static int64_t pixels(const struct op_call *c) {
    return labels_rows(c) / c->x[0].shape.dim[0];
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t n = shape_channels(&x[0]), samples = x[0].dim[0];

    (void)args, (void)n_x;
    if (labels_check("dice", &x[0], &x[1], err))
        return -1;
    plan->y = (struct shape){1, {1}};
    plan->saved_bytes = (size_t)(samples * n) * sizeof(struct ratio) +
                        2 * (size_t)(shape_len(&x[0]) / n) * sizeof(real);
    plan->scratch_bytes = (size_t)(samples * PARTS * n) * sizeof(struct overlap);
    plan->flops = 6 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x[0].shape.dim[0];
}

/* saved: struct ratio[samples, channels], then [rows, 2] the largest logit and the sum of exp(logit
 * - largest). */
static real *saved_row(const struct op_call *c, int64_t row) {
    const int64_t n_ratios = c->x[0].shape.dim[0] * shape_channels(&c->x[0].shape);

    return (real *)(void *)((struct ratio *)c->saved + n_ratios) + 2 * row;
}

static int64_t label_of(const struct op_call *c, int64_t row) {
    const struct dice *a = c->args;

    return labels_below(c, row, labels_classes(shape_channels(&c->x[0].shape)), a->ignore);
}

static void add_row(const struct op_call *c, int64_t row, struct overlap *sums) {
    const int64_t n = shape_channels(&c->x[0].shape), label = label_of(c, row);
    const act *x = c->x[0].data + row * n;
    real *saved = saved_row(c, row);

    if (label < 0)
        return;
    row_softmax_parts(x, n, &saved[0], &saved[1]);
    const real scale = 1 / saved[1];
    const act max = saved[0];
    for (int64_t j = 0; j < n; j++)
        sums[j].p += (double)(act_exp(x[j] - max) * scale);
    const int64_t channel = labels_channel(label, n);
    if (channel < 0)
        return;
    sums[channel].both += (double)(act_exp(x[channel] - max) * scale);
    sums[channel].t++;
}

/* scratch: struct overlap[samples, PARTS, channels]. */
static void sum_parts(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape), len = pixels(c);

    for (int64_t i = begin; i < end; i++) {
        struct overlap *sums = (struct overlap *)c->scratch + i * n;
        const int64_t first = i / PARTS * len, part = i % PARTS;

        memset(sums, 0, (size_t)n * sizeof *sums);
        for (int64_t k = part * len / PARTS; k < (part + 1) * len / PARTS; k++)
            add_row(c, first + k, sums);
    }
}

static double losses_of_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct dice *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    double loss = 0;

    for (int64_t i = begin * n; i < end * n; i++) {
        const struct overlap *part = (const struct overlap *)c->scratch + i / n * PARTS * n + i % n;
        struct ratio *ratio = (struct ratio *)c->saved + i;
        struct overlap s = {0};

        for (int64_t k = 0; k < PARTS; k++, part += n)
            s.both += part->both, s.p += part->p, s.t += part->t;
        const double divisor = s.p + s.t + a->smooth;
        ratio->over = divisor == 0 ? 0 : 1 / divisor;
        ratio->value = divisor == 0 ? 1 : (2 * s.both + a->smooth) / divisor;
        loss += (1 - ratio->value) / (double)n;
    }
    return loss;
}

static void forward(const struct op_call *c) {
    const int64_t samples = c->x[0].shape.dim[0];

    share(c, samples * PARTS, sum_parts);
    c->y.data[0] = c->total > 0 ? (act)(share_sum(c, samples, losses_of_samples) / c->total) : 0;
}

/* The slope of the loss along p[j] is g[j] = (value - 2 t) / divisor / classes, and along logit j
 * p[j] (g[j] - sum of p g). */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape), len = pixels(c);
    const double scale = (double)c->dy.data[0] / c->total / (double)n;

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x[0].data + row * n;
        act *dx = c->dx[0].data + row * n;
        const struct ratio *ratio = (const struct ratio *)c->saved + row / len * n;
        const int64_t label = label_of(c, row);
        const real *saved = saved_row(c, row);
        double mean = 0;

        if (label < 0)
            continue;
        const int64_t channel = labels_channel(label, n);
        for (int64_t j = 0; j < n; j++)
            mean += (double)(act_exp(x[j] - saved[0]) / saved[1]) *
                    (ratio[j].value - (j == channel ? 2 : 0)) * ratio[j].over;
        for (int64_t j = 0; j < n; j++) {
            const double g = (ratio[j].value - (j == channel ? 2 : 0)) * ratio[j].over;
            dx[j] += (act)(scale * (double)(act_exp(x[j] - saved[0]) / saved[1]) * (g - mean));
        }
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data && c->total > 0)
        share(c, labels_rows(c), backward_rows);
}

const struct op op_dice = {
    .word = {"dice", "mean over samples of the soft Dice loss", sizeof(struct dice), specs},
    .min_x = 2,
    .max_x = 2,
    .reads_x = 3,
    .class_index = true,
    .binary = true,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
