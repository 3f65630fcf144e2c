/* norm_act, norm_add_act: bn, what is added to it and the activation behind it, in one pass. */
#include "core/ops/fused/fused.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return fused_plan_norm(args, x, plan, err);
}

static struct norm norm_of(const struct op_call *c) {
    const struct fused *f = c->args;
    struct norm norm = bn_norm(f->bn, &c->x->shape);

    norm.then = f->then;
    return norm;
}

static void recompute(const struct op_call *c) {
    const struct norm norm = norm_of(c);

    norm_forward(&norm, c);
}

static void forward(const struct op_call *c) {
    bn_statistics(((const struct fused *)c->args)->bn, c);
    recompute(c);
}

static void backward(const struct op_call *c) {
    const struct norm norm = norm_of(c);

    norm_backward(&norm, c, !c->training);
}

const struct op op_norm_act = {
    .word = {"norm_act", "bn and an activation", sizeof(struct fused), NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.in_place = true,
    .memory.overwrites = 1,
    .plan = plan,
    .forward = forward,
    .memory.recompute = recompute,
    .backward = backward,
};

const struct op op_norm_add_act = {
    .word = {"norm_add_act", "bn, an addition and an activation", sizeof(struct fused), NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 1,
    .memory.reads_y = true,
    .memory.in_place = true,
    .memory.overwrites = 3,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
