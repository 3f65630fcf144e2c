/* labels.h - class indices as the second input of losses and metrics. */
#pragma once
#include "core/ops/parts/share.h"

#include <limits.h>

/* The label that does not count, which need not be one of the classes: 255, or PyTorch's -100.
 * Others read it by op_ignored. */
#define LABELS_IGNORE(type)                                                                        \
    {                                                                                              \
        .name = "ignore", .kind = ARG_INT, .offset = offsetof(type, ignore), .fallback = -1,       \
        .min = -INT_MAX, .max = INT_MAX, .help = "label that does not count; -1 never does"        \
    }

/* label is [n] for logits [n, c], [n, h, w] or [n, h, w, 1] for [n, h, w, c].
 * Errors: ERR_CONFIG, beginning with name. */
int labels_check(const char *name, const struct shape *logits, const struct shape *label,
                 struct err *err);

/* Rows of logits: one label each. */
static inline int64_t labels_rows(const struct op_call *c) {
    return shape_len(&c->x[0].shape) / shape_channels(&c->x[0].shape);
}

/* Classes that so many channels choose from: one score alone means class 1 where it is positive,
 * class 0 elsewhere. For operators that are `binary`. */
static inline int64_t labels_classes(int64_t channels) {
    return channels == 1 ? 2 : channels;
}

/* The channel that is the score of a class; -1: the 0 beside a single score. */
static inline int64_t labels_channel(int64_t label, int64_t channels) {
    return channels == 1 ? label - 1 : label;
}

/* The class of that row, or -1 where it does not count: it is `ignore`, or negative. What is not
 * below classes does not come here otherwise: data is compared with the network at the start. */
static inline int64_t labels_below(const struct op_call *c, int64_t row, int64_t classes,
                                   int ignore) {
    const int64_t label = c->x[1].indices[row];

    return label >= 0 && label < classes && label != ignore ? label : -1;
}

/* The same with the channels of the logits as classes. */
static inline int64_t labels_at(const struct op_call *c, int64_t row, int ignore) {
    return labels_below(c, row, shape_channels(&c->x[0].shape), ignore);
}

/* Rows that count; of an operator that is `binary` or not. */
double labels_count(const struct op_call *c, int ignore);
double labels_count_binary(const struct op_call *c, int ignore);
