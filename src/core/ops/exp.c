/* exp(x): y = e to the power x. */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/act_math.h"

#include <math.h>

static act value(act x, const void *args) {
    (void)args;
    return act_exp(x);
}

static act pull_back(act dy, act y, const void *args) {
    (void)args;
    return dy * y;
}

ACTIVATION(y.data)
ACTIVATION_OF_MEANS(exp)

const struct op op_exp = {
    .word = {"exp", "e to the power x", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .meaning.of_means = true,
    .plan = activation_plan,
    .forward = forward_any,
    .backward = backward,
};
