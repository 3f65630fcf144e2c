/* balanced_accuracy(c): the mean of recall(c, class) over the classes that have labels, from a
 * confusion matrix c. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    return confusion_plan("balanced_accuracy", CONFUSION_MEAN, x, plan, err);
}

static void forward(const struct op_call *c) {
    double sum = 0, n = 0;

    for (int64_t j = 0; j < c->x->shape.dim[1]; j++) {
        const struct confusion_tally t = confusion_of(c, j);
        sum += confusion_ratio(t.hits, t.labels);
        n += t.labels != 0;
    }
    c->y.reals[0] = (real)confusion_ratio(sum, n);
}

const struct op op_balanced_accuracy = {
    .word = {"balanced_accuracy", "mean recall of the classes that have labels, from confusion()",
             0, NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
