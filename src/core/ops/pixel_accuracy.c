/* pixel_accuracy(c): the share of labels that the network found: the diagonal of a confusion matrix
 * c. */
#include "core/ops/parts/confusion_parts.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    return confusion_plan("pixel_accuracy", CONFUSION_MEAN, x, plan, err);
}

static void forward(const struct op_call *c) {
    const int64_t n = c->x->shape.dim[1];
    double sum = 0;

    for (int64_t j = 0; j < n; j++)
        sum += (double)c->x->reals[j * n + j];
    c->y.reals[0] = (real)sum;
}

const struct op op_pixel_accuracy = {
    .word = {"pixel_accuracy", "share of labels that are found, from confusion()", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
