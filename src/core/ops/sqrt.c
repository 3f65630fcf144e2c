/* sqrt(x): the square root; NaN below 0. Its slope at 0 is infinite: add a little to x there. */
#include "core/ops/parts/activation.h"

#include <math.h>

static act value(act x, const void *args) {
    (void)args;
    return (act)sqrt((double)x);
}

static act pull_back(act dy, act y, const void *args) {
    (void)args;
    return dy / (2 * y);
}

ACTIVATION(y.data)
ACTIVATION_OF_MEANS(sqrt)

const struct op op_sqrt = {
    .word = {"sqrt", "square root", 0, NULL},
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
