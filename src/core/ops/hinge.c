/* hinge(logits, label, margin=1): the mean over labels of the multi-class hinge loss
 *   sum over j != label of max(0, s[j] - s[label] + margin). Source: Weston & Watkins 1999. */
#include "core/ops/parts/labels.h"

struct hinge {
    double margin;
    int ignore;
};

static const struct arg_spec specs[] = {
    {.name = "margin",
     .kind = ARG_REAL,
     .offset = offsetof(struct hinge, margin),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "by which the label's score must lead"},
    LABELS_IGNORE(struct hinge),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (labels_check("hinge", &x[0], &x[1], err))
        return -1;
    op_plan_mean(plan);
    plan->flops = 3 * (double)shape_len(&x[0]);
    return 0;
}

static double count(const struct op_call *c) {
    return labels_count(c, ((const struct hinge *)c->args)->ignore);
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct hinge *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    double sum = 0;

    for (int64_t row = begin; row < end; row++) {
        const act *s = c->x[0].data + row * n;
        const int64_t label = labels_at(c, row, a->ignore);

        for (int64_t j = 0; label >= 0 && j < n; j++) {
            const double lack = (double)s[j] - (double)s[label] + a->margin;

            sum += j != label && !(lack <= 0) ? lack : 0; /* NaN counts */
        }
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, labels_rows(c), sum_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct hinge *a = c->args;
    const int64_t n = shape_channels(&c->x[0].shape);
    const act g = (act)c->dy.reals[0];

    for (int64_t row = begin; row < end; row++) {
        const act *s = c->x[0].data + row * n;
        act *ds = c->dx[0].data + row * n;
        const int64_t label = labels_at(c, row, a->ignore);

        for (int64_t j = 0; label >= 0 && j < n; j++)
            if (j != label && (double)s[j] - (double)s[label] + a->margin > 0) {
                ds[j] += g;
                ds[label] -= g;
            }
    }
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, labels_rows(c), backward_rows);
}

const struct op op_hinge = {
    .word = {"hinge", "mean multi-class hinge loss", sizeof(struct hinge), specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.index_x = 2,
    .meaning.counts_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
