#include "core/graph/run.h"
#include "core/base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Say to node i and its readers where its value is. */
static void point(struct plan *p, int i, void *memory) {
    p->nodes[i].call.y.memory = memory;
    for (int j = i + 1; j < p->graph->n_nodes; j++)
        for (int k = 0; k < p->graph->nodes[j].n_x; k++)
            if (p->graph->nodes[j].x[k] == i)
                p->nodes[j].x[k].memory = memory;
}

/* Inputs are only read. That fields are of the kind that the graph was built for is seen to where
 * datasets are opened. */
static void input(struct plan *p, const char *field, enum tensor_kind kind, const void *memory) {
    for (int i = 0; i < p->graph->n_nodes; i++) {
        const struct node *node = &p->graph->nodes[i];
        if (!node->field || strcmp(node->field, field) || !p->nodes[i].live)
            continue;
        if (node->plan.y_kind != kind) {
            fprintf(stderr, "dltrain: field %s is of another kind than the graph's\n", field);
            abort();
        }
        point(p, i, (void *)(uintptr_t)memory);
    }
}

void run_input(struct plan *p, const char *field, const act *data) {
    input(p, field, TENSOR_ACTS, data);
}

void run_indices(struct plan *p, const char *field, const int32_t *indices) {
    input(p, field, TENSOR_INDICES, indices);
}

/* Operators that talk to other ranks see that there are no samples; nobody else is called. */
static void empty(struct plan *p) {
    for (int i = 0; i < p->graph->n_nodes; i++) {
        struct plan_node *pn = &p->nodes[i];

        if (!pn->call.ranks)
            continue;
        pn->call.y.shape.dim[0] = pn->call.dy.shape.dim[0] = 0;
        for (int k = 0; k < pn->call.n_x; k++)
            pn->x[k].shape.dim[0] = pn->dx[k].shape.dim[0] = 0;
    }
}

static void resize(struct plan *p, int64_t n) {
    const struct graph *g = p->graph;
    struct err err = {0};

    for (int i = 0; i < g->n_nodes; i++) {
        struct node *node = &g->nodes[i];
        struct plan_node *pn = &p->nodes[i];
        if (!pn->live)
            continue;
        if (node->field) {
            node->plan.y.dim[0] = n;
        } else if (node->op && node_plan(g, node, n, node->plan.bias_auto, &err)) {
            fprintf(stderr, "dltrain: %s with %lld samples, which more samples passed\n", err.msg,
                    (long long)n);
            abort();
        }
        pn->call.y.shape = pn->call.dy.shape = node->plan.y;
        for (int k = 0; k < node->n_x; k++)
            pn->x[k].shape = pn->dx[k].shape = g->nodes[node->x[k]].plan.y;
    }
}

void run_resize(struct plan *p, int64_t n) {
    if (n > 0 ? p->n != n : p->n < 0) /* shapes without batch dimension are needed at any rate */
        resize(p, n > 0 ? n : 1);
    if (n == 0)
        empty(p);
    p->n = n;
}

void run_counts(struct plan *p, double *counts) {
    for (int i = 0; i < p->n_leaves; i++)
        counts[i] = p->graph->nodes[p->leaves[i]].op->count(&p->nodes[p->leaves[i]].call);
}

static void set(struct tensor *number, double value) {
    if (number->kind == TENSOR_REALS)
        number->reals[0] = (real)value;
    else if (number->kind == TENSOR_INDICES)
        number->indices[0] = value == (int32_t)value ? (int32_t)value : -1;
    else
        number->data[0] = (act)value;
}

static void compute(struct plan *p, int i) {
    const struct node *node = &p->graph->nodes[i];
    struct op_call *c = &p->nodes[i].call;

    if (node->op)
        node->op->forward(c);
    else if (!node->field)
        set(&c->y, node->number);
}

static void tell(const struct run_context *c, int node, enum run_phase phase) {
    if (c->watch)
        c->watch(c->context, node, phase);
}

/* Is there something to compute with as many samples as there are? */
static bool runs(const struct plan *p, int i) {
    return p->n > 0 || p->nodes[i].call.ranks;
}

