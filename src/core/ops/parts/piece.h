/* piece.h - operators that hand on a piece of one axis: slice, split. */
#pragma once
#include "core/ops/parts/share.h"

#include <string.h>

/* x is [outer, its length of the axis, inner], y [outer, that of the piece, inner]. */
static inline int64_t piece_inner(const struct op_call *c, int axis) {
    int64_t inner = 1;

    for (int i = axis + 1; i < c->x->shape.rank; i++)
        inner *= c->x->shape.dim[i];
    return inner;
}

static inline int64_t piece_outer(const struct op_call *c, int axis) {
    return shape_len(&c->y.shape) / (c->y.shape.dim[axis] * piece_inner(c, axis));
}

/* The piece begins at `from`; begin .. end is a range of outer. */
static inline void piece_forward(const struct op_call *c, int axis, int64_t from, int64_t begin,
                                 int64_t end) {
    const int64_t inner = piece_inner(c, axis), len = c->y.shape.dim[axis] * inner;
    const int64_t step = c->x->shape.dim[axis] * inner;

    for (int64_t i = begin; i < end; i++)
        memcpy(c->y.data + i * len, c->x->data + i * step + from * inner,
               (size_t)len * sizeof(act));
}

/* Where dx holds nothing yet, what lies outside the piece becomes zero. */
static inline void piece_backward(const struct op_call *c, int axis, int64_t from, int64_t begin,
                                  int64_t end) {
    const int64_t inner = piece_inner(c, axis), len = c->y.shape.dim[axis] * inner;
    const int64_t step = c->x->shape.dim[axis] * inner;

    for (int64_t i = begin; i < end; i++) {
        const act *restrict dy = c->dy.data + i * len;
        act *restrict dx = c->dx->data + i * step + from * inner;

        if (c->dx_first) {
            const int64_t before = from * inner, after = step - before - len;

            memset(dx - before, 0, (size_t)before * sizeof(act));
            memcpy(dx, dy, (size_t)len * sizeof(act));
            memset(dx + len, 0, (size_t)after * sizeof(act));
            continue;
        }
        for (int64_t j = 0; j < len; j++)
            dx[j] += dy[j];
    }
}
