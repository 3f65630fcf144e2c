/* argmax(x): the class of each pixel, [n, ..., c] -> [n, ...]: the place of the largest channel,
 * of equal ones the first. No gradient passes. */
#include "core/ops/parts/share.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "argmax: x is %s, expected samples with channels",
                       shape_text(x, text));
    plan->y = x[0];
    plan->y.dim[--plan->y.rank] = 0;
    plan->y_kind = TENSOR_INDICES;
    plan->n_classes = shape_channels(x);
    plan->flops = (double)shape_len(x);
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->x->shape);

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x->data + row * channels;
        int64_t best = 0;

        for (int64_t ch = 1; ch < channels; ch++)
            best = x[ch] > x[best] ? ch : best;
        c->y.indices[row] = (int32_t)best;
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape), forward_rows);
}

const struct op op_argmax = {
    .word = {"argmax", "the place of the largest channel", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
};
