/* average_precision(logits, label, class=-1, ignore=-1): the area under the curve of precision over
 * recall, as steps: the sum over scores, from the highest on, of the precision of all samples so
 * far times what they add to recall. Of more than two classes the mean over the classes of each
 * against all others. Exact: of all samples of all ranks at once; as in scikit-learn. */
#include "core/ops/parts/ranking.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return ranking_plan("average_precision", args, x, plan, err);
}

static double area(const struct ranking_class *r) {
    struct ranking_group g;
    double sum = 0;

    for (int64_t at = 0; ranking_next(r, &at, &g);)
        sum += (double)g.of_class * (double)(g.of_class_above + g.of_class) / (double)at;
    return sum / (double)r->of_class;
}

static void forward(const struct op_call *c) {
    ranking_forward(c, area);
}

const struct op op_average_precision = {
    .word = {"average_precision", "area under the curve of precision over recall",
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
