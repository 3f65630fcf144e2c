/* probe.h - a step computed again, operator by operator, to see where its numbers stop being
 * finite. */
#pragma once
#include "dist/comm.h"
#include "train/feed.h"
#include "train/replica.h"

/* Samples [first, first + n) of this rank's share, computed at a time. */
struct probe_cut {
    int64_t first, n;
};

struct probe_seen;

struct probe_config {
    struct replica *replica;
    struct comm *comm; /* whose ranks compute the same step; NULL: this one is alone */
    int which;         /* of the job's steps */
    uint64_t seed;
    int64_t step;                   /* counted from 0 */
    const struct feed_batch *batch; /* fields as the replica's */
    const struct probe_cut *cut;    /* [n_cuts] as stepper_cuts says */
    int n_cuts;
    const double *totals; /* [n_leaves] terms of all ranks; NULL: they follow from forward, */
    double *found_totals; /* [n_leaves] and are put here, if backward is come to; NULL: nowhere */
    bool backward;        /* of numbers that are not finite, too; else only of those that are */
    /* Told of all that is computed; NULL: nobody looks. */
    void (*look)(void *context, const struct probe_seen *seen);
    void *context;
};

enum probe_what {
    PROBE_FIELD,  /* numbers of the data */
    PROBE_OUTPUT, /* of an operator */
    PROBE_TAIL,   /* what is computed from means of all ranks */
    PROBE_DX,     /* gradient of input k of an operator, as far as it has been added up */
    PROBE_DW      /* gradient of its weight k */
};

/* A tensor that has just been computed. */
struct probe_seen {
    enum probe_what what;
    int node, k;
    struct shape shape;
    const float *v;       /* borrowed until the next operator */
    struct probe_cut cut; /* whose samples are its first dimension, but for PROBE_TAIL, PROBE_DW */
};

/* The first number that is not finite. */
enum { PROBE_SAMPLES = 8 };
struct probe_hit {
    bool found;
    struct probe_seen seen; /* v is NULL */
    int64_t at;             /* element */
    double value;
    int64_t n_bad;     /* elements of the tensor that are not finite */
    int64_t n_samples; /* samples that these are of; 0: no samples stand in the tensor */
    int64_t sample[PROBE_SAMPLES]; /* the first of them, positions in this rank's share */
    double in_min, in_max;         /* finite numbers that the operator has read; nan: none */
};

/* Compute forward and, where all ranks' numbers are finite, backward, on the weights that are
 * there. Gradients are overwritten, running statistics left as they are.
 * Collective over c->comm. Errors, the same on all ranks: ERR_IO for lack of memory. */
int probe_run(const struct probe_config *c, struct probe_hit *hit, struct err *err);

/* Is something seen in backward? */
static inline bool probe_is_backward(const struct probe_seen *seen) {
    return seen->what == PROBE_DX || seen->what == PROBE_DW;
}

/* "3, 0, 5, 2": an element of a tensor, in pool. */
const char *probe_place(const struct shape *s, int64_t at, struct pool *pool);

/* "output of layer1.conv at [3, 0, 5, 2]", "gradient of layer1.conv.weight of net c at [0, 1]",
 * in pool. */
const char *probe_text(const struct graph *g, const struct probe_seen *seen, int64_t at,
                       struct pool *pool);
