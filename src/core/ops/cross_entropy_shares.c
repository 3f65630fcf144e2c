/* cross_entropy(logits, shares, weights=1, smoothing=0) of a share for each class in place of one
 * label, as mixup and teachers give them: the mean over rows of
 *   - sum over j of w[j] ((1 - smoothing) share[j] + smoothing / classes) log p[j],
 * p = softmax(logits). Rows that are 0 throughout are of no class and do not count; others need not
 * sum to 1. As in PyTorch, the mean is over rows, not over weights. */
#include "core/ops/cross_entropy.h"
#include "core/ops/parts/rows.h"
#include "core/ops/parts/share.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct cross_entropy *a = args;
    char text[2][SHAPE_TEXT];

    (void)n_x;
    if (!shape_equal(&x[0], &x[1]))
        return err_set(err, ERR_CONFIG,
                       "cross_entropy: logits are %s and targets %s, expected class indices or a "
                       "share for each class",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    if (a->ignore != -1)
        return err_set(err, ERR_CONFIG,
                       "cross_entropy: ignore is a class index, but targets are shares of classes; "
                       "those that are all 0 do not count");
    return cross_entropy_plan(a, x, plan, err);
}

static int64_t rows_of(const struct op_call *c) {
    return shape_len(&c->x[0].shape) / shape_channels(&c->x[0].shape);
}

/* The shares of a row; NULL where it does not count. */
static const act *shares_of(const struct op_call *c, int64_t row, int64_t n) {
    const act *shares = c->x[1].data + row * n;

    for (int64_t j = 0; j < n; j++)
        if (shares[j] != 0)
            return shares;
    return NULL;
}

static double count(const struct op_call *c) {
    const int64_t rows = rows_of(c), n = shape_channels(&c->x[0].shape);
    int64_t counted = 0;

    for (int64_t row = 0; row < rows; row++)
        counted += shares_of(c, row, n) != NULL;
    return (double)counted;
}

/* What is multiplied by -log p[j]. */
static double factor(const struct cross_entropy *a, act share, int64_t j, int64_t n) {
    return cross_entropy_weight(a, j) *
           ((1 - a->smoothing) * (double)share + a->smoothing / (double)n);
}

/* saved: [rows, 2] the largest logit and the sum of exp(logit - largest). */
static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cross_entropy *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    double sum = 0;

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x[0].data + row * n, *shares = shares_of(c, row, n);
        real *saved = (real *)c->saved + 2 * row;
        const act max = row_max(x, n);

        saved[0] = max, saved[1] = row_sum_exp(x, n, max);
        const double log_total = log((double)saved[1]);
        for (int64_t j = 0; shares && j < n; j++)
            sum += factor(a, shares[j], j, n) * (log_total - (double)(x[j] - max));
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, rows_of(c), sum_rows);
}

/* The slope is p[j] times the sum of all factors, less factor j. */
static void backward_logits(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cross_entropy *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    const double scale = (double)c->dy.reals[0];

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x[0].data + row * n, *restrict shares = shares_of(c, row, n);
        act *restrict dx = c->dx[0].data + row * n;
        const real *saved = (const real *)c->saved + 2 * row;
        const act max = (act)saved[0];
        double all = 0;

        for (int64_t j = 0; shares && j < n; j++) {
            const double f = factor(a, shares[j], j, n);
            all += f;
            dx[j] -= (act)(scale * f);
        }
        const real p_scale = (real)(scale * all / (double)saved[1]);
        for (int64_t j = 0; shares && j < n; j++)
            dx[j] += (act)(p_scale * act_exp(x[j] - max));
    }
}

/* The slope is -(1 - smoothing) w[j] log p[j]. */
static void backward_shares(const struct op_call *c, int64_t begin, int64_t end) {
    const struct cross_entropy *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    const double scale = (double)c->dy.reals[0] * (1 - a->smoothing);

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x[0].data + row * n;
        act *d = c->dx[1].data + row * n;
        const real *saved = (const real *)c->saved + 2 * row;
        const double log_total = log((double)saved[1]);

        for (int64_t j = 0; shares_of(c, row, n) && j < n; j++)
            d[j] += (act)(scale * cross_entropy_weight(a, j) *
                          (log_total - ((double)x[j] - (double)saved[0])));
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, rows_of(c), backward_logits);
    if (c->dx[1].data)
        share(c, rows_of(c), backward_shares);
}

const struct op op_cross_entropy_shares = {
    .word = {"cross_entropy", "mean of -share log softmax(logits) over classes",
             sizeof(struct cross_entropy), cross_entropy_args},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.counts_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
