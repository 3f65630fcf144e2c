/* r2(s): the coefficient of determination, 1 - mean (a - b)^2 / variance of b, from s =
 * residuals(a, b); of several numbers the mean of theirs. 1 is exact, 0 as good as the mean of all
 * targets. Targets that never vary count 1 where they are met, else 0, as in scikit-learn. */
#include "core/ops/op.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank != 3 || x->dim[0] != 1 || x->dim[2] != 3)
        return err_set(err, ERR_CONFIG, "r2: x is %s, expected residuals(guess, target)",
                       shape_text(x, text));
    op_plan_mean(plan);
    return 0;
}

static void forward(const struct op_call *c) {
    const int64_t n = c->x->shape.dim[1];
    double sum = 0;

    for (int64_t j = 0; j < n; j++) {
        const real *mean = c->x->reals + 3 * j;
        const double variance = (double)mean[2] - (double)mean[1] * (double)mean[1];

        if (variance > 0 || mean[0] != mean[0])
            sum += 1 - (double)mean[0] / variance;
        else
            sum += mean[0] == 0;
    }
    c->y.reals[0] = (real)(sum / (double)n);
}

const struct op op_r2 = {
    .word = {"r2", "share of the targets' variance that is explained, from residuals()", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.means_x = 1,
    .meaning.better = 1,
    .plan = plan,
    .forward = forward,
};
