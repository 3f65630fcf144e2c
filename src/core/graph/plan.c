#include "core/graph/plan.h"

#include <stdlib.h>
#include <string.h>

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
static int start_time(const struct planner *pl, int node) {
    return 3 * pl->g->n_nodes - 2 - 2 * node;
}

static int backward_time(const struct planner *pl, int node) {
    return start_time(pl, node) + 1;
}

/* When y and what is saved are read last, and when gradients are added to that of x[k]. */
static int reading_time(const struct planner *pl, int node) {
    return backward_time(pl, node) - (pl->g->nodes[node].op->memory.start_backward != NULL);
}

static int adding_time(const struct planner *pl, int node, int k) {
    return k ? reading_time(pl, node) : backward_time(pl, node);
}

static int train_index(const struct plan *p, const struct net *net) {
    for (int i = 0; i < p->n_train; i++)
        if (p->train[i] == net)
            return i;
    return -1;
}

static void mark_live(struct planner *pl, const int *outputs, int n_outputs) {
    for (int i = 0; i < n_outputs; i++)
        pl->p->nodes[outputs[i]].live = true;
    for (int i = pl->g->n_nodes - 1; i >= 0; i--)
        for (int k = 0; pl->p->nodes[i].live && k < pl->g->nodes[i].n_x; k++)
            pl->p->nodes[pl->g->nodes[i].x[k]].live = true;
}

static bool is_mean(const struct graph *g, int node) {
    return g->nodes[node].op && g->nodes[node].op->count;
}

/* Leaves are means over samples; the tail is what is computed from them. */
static void mark_tail(struct planner *pl) {
    struct plan *p = pl->p;

    p->leaves = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->leaves);
    p->leaf_at = pool_take(&pl->g->model->pool, (size_t)(pl->g->n_nodes + 1) * sizeof *p->leaf_at);
    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        if (!p->nodes[i].live)
            continue;
        for (int k = 0; k < node->n_x; k++)
            if (p->nodes[node->x[k]].tail || is_mean(pl->g, node->x[k]))
                p->nodes[i].tail = true;
        if (!is_mean(pl->g, i))
            continue;
        p->leaves[p->n_leaves++] = i;
        p->leaf_at[p->n_leaves] = p->leaf_at[p->n_leaves - 1] + shape_len(&node->plan.y);
    }
}

/* The shares of the ranks add up to the loss only if it is a weighted sum of means. */
static int check_loss_is_linear(const struct planner *pl, struct err *err) {
    for (int i = 0; i <= pl->p->loss; i++) {
        const struct node *node = &pl->g->nodes[i];
        int means = 0;

        if (!pl->p->nodes[i].tail || !pl->p->nodes[i].live || !pl->p->nodes[i].backward)
            continue;
        for (int k = 0; k < node->n_x; k++)
            means += pl->g->nodes[node->x[k]].op != NULL;
        const char *word = node->op->word.name;
        const bool sum = !strcmp(word, "add") || !strcmp(word, "sub");
        const bool scaled = (!strcmp(word, "mul") || (!strcmp(word, "div") && node->n_x == 2 &&
                                                      !pl->g->nodes[node->x[1]].op)) &&
                            means == 1;
        if (!sum && !scaled)
            return pos_error(err, node->pos,
                             "%s of losses: a loss is a weighted sum of losses, "
                             "as in cross_entropy(a, label) + 0.3 * mse(b, image)",
                             word);
    }
    return 0;
}

/* The tail is computed once more from sums over all ranks, when tensors are long gone. */
static int check_tail(const struct planner *pl, int i, struct err *err) {
    const struct node *node = &pl->g->nodes[i];

    for (int k = 0; pl->p->nodes[i].live && pl->p->nodes[i].tail && k < node->n_x; k++) {
        const struct node *x = &pl->g->nodes[node->x[k]];
        if ((x->op || x->field) && !pl->p->nodes[node->x[k]].tail && !is_mean(pl->g, node->x[k]))
            return pos_error(err, node->pos,
                             "%s of a loss or metric and a tensor, expected losses, metrics and "
                             "numbers only",
                             node->op->word.name);
    }
    return 0;
}

