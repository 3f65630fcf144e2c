#include "train/probe.h"
#include "dist/agree.h"
#include "train/node_label.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct probing {
    const struct probe_config *config;
    struct replica_step *step;
    struct plan *plan;
    struct probe_hit *hit;
    struct probe_cut cut;
    bool backward;
    int last;     /* node whose backward has just run; -1: none */
    double *sums; /* [plan_n_values, n_leaves] of all cuts, then of one */
    real **state; /* [n_nets] running statistics as they were */
};

/* --- looking at a tensor --- */

static bool has_samples(const struct probe_seen *seen) {
    return seen->what != PROBE_TAIL && seen->what != PROBE_DW && seen->shape.rank > 0 &&
           seen->shape.dim[0] == seen->cut.n && seen->cut.n > 0;
}

/* Which samples the numbers are of. */
static void find_samples(struct probe_hit *hit, const struct probe_seen *seen, int64_t len) {
    const int64_t row = len / seen->cut.n;

    for (int64_t i = 0; i < seen->cut.n; i++) {
        int64_t k = 0;
        while (k < row && isfinite(seen->v[i * row + k]))
            k++;
        if (k == row)
            continue;
        if (hit->n_samples < PROBE_SAMPLES)
            hit->sample[hit->n_samples] = seen->cut.first + i;
        hit->n_samples++;
    }
}

static void find(struct probe_hit *hit, const struct probe_seen *seen) {
    const int64_t len = shape_len(&seen->shape);
    int64_t n_bad = 0, first = -1;

    for (int64_t i = 0; i < len; i++)
        if (!isfinite(seen->v[i])) {
            first = n_bad ? first : i;
            n_bad++;
        }
    if (!n_bad)
        return;
    *hit = (struct probe_hit){.found = true,
                              .seen = *seen,
                              .at = first,
                              .value = (double)seen->v[first],
                              .n_bad = n_bad,
                              .in_min = (double)NAN,
                              .in_max = (double)NAN};
    if (has_samples(seen))
        find_samples(hit, seen, len);
    hit->seen.v = NULL;
}

static void look(struct probing *p, struct probe_seen seen) {
    seen.cut = p->cut;
    if (!seen.v || shape_len(&seen.shape) <= 0)
        return;
    if (!p->hit->found)
        find(p->hit, &seen);
    if (p->config->look)
        p->config->look(p->config->context, &seen);
}

static const float *numbers(const struct tensor *t) {
    return t->kind == TENSOR_ACTS ? t->data : t->kind == TENSOR_REALS ? t->reals : NULL;
}

/* What an operator has read, which may be gone: in-place operators write over it. */
static void measure_inputs(struct probing *p, int node) {
    const struct plan_node *pn = &p->plan->nodes[node];
    double low = HUGE_VAL, high = -HUGE_VAL;

    for (int k = 0; k < pn->call.n_x; k++) {
        const float *v = numbers(&pn->x[k]);
        if (!v || v == numbers(&pn->call.y))
            continue;
        for (int64_t i = 0; i < shape_len(&pn->x[k].shape); i++)
            if (isfinite(v[i])) {
                low = fmin(low, (double)v[i]);
                high = fmax(high, (double)v[i]);
            }
    }
    if (low <= high) {
        p->hit->in_min = low;
        p->hit->in_max = high;
    }
}

static void look_forward(struct probing *p, int node, enum probe_what what) {
    const struct node *n = &p->step->graph->nodes[node];
    const struct tensor *y = &p->plan->nodes[node].call.y;
    const bool before = p->hit->found;

    if (!n->op && !n->field)
        return;
    look(p,
         (struct probe_seen){
             .what = n->op ? what : PROBE_FIELD, .node = node, .shape = y->shape, .v = numbers(y)});
    if (!before && p->hit->found && n->op)
        measure_inputs(p, node);
}

static void look_backward(struct probing *p, int node) {
    const struct node *n = &p->step->graph->nodes[node];
    const struct plan_node *pn = &p->plan->nodes[node];

    for (int k = 0; k < pn->call.n_x; k++)
        look(p, (struct probe_seen){.what = PROBE_DX,
                                    .node = node,
                                    .k = k,
                                    .shape = pn->dx[k].shape,
                                    .v = numbers(&pn->dx[k])});
    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        if (pn->call.dw[k])
            look(p, (struct probe_seen){.what = PROBE_DW,
                                        .node = node,
                                        .k = k,
                                        .shape = n->plan.w[k].shape,
                                        .v = pn->call.dw[k]});
}

/* In backward an operator may be told of more than once before it is done; what comes between
 * operators is told of after it. */
static void watch(void *context, int node, enum run_phase phase) {
    struct probing *p = context;

    if (!p->backward) {
        if (phase == RUN_FORWARD && p->plan->n > 0)
            look_forward(p, node, PROBE_OUTPUT);
        return;
    }
    if (phase == RUN_OTHER && p->last >= 0)
        look_backward(p, p->last);
    p->last = phase == RUN_OTHER ? -1 : node;
}

/* --- computing --- */

