/* indices.h - operators that turn class indices into channels: one_hot, embedding. */
#pragma once
#include "core/ops/parts/share.h"

/* y is x with channels: [n, h, w, 1] counts as [n, h, w].
 * Errors: ERR_CONFIG, beginning with name, where y would have too many dimensions. */
static inline int indices_plan(const char *name, const struct shape *x, int64_t channels,
                               struct op_plan *plan, struct err *err) {
    char text[SHAPE_TEXT];

    plan->y = x[0];
    if (x->rank == 4 && x->dim[3] == 1)
        plan->y.rank--;
    if (plan->y.rank == SHAPE_MAX_RANK)
        return err_set(err, ERR_CONFIG, "%s: x is %s, expected class indices without channels",
                       name, shape_text(x, text));
    plan->y.dim[plan->y.rank++] = channels;
    return 0;
}

/* The class in place i of x, or -1 where it is none of `classes`. */
static inline int64_t index_at(const struct op_call *c, int64_t i, int64_t classes) {
    const int64_t index = c->x->indices[i];

    return index >= 0 && index < classes ? index : -1;
}
