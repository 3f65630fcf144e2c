/* abs(x): y = |x|; its slope at 0 is 0. */
#include "core/ops/parts/activation.h"

#include <math.h>

static act value(act x, const void *args) {
    (void)args;
    return x < 0 ? -x : x;
}

static act pull_back(act dy, act x, const void *args) {
    (void)args;
    return x > 0 ? dy : x < 0 ? -dy : 0;
}

ACTIVATION(x->data)
ACTIVATION_OF_MEANS(fabs)

const struct op op_abs = {
    .word = {"abs", "|x|", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .meaning.of_means = true,
    .plan = activation_plan,
    .forward = forward_any,
    .backward = backward,
};
