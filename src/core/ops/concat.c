/* concat(a, b, ...): the channels of all inputs side by side: [n, ..., ca + cb + ...]. */
#include "core/ops/parts/share.h"

#include <string.h>

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)args;
    plan->y = x[0];
    for (int i = 0; i < n_x; i++) {
        struct shape other = x[i], first = x[0];
        char text[SHAPE_TEXT], text0[SHAPE_TEXT];

        if (x[i].rank >= 2) /* equal but for the channels */
            other.dim[other.rank - 1] = first.dim[first.rank - 1];
        if (x[i].rank < 2 || !shape_equal(&other, &first))
            return err_set(err, ERR_CONFIG,
                           "concat: input %d is %s and the first %s; only channels may differ",
                           i + 1, shape_text(&x[i], text), shape_text(&x[0], text0));
        if (i)
            plan->y.dim[x->rank - 1] += shape_channels(&x[i]);
    }
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    act *y = c->y.data + begin * shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++)
        for (int i = 0; i < c->n_x; i++) {
            const int64_t n = shape_channels(&c->x[i].shape);

            memcpy(y, c->x[i].data + row * n, (size_t)n * sizeof(act));
            y += n;
        }
}

static void forward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), forward_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const act *dy = c->dy.data + begin * shape_channels(&c->y.shape);

    for (int64_t row = begin; row < end; row++)
        for (int i = 0; i < c->n_x; i++) {
            const int64_t n = shape_channels(&c->x[i].shape);

            if (c->dx[i].data) {
                const bool first = c->dx_first >> i & 1;
                const act *restrict from = dy;
                act *restrict dx = c->dx[i].data + row * n;

                for (int64_t j = 0; first && j < n; j++)
                    dx[j] = from[j];
                for (int64_t j = 0; !first && j < n; j++)
                    dx[j] += from[j];
            }
            dy += n;
        }
}

static void backward(const struct op_call *c) {
    share(c, shape_len(&c->y.shape) / shape_channels(&c->y.shape), backward_rows);
}

const struct op op_concat = {
    .word = {"concat", "the channels of all inputs side by side", 0, NULL},
    .min_x = 2,
    .max_x = OP_ANY_INPUTS,
    .memory.overwrites = (1u << OP_ANY_INPUTS) - 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
