/* detach(x): y = x, through which no gradient passes. */
#include "core/ops/parts/copy.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = x[0];
    return 0;
}

const struct op op_detach = {
    .word = {"detach", "x, through which no gradient passes", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.in_place = true,
    .meaning.of_means = true,
    .plan = plan,
    .forward = copy_forward,
};
