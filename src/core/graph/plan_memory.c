#include "core/graph/plan_parts.h"

#include <stdlib.h>

static int new_slot(struct planner *pl, size_t bytes, int first, int last) {
    struct plan *p = pl->p;

    p->slots = pool_grow(&pl->g->model->pool, p->slots, p->n_slots, sizeof *p->slots);
    p->slots[p->n_slots] =
        (struct plan_slot){.bytes = arena_round(bytes), .first = first, .last = last};
    return p->n_slots++;
}

static size_t value_bytes(const struct graph *g, int node) {
    const struct op_plan *plan = &g->nodes[node].plan;

    return (size_t)shape_len(&plan->y) * tensor_item_bytes(plan->y_kind);
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
        .slot = new_slot(pl, bytes, plan_backward_time(pl, life->first_reader), life->last)};
}

static void assign_values(struct planner *pl) {
    struct plan *p = pl->p;

    for (int i = 0; i < pl->g->n_nodes; i++) {
        const struct node *node = &pl->g->nodes[i];
        struct plan_node *pn = &p->nodes[i];
        if (!pn->live || node->field)
            continue;
        if (!node->op) { /* numbers live for ever: they are written once a run */
            pn->y_slot = new_slot(pl, value_bytes(pl->g, i), 0, pl->end);
            continue;
        }
        if (may_alias(pl, i) && pl->life[node->x[0]].last == i) {
            pn->y_slot = p->nodes[node->x[0]].y_slot;
            plan_later(&p->slots[pn->y_slot].last, pl->life[i].last);
        } else if (is_refilled(pl, i)) {
            assign_refilled(pl, i);
        } else {
            pn->y_slot = new_slot(pl, value_bytes(pl->g, i), i, pl->life[i].last);
        }
        if (node->plan.saved_bytes && (pn->backward || !node->op->memory.saves_all))
            pn->saved_slot = new_slot(pl, node->plan.saved_bytes, i,
                                      pn->backward ? plan_reading_time(pl, i) : i);
        if (node->plan.scratch_bytes > p->scratch_bytes)
            p->scratch_bytes = arena_round(node->plan.scratch_bytes);
    }
}

/* Gradients, from the leaves to the first node, so that a reader's slot is known before its
 * input's.
 */
static void assign_gradients(struct planner *pl) {
    struct plan *p = pl->p;

    for (int j = p->loss; j >= 0; j--) {
        const struct node *node = &pl->g->nodes[j];
        if (!p->nodes[j].backward)
            continue;
        if (plan_is_mean(pl->g, j)) /* where backward begins */
            p->nodes[j].dy_slot = new_slot(pl, value_bytes(pl->g, j), 0, pl->end);
        for (int k = node->n_x - 1; k >= 0; k--) { /* start_backward adds to all but x[0] */
            const int i = node->x[k];
            struct plan_node *x = &p->nodes[i];
            if (!x->backward || x->dy_slot >= 0)
                continue; /* unwanted, or an earlier reader in this order made it */
            const int last = plan_backward_time(pl, i);
            if (k == 0 && pl->life[i].n_dy == 1 && may_alias(pl, j)) {
                x->dy_slot = p->nodes[j].dy_slot;
                plan_later(&p->slots[x->dy_slot].last, last);
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

void plan_assign_memory(struct planner *pl) {
    assign_values(pl);
    if (pl->p->loss >= 0)
        assign_gradients(pl);
    place_slots(pl);
}

size_t plan_bytes(const struct plan *p) {
    return p->slot_bytes + p->scratch_bytes;
}

/* Operands in the model's spans. */
static void place_params(const struct plan *p, const struct node *node, struct op_call *c) {
    const struct net *net = node->net;

    for (int k = 0; net && k < OP_MAX_WEIGHTS && node->plan.w[k].shape.rank; k++) {
        c->w[k] = net->w + net->weights.items[node->w[k]].offset;
        c->dw[k] = plan_trains(p, node, k) ? net->dw + net->weights.items[node->w[k]].offset : NULL;
    }
    for (int k = 0; net && k < OP_MAX_STATES && node->plan.state[k].shape.rank; k++)
        c->state[k] = net->state + net->states.items[node->state[k]].offset;
}

/* Whom node i talks to; NULL: it is alone. */
static const struct ranks *ranks_of(const struct plan *p, const struct node *node,
                                    const struct ranks *all) {
    const struct ranks *group = NULL;

    if (p->training && !node->frozen && node->plan.ranks.kind && all && all->size > 1)
        group = all->group(all, node->plan.ranks);
    return group && group->size > 1 ? group : NULL;
}

void plan_place(struct plan *p, void *memory, struct team *team, const struct ranks *all) {
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
                              .ranks = ranks_of(p, node, all),
                              .training = p->training && !node->frozen,
                              .mode = g->mode};
        c->y.kind = c->dy.kind = node->plan.y_kind;
        c->y.memory = pn->y_slot < 0 ? NULL : base + p->slots[pn->y_slot].offset;
        c->dy.memory = pn->dy_slot < 0 ? NULL : base + p->slots[pn->dy_slot].offset;
        c->saved = pn->saved_slot < 0 ? NULL : base + p->slots[pn->saved_slot].offset;
        c->scratch = base + p->slot_bytes;
        c->dx_first = node->op ? pn->zero_dx & node->op->memory.overwrites : 0;
        place_params(p, node, c);
        for (int k = 0; k < node->n_x; k++) {
            const struct plan_node *x = &p->nodes[node->x[k]];
            pn->x[k].kind = pn->dx[k].kind = x->call.y.kind;
            pn->x[k].memory = x->call.y.memory;
            pn->dx[k].memory = pn->backward && x->backward ? x->call.dy.memory : NULL;
        }
    }
    for (int i = 0; i < p->n_refills; i++) {
        struct plan_refill *r = &p->refills[i];

        r->forward = p->nodes[r->node].call.y.memory;
        r->backward = base + p->slots[r->slot].offset;
    }
    p->n = -1; /* shapes are set by the first run */
}
