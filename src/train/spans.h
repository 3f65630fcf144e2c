/* spans.h - the state of a replica as one list. Whatever all ranks hold alike, a checkpoint keeps
 * and an audit compares is an entry of it: a new kind of state is one more entry, in spans.c. */
#pragma once
#include "core/graph/model.h"

enum span_kind {
    SPAN_WEIGHTS,
    SPAN_RUNNING,  /* running statistics */
    SPAN_AVERAGES, /* moving averages of weights */
    SPAN_MOMENT,   /* of an optimiser; memory of the replica's arena */
    SPAN_COUNTER,  /* an int64_t */
};

/* One piece of memory; reals but for counters. */
struct span {
    enum span_kind kind;
    const char *name;            /* as the user knows it: "weights of model" */
    const char *path;            /* in a checkpoint: "/nets/model"; NULL: in its meta text */
    const struct net *net;       /* NULL: of none */
    const struct params *params; /* the tensors that it is cut into; NULL: one alone */
    bool trained;                /* of those of params only that are not frozen */
    bool flat;                   /* in a checkpoint it is not cut */
    void *data;                  /* [bytes]; NULL until it is allocated */
    size_t bytes;
    real **home; /* where the replica keeps the address of data; NULL: it does not move */
};

/* Number i of the pieces that a span is cut into. */
struct span_piece {
    const char *name;          /* of the tensor; NULL: all of it */
    const struct param *param; /* the tensor, or NULL */
    void *data;
    size_t bytes;
};
int span_n_pieces(const struct span *span);
struct span_piece span_piece(const struct span *span, int i);
