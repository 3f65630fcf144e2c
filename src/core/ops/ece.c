/* ece(logits, label, bins=15, ignore=-1): the expected calibration error, the sum over bins of
 * confidence of |hits - confidence|, each as a share of all labels: how far, on average, the
 * confidence of a guess is from how often such guesses are right.
 * Source: Guo et al. 2017, arXiv:1706.04599, equation 5 */
#include "core/ops/parts/calibration.h"

#include <math.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (calibration_check("ece", x, err))
        return -1;
    op_plan_mean(plan);
    return 0;
}

static void forward(const struct op_call *c) {
    double sum = 0;

    for (int64_t i = 0; i < c->x->shape.dim[1]; i++) {
        const real *bin = c->x->reals + i * CALIBRATION_SUMS;
        sum += fabs((double)bin[CALIBRATION_HITS] - (double)bin[CALIBRATION_CONFIDENCE]);
    }
    c->y.reals[0] = (real)sum;
}

const struct op op_ece = {
    .word = {"ece", "expected calibration error: |confidence - accuracy|, by bins of confidence",
             sizeof(struct calibration), calibration_args},
    .min_x = 2,
    .max_x = 2,
    .meaning.means_x = 1,
    .meaning.better = -1,
    .meaning.sums = &op_calibration,
    .plan = plan,
    .forward = forward,
};
