/* softmax(x): over channels, y[j] = exp(x[j]) / sum over k of exp(x[k]), with the maximum taken out
 * first, so that nothing overflows. */
#include "core/ops/parts/rows.h"
#include "core/ops/parts/share.h"

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "softmax: x is %s, expected samples with channels",
                       shape_text(x, text));
    plan->y = x[0];
    plan->flops = 5 * (double)shape_len(x);
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x->data + row * n;
        act *y = c->y.data + row * n;
        const act max = row_max(x, n);
        const real scale = 1 / row_sum_exp(x, n, max);

        for (int64_t j = 0; j < n; j++)
            y[j] = (act)(act_exp(x[j] - max) * scale);
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), forward_rows);
}

/* dx[j] = y[j] (dy[j] - sum over k of dy[k] y[k]) */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++) {
        const act *y = c->y.data + row * n, *dy = c->dy.data + row * n;
        act *dx = c->dx->data + row * n;
        const bool overwrite = dx == dy || c->dx_first;
        real dot = 0;

        for (int64_t j = 0; j < n; j++)
            dot += dy[j] * y[j];
        for (int64_t j = 0; j < n; j++)
            dx[j] = (overwrite ? 0 : dx[j]) + (act)(y[j] * (dy[j] - dot));
    }
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), backward_rows);
}

const struct op op_softmax = {
    .word = {"softmax", "probabilities over channels", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_y = true,
    .memory.overwrites = 1,
    .memory.in_place = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
