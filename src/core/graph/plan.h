/* plan.h - how a graph is computed: which nodes live, which gradients are wanted, where every
 * number stands in memory. Pure until plan_place; a planned step allocates nothing.
 *
 * Time runs forward over the nodes, then backward: node i computes at time i and, if some wanted
 * gradient passes through it, its start_backward at time 3N-2-2i and its backward right after it.
 * Leaves, the losses and metrics, are sums in forward. What is computed from them, the tail, waits
 * until the sums of all ranks are known, and then is the same on all of them; backward begins at
 * the leaves. Memory is shared by values whose lives do not overlap; an in-place operator writes
 * over an input that nobody reads later. */
#pragma once
#include "core/graph/graph.h"

/* A parameter's gradient is final after this node's backward (node N: from the beginning). */
struct plan_ready {
    int node;
    int net;             /* index into train */
    int64_t offset, len; /* in the net's span of gradients, gaps included */
};

struct plan_node {
    bool live, tail, backward;
    unsigned zero_dx;                /* bit k: dx[k] holds nothing before this node's backward */
    int y_slot, dy_slot, saved_slot; /* -1: none */
    struct tensor x[OP_ANY_INPUTS], dx[OP_ANY_INPUTS];
    struct op_call call;
};

/* A value whose memory is given away between forward and backward, and that is computed again. */
struct plan_refill {
    int node, before; /* before the backward of that node, the first that reads it */
    int slot;
    void *forward, *backward; /* where the value is */
};

/* A piece of memory and when it is in use. */
struct plan_slot {
    size_t bytes, offset;
    int first, last; /* times */
};

struct plan {
    struct graph *graph;
    int loss; /* node, or -1: forward only */
    struct net *const *train;
    int n_train;
    struct plan_node *nodes; /* [graph->n_nodes] */
    int *leaves;             /* live nodes that are means over samples: losses and metrics */
    int64_t *leaf_at;        /* [n_leaves + 1] where the values of each begin among those of all */
    int n_leaves;
    double *terms;            /* [n_leaves] terms of the means that run_tail made last */
    double *coefficients;     /* [n_leaves] d loss / d mean, where there is a loss */
    double *counts;           /* [n_leaves] terms in the sum that the last forward gave */
    bool *marks;              /* [n_nodes] room for whoever goes through the tail */
    struct plan_ready *ready; /* from the last node to the first */
    int n_ready;
    struct plan_refill *refills; /* in the order of nodes */
    int n_refills;
    struct plan_slot *slots;
    int n_slots;
    size_t slot_bytes, scratch_bytes; /* of all slots together; of the operators' shared scratch */
    int64_t n;                        /* samples that shapes stand for now */
    bool training;
};

struct plan_config {
    struct graph *graph;
    const int *outputs; /* [n_outputs] nodes that are wanted: numbers, as losses and metrics are */
    int n_outputs;
    int loss;                 /* the output that is minimised; -1: none */
    struct net *const *train; /* [n_train] nets whose gradients are wanted; borrowed */
    int n_train;
    bool tensors;  /* outputs may be any tensors, kept until the end of the run */
    bool in_parts; /* backward of some of the batch comes before forward of the rest */
    bool training; /* batch norm uses the batch's statistics, dropout drops */
};

/* Plan in the model's pool. Errors: ERR_CONFIG with the place: an output that is no mean, a loss
 * that is no weighted sum of means or that no gradient passes, a net of `train` that the loss does
 * not reach, terms that cannot be counted beforehand where in_parts. */
int plan_new(struct plan **out, const struct plan_config *config, struct err *err);

/* Numbers in all leaves together. */
static inline int64_t plan_n_values(const struct plan *p) {
    return p->n_leaves ? p->leaf_at[p->n_leaves] : 0;
}

/* Bytes that plan_place needs; plans that never run at once may share them. */
size_t plan_bytes(const struct plan *p);

/* Give the plan its memory, 64-byte aligned, borrowed, and point all operands into it and into the
 * model's spans, which must be allocated. */
void plan_place(struct plan *p, void *memory, struct team *team, const struct ranks *all);