/* Somebody may still be at work on the weights that a node reads. */
static void need_weights(const struct node *node, const struct run_context *c) {
    for (int k = 0; c->need && node->net && k < OP_MAX_WEIGHTS; k++)
        if (node->plan.w[k].shape.rank) {
            const struct param *param = &node->net->weights.items[node->w[k]];
            c->need(c->context, node->net, param->offset, param->len);
        }
}

static void count_leaf(struct plan *p, int leaf, const struct run_context *c) {
    const int i = p->leaves[leaf];

    p->counts[leaf] = p->n > 0 ? p->graph->nodes[i].op->count(&p->nodes[i].call) : 0;
    if (c->leaf && p->n > 0)
        c->leaf(c->context, leaf);
}

void run_forward(struct plan *p, const struct run_context *c) {
    int leaf = 0;

    for (int i = 0; i < p->n_refills; i++)
        point(p, p->refills[i].node, p->refills[i].forward);
    tell(c, -1, RUN_OTHER);
    for (int i = 0; i < p->graph->n_nodes; i++) {
        struct op_call *call = &p->nodes[i].call;
        const bool is_leaf = leaf < p->n_leaves && p->leaves[leaf] == i;
        if (!p->nodes[i].live || p->nodes[i].tail)
            continue;
        call->key = rng_key(c->seed, RNG_OPERATOR, c->step, (uint64_t)i);
        call->first = c->first;
        if (runs(p, i)) {
            need_weights(&p->graph->nodes[i], c);
            tell(c, -1, RUN_OTHER);
            pulse_node(c->pulse, i);
            compute(p, i);
        }
        if (is_leaf) /* at once: what it counts may be overwritten */
            count_leaf(p, leaf++, c);
        tell(c, i, RUN_FORWARD);
        if (c->progress)
            c->progress(c->context);
    }
}

static void zero_gradients(const struct plan *p) {
    for (int i = 0; i < p->n_train; i++)
        memset(p->train[i]->dw, 0, (size_t)p->train[i]->weights.trained_len * sizeof(real));
}

/* Tell what is final once the backward of `node` is done; *next goes on in p->ready. */
static void announce(const struct plan *p, const struct run_context *c, int node, int *next) {
    for (; *next < p->n_ready && p->ready[*next].node >= node; (*next)++)
        if (c->ready)
            c->ready(c->context, p->ready[*next].net, p->ready[*next].offset, p->ready[*next].len);
}

/* Are the gradients of inputs and of weights two products, and both wanted? */
static bool has_two_products(const struct node *node, const struct op_call *call) {
    bool wants_dx = false;

    for (int k = 0; k < call->n_x; k++)
        wants_dx = wants_dx || call->dx[k].data;
    return node->plan.w[0].shape.rank > 1 && call->dw[0] && wants_dx;
}

/* The same sums as in one call. Weights come first: dx may take dy's memory. */
static void backward_in_two(const struct node *node, int i, struct op_call call,
                            const struct run_context *c) {
    struct tensor dx[OP_ANY_INPUTS];
    struct op_call weights = call;

    for (int k = 0; k < call.n_x; k++)
        dx[k] = (struct tensor){.shape = call.dx[k].shape};
    weights.dx = dx;
    node->op->backward(&weights);
    tell(c, i, RUN_WEIGHTS);
    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        call.dw[k] = NULL;
    node->op->backward(&call);
    tell(c, i, RUN_DATA);
}

static void zero_gradient(const struct plan_node *pn, int k) {
    if ((pn->zero_dx & ~pn->call.dx_first) >> k & 1)
        memset(pn->dx[k].data, 0, (size_t)shape_len(&pn->dx[k].shape) * sizeof(act));
}

/* dx[0] may lie where something was that is read only here. */
static void start_backward(struct plan *p, int i, const struct run_context *c) {
    const struct plan_node *pn = &p->nodes[i];
    const struct op *op = p->graph->nodes[i].op;

    for (int k = 1; k < pn->call.n_x; k++)
        zero_gradient(pn, k);
    if (op->memory.start_backward) {
        op->memory.start_backward(&pn->call);
        tell(c, i, RUN_DATA);
    }
    zero_gradient(pn, 0);
}

