/* reliability(logits, label, bins=15, ignore=-1): y [1, bins, 3], for each bin of confidence the
 * share of all labels in it, their mean confidence, and how many of them are hit: the reliability
 * diagram behind ece(). Bins without labels are 0 throughout.
 * Source: Guo et al. 2017, arXiv:1706.04599, section 2 */
#include "core/ops/parts/calibration.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x;
    if (calibration_check("reliability", x, err))
        return -1;
    plan->y = *x;
    plan->y_kind = TENSOR_REALS;
    return 0;
}

static void forward(const struct op_call *c) {
    for (int64_t i = 0; i < c->x->shape.dim[1]; i++) {
        const real *bin = c->x->reals + i * CALIBRATION_SUMS;
        real *y = c->y.reals + i * CALIBRATION_SUMS;

        y[CALIBRATION_SHARE] = bin[CALIBRATION_SHARE];
        for (int k = CALIBRATION_CONFIDENCE; k < CALIBRATION_SUMS; k++)
            y[k] = bin[CALIBRATION_SHARE] == 0 ? 0 : bin[k] / bin[CALIBRATION_SHARE];
    }
}

const struct op op_reliability = {
    .word = {"reliability", "share, confidence and accuracy of guesses, by bins of confidence",
             sizeof(struct calibration), calibration_args},
    .min_x = 2,
    .max_x = 2,
    .meaning.means_x = 1,
    .meaning.sums = &op_calibration,
    .plan = plan,
    .forward = forward,
};
