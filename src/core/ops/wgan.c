/* wgan(scores, target): the Wasserstein loss of a critic: the mean of -scores where target is 1
 * (real) and of scores where it is 0 (generated); (1 - 2 target) scores in between. A generator
 * minimises wgan(scores, 1). Source: Arjovsky et al. 2017, arXiv:1701.07875 */
#include "core/ops/parts/pairs.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    static const char *const called[2] = {"scores", "target"};

    (void)args, (void)n_x;
    return pairs_plan("wgan", called, x, plan, err);
}

static double term(struct pair x) {
    return (1 - 2 * x.b) * x.a;
}

static double slope_a(struct pair x) {
    return 1 - 2 * x.b;
}

static double slope_b(struct pair x) {
    return -2 * x.a;
}

PAIRS_FORWARD_AND_BACKWARD(pairs_no_parameter)

const struct op op_wgan = {
    .word = {"wgan", "Wasserstein GAN loss: mean of -scores for target 1, of scores for 0", 0,
             NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = pairs_count,
    .forward = forward,
    .backward = backward,
};
