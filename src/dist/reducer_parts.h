/* reducer_parts.h - what a reducer consists of: private to reducer.c, which plans it, and
 * reducer_run.c. */
#pragma once
#include "dist/reducer.h"

#include <pthread.h>

struct bucket {
    int span;
    int64_t begin, len; /* elements of the span */
    int64_t missing;    /* elements not ready yet */
    bool started, done, returned;
    double began; /* to be summed, where somebody looks */
};

struct reducer_span {
    int64_t len;
    int first; /* index of its first bucket, that at the end of the span */
    int n;
};

struct reducer {
    struct comm *comm; /* borrowed */
    int64_t cut;       /* elements of a full bucket */
    int n_spans, n_buckets;
    struct reducer_span *span;       /* [n_spans] */
    struct bucket *bucket;           /* [n_buckets] */
    struct allreduce_vector *vector; /* [n_buckets] where the buckets are */
    struct allreduce_tensor *tensor; /* [n_tensors] by where they are in their buckets */
    int n_tensors;
    struct allreduce *sums; /* of all buckets */
    int *order;             /* [n_order] buckets as they are expected to become ready */
    int *moving;            /* [n_moving] buckets under way, in order of their start */
    int *done;              /* [n_done] buckets that hold the sum, in order of completion */
    int n_order, n_moving, n_done, n_returned, n_used;
    int n_first;   /* of the order, the first so many are done */
    double looked; /* when */
    double seconds;
    struct trace *trace;  /* NULL: nobody looks */
    int step;             /* which of the job's, for the trace */
    struct mover *mover;  /* NULL: none; else: */
    pthread_mutex_t lock; /* of all but what only the caller's thread knows: returned, used */
};
