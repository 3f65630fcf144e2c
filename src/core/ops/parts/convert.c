#include "core/ops/parts/convert.h"
#include "core/ops/parts/share.h"

#include <math.h>

static int plan_acts(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                     struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = x[0];
    return 0;
}

static void acts_part(const struct op_call *c, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
        c->y.data[i] = (act)c->x->indices[i];
}

static void forward_acts(const struct op_call *c) {
    share(c, shape_len(&c->y.shape), acts_part);
}

const struct op op_acts_of_indices = {
    .word = {"numbers", "class indices as numbers", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .meaning.index_x = 1,
    .plan = plan_acts,
    .forward = forward_acts,
};

static int plan_indices(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                        struct err *err) {
    (void)args, (void)n_x, (void)err;
    plan->y = x[0];
    plan->y_kind = TENSOR_INDICES;
    return 0;
}

static int32_t index_of(double x) {
    return x == floor(x) && fabs(x) <= INT32_MAX ? (int32_t)x : -1;
}

static void indices_part(const struct op_call *c, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
        c->y.indices[i] = index_of((double)c->x->data[i]);
}

static void forward_indices(const struct op_call *c) {
    share(c, shape_len(&c->y.shape), indices_part);
}

const struct op op_indices_of_acts = {
    .word = {"classes", "numbers as class indices", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .plan = plan_indices,
    .forward = forward_indices,
};
