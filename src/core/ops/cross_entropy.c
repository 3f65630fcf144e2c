/* cross_entropy(logits, label, weights=1, smoothing=0, ignore=-1), as in PyTorch: the mean over
 * labels, weighted by the weight of each label's class, of
 *   -(1 - smoothing) w[label] log p[label] - smoothing / classes * sum over j of w[j] log p[j],
 * p = softmax(logits), divided by the sum of w[label]. Of shares in place of labels:
 * cross_entropy_shares.c. */
#include "core/ops/cross_entropy.h"
#include "core/ops/parts/labels.h"
#include "core/ops/parts/rows.h"

const struct arg_spec cross_entropy_args[] = {
    {.name = "weights",
     .kind = ARG_REALS,
     .offset = offsetof(struct cross_entropy, weights),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "of the classes: one for each, or one number"},
    {.name = "smoothing",
     .kind = ARG_REAL,
     .offset = offsetof(struct cross_entropy, smoothing),
     .fallback = 0,
     .min = 0,
     .max = 1,
     .help = "share of the label spread over all classes"},
    LABELS_IGNORE(struct cross_entropy),
    {0},
};

int cross_entropy_plan(const struct cross_entropy *a, const struct shape *logits,
                       struct op_plan *plan, struct err *err) {
    const int64_t n = shape_channels(logits);

    if (a->weights.n != 1 && a->weights.n != n)
        return err_set(err, ERR_CONFIG, "cross_entropy: %d weights for %lld classes", a->weights.n,
                       (long long)n);
    op_plan_mean(plan);
    plan->saved_bytes = 2 * (size_t)(shape_len(logits) / n) * sizeof(real);
    plan->flops = 5 * (double)shape_len(logits);
    return 0;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return labels_check("cross_entropy", &x[0], &x[1], err) ||
                   cross_entropy_plan(args, &x[0], plan, err)
               ? -1
               : 0;
}

static double weights_sum(const struct cross_entropy *a, int64_t n) {
    double sum = 0;

    for (int64_t j = 0; j < n; j++)
        sum += cross_entropy_weight(a, j);
    return sum;
}

static double count(const struct op_call *c) {
    const struct cross_entropy *a = c->args;
    const int64_t rows = labels_rows(c);
    double sum = 0;

    for (int64_t row = 0; row < rows; row++) {
        const int64_t label = labels_at(c, row, a->ignore);

        sum += label < 0 ? 0 : cross_entropy_weight(a, label);
    }
    return sum;
}

/* saved: [rows, 2] the largest logit and the sum of exp(logit - largest). */
static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cross_entropy *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    double sum = 0;

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x[0].data + row * n;
        const int64_t label = labels_at(c, row, a->ignore);
        real *saved = (real *)c->saved + 2 * row;
        const act max = row_max(x, n);
        const real total = row_sum_exp(x, n, max);
        double spread = 0;

        saved[0] = max, saved[1] = total;
        if (label < 0)
            continue;
        const double log_total = log((double)total);
        for (int64_t j = 0; a->smoothing > 0 && j < n; j++)
            spread += cross_entropy_weight(a, j) * (log_total - (double)(x[j] - max));
        sum += (1 - a->smoothing) * cross_entropy_weight(a, label) *
                   (log_total - (double)(x[label] - max)) +
               a->smoothing / (double)n * spread;
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, labels_rows(c), sum_rows);
}

/* Of one term: p[j] (keep + share * sum of w) - keep [j = label] - share * w[j], where keep =
 * (1 - smoothing) w[label] and share = smoothing / classes. */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cross_entropy *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    const double scale = (double)c->dy.reals[0], each = a->smoothing / (double)n;
    const double spread = a->smoothing > 0 ? each * weights_sum(a, n) : 0;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x[0].data + row * n;
        act *restrict dx = c->dx[0].data + row * n;
        const int64_t label = labels_at(c, row, a->ignore);
        const real *saved = (const real *)c->saved + 2 * row;

        if (label < 0)
            continue;
        const double keep = (1 - a->smoothing) * cross_entropy_weight(a, label);
        const real p_scale = (real)(scale * (keep + spread) / (double)saved[1]);
        const act max = (act)saved[0];
        for (int64_t j = 0; j < n; j++)
            dx[j] += (act)(p_scale * act_exp(x[j] - max));
        dx[label] -= (act)(scale * keep);
        for (int64_t j = 0; a->smoothing > 0 && j < n; j++)
            dx[j] -= (act)(scale * each * cross_entropy_weight(a, j));
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, labels_rows(c), backward_rows);
}

const struct op op_cross_entropy = {
    .word = {"cross_entropy", "mean of -log softmax(logits) at the label",
             sizeof(struct cross_entropy), cross_entropy_args},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .meaning.of_shares = &op_cross_entropy_shares,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
