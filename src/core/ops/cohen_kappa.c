/* cohen_kappa(c): how much more often labels and guesses agree than by chance, (h - e) / (1 - e), h
 * the share of hits, e the sum over classes of the shares of labels and guesses multiplied; from a
 * confusion matrix c. 0 where both are of one class throughout.
 * Source: Cohen 1960, doi:10.1177/001316446002000104 */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    return confusion_plan("cohen_kappa", CONFUSION_MEAN, x, plan, err);
}

static void forward(const struct op_call *c) {
    double all = 0, hits = 0, chance = 0;

    for (int64_t j = 0; j < c->x->shape.dim[1]; j++) {
        const struct confusion_tally t = confusion_of(c, j);
        all += t.labels;
        hits += t.hits;
        chance += t.labels * t.guesses;
    }
    c->y.reals[0] = (real)confusion_ratio(all * hits - chance, all * all - chance);
}

const struct op op_cohen_kappa = {
    .word = {"cohen_kappa", "agreement of labels and guesses beyond chance, from confusion()", 0,
             NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
