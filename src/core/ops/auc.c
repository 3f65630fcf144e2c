/* auc(logits, label, class=-1, ignore=-1): the area under the receiver operating characteristic, or
 * how often a sample of the class has a higher score than one of the others, of equal scores half.
 * Of more than two classes the mean over the classes of each against all others, by
 * softmax(logits). Exact: of all samples of all ranks at once. */
#include "core/ops/parts/ranking.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return ranking_plan("auc", args, x, plan, err);
}

static double area(const struct ranking_class *r) {
    struct ranking_group g;
    double pairs = 0;

    for (int64_t at = 0; ranking_next(r, &at, &g);)
        pairs += (double)g.others * ((double)g.of_class_above + 0.5 * (double)g.of_class);
    return pairs / ((double)r->of_class * (double)r->others);
}

static void forward(const struct op_call *c) {
    ranking_forward(c, area);
}

const struct op op_auc = {
    .word = {"auc", "area under the ROC curve: how often a sample of the class ranks first",
             sizeof(struct ranking), ranking_args},
    .min_x = 2,
    .max_x = 2,
    .meaning.index_x = 2,
    .meaning.binary = true,
    .meaning.better = 1,
    .meaning.whole = true,
    .plan = plan,
    .count = ranking_count,
    .forward = forward,
};
