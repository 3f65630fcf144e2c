/* class_accuracy(c): y [1, classes], recall(c, class) of each class of a confusion matrix c. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (confusion_plan("class_accuracy", CONFUSION_MEAN, x, plan, err))
        return -1;
    plan->y = (struct shape){2, {1, x->dim[1]}};
    return 0;
}

static void forward(const struct op_call *c) {
    for (int64_t j = 0; j < c->x->shape.dim[1]; j++) {
        const struct confusion_tally t = confusion_of(c, j);
        c->y.reals[j] = (real)confusion_ratio(t.hits, t.labels);
    }
}

const struct op op_class_accuracy = {
    .word = {"class_accuracy", "share of each class's labels that are found, from confusion()", 0,
             NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
