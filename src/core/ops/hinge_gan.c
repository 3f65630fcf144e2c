/* hinge_gan(scores, target): the hinge loss of a discriminator: the mean of max(0, 1 - scores)
 * where target is 1 (real) and of max(0, 1 + scores) where it is 0 (generated). Generators minimise
 * wgan(scores, 1). Source: Lim & Ye 2017, arXiv:1705.02894 */
#include "core/ops/parts/pairs.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"scores", "target"};

    (void)args, (void)n_x;
    return pairs_plan("hinge_gan", called, x, plan, err);
}

static double term(struct pair x) {
    const double lack = 1 - (2 * x.b - 1) * x.a;

    return lack <= 0 ? 0 : lack; /* NaN counts */
}

static double slope_a(struct pair x) {
    return (2 * x.b - 1) * x.a < 1 ? 1 - 2 * x.b : 0;
}

static double slope_b(struct pair x) {
    return (2 * x.b - 1) * x.a < 1 ? -2 * x.a : 0;
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

const struct op op_hinge_gan = {
    .word = {"hinge_gan",
             "GAN hinge loss: mean of max(0, 1 - scores) for target 1, of max(0, 1 + scores) for 0",
             0, NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
