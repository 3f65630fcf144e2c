#include "core/graph/plan_parts.h"

#include <stdlib.h>
#include <string.h>

/* When gradients are added to that of x[k]. */
static int adding_time(const struct planner *pl, int node, int k) {
    return k ? plan_reading_time(pl, node) : plan_backward_time(pl, node);
}

int plan_train_index(const struct plan *p, const struct net *net) {
    for (int i = 0; i < p->n_train; i++)
        if (p->train[i] == net)
            return i;
    return -1;
}

bool plan_trains(const struct plan *p, const struct node *node, int k) {
    return node->net && !node->frozen && node->plan.w[k].shape.rank &&
           !node->net->weights.items[node->w[k]].frozen && plan_train_index(p, node->net) >= 0;
}

bool plan_trains_any(const struct plan *p, const struct node *node) {
    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        if (plan_trains(p, node, k))
            return true;
    return false;
}

static void mark_live(struct planner *pl, const int *outputs, int n_outputs) {
    for (int i = 0; i < n_outputs; i++)
        pl->p->nodes[outputs[i]].live = true;
    for (int i = pl->g->n_nodes - 1; i >= 0; i--)
        for (int k = 0; pl->p->nodes[i].live && k < pl->g->nodes[i].n_x; k++)
            pl->p->nodes[pl->g->nodes[i].x[k]].live = true;
}

/* Which nodes does a wanted gradient pass through? */
static void mark_backward(struct planner *pl) {
    struct plan *p = pl->p;

    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        if (!p->nodes[i].live || !node->op || !node->op->backward)
            continue;
        pl->life[i].needs = plan_trains_any(p, node);
        for (int k = 0; k < node->n_x; k++)
            pl->life[i].needs = pl->life[i].needs || pl->life[node->x[k]].needs;
    }
    p->nodes[p->loss].backward = pl->life[p->loss].needs;
    for (int i = p->loss; i >= 0; i--)
        for (int k = 0; p->nodes[i].backward && k < pl->g->nodes[i].n_x; k++)
            if (pl->life[pl->g->nodes[i].x[k]].needs)
                p->nodes[pl->g->nodes[i].x[k]].backward = true;
}

/* Does the backward of node i read the value of its input k? */
static bool reads_x(const struct plan *p, int i, int k) {
    const struct node *node = &p->graph->nodes[i];
    const unsigned unread = plan_trains_any(p, node) ? 0 : node->op->memory.weights_x;

    return (node->op->memory.reads_x & ~unread) >> k & 1;
}

static void find_lives(struct planner *pl, const int *outputs, int n_outputs) {
    struct plan *p = pl->p;

    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        struct life *life = &pl->life[i];
        if (!p->nodes[i].live)
            continue;
        plan_later(&life->last, i);
        plan_later(&life->last_forward, i);
        if (p->nodes[i].backward && node->op->memory.reads_y)
            plan_later(&life->last, plan_reading_time(pl, i));
        if (plan_is_mean(pl->g, i) || p->nodes[i].tail)
            life->last = pl->end; /* means are looked at after the run */
        for (int k = 0; k < node->n_x; k++) {
            struct life *x = &pl->life[node->x[k]];
            plan_later(&x->last, i);
            plan_later(&x->last_forward, i);
            if (!p->nodes[i].backward)
                continue;
            if (reads_x(p, i, k)) {
                plan_later(&x->last, plan_backward_time(pl, i));
                plan_later(&x->first_reader, i);
            }
            if (p->nodes[node->x[k]].backward) {
                x->first_dy = adding_time(pl, i, k); /* falls: ends at the first addition */
                x->n_dy++;
            }
        }
    }
    for (int i = 0; i < n_outputs; i++)
        pl->life[outputs[i]].last = pl->end;
}

/* Where each parameter's gradient is final: at the first of its nodes, which is last in backward.
 */
static int find_ready(struct planner *pl, struct err *err) {
    struct plan *p = pl->p;
    const int n_nodes = pl->g->n_nodes;

    for (int t = 0; t < p->n_train; t++) {
        const struct net *net = p->train[t];
        int *node_of = pool_take(&pl->g->model->pool, (size_t)(net->weights.n + 1) * sizeof(int));
        bool reached = false, frozen = net->weights.trained_len < net->weights.len;

        for (int w = 0; w < net->weights.n; w++)
            node_of[w] = n_nodes;
        for (int i = n_nodes - 1; i >= 0; i--) {
            const struct node *node = &pl->g->nodes[i];
            frozen = frozen || (node->net == net && node->frozen);
            for (int k = 0; p->nodes[i].backward && node->net == net && k < OP_MAX_WEIGHTS; k++)
                if (plan_trains(p, node, k))
                    node_of[node->w[k]] = i, reached = true;
        }
        if (!reached)
            return pos_error(err, pl->g->nodes[p->loss].pos,
                             "the loss does not depend on %snet %s, which is to be trained",
                             frozen ? "what is not frozen of " : "", net->name);
        for (int w = 0; w < net->weights.n; w++) {
            const struct param *param = &net->weights.items[w];
            if (param->frozen)
                continue;
            p->ready = pool_grow(&pl->g->model->pool, p->ready, p->n_ready, sizeof *p->ready);
            p->ready[p->n_ready++] =
                (struct plan_ready){node_of[w], t, param->offset, param_room(param)};
        }
    }
    return 0;
}

/* From the last node to the first; within a node from the end of the span. */
static int by_node(const void *a, const void *b) {
    const struct plan_ready *x = a, *y = b;

    if (x->node != y->node)
        return x->node < y->node ? 1 : -1;
    return x->offset < y->offset ? 1 : x->offset > y->offset ? -1 : x->net - y->net;
}

static int plan_backward(struct planner *pl, struct err *err) {
    struct plan *p = pl->p;

    mark_backward(pl);
    const bool reached = p->nodes[p->loss].backward;
    if (plan_find_coefficients(pl, err) || find_ready(pl, err))
        return -1;
    if (!reached)
        return pos_error(err, pl->g->nodes[p->loss].pos,
                         "no gradient passes the loss: train names no net");
    qsort(p->ready, (size_t)p->n_ready, sizeof *p->ready, by_node);
    return 0;
}

int plan_new(struct plan **out, const struct plan_config *config, struct err *err) {
    struct graph *g = config->graph;
    struct pool *pool = &g->model->pool;
    struct plan *p = pool_take(pool, sizeof *p);
    struct planner pl = {.p = p, .g = g, .end = 3 * g->n_nodes};

    *p = (struct plan){.graph = g,
                       .loss = config->loss,
                       .train = config->train,
                       .n_train = config->n_train,
                       .n = g->batch,
                       .training = config->training};
    p->nodes = pool_take(pool, (size_t)(g->n_nodes + 1) * sizeof *p->nodes);
    pl.life = pool_take(pool, (size_t)(g->n_nodes + 1) * sizeof *pl.life);
    for (int i = 0; i < g->n_nodes; i++)
        p->nodes[i].y_slot = p->nodes[i].dy_slot = p->nodes[i].saved_slot = -1;
    mark_live(&pl, config->outputs, config->n_outputs);
    plan_mark_tail(&pl);
    if (plan_check_outputs(&pl, config, err))
        return -1;
    if (p->loss >= 0 && plan_backward(&pl, err))
        return -1;
    find_lives(&pl, config->outputs, config->n_outputs);
    plan_assign_memory(&pl);
    *out = p;
    return 0;
}
