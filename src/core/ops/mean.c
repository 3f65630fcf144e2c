/* mean(x): the mean of all elements, for losses that are written as arithmetic:
 * mean(relu(1 - x)). */
#include "core/ops/parts/share.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args, (void)n_x, (void)err;
    op_plan_mean(plan);
    plan->flops = (double)shape_len(x);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)shape_len(&c->x->shape);
}

static double sum(const struct op_call *c, int64_t begin, int64_t end) {
    double total = 0;

    for (int64_t i = begin; i < end; i++)
        total += (double)c->x->data[i];
    return total;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, shape_len(&c->x->shape), sum);
}

static void backward_part(const struct op_call *c, int64_t begin, int64_t end) {
    const act g = (act)c->dy.reals[0];

    for (int64_t i = begin; i < end; i++)
        c->dx->data[i] += g;
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, shape_len(&c->x->shape), backward_part);
}

const struct op op_mean = {
    .word = {"mean", "mean of all elements", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
