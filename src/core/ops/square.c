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

const struct op op_square = {
    .word = {"square", "x times x", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
