#include "core/ops/fused/fused.h"

int fused_plan_product(const struct fused *f, const struct shape *x, struct op_plan *plan,
                       struct err *err) {
    return f->product->plan(f->product_args, x, 1, plan, err);
}

int fused_plan_norm(const struct fused *f, const struct shape *x, struct op_plan *plan,
                    struct err *err) {
    struct op_plan norm = {.batch = plan->batch, .mode = plan->mode};
    const int first = fused_norm_weight(f);

    if (op_bn.plan(f->bn, x, 1, &norm, err))
        return -1;
    plan->y = norm.y;
    plan->w[first] = norm.w[0], plan->w[first + 1] = norm.w[1];
    plan->state[0] = norm.state[0], plan->state[1] = norm.state[1];
    plan->saved_bytes = norm.saved_bytes;
    plan->ranks = norm.ranks;
    plan->normalised = norm.normalised;
    plan->flops += norm.flops;
    if (norm.scratch_bytes > plan->scratch_bytes)
        plan->scratch_bytes = norm.scratch_bytes;
    return 0;
}

struct op_call fused_product_call(const struct fused *f, const struct op_call *c) {
    struct op_call p = *c;

    p.args = f->product_args;
    p.n_x = 1;
    for (int i = f->bias ? 2 : 1; i < OP_MAX_WEIGHTS; i++)
        p.w[i] = NULL, p.dw[i] = NULL;
    for (int i = 0; i < OP_MAX_STATES; i++)
        p.state[i] = NULL;
    p.saved = NULL;
    return p;
}

void fused_product_backward(const struct op_call *c) {
    const struct fused *f = c->args;
    const struct op_call product = fused_product_call(f, c);

    if (shape_len(&c->y.shape)) /* a rank without samples only talks to the others */
        f->product->backward(&product);
}

struct after fused_after(const struct op_call *c, void *scratch) {
    const int64_t k = shape_channels(&c->y.shape);

    return (struct after){.team = c->team,
                          .rows = shape_len(&c->y.shape) / k,
                          .channels = k,
                          .then = ((const struct fused *)c->args)->then,
                          .scratch = scratch};
}
