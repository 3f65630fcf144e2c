/* mean_dice(c): the mean of dice_score(c, class) over the classes that occur among labels or
 * guesses of a confusion matrix c. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    return confusion_plan("mean_dice", CONFUSION_MEAN, x, plan, err);
}

static double measure(const struct confusion_tally *t) {
    return confusion_ratio(2 * t->hits, t->labels + t->guesses);
}

static void forward(const struct op_call *c) {
    confusion_forward(c, &(const struct confusion_class){.index = CONFUSION_MEAN}, measure);
}

const struct op op_mean_dice = {
    .word = {"mean_dice", "mean Dice score, from confusion()", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