static int take_memory(struct probing *p, struct err *err) {
    const struct model *m = &p->config->replica->model;
    const size_t n = (size_t)plan_n_values(p->plan) + (size_t)p->plan->n_leaves;
    bool enough = true;

    p->sums = calloc(2 * n + 1, sizeof *p->sums);
    p->state = calloc((size_t)m->n_nets + 1, sizeof *p->state);
    for (int i = 0; p->state && i < m->n_nets; i++) {
        const size_t bytes = (size_t)m->nets[i]->states.len * sizeof(real);
        p->state[i] = malloc(bytes + 1);
        enough = enough && p->state[i];
        if (p->state[i] && bytes)
            memcpy(p->state[i], m->nets[i]->state, bytes);
    }
    return p->sums && p->state && enough
               ? 0
               : err_set(err, ERR_IO, "no memory to compute the step again");
}

static void restore_running(const struct probing *p) {
    const struct model *m = &p->config->replica->model;

    for (int i = 0; i < m->n_nets; i++)
        if (m->nets[i]->states.len)
            memcpy(m->nets[i]->state, p->state[i], (size_t)m->nets[i]->states.len * sizeof(real));
}

static void give_memory(struct probing *p) {
    for (int i = 0; p->state && i < p->config->replica->model.n_nets; i++)
        free(p->state[i]);
    free(p->state);
    free(p->sums);
}

static void forward(struct probing *p, int cut, struct run_context *run) {
    const struct probe_config *c = p->config;

    p->cut = c->cut[cut];
    p->backward = false;
    if (p->cut.n > 0)
        feed_point(p->plan, c->replica->fields, c->replica->n_fields, &c->batch->data,
                   p->cut.first);
    run_resize(p->plan, p->cut.n);
    run->first = c->batch->first + p->cut.first;
    run_forward(p->plan, run);
    restore_running(p);
}

/* The means of all ranks, and what is computed from them. */
static void find_means(struct probing *p) {
    const int64_t n = plan_n_values(p->plan);
    double *totals = p->sums + n;

    if (p->config->comm)
        comm_sum_doubles(p->config->comm, p->sums, (int)n + p->plan->n_leaves);
    if (p->config->totals)
        memcpy(totals, p->config->totals, (size_t)p->plan->n_leaves * sizeof *totals);
    if (p->config->found_totals)
        memcpy(p->config->found_totals, totals, (size_t)p->plan->n_leaves * sizeof *totals);
    run_tail(p->plan, p->sums, totals, 0);
    for (int i = 0; i < p->step->graph->n_nodes; i++)
        if (p->plan->nodes[i].live && p->plan->nodes[i].tail)
            look_forward(p, i, PROBE_TAIL);
}

/* Does any rank have what is not finite? */
static bool somebody_has(const struct probing *p) {
    const double has = p->hit->found;

    return p->config->comm ? comm_max_double(p->config->comm, has) > 0 : has > 0;
}

static void compute(struct probing *p) {
    const struct probe_config *c = p->config;
    const int64_t n = plan_n_values(p->plan) + p->plan->n_leaves;
    struct run_context run = {.seed = c->seed,
                              .step = (uint64_t)c->step * JOB_MAX_STEPS + (uint64_t)c->which,
                              .totals = p->sums + plan_n_values(p->plan),
                              .watch = watch,
                              .whole = true,
                              .context = p,
                              .pulse = c->comm ? comm_pulse(c->comm) : NULL};

    for (int i = 0; i < c->n_cuts; i++) {
        forward(p, i, &run);
        run_leaves(p->plan, p->sums + n, p->sums + n + plan_n_values(p->plan));
        for (int64_t k = 0; k < n; k++)
            p->sums[k] += p->sums[n + k];
    }
    if (somebody_has(p) && !c->backward)
        return;
    find_means(p);
    if (somebody_has(p) && !c->backward)
        return;
    for (int i = 0; i < c->n_cuts; i++) {
        if (c->n_cuts > 1) /* values of the other parts are gone */
            forward(p, i, &run);
        p->backward = true;
        p->last = -1;
        run_backward(p->plan, &run);
        run.adds = true;
    }
}

int probe_run(const struct probe_config *c, struct probe_hit *hit, struct err *err) {
    struct replica_step *step = &c->replica->step[c->which];
    struct probing p = {.config = c, .step = step, .plan = step->plan, .hit = hit};
    int rc = take_memory(&p, err);

    rc = c->comm ? agree(c->comm, rc, err) : rc;
    *hit = (struct probe_hit){0};
    if (!rc)
        compute(&p);
    give_memory(&p);
    return rc;
}

/* --- in words --- */

const char *probe_place(const struct shape *s, int64_t at, struct pool *pool) {
    const char *text = "";

    for (int i = s->rank - 1; i >= 0; at /= s->dim[i], i--)
        text = pool_print(pool, "%" PRId64 "%s%s", at % s->dim[i], text[0] ? ", " : "", text);
    return text;
}

const char *probe_text(const struct graph *g, const struct probe_seen *seen, int64_t at,
                       struct pool *pool) {
    const struct node *node = &g->nodes[seen->node];
    const char *label = node_label(g, seen->node, pool);
    const char *where = pool_print(pool, " at [%s]", probe_place(&seen->shape, at, pool));

    switch (seen->what) {
    case PROBE_FIELD:
        return pool_print(pool, "field %s%s", label, where);
    case PROBE_OUTPUT:
        return pool_print(pool, "output of %s%s", label, where);
    case PROBE_TAIL:
        return pool_print(pool, "value of %s", label);
    case PROBE_DX:
        return pool_print(pool, "gradient of %s%s", node_label(g, node->x[seen->k], pool), where);
    case PROBE_DW:
        break;
    }
    return pool_print(pool, "gradient of %s of net %s%s",
                      node->net->weights.items[node->w[seen->k]].name, node->net->name, where);
}
