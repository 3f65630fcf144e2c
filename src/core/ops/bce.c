/* bce(logits, target, positive=1): binary cross-entropy of sigmoid(logits) against targets in
 * [0, 1], the mean over all elements of
 *   -positive target log sigmoid(x) - (1 - target) log(1 - sigmoid(x)),
 * worked out from log(1 + exp(-|x|)), so that it neither overflows nor cancels. target may be a
 * number; where it is negative (a pixel of a mask without class) the term is 0. The input is the
 * score before any sigmoid. positive is pos_weight of torch.nn.BCEWithLogitsLoss. */
#include "core/ops/parts/pairs.h"

#include <math.h>

struct bce {
    double positive;
};

static const struct arg_spec specs[] = {
    {.name = "positive",
     .kind = ARG_REAL,
     .offset = offsetof(struct bce, positive),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "weight of target 1 against target 0"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"logits", "target"};

    (void)args, (void)n_x;
    return pairs_plan("bce", called, x, plan, err);
}

static double positive(const struct op_call *c) {
    return ((const struct bce *)c->args)->positive;
}

/* log(1 + exp(-x)) = -log sigmoid(x) */
static double minus_log_sigmoid(double x) {
    return fmax(-x, 0) + log1p(exp(-fabs(x)));
}

static double term(struct pair x) {
    const double weight = 1 + (x.parameter - 1) * x.b;

    return x.b < 0 ? 0 : (1 - x.b) * x.a + weight * minus_log_sigmoid(x.a);
}

static double slope_a(struct pair x) {
    const double e = exp(-fabs(x.a)), sigmoid = (x.a < 0 ? e : 1) / (1 + e);

    return x.b < 0 ? 0 : (1 + (x.parameter - 1) * x.b) * sigmoid - x.parameter * x.b;
}

static double slope_b(struct pair x) {
    return x.b < 0 ? 0 : (x.parameter - 1) * minus_log_sigmoid(x.a) - x.a;
}

static double sum(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, term, positive(c));
}

static void forward(const struct op_call *c) {
    pairs_forward(c, sum);
}

static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 0, begin, end, slope_a, positive(c));
}

static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 1, begin, end, slope_b, positive(c));
}

static double slopes_a(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_a, positive(c));
}

static double slopes_b(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_b, positive(c));
}

static void backward(const struct op_call *c) {
    static const struct pairs_tasks tasks = {{backward_a, backward_b}, {slopes_a, slopes_b}};

    pairs_run_backward(c, &tasks);
}

const struct op op_bce = {
    .word = {"bce", "mean binary cross-entropy of scores (before any sigmoid)", sizeof(struct bce),
             specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .meaning.share_x = 2,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
