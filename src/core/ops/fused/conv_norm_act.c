/* conv_norm_act, conv_norm_add_act: a convolution or linear layer z, bn by the statistics
 * of the batch, what is added to it and the activation behind it. z is written once and read once
 * more to become y; backward turns dy into dz in its place. */
#include "core/base/arena.h"
#include "core/ops/fused/fused.h"

static size_t value_bytes(const struct shape *y) {
    return arena_round((size_t)shape_len(y) * sizeof(act));
}

/* Of bn's statistics, where nothing is saved. */
static size_t statistics_bytes(const struct shape *y) {
    const struct norm norm = {.n_sets = 1, .n_groups = shape_channels(y)};

    return arena_round(norm_saved_bytes(&norm));
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct fused *f = args;

    (void)n_x;
    if (fused_plan_product(f, x, plan, err))
        return -1;
    const struct shape z = plan->y;
    if (fused_plan_norm(f, &z, plan, err))
        return -1;
    plan->saved_bytes = value_bytes(&z) + statistics_bytes(&z);
    plan->scratch_bytes += statistics_bytes(&z);
    return 0;
}

/* The call of the normalisation alone: of z and what is added to it. */
struct norm_call {
    struct norm norm;
    struct op_call call;
    struct tensor x[2], dx[2];
};

static void norm_call_init(struct norm_call *n, const struct op_call *c) {
    const struct fused *f = c->args;
    const int first = fused_norm_weight(f);
    const size_t statistics = statistics_bytes(&c->y.shape);
    unsigned char *saved = c->saved, *scratch = c->scratch;

    *n = (struct norm_call){.norm = bn_norm(f->bn, &c->y.shape), .call = *c};
    n->norm.then = f->then;
    n->x[0] = (struct tensor){.shape = c->y.shape, .data = saved ? c->saved : c->y.data};
    n->dx[0] = c->dy;
    if (c->n_x > 1)
        n->x[1] = c->x[1], n->dx[1] = c->dx[1];
    n->call.x = n->x, n->call.dx = n->dx;
    n->call.saved = saved ? saved + value_bytes(&c->y.shape) : scratch;
    n->call.scratch = scratch + statistics;
    for (int i = 0; i < OP_MAX_WEIGHTS; i++) {
        n->call.w[i] = i < 2 ? c->w[first + i] : NULL;
        n->call.dw[i] = i < 2 ? c->dw[first + i] : NULL;
    }
}

static void forward(const struct op_call *c) {
    const struct fused *f = c->args;
    struct op_call product = fused_product_call(f, c);
    struct norm_call n;

    norm_call_init(&n, c);
    product.y = n.x[0];
    if (shape_len(&c->y.shape)) /* a rank without samples only talks to the others */
        f->product->forward(&product);
    bn_statistics(f->bn, &n.call);
    norm_forward(&n.norm, &n.call);
}

static void recompute(const struct op_call *c) {
    struct norm_call n;

    norm_call_init(&n, c);
    norm_forward(&n.norm, &n.call);
}

static void start_backward(const struct op_call *c) {
    struct norm_call n;

    norm_call_init(&n, c);
    norm_backward(&n.norm, &n.call, !c->training);
}

const struct op op_conv_norm_act = {
    .word = {"conv_norm_act", "conv, bn and an activation", sizeof(struct fused), NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .memory.overwrites = 1,
    .memory.saves_all = true,
    .plan = plan,
    .forward = forward,
    .memory.recompute = recompute,
    .memory.start_backward = start_backward,
    .backward = fused_product_backward,
};

const struct op op_conv_norm_add_act = {
    .word = {"conv_norm_add_act", "conv, bn, an addition and an activation", sizeof(struct fused),
             NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .memory.overwrites = 3,
    .memory.reads_y = true,
    .memory.saves_all = true,
    .plan = plan,
    .forward = forward,
    .memory.start_backward = start_backward,
    .backward = fused_product_backward,
};
