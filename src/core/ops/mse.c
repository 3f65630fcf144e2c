/* mse(a, b): the mean of (a - b)^2 over all elements; b may be a number. */
#include "core/ops/parts/pairs.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"the first input", "the second"};

    (void)args, (void)n_x;
    return pairs_plan("mse", called, x, plan, err);
}

static double term(struct pair x) {
    return (x.a - x.b) * (x.a - x.b);
}

static double slope_a(struct pair x) {
    return 2 * (x.a - x.b);
}

static double slope_b(struct pair x) {
    return 2 * (x.b - x.a);
}

PAIRS_FORWARD_AND_BACKWARD(pairs_no_parameter)

const struct op op_mse = {
    .word = {"mse", "mean of (a - b)^2", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
