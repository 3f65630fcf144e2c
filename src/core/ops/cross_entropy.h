/* cross_entropy.h - the loss by class indices and by shares of classes, which are one word. */
#pragma once
#include "core/ops/op.h"

struct cross_entropy {
    struct reals weights;
    double smoothing;
    int ignore;
};

static inline double cross_entropy_weight(const struct cross_entropy *a, int64_t class) {
    return a->weights.v[a->weights.n == 1 ? 0 : class];
}

/* What the two plan alike for logits of that shape.
 * Errors: ERR_CONFIG for weights of another number of classes. */
int cross_entropy_plan(const struct cross_entropy *a, const struct shape *logits,
                       struct op_plan *plan, struct err *err);

extern const struct arg_spec cross_entropy_args[];
extern const struct op op_cross_entropy_shares;
