/* softplus(x, beta=1): y = log(1 + exp(beta x)) / beta, without overflow. */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/act_math.h"

struct softplus {
    double beta;
};

static const struct arg_spec specs[] = {
    {.name = "beta",
     .kind = ARG_REAL,
     .offset = offsetof(struct softplus, beta),
     .fallback = 1,
     .min = 1e-6,
     .max = -1,
     .help = "how sharp the bend is; above 0"},
    {0},
};

static act value(act x, const void *args) {
    const act beta = (act)((const struct softplus *)args)->beta, z = beta * x;

    return (act_choose(z < 0, 0, z) + act_log1p_unit(act_exp(act_choose(z > 0, -z, z)))) / beta;
}

static act pull_back(act dy, act y, const void *args) {
    const act beta = (act)((const struct softplus *)args)->beta;

    return dy * -act_expm1(-beta * y); /* 1 - exp(-beta y) is the sigmoid of beta x */
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

const struct op op_softplus = {
    .word = {"softplus", "log(1 + exp(beta x)) / beta", sizeof(struct softplus), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