static int check_outputs(const struct planner *pl, const struct plan_config *config,
                         struct err *err) {
    for (int i = 0; i < config->n_outputs && !config->tensors; i++) {
        const int node = config->outputs[i];
        if (!pl->p->nodes[node].tail && !is_mean(pl->g, node))
            return pos_error(err, pl->g->nodes[node].pos,
                             "found a tensor, expected a loss or a metric");
    }
    for (int i = 0; i < pl->p->n_leaves; i++) {
        const struct node *leaf = &pl->g->nodes[pl->p->leaves[i]];
        if (pl->p->nodes[pl->p->leaves[i]].tail)
            return pos_error(err, leaf->pos, "%s of a loss or metric", leaf->op->word.name);
        if (leaf->op->meaning.class_index && !pl->g->nodes[leaf->x[1]].field)
            return pos_error(err, leaf->pos,
                             "%s: its second input is computed, expected labels "
                             "of the dataset",
                             leaf->op->word.name);
    }
    for (int i = 0; i < pl->g->n_nodes; i++)
        if (check_tail(pl, i, err))
            return -1;
    return 0;
}

/* Which nodes does a wanted gradient pass through? */
static void mark_backward(struct planner *pl) {
    struct plan *p = pl->p;

    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        if (!p->nodes[i].live || !node->op || !node->op->backward)
            continue;
        pl->life[i].needs = !node->frozen && node->net && node->plan.w[0].shape.rank &&
                            train_index(p, node->net) >= 0;
        for (int k = 0; k < node->n_x; k++)
            pl->life[i].needs = pl->life[i].needs || pl->life[node->x[k]].needs;
    }
    p->nodes[p->loss].backward = pl->life[p->loss].needs;
    for (int i = p->loss; i >= 0; i--)
        for (int k = 0; p->nodes[i].backward && k < pl->g->nodes[i].n_x; k++)
            if (pl->life[pl->g->nodes[i].x[k]].needs)
                p->nodes[pl->g->nodes[i].x[k]].backward = true;
}

static void later(int *time, int candidate) {
    if (candidate > *time)
        *time = candidate;
}

