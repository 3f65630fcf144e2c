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

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    activation_forward(c, begin, end, value);
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape), forward_part);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    activation_backward(c, c->x->data, begin, end, pull_back);
}

static void backward(const struct op_call *c) {
    activation_share_backward(c, backward_part);
}

static void forward_any(const struct op_call *c) {
    if (c->y.kind == TENSOR_REALS)
        activation_of_means(c, log);
    else
        forward(c);
}

const struct op op_log = {
    .word = {"log", "natural logarithm", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .meaning.of_means = true,
    .meaning.arithmetic = OP_GROWTH,
    .plan = activation_plan,
    .forward = forward_any,
    .backward = backward,
};
