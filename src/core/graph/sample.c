/* sample.c - a graph's means sample by sample, and what becomes of them when one moves: for whoever
 * asks how sure a mean is. */
#include "core/graph/run.h"

/* Sample k of an operand; a number, which has no samples, is that of all of them. */
static struct tensor one_of(const struct plan *p, int node, const struct tensor *x, int64_t k) {
    const struct node *from = &p->graph->nodes[node];
    struct tensor one = *x;

    if ((!from->op && !from->field) || x->shape.dim[0] != p->n)
        return one;
    one.shape.dim[0] = 1;
    one.memory =
        (char *)x->memory + (size_t)(k * shape_len(&one.shape)) * tensor_item_bytes(x->kind);
    return one;
}

bool run_has_samples(const struct plan *p, int leaf) {
    return !p->nodes[p->leaves[leaf]].call.ranks;
}

double run_sample(const struct plan *p, int leaf, int64_t k, real *sums) {
    const struct node *node = &p->graph->nodes[p->leaves[leaf]];
    struct op_call call = p->nodes[p->leaves[leaf]].call;
    struct tensor x[OP_ANY_INPUTS];

    for (int i = 0; i < node->n_x; i++)
        x[i] = one_of(p, node->x[i], &call.x[i], k);
    call.x = x;
    call.y.memory = sums;
    call.first += k;
    call.team = NULL;
    node->op->forward(&call);
    return node->op->count(&call);
}

/* Compute again what follows from a leaf, as far as `node`; or only mark it. */
static void follow(struct plan *p, int leaf, int node, bool computes) {
    for (int i = 0; i <= node; i++) {
        const struct node *n = &p->graph->nodes[i];

        p->marks[i] = i == p->leaves[leaf];
        for (int k = 0; p->nodes[i].tail && k < n->n_x; k++)
            p->marks[i] = p->marks[i] || p->marks[n->x[k]];
        if (computes && p->marks[i] && p->nodes[i].tail && p->nodes[i].live)
            n->op->forward(&p->nodes[i].call);
    }
}

bool run_depends(struct plan *p, int node, int leaf) {
    follow(p, leaf, node, false);
    return p->marks[node];
}

double run_slope(struct plan *p, int node, int leaf, int64_t k, double step) {
    real *mean = &p->nodes[p->leaves[leaf]].call.y.reals[k];
    const real before = *mean, up = (real)((double)before + step),
               down = (real)((double)before - step);

    *mean = up;
    follow(p, leaf, node, true);
    const double above = run_value(p, node);
    *mean = down;
    follow(p, leaf, node, true);
    const double below = run_value(p, node);
    *mean = before;
    follow(p, leaf, node, true);
    return up > down ? (above - below) / ((double)up - (double)down) : 0;
}
