/* leaky_relu(x, slope=0.01): y = x for x > 0, else slope * x. */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/then.h"

struct leaky_relu {
    double slope;
};

static const struct arg_spec specs[] = {
    {.name = "slope",
     .kind = ARG_REAL,
     .offset = offsetof(struct leaky_relu, slope),
     .fallback = 0.01,
     .min = 0,
     .max = -1,
     .help = "below zero; at least 0"},
    {0},
};

static act value(act x, const void *args) {
    const act slope = (act)((const struct leaky_relu *)args)->slope;

    return (x < 0 ? 0 : x) + slope * (x < 0 ? x : 0); /* a choice of results would not vectorise */
}

static act pull_back(act dy, act y, const void *args) {
    const act slope = (act)((const struct leaky_relu *)args)->slope;

    return (y > 0 ? dy : 0) + slope * (y > 0 ? 0 : dy);
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
    return (struct then){THEN_LEAKY_RELU, (act)((const struct leaky_relu *)args)->slope};
}

const struct op op_leaky_relu = {
    .word = {"leaky_relu", "x, or slope * x where x is negative", sizeof(struct leaky_relu), specs},
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
