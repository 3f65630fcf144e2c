/* bce(logits, target): binary cross-entropy of sigmoid(logits) against targets in [0, 1], the mean
 * over all elements of -target log sigmoid(x) - (1 - target) log(1 - sigmoid(x)), worked out as
 * max(x, 0) - x target + log(1 + exp(-|x|)), which neither overflows nor cancels. target may be a
 * number. The input is the score before any sigmoid. */
#include "core/ops/pairs.h"

#include <math.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"logits", "target"};

    (void)args, (void)n_x;
    return pairs_plan("bce", called, x, plan, err);
}

static double term(double a, double b) {
    return fmax(a, 0) - a * b + log1p(exp(-fabs(a)));
}

static double slope_a(double a, double b) {
    const double e = exp(-fabs(a));

    return (a < 0 ? e : 1) / (1 + e) - b;
}

static double slope_b(double a, double b) {
    (void)b;
    return -a;
}

static double sum(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, term);
}

static void forward(const struct op_call *c) {
    pairs_forward(c, sum);
}

static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 0, begin, end, slope_a);
}

static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 1, begin, end, slope_b);
}

static double slopes_a(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_a);
}

static double slopes_b(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_b);
}

static void backward(const struct op_call *c) {
    static const struct pairs_tasks tasks = {{backward_a, backward_b}, {slopes_a, slopes_b}};

    pairs_run_backward(c, &tasks);
}

const struct op op_bce = {
    .word = {"bce", "mean binary cross-entropy of scores (before any sigmoid)", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
