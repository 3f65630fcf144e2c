/* focal(logits, label, gamma=2, weights=1, ignore=-1): the mean over labels of
 *   -w[label] (1 - p)^gamma log p, where p = softmax(logits) at the label.
 * One channel is the score of class 1 of two. It is divided by the number of labels, not by their
 * weights, so that weights may be the alpha of the paper: [1 - alpha, alpha].
 * Source: Lin et al. 2017, doi:10.1109/ICCV.2017.324 */
#include "core/ops/parts/labels.h"
#include "core/ops/parts/rows.h"

struct focal {
    double gamma;
    struct reals weights;
    int ignore;
};

static const struct arg_spec specs[] = {
    {.name = "gamma",
     .kind = ARG_REAL,
     .offset = offsetof(struct focal, gamma),
     .fallback = 2,
     .min = 0,
     .max = -1,
     .help = "how much less counts what is right already"},
    {.name = "weights",
     .kind = ARG_REALS,
     .offset = offsetof(struct focal, weights),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "of the classes: one for each, or one number"},
    LABELS_IGNORE(struct focal),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct focal *a = args;
    const int64_t n = shape_channels(&x[0]), classes = labels_classes(n);

    (void)n_x;
    if (labels_check("focal", &x[0], &x[1], err))
        return -1;
    if (a->weights.n != 1 && a->weights.n != classes)
        return err_set(err, ERR_CONFIG, "focal: %d weights for %lld classes", a->weights.n,
                       (long long)classes);
    op_plan_mean(plan);
    plan->saved_bytes = 2 * (size_t)(shape_len(&x[0]) / n) * sizeof(real);
    plan->flops = 5 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return labels_count_binary(c, ((const struct focal *)c->args)->ignore);
}

static int64_t label_of(const struct op_call *c, int64_t row) {
    const struct focal *a = c->args;

    return labels_below(c, row, labels_classes(shape_channels(&c->x[0].shape)), a->ignore);
}

static double weight(const struct focal *a, int64_t label) {
    return a->weights.v[a->weights.n == 1 ? 0 : label];
}

/* saved: [rows, 2] the largest logit and the sum of exp(logit - largest). */
static double log_p(const act *x, int64_t channel, const real *saved) {
    return (double)((channel < 0 ? 0 : x[channel]) - saved[0]) - log((double)saved[1]);
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct focal *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    double sum = 0;

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x[0].data + row * n;
        const int64_t label = label_of(c, row);
        real *saved = (real *)c->saved + 2 * row;

        if (label < 0)
            continue;
        row_softmax_parts(x, n, &saved[0], &saved[1]);
        const double l = log_p(x, labels_channel(label, n), saved);
        sum -= weight(a, label) * pow(-expm1(l), a->gamma) * l;
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, labels_rows(c), sum_rows);
}

/* The slope of -(1 - p)^gamma l along l = log p is -q^gamma (1 - gamma p l / q), q = 1 - p; l / q
 * goes to -1 where p goes to 1. */
static double slope(double l, double gamma) {
    const double q = -expm1(l), ratio = q > 0 ? l / q : -1;

    return -pow(q, gamma) * (1 - gamma * exp(l) * ratio);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct focal *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    const double scale = (double)c->dy.reals[0];

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x[0].data + row * n;
        act *restrict dx = c->dx[0].data + row * n;
        const real *saved = (const real *)c->saved + 2 * row;
        const int64_t label = label_of(c, row);

        if (label < 0)
            continue;
        const int64_t channel = labels_channel(label, n);
        const double g = scale * weight(a, label) * slope(log_p(x, channel, saved), a->gamma);
        const real p_scale = (real)(g / (double)saved[1]);
        const act max = (act)saved[0];
        for (int64_t j = 0; j < n; j++)
            dx[j] -= (act)(p_scale * act_exp(x[j] - max));
        if (channel >= 0)
            dx[channel] += (act)g;
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, labels_rows(c), backward_rows);
}

const struct op op_focal = {
    .word = {"focal", "mean of -(1 - p)^gamma log p, p = softmax(logits) at the label",
             sizeof(struct focal), specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .meaning.binary = true,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