/* Compute the values again that the backward of node i is the first to read. */
static void refill(struct plan *p, int i, const struct run_context *c) {
    for (int k = 0; k < p->n_refills; k++) {
        const struct plan_refill *r = &p->refills[k];

        if (r->before != i)
            continue;
        point(p, r->node, r->backward);
        p->graph->nodes[r->node].op->memory.recompute(&p->nodes[r->node].call);
        tell(c, r->node, RUN_DATA);
    }
}

static void backward_of(struct plan *p, int i, const struct run_context *c) {
    const struct node *node = &p->graph->nodes[i];
    const struct op_call *call = &p->nodes[i].call;

    if (c->watch && !c->whole && has_two_products(node, call)) {
        backward_in_two(node, i, *call, c);
        return;
    }
    node->op->backward(call);
    tell(c, i, node->plan.w[0].shape.rank > 1 && call->dw[0] ? RUN_WEIGHTS : RUN_DATA);
}

/* dy of the leaves: d loss / d sum. A leaf without terms gives no gradient. */
static void begin_backward(const struct plan *p, const double *totals) {
    for (int i = 0; i < p->n_leaves; i++) {
        const struct plan_node *leaf = &p->nodes[p->leaves[i]];
        if (leaf->backward)
            leaf->call.dy.reals[0] = totals[i] > 0 ? (real)(p->coefficients[i] / totals[i]) : 0;
    }
}

void run_backward(struct plan *p, const struct run_context *c) {
    int next = 0;

    if (!c->adds)
        zero_gradients(p);
    announce(p, c, p->graph->n_nodes, &next);
    begin_backward(p, c->totals);
    tell(c, -1, RUN_OTHER);
    for (int i = p->loss; i >= 0; i--) {
        if (!p->nodes[i].backward)
            continue;
        if (runs(p, i)) {
            pulse_node(c->pulse, i);
            start_backward(p, i, c);
            refill(p, i, c);
            backward_of(p, i, c);
        }
        announce(p, c, i, &next);
        if (c->progress)
            c->progress(c->context);
        tell(c, -1, RUN_OTHER);
    }
}

static int64_t leaf_len(const struct plan *p, int leaf) {
    return p->leaf_at[leaf + 1] - p->leaf_at[leaf];
}

void run_leaves(const struct plan *p, double *sums, double *counts) {
    for (int i = 0; i < p->n_leaves; i++) {
        counts[i] = p->counts[i];
        for (int64_t k = 0; k < leaf_len(p, i); k++)
            sums[p->leaf_at[i] + k] = p->n > 0 ? (double)p->nodes[p->leaves[i]].call.y.reals[k] : 0;
    }
}

void run_tail(struct plan *p, const double *sums, const double *totals, double empty_mean) {
    if (p->n < 0)
        run_resize(p, 0); /* a rank that has not run yet: what is left has no batch dimension */
    for (int i = 0; i < p->n_leaves; i++) {
        for (int64_t k = 0; k < leaf_len(p, i); k++)
            p->nodes[p->leaves[i]].call.y.reals[k] =
                (real)(totals[i] > 0 ? sums[p->leaf_at[i] + k] / totals[i] : empty_mean);
        p->terms[i] = totals[i];
    }
    for (int i = 0; i < p->graph->n_nodes; i++)
        if (p->nodes[i].live &&
            (p->nodes[i].tail || (!p->graph->nodes[i].op && !p->graph->nodes[i].field)))
            compute(p, i);
}

double run_tally(const struct plan *p, int node) {
    for (int i = 0; i < p->n_leaves && p->graph->nodes[node].op->meaning.tally; i++)
        if (p->leaves[i] == node)
            return p->terms[i];
    return 0;
}

double run_value(const struct plan *p, int node) {
    return (double)p->nodes[node].call.y.reals[0];
}
