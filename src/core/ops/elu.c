/* elu(x, alpha=1): y = x for x > 0, else alpha * (exp(x) - 1).
 * Source: Clevert et al. 2016, arXiv:1511.07289 */
#include "core/ops/parts/activation.h"
#include "core/ops/parts/act_math.h"

struct elu {
    double alpha;
};

static const struct arg_spec specs[] = {
    {.name = "alpha",
     .kind = ARG_REAL,
     .offset = offsetof(struct elu, alpha),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "-alpha is the limit below; at least 0"},
    {0},
};

static act value(act x, const void *args) {
    const act alpha = (act)((const struct elu *)args)->alpha;

    return act_choose(x > 0, x, alpha * act_expm1(x));
}

static act pull_back(act dy, act y, const void *args) {
    const act alpha = (act)((const struct elu *)args)->alpha;

    return dy * act_choose(y > 0, 1, y + alpha);
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

const struct op op_elu = {
    .word = {"elu", "x, or alpha * (exp(x) - 1) where x is negative", sizeof(struct elu), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = activation_plan,
    .forward = forward,
    .backward = backward,
};
