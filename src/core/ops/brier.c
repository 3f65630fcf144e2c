/* brier(logits, label, ignore=-1): the mean of sum over classes of (p - t)^2, p = softmax(logits),
 * t = 1 for the class of the label, else 0. Of one score p is the sigmoid, and the term (p - t)^2
 * of class 1 alone, as in scikit-learn.
 * Source: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2 */
#include "core/ops/parts/labels.h"
#include "core/ops/parts/rows.h"

struct brier {
    int ignore;
};

static const struct arg_spec specs[] = {
    LABELS_IGNORE(struct brier),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (labels_check("brier", &x[0], &x[1], err))
        return -1;
    op_plan_mean(plan);
    plan->flops = 5 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return labels_count_binary(c, ((const struct brier *)c->args)->ignore);
}

static double term(const act *x, int64_t n, int64_t channel) {
    double sum = 0;
    real max, total;

    row_softmax_parts(x, n, &max, &total);
    for (int64_t j = 0; j < n; j++) {
        const double p = exp((double)x[j] - (double)max) / (double)total;
        sum += (p - (j == channel)) * (p - (j == channel));
    }
    return sum;
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x[0].shape);
    double sum = 0;

    for (int64_t row = begin; row < end; row++) {
        const int64_t label =
            labels_below(c, row, labels_classes(n), ((const struct brier *)c->args)->ignore);
        if (label >= 0)
            sum += term(c->x[0].data + row * n, n, labels_channel(label, n));
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, labels_rows(c), sum_rows);
}

const struct op op_brier = {
    .word = {"brier", "mean squared distance of softmax(logits) from the label",
             sizeof(struct brier), specs},
    .min_x = 2,
    .max_x = 2,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .meaning.binary = true,
    .meaning.better = -1,
    .plan = plan,
    .count = count,
    .forward = forward,
};
