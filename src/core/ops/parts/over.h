/* over.h - operators that reduce axes of each sample to length 1: mean_over, sum_over. */
#pragma once
#include "core/ops/parts/share.h"

/* The arguments of both. */
struct over {
    struct ints axes; /* 1: the first after the batch */
};

extern const struct arg_spec over_specs[];

/* Fill y and scratch of the plan. Errors: ERR_CONFIG, beginning with name. */
int over_plan(const char *name, const struct over *a, const struct shape *x, struct op_plan *plan,
              struct err *err);

/* Numbers that become one. */
static inline int64_t over_count(const struct op_call *c) {
    return shape_sample_len(&c->x->shape) / shape_sample_len(&c->y.shape);
}

/* y = scale * sums; dx += scale * dy. */
void over_forward(const struct op_call *c, double scale);
void over_backward(const struct op_call *c, double scale);
