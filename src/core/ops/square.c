/* square(x): y = x x. */
#include "core/ops/parts/activation.h"

static act value(act x, const void *args) {
    (void)args;
    return x * x;
}

static act pull_back(act dy, act x, const void *args) {
    (void)args;
    return 2 * dy * x;
}

ACTIVATION(x->data)

static double squared(double x) {
    return x * x;
}
ACTIVATION_OF_MEANS(squared)

const struct op op_square = {
    .word = {"square", "x times x", 0, NULL},
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
