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

static double sum(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, term, 0);
}

static void forward(const struct op_call *c) {
    pairs_forward(c, sum);
}

static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 0, begin, end, slope_a, 0);
}

static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 1, begin, end, slope_b, 0);
}

static double slopes_a(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_a, 0);
}

static double slopes_b(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_b, 0);
}

static void backward(const struct op_call *c) {
    static const struct pairs_tasks tasks = {{backward_a, backward_b}, {slopes_a, slopes_b}};

    pairs_run_backward(c, &tasks);
}

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
