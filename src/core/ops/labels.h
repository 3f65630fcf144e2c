/* labels.h - class indices as the second input of losses and metrics. */
#pragma once
#include "core/ops/share.h"

/* label is [n] for logits [n, c], [n, h, w] or [n, h, w, 1] for [n, h, w, c].
 * Errors: ERR_CONFIG, beginning with name. */
int labels_check(const char *name, const struct shape *logits, const struct shape *label,
                 struct err *err);

/* Rows of logits: one label each. */
static inline int64_t labels_rows(const struct op_call *c) {
    return shape_len(&c->x[0].shape) / shape_channels(&c->x[0].shape);
}

/* The class of that row, or -1 where it does not count: `ignore`, negative, or no class of the
 * logits. */
static inline int64_t labels_at(const struct op_call *c, int64_t row, int ignore) {
    const double label = (double)c->x[1].data[row];

    return label >= 0 && label < (double)shape_channels(&c->x[0].shape) && label != ignore
               ? (int64_t)label
               : -1;
}

/* Rows that count. */
double labels_count(const struct op_call *c, int ignore);