static void find_lives(struct planner *pl, const int *outputs, int n_outputs) {
    struct plan *p = pl->p;

    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        struct life *life = &pl->life[i];
        if (!p->nodes[i].live)
            continue;
        later(&life->last, i);
        later(&life->last_forward, i);
        if (p->nodes[i].backward && node->op->memory.reads_y)
            later(&life->last, reading_time(pl, i));
        if (is_mean(pl->g, i) || p->nodes[i].tail)
            life->last = pl->end; /* means are looked at after the run */
        for (int k = 0; k < node->n_x; k++) {
            struct life *x = &pl->life[node->x[k]];
            later(&x->last, i);
            later(&x->last_forward, i);
            if (!p->nodes[i].backward)
                continue;
            if (node->op->memory.reads_x >> k & 1) {
                later(&x->last, backward_time(pl, i));
                later(&x->first_reader, i);
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

static int new_slot(struct planner *pl, size_t bytes, int first, int last) {
    struct plan *p = pl->p;

    p->slots = pool_grow(&pl->g->model->pool, p->slots, p->n_slots, sizeof *p->slots);
    p->slots[p->n_slots] =
        (struct plan_slot){.bytes = arena_round(bytes), .first = first, .last = last};
    return p->n_slots++;
}

static size_t value_bytes(const struct graph *g, int node) {
    return (size_t)shape_len(&g->nodes[node].plan.y) * sizeof(act);
}

/* May node i's value (forward) or its input's gradient (backward) take over the memory? */
static bool may_alias(const struct planner *pl, int i) {
    const struct node *node = &pl->g->nodes[i];

    return node->op && node->op->memory.in_place && pl->g->nodes[node->x[0]].op &&
           shape_len(&pl->g->nodes[node->x[0]].plan.y) == shape_len(&node->plan.y);
}

/* Is it better to compute node i's value again than to keep it until backward? */
static bool is_refilled(const struct planner *pl, int i) {
    const struct life *life = &pl->life[i];

    return pl->p->nodes[i].backward && pl->g->nodes[i].op->memory.recompute &&
           life->first_reader > 0 && life->last < pl->end;
}

/* Two lives: to the last reader of forward, and from the first of backward on. */
static void assign_refilled(struct planner *pl, int i) {
    struct plan *p = pl->p;
    const struct life *life = &pl->life[i];
    const size_t bytes = value_bytes(pl->g, i);

    p->nodes[i].y_slot = new_slot(pl, bytes, i, life->last_forward);
    p->refills = pool_grow(&pl->g->model->pool, p->refills, p->n_refills, sizeof *p->refills);
    p->refills[p->n_refills++] = (struct plan_refill){
        .node = i,
        .before = life->first_reader,
        .slot = new_slot(pl, bytes, backward_time(pl, life->first_reader), life->last)};
}

static void assign_values(struct planner *pl) {
    struct plan *p = pl->p;

    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        struct plan_node *pn = &p->nodes[i];
        if (!pn->live || node->field)
            continue;
        if (!node->op) { /* numbers live for ever: they are written once a run */
            pn->y_slot = new_slot(pl, sizeof(act), 0, pl->end);
            continue;
        }
        if (may_alias(pl, i) && pl->life[node->x[0]].last == i) {
            pn->y_slot = p->nodes[node->x[0]].y_slot;
            later(&p->slots[pn->y_slot].last, pl->life[i].last);
        } else if (is_refilled(pl, i)) {
            assign_refilled(pl, i);
        } else {
            pn->y_slot = new_slot(pl, value_bytes(pl->g, i), i, pl->life[i].last);
        }
        if (node->plan.saved_bytes && (pn->backward || !node->op->memory.saves_all))
            pn->saved_slot =
                new_slot(pl, node->plan.saved_bytes, i, pn->backward ? reading_time(pl, i) : i);
        if (node->plan.scratch_bytes > p->scratch_bytes)
            p->scratch_bytes = arena_round(node->plan.scratch_bytes);
    }
}

/* Gradients, from the loss to the first node, so that a reader's slot is known before its input's.
 */
static void assign_gradients(struct planner *pl) {
    struct plan *p = pl->p;

    for (int j = p->loss; j >= 0; j--) {
        const struct node *node = &pl->g->nodes[j];
        if (!p->nodes[j].backward)
            continue;
        if (j == p->loss)
            p->nodes[j].dy_slot = new_slot(pl, sizeof(act), 0, pl->end);
        for (int k = node->n_x - 1; k >= 0; k--) { /* start_backward adds to all but x[0] */
            const int i = node->x[k];
            struct plan_node *x = &p->nodes[i];
            if (!x->backward || x->dy_slot >= 0)
                continue; /* unwanted, or an earlier reader in this order made it */
            const int last = backward_time(pl, i);
            if (k == 0 && j != p->loss && pl->life[i].n_dy == 1 && may_alias(pl, j)) {
                x->dy_slot = p->nodes[j].dy_slot;
                later(&p->slots[x->dy_slot].last, last);
            } else {
                x->dy_slot = new_slot(pl, value_bytes(pl->g, i), pl->life[i].first_dy, last);
                p->nodes[j].zero_dx |= 1u << k;
            }
        }
    }
}

static int by_size(const void *a, const void *b) {
    const struct plan_slot *x = *(struct plan_slot *const *)a, *y = *(struct plan_slot *const *)b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->first != y->first ? (x->first > y->first ? 1 : -1) : (x > y) - (x < y);
}

/* Largest first, each at the lowest place that is free during its life. */
static void place_slots(struct planner *pl) {
    struct plan *p = pl->p;
    struct plan_slot **order =
        pool_take(&pl->g->model->pool, (size_t)(p->n_slots + 1) * sizeof *order);

    for (int i = 0; i < p->n_slots; i++)
        order[i] = &p->slots[i];
    qsort(order, (size_t)p->n_slots, sizeof *order, by_size);
    for (int i = 0; i < p->n_slots; i++) {
        struct plan_slot *s = order[i];
        for (bool moved = true; moved;) {
            moved = false;
            for (int k = 0; k < i; k++) {
                const struct plan_slot *o = order[k];
                if (s->first <= o->last && o->first <= s->last &&
                    s->offset < o->offset + o->bytes && o->offset < s->offset + s->bytes) {
                    s->offset = o->offset + o->bytes;
                    moved = true;
                }
            }
        }
        if (s->offset + s->bytes > p->slot_bytes)
            p->slot_bytes = s->offset + s->bytes;
    }
}

/* Where each parameter's gradient is final: at the first of its nodes, which is last in backward.
 */
static int find_ready(struct planner *pl, struct err *err) {
    struct plan *p = pl->p;
    const int n_nodes = pl->g->n_nodes;

    for (int t = 0; t < p->n_train; t++) {
        const struct net *net = p->train[t];
        int *node_of = pool_take(&pl->g->model->pool, (size_t)(net->weights.n + 1) * sizeof(int));
        bool reached = false, frozen = false;

        for (int w = 0; w < net->weights.n; w++)
            node_of[w] = n_nodes;
        for (int i = n_nodes - 1; i >= 0; i--) {
            const struct node *node = &pl->g->nodes[i];
            frozen = frozen || (node->net == net && node->frozen);
            for (int k = 0; p->nodes[i].backward && node->net == net && !node->frozen &&
                            k < OP_MAX_WEIGHTS && node->plan.w[k].shape.rank;
                 k++, reached = true)
                node_of[node->w[k]] = i;
        }
        if (!reached)
            return pos_error(err, pl->g->nodes[p->loss].pos,
                             "the loss does not depend on %snet %s, which is to be trained",
                             frozen ? "what is not frozen of " : "", net->name);
        for (int w = 0; w < net->weights.n; w++) {
            const struct param *param = &net->weights.items[w];
            const int64_t next = w + 1 < net->weights.n ? param[1].offset : net->weights.len;
            p->ready = pool_grow(&pl->g->model->pool, p->ready, p->n_ready, sizeof *p->ready);
            p->ready[p->n_ready++] =
                (struct plan_ready){node_of[w], t, param->offset, next - param->offset};
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
    if (check_loss_is_linear(pl, err))
        return -1;
    if (find_ready(pl, err))
        return -1;
    if (!p->nodes[p->loss].backward)
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
    mark_tail(&pl);
    if (check_outputs(&pl, config, err))
        return -1;
    if (p->loss >= 0 && plan_backward(&pl, err))
        return -1;
    find_lives(&pl, config->outputs, config->n_outputs);
    assign_values(&pl);
    if (p->loss >= 0)
        assign_gradients(&pl);
    place_slots(&pl);
    *out = p;
    return 0;
}

size_t plan_bytes(const struct plan *p) {
    return p->slot_bytes + p->scratch_bytes;
}

/* Operands in the model's spans. */
static void place_params(const struct plan *p, const struct node *node, struct op_call *c) {
    const struct net *net = node->net;
    const bool trained = net && !node->frozen && train_index(p, net) >= 0;

    for (int k = 0; net && k < OP_MAX_WEIGHTS && node->plan.w[k].shape.rank; k++) {
        c->w[k] = net->w + net->weights.items[node->w[k]].offset;
        c->dw[k] = trained ? net->dw + net->weights.items[node->w[k]].offset : NULL;
    }
    for (int k = 0; net && k < OP_MAX_STATES && node->plan.state[k].shape.rank; k++)
        c->state[k] = net->state + net->states.items[node->state[k]].offset;
}

void plan_place(struct plan *p, void *memory, struct team *team) {
    unsigned char *base = memory;
    const struct graph *g = p->graph;

    for (int i = 0; i < g->n_nodes; i++) {
        struct plan_node *pn = &p->nodes[i];
        const struct node *node = &g->nodes[i];
        struct op_call *c = &pn->call;
        if (!pn->live)
            continue;
        *c = (struct op_call){.args = node->args,
                              .x = pn->x,
                              .dx = pn->dx,
                              .n_x = node->n_x,
                              .team = team,
                              .training = p->training && !node->frozen,
                              .mode = g->mode};
        c->y.data = pn->y_slot < 0 ? NULL : (act *)(void *)(base + p->slots[pn->y_slot].offset);
        c->dy.data = pn->dy_slot < 0 ? NULL : (act *)(void *)(base + p->slots[pn->dy_slot].offset);
        c->saved = pn->saved_slot < 0 ? NULL : base + p->slots[pn->saved_slot].offset;
        c->scratch = base + p->slot_bytes;
        c->dx_first = node->op ? pn->zero_dx & node->op->memory.overwrites : 0;
        place_params(p, node, c);
        for (int k = 0; k < node->n_x; k++) {
            const struct plan_node *x = &p->nodes[node->x[k]];
            pn->x[k].data = x->call.y.data;
            pn->dx[k].data = pn->backward && x->backward ? x->call.dy.data : NULL;
        }
    }
    for (int i = 0; i < p->n_refills; i++) {
        struct plan_refill *r = &p->refills[i];

        r->forward = p->nodes[r->node].call.y.data;
        r->backward = (act *)(void *)(base + p->slots[r->slot].offset);
    }
    p->n = -1; /* shapes are set by the first run */
}
