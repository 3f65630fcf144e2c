/* conv_act: a convolution or linear layer and the activation behind it. Backward turns dy into
 * the gradient before the activation, and sums up that of the bias, in one pass. */
#include "core/ops/fused/fused.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct fused *f = args;

    (void)n_x;
    if (fused_plan_product(f, x, plan, err))
        return -1;
    const int64_t k = shape_channels(&plan->y);
    const size_t after = after_scratch_bytes(shape_len(&plan->y) / k, k);
    if (after > plan->scratch_bytes)
        plan->scratch_bytes = after;
    return 0;
}

static void forward(const struct op_call *c) {
    const struct fused *f = c->args;
    const struct op_call product = fused_product_call(f, c);
    const struct after after = fused_after(c, c->scratch);

    f->product->forward(&product);
    after_forward(&after, NULL, c->y.data);
}

static void start_backward(const struct op_call *c) {
    const struct after after = fused_after(c, c->scratch);

    after_backward(&after, c->y.data, NULL, c->dy.data, false, NULL, c->dw[1]);
}

static void backward(const struct op_call *c) {
    struct op_call without_bias = *c;

    without_bias.dw[1] = NULL; /* summed up by start_backward */
    fused_product_backward(&without_bias);
}

const struct op op_conv_act = {
    .word = {"conv_act", "conv or linear and an activation", sizeof(struct fused), NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .memory.overwrites = 1,
    .memory.reads_y = true,
    .plan = plan,
    .forward = forward,
    .memory.start_backward = start_backward,
    .backward = backward,
};
