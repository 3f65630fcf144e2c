/* relu6(x): y = min(max(x, 0), 6); NaN stays NaN. */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/then.h"

static act value(act x, const void *args) {
    (void)args;
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static act pull_back(act dy, act y, const void *args) {
    (void)args;
    return y > 0 && y < 6 ? dy : 0;
}

static void forward_part(const struct op_call *c, int64_t begin, int64_t end) {
    activation_forward(c, begin, end, value);
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape), forward_part);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    activation_backward(c, c->y.data, begin, end, pull_back);
}

static void backward(const struct op_call *c) {
    activation_share_backward(c, backward_part);
}

static struct then then(const void *args) {
    (void)args;
    return (struct then){.kind = THEN_RELU6};
}

const struct op op_relu6 = {
    .word = {"relu6", "min(max(x, 0), 6)", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .fusion.role = FUSION_ACTIVATION,
    .fusion.then = then,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
