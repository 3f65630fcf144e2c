/* flatten(x): each sample as one row of channels: [n, ...] -> [n, rest]. */
#include "core/ops/copy.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = (struct shape){2, {x->dim[0], shape_sample_len(x)}};
    return 0;
}

const struct op op_flatten = {
    .word = {"flatten", "each sample as one row of channels", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .in_place = true,
    .plan = plan,
    .forward = copy_forward,
    .backward = copy_backward,
};
