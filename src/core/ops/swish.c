/* swish(x): y = x / (1 + exp(-x)), also called SiLU. Source: Ramachandran et al. 2017,
 * arXiv:1710.05941 */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/act_math.h"

static act sigmoid(act x) {
    const act e = act_exp(x < 0 ? x : -x); /* at most 1 */

    return (x < 0 ? e : 1) / (1 + e);
}

static act value(act x, const void *args) {
    (void)args;
    return x * sigmoid(x);
}

static act pull_back(act dy, act x, const void *args) {
    (void)args;
    const act s = sigmoid(x);

    return dy * s * (1 + x * (1 - s));
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

const struct op op_swish = {
    .word = {"swish", "x / (1 + exp(-x))", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
