/* hard_swish(x): y = x min(max(x / 6 + 1/2, 0), 1). Source: Howard et al. 2019, arXiv:1905.02244 */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/act_math.h"

static act value(act x, const void *args) {
    (void)args;
    const act s = x * (act)(1.0 / 6) + (act)0.5;

    return x * act_choose(s < 0, 0, act_choose(s > 1, 1, s));
}

static act pull_back(act dy, act x, const void *args) {
    (void)args;
    const act slope = x * (act)(1.0 / 3) + (act)0.5;

    return dy * act_choose(x <= -3, 0, act_choose(x < 3, slope, 1));
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

const struct op op_hard_swish = {
    .word = {"hard_swish", "x min(max(x / 6 + 1/2, 0), 1)", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
