/* roc(logits, label, class=1, points=21, ignore=-1): y [1, points, 2], the receiver operating
 * characteristic of a class against all others: rates of false positives, equally far apart from 0
 * to 1, and the rate of true positives that goes with each, on straight lines between the scores
 * that occur. nan without samples of the class or without others. */
#include "core/ops/parts/ranking.h"

#include <math.h>

static const struct arg_spec specs[] = {
    {.name = "class",
     .kind = ARG_INT,
     .offset = offsetof(struct ranking, index),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "against all others"},
    {.name = "points",
     .kind = ARG_INT,
     .offset = offsetof(struct ranking, points),
     .fallback = 21,
     .min = 2,
     .max = 1001,
     .help = "of the curve, from 0 to 1 false positives"},
    LABELS_IGNORE(struct ranking),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    if (ranking_plan("roc", args, x, plan, err))
        return -1;
    plan->y = (struct shape){3, {1, ((const struct ranking *)args)->points, 2}};
    return 0;
}

/* A group is a straight piece of the curve. What rises at one rate is taken at its end. */
static void draw(const struct ranking_class *r, int points, real *y) {
    struct ranking_group g;
    int next = 0;

    for (int64_t at = 0; ranking_next(r, &at, &g);)
        for (; next < points; next++) {
            const double others = (double)next / (points - 1) * (double)r->others;
            const double beyond = others - (double)g.others_above;

            if (beyond >= (double)g.others && at < r->n)
                break; /* the curve may still rise there */
            const double part = g.others ? beyond / (double)g.others : 1;
            y[2 * next] = (real)((double)next / (points - 1));
            y[2 * next + 1] = (real)(((double)g.of_class_above + part * (double)g.of_class) /
                                     (double)r->of_class);
        }
}

static void forward(const struct op_call *c) {
    const struct ranking *a = c->args;

    ranking_find_log_sums(c);
    const struct ranking_class r = ranking_sort(c, a->index);
    if (r.finite && r.of_class && r.others)
        draw(&r, a->points, c->y.reals);
    else
        for (int i = 0; i < 2 * a->points; i++)
            c->y.reals[i] = (real)NAN;
}

const struct op op_roc = {
    .word = {"roc", "ROC curve: rates of false positives and true positives of a class",
             sizeof(struct ranking), specs},
    .min_x = 2,
    .max_x = 2,
    .meaning.index_x = 2,
    .meaning.binary = true,
    .meaning.whole = true,
    .plan = plan,
    .count = ranking_count,
    .forward = forward,
};
