/* concat(a, b, ..., axis=-1): all inputs side by side along an axis, the channels unless said
 * otherwise: [n, ..., ca + cb + ...]. An axis that is negative counts from the end. */
#include "core/ops/parts/share.h"

#include <stdio.h>
#include <string.h>

struct concat {
    int axis;
};

static const struct arg_spec specs[] = {
    {.name = "axis",
     .kind = ARG_INT,
     .offset = offsetof(struct concat, axis),
     .fallback = -1,
     .min = -SHAPE_MAX_RANK,
     .max = SHAPE_MAX_RANK,
     .help = "1: the first after the batch; -1: channels"},
    {0},
};

static int axis_of(const struct op_call *c) {
    const int axis = ((const struct concat *)c->args)->axis;

    return axis < 0 ? c->y.shape.rank + axis : axis;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int given = ((const struct concat *)args)->axis,
              axis = given < 0 ? x->rank + given : given;
    char text[SHAPE_TEXT], text0[SHAPE_TEXT], differ[32] = "channels";

    if (x->rank >= 2 && (axis < 1 || axis >= x->rank))
        return err_set(err, ERR_CONFIG, "concat: x is %s, expected an axis of 1 to %d, not %d",
                       shape_text(x, text), x->rank - 1, given);
    if (axis != x->rank - 1)
        snprintf(differ, sizeof differ, "axis %d", axis);
    plan->y = x[0];
    for (int i = 0; i < n_x; i++) {
        struct shape other = x[i];

        if (x[i].rank >= 2 && x[i].rank == x->rank) /* equal but for the axis */
            other.dim[axis] = x->dim[axis];
        if (x[i].rank < 2 || !shape_equal(&other, &x[0]))
            return err_set(err, ERR_CONFIG,
                           "concat: input %d is %s and the first %s; only %s may differ", i + 1,
                           shape_text(&x[i], text), shape_text(&x[0], text0), differ);
        if (i)
            plan->y.dim[axis] += x[i].dim[axis];
    }
    return 0;
}

/* Numbers of one place of what lies before the axis. */
static int64_t piece_len(const struct shape *x, int axis) {
    int64_t len = 1;

    for (int i = axis; i < x->rank; i++)
        len *= x->dim[i];
    return len;
}

static int64_t outer(const struct op_call *c) {
    int64_t n = 1;

    for (int i = 0; i < axis_of(c); i++)
        n *= c->y.shape.dim[i];
    return n;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int axis = axis_of(c);
    act *y = c->y.data + begin * piece_len(&c->y.shape, axis);

    for (int64_t row = begin; row < end; row++)
        for (int i = 0; i < c->n_x; i++) {
            const int64_t n = piece_len(&c->x[i].shape, axis);

            memcpy(y, c->x[i].data + row * n, (size_t)n * sizeof(act));
            y += n;
        }
}

static void forward(const struct op_call *c) {
    share(c, outer(c), forward_rows);
}

static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int axis = axis_of(c);
    const act *dy = c->dy.data + begin * piece_len(&c->y.shape, axis);

    for (int64_t row = begin; row < end; row++)
        for (int i = 0; i < c->n_x; i++) {
            const int64_t n = piece_len(&c->x[i].shape, axis);

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
    share(c, outer(c), backward_rows);
}

const struct op op_concat = {
    .word = {"concat", "all inputs side by side along the channels or another axis",
             sizeof(struct concat), specs},
    .min_x = 2,
    .max_x = OP_ANY_INPUTS,
    .memory.overwrites = (1u << OP_ANY_INPUTS) - 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
