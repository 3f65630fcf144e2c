/* mse(a, b): the mean of (a - b)^2 over all elements; b may be a number. */
#include "core/ops/pairs.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"the first input", "the second"};

    (void)args, (void)n_x;
    return pairs_plan("mse", called, x, plan, err);
}

static double term(double a, double b) {
    return (a - b) * (a - b);
}

static double slope_a(double a, double b) {
    return 2 * (a - b);
}

static double slope_b(double a, double b) {
    return 2 * (b - a);
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

const struct op op_mse = {
    .word = {"mse", "mean of (a - b)^2", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
