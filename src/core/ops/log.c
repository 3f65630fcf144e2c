/* log(x): the natural logarithm; -infinity at 0, NaN below. */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/act_math.h"

#include <math.h>

static act value(act x, const void *args) {
    (void)args;
    return act_log(x);
}

static act pull_back(act dy, act x, const void *args) {
    (void)args;
    return dy / x;
}

ACTIVATION(x->data)
ACTIVATION_OF_MEANS(log)

const struct op op_log = {
    .word = {"log", "natural logarithm", 0, NULL},
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
