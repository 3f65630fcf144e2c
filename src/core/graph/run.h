/* run.h - compute a planned graph. Nothing is allocated. */
#pragma once
#include "core/base/pulse.h"
#include "core/graph/plan.h"

/* What has just been computed, for whoever takes the time. */
enum run_phase {
    RUN_OTHER,   /* between operators: communication; node -1 */
    RUN_FORWARD, /* a node's forward */
    RUN_DATA,    /* its backward without that: */
    RUN_WEIGHTS, /* gradients of weights that are a matrix (convolution, linear) */
    RUN_PHASES
};

/* What a run is told from outside. */
struct run_context {
    uint64_t seed, step;  /* all randomness is a function of these, the node and the element */
    int64_t first;        /* position of this rank's sample 0 in the global batch */
    const double *totals; /* [n_leaves] terms of each leaf over all ranks; backward reads them */
    bool adds;            /* backward adds to the gradients that are there, in place of zeroing */
    /* Called before the forward of a node: weights that it reads, in their net's span; in backward:
     * gradient elements that are final; and between operators. May be NULL. */
    void (*need)(void *context, const struct net *net, int64_t offset, int64_t len);
    void (*ready)(void *context, int net, int64_t offset, int64_t len);
    void (*progress)(void *context);
    /* Called in forward right after the leaf of that number, while its inputs are there: run_sample
     * may be called. May be NULL. */
    void (*leaf)(void *context, int leaf);
    /* Called at the begin of forward and of backward and after each phase of each node: the time
     * since the last call is that phase's. Where it is set, operators with a matrix of weights
     * run backward twice: for the gradients of their weights, then for those of their inputs;
     * whole: they run as they do unwatched, and all of it counts as gradients of weights. */
    void (*watch)(void *context, int node, enum run_phase phase);
    bool whole;
    void *context;
    struct pulse *pulse; /* told which operator begins; NULL: nobody looks */
};

/* Point the input of that field at data (n samples, borrowed until the next run). Fields that the
 * graph does not read are ignored. */
void run_input(struct plan *p, const char *field, const act *data);

/* The same of a field of class indices. */
void run_indices(struct plan *p, const char *field, const int32_t *indices);

/* Make all shapes those of n samples, 0 <= n <= graph->batch. Call after run_input. With n = 0, of
 * a rank that takes part and has no samples, forward and backward compute only operators that talk
 * and say that all gradients are ready. */
void run_resize(struct plan *p, int64_t n);

/* How many terms each leaf's sum will have: counts[n_leaves], before forward, of plans made for
 * batches in parts. */
void run_counts(struct plan *p, double *counts);

/* Everything up to and with the leaves. */
void run_forward(struct plan *p, const struct run_context *c);

/* Backward from the leaves. Gradients of the trained nets are zeroed first, unless c->adds. */
void run_backward(struct plan *p, const struct run_context *c);

/* What forward gave: the sums of all leaves and how many terms each has.
 *   sums    [plan_n_values]
 *   counts  [n_leaves] */
void run_leaves(const struct plan *p, double *sums, double *counts);

/* Set the leaves to the means of sums over all ranks (or batches) and compute what depends on them;
 * then run_value(node) is what the user asked for.
 *   sums, totals  [plan_n_values], [n_leaves]
 *   empty_mean    the mean of no terms: 0 in training, where it moves nothing; nan of a measure */
void run_tail(struct plan *p, const double *sums, const double *totals, double empty_mean);

/* Of a mean that counts: how many terms it is of, so that times this it is whole numbers; 0 of any
 * other node. After run_tail. */
double run_tally(const struct plan *p, int node);

/* The value of a loss, a metric or what is computed from them, once the tail is. */
double run_value(const struct plan *p, int node);

/* Can a leaf be computed sample by sample? Not where it talks to other ranks. */
bool run_has_samples(const struct plan *p, int leaf);

/* What sample k alone adds to a leaf: sums [its numbers], and how many terms, which is returned.
 * While run_context.leaf is told of that leaf, by one thread. */
double run_sample(const struct plan *p, int leaf, int64_t k, real *sums);

/* Is a node of the tail computed from that leaf, or the leaf itself? */
bool run_depends(struct plan *p, int node, int leaf);

/* The slope of a node of the tail along number k of a leaf's means, by a central difference with
 * that step; after run_tail, whose values it leaves as they were. */
double run_slope(struct plan *p, int node, int leaf, int64_t k, double step);
