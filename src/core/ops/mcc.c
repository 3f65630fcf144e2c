/* mcc(c): Matthews' correlation coefficient of labels and guesses, from a confusion matrix c:
 *   (h - sum of l g) / sqrt((1 - sum of g^2) (1 - sum of l^2)),
 * h the share of hits, l and g those of labels and guesses of each class. 0 where all labels, or
 * all guesses, are of one class. Source: Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006 */
#include "core/ops/parts/confusion_parts.h"

#include <math.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    return confusion_plan("mcc", CONFUSION_MEAN, x, plan, err);
}

static void forward(const struct op_call *c) {
    double all = 0, hits = 0, chance = 0, labels = 0, guesses = 0;

    for (int64_t j = 0; j < c->x->shape.dim[1]; j++) {
        const struct confusion_tally t = confusion_of(c, j);
        all += t.labels;
        hits += t.hits;
        chance += t.labels * t.guesses;
        labels += t.labels * t.labels;
        guesses += t.guesses * t.guesses;
    }
    const double spread = (all * all - guesses) * (all * all - labels);
    c->y.reals[0] =
        (real)confusion_ratio(all * hits - chance, spread > 0 ? sqrt(spread) : 0 * spread);
}

const struct op op_mcc = {
    .word = {"mcc", "Matthews' correlation of labels and guesses, from confusion()", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
