/* huber(a, b, delta=1): the mean over all elements of (a - b)^2 / 2 where |a - b| <= delta, else of
 * delta (|a - b| - delta / 2); b may be a number. As torch.nn.HuberLoss; smooth L1 with beta is
 * huber(a, b, beta) / beta. Source: Huber 1964, doi:10.1214/aoms/1177703732 */
#include "core/ops/parts/pairs.h"

#include <math.h>

struct huber {
    double delta;
};

static const struct arg_spec specs[] = {
    {.name = "delta",
     .kind = ARG_REAL,
     .offset = offsetof(struct huber, delta),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "difference from which the loss is linear"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"the first input", "the second"};
    const struct huber *a = args;

    (void)n_x;
    if (!(a->delta > 0))
        return err_set(err, ERR_CONFIG, "huber: delta is %g, expected more than 0", a->delta);
    return pairs_plan("huber", called, x, plan, err);
}

static double delta(const struct op_call *c) {
    return ((const struct huber *)c->args)->delta;
}

static double term(struct pair x) {
    const double d = fabs(x.a - x.b);

    return d <= x.parameter ? d * d / 2 : x.parameter * (d - x.parameter / 2);
}

static double slope_a(struct pair x) {
    return fmin(fmax(x.a - x.b, -x.parameter), x.parameter);
}

static double slope_b(struct pair x) {
    return -slope_a(x);
}

static double sum(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, term, delta(c));
}

static void forward(const struct op_call *c) {
    pairs_forward(c, sum);
}

static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 0, begin, end, slope_a, delta(c));
}

static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {
    pairs_backward(c, 1, begin, end, slope_b, delta(c));
}

static double slopes_a(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_a, delta(c));
}

static double slopes_b(const struct op_call *c, int64_t begin, int64_t end) {
    return pairs_sum(c, begin, end, slope_b, delta(c));
}

static void backward(const struct op_call *c) {
    static const struct pairs_tasks tasks = {{backward_a, backward_b}, {slopes_a, slopes_b}};

    pairs_run_backward(c, &tasks);
}

const struct op op_huber = {
    .word = {"huber", "mean of (a - b)^2 / 2, linear from |a - b| = delta on", sizeof(struct huber),
             specs},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
