/* dice_score(c, class=1): 2 hits / (labels + guesses) of one class of a confusion matrix c. Source:
 * Dice 1945, doi:10.2307/1932409. The same number as f1. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return confusion_plan("dice_score", ((const struct confusion_class *)args)->index, x, plan,
                          err);
}

static double measure(const struct confusion_tally *t) {
    return confusion_ratio(2 * t->hits, t->labels + t->guesses);
}

static void forward(const struct op_call *c) {
    confusion_forward(c, c->args, measure);
}

const struct op op_dice_score = {
    .word = {"dice_score", "2 hits / (labels + guesses) of one class, from confusion()",
             sizeof(struct confusion_class), confusion_class_one},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
