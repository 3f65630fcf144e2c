/* recall(c, class=-1): of the labels of a class, the share that is found, from a confusion matrix
 * c. The mean is over classes that occur among labels or guesses (macro average);
 * average=micro takes all labels as if of one class, weighted the mean over classes by
 * their labels. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return confusion_plan("recall", ((const struct confusion_class *)args)->index, x, plan, err);
}

static double measure(const struct confusion_tally *t) {
    return confusion_ratio(t->hits, t->labels);
}

static void forward(const struct op_call *c) {
    confusion_forward(c, c->args, measure);
}

const struct op op_recall = {
    .word = {"recall", "share of labels that are found, from confusion()",
             sizeof(struct confusion_class), confusion_class_or_mean},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
