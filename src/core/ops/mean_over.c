/* mean_over(x, axes): the mean over axes of each sample, which stay with length 1, so that the
 * result can be broadcast against x: axes=[1, 2] of images [n, h, w, c] gives [n, 1, 1, c]. */
#include "core/ops/parts/over.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return over_plan("mean_over", args, x, plan, err);
}

static void forward(const struct op_call *c) {
    over_forward(c, 1 / (double)over_count(c));
}

static void backward(const struct op_call *c) {
    over_backward(c, 1 / (double)over_count(c));
}

const struct op op_mean_over = {
    .word = {"mean_over", "mean over axes of each sample", sizeof(struct over), over_specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
