/* lsgan(scores, target): least squares for GANs: the mean of (scores - target)^2, where target is 1
 * for real and 0 for generated samples. Source: Mao et al. 2017, doi:10.1109/ICCV.2017.304 */
#include "core/ops/parts/pairs.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"scores", "target"};

    (void)args, (void)n_x;
    return pairs_plan("lsgan", called, x, plan, err);
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

const struct op op_lsgan = {
    .word = {"lsgan", "GAN loss of least squares: mean of (scores - target)^2", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
