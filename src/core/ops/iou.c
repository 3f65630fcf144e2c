/* iou(c, class=1): of the labels of a class and those taken for it, the share in both:
 * intersection over union, or the Jaccard index, of a confusion matrix c. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return confusion_plan("iou", ((const struct confusion_class *)args)->index, x, plan, err);
}

static double measure(const struct confusion_tally *t) {
    return confusion_ratio(t->hits, t->labels + t->guesses - t->hits);
}

static void forward(const struct op_call *c) {
    confusion_forward(c, c->args, measure);
}

const struct op op_iou = {
    .word = {"iou", "intersection over union of one class, from confusion()",
             sizeof(struct confusion_class), confusion_class_one},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
