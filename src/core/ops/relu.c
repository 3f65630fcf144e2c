/* relu(x): y = max(x, 0); NaN stays NaN. */
#include "core/ops/parts/activation.h"

static act value(act x, const void *args) {
    (void)args;
    return x < 0 ? 0 : x;
}

static act pull_back(act dy, act y, const void *args) {
    (void)args;
    return y > 0 ? dy : 0;
}

ACTIVATION(y.data)

const struct op op_relu = {
    .word = {"relu", "max(x, 0)", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
