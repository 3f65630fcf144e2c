/* plan_parts.h - planning in three files: plan.c knows what lives and who needs gradients,
 * plan_tail.c what a loss is made of, plan_memory.c where every number stands. Private to them. */
#pragma once
#include "core/graph/plan.h"

/* What planning knows of each node. */
struct life {
    bool needs;         /* a gradient has something to do here or before */
    int last;           /* last time its value is read */
    int last_forward;   /* and in forward */
    int first_reader;   /* the node whose backward reads it first; -1: none does */
    int first_dy, n_dy; /* first time its gradient is added to; number of additions */
};

struct planner {
    struct plan *p;
    struct graph *g;
    struct life *life;
    int end; /* 3N: after everything */
};

/* When start_backward and, after it, backward are called. */
static inline int plan_start_time(const struct planner *pl, int node) {
    return 3 * pl->g->n_nodes - 2 - 2 * node;
}

static inline int plan_backward_time(const struct planner *pl, int node) {
    return plan_start_time(pl, node) + 1;
}

/* When y and what is saved are read last. */
static inline int plan_reading_time(const struct planner *pl, int node) {
    return plan_backward_time(pl, node) - (pl->g->nodes[node].op->memory.start_backward != NULL);
}

static inline void plan_later(int *time, int candidate) {
    if (candidate > *time)
        *time = candidate;
}

/* Is it a loss or metric, a mean over samples? */
static inline bool plan_is_mean(const struct graph *g, int node) {
    return g->nodes[node].op && g->nodes[node].op->count;
}

/* The index of that net among those that are trained; -1: it is not. */
int plan_train_index(const struct plan *p, const struct net *net);

/* Is the gradient of the node's weight k wanted? Of any? */
bool plan_trains(const struct plan *p, const struct node *node, int k);
bool plan_trains_any(const struct plan *p, const struct node *node);

/* Find the leaves, which are means over samples, and the tail, which is computed from them. */
void plan_mark_tail(struct planner *pl);

/* Errors: ERR_CONFIG with the place: an output that is no mean, a mean of means, means mixed with
 * tensors, terms that cannot be counted in time. */
int plan_check_outputs(const struct planner *pl, const struct plan_config *config, struct err *err);

/* Once it is known where gradients pass: the coefficient of each leaf in the loss, where backward
 * begins. Errors: ERR_CONFIG: the loss is no weighted sum of means. */
int plan_find_coefficients(struct planner *pl, struct err *err);

/* Once lives are known: memory for all values and gradients. */
void plan_assign_memory(struct planner *pl);
