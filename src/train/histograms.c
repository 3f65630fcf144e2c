#include "train/histograms.h"
#include "train/node_label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An activation that is looked at. */
struct seen_node {
    int which, node;
    int item; /* of tell.list */
    bool done;
};

struct histograms {
    struct replica *replica;    /* borrowed */
    struct event_tensor *item;  /* [n] weights, then gradients, then activations */
    int n, n_weights, n_params; /* n_params: weights and gradients together */
    struct seen_node *node;     /* [n_nodes] in the order in which they are computed */
    int n_nodes;
    real **gradient; /* [n_nets] copies, as net->dw; NULL: it has none */
    real **state;    /* [n_nets] copies of running statistics, as net->state; NULL: it has none */
    bool *moved;     /* [n_nets] some gradient of this step is there */
    int64_t channels;
    struct stats_room *room;
    struct pool pool;
};

/* Where the nodes of a step are looked at. */
static struct plan *plan_of(const struct histograms *h, int which) {
    const struct replica_step *s = &h->replica->step[which];

    return s->seen ? s->seen : s->plan;
}

static int add(struct histograms *h, const char *net, const char *name,
               enum event_tensor_kind kind) {
    h->item = pool_grow(&h->pool, h->item, h->n, sizeof *h->item);
    h->item[h->n] = (struct event_tensor){.net = net, .name = name, .kind = kind};
    return h->n++;
}

static void list_params(struct histograms *h, enum event_tensor_kind kind) {
    const struct model *m = &h->replica->model;

    for (int i = 0; i < m->n_nets; i++)
        for (int k = 0; k < m->nets[i]->weights.n; k++) {
            const struct param *p = &m->nets[i]->weights.items[k];
            if (kind == EVENT_WEIGHT || (m->nets[i]->trained && !p->frozen))
                add(h, m->nets[i]->name, p->name, kind);
        }
}

static bool is_listed(const struct histograms *h, const char *net, const char *name) {
    for (int i = h->n_params; i < h->n; i++)
        if (!strcmp(h->item[i].net, net) && !strcmp(h->item[i].name, name))
            return true;
    return false;
}

/* Parts of nets, and what activates them; of a net that is used several times, in the first. */
static bool is_wanted(const struct plan *p, int i) {
    const struct node *node = &p->graph->nodes[i];

    return p->nodes[i].live && !p->nodes[i].tail && node->op && node->home &&
           node->plan.y_kind == TENSOR_ACTS && node->plan.y.rank > 1 &&
           ((node->part && node->part->name) || node->op->fusion.role == FUSION_ACTIVATION);
}

static void add_node(struct histograms *h, int which, int i, const char *net, const char *name) {
    const struct shape *y = &plan_of(h, which)->graph->nodes[i].plan.y;

    if (is_listed(h, net, name))
        return;
    h->node = pool_grow(&h->pool, h->node, h->n_nodes, sizeof *h->node);
    h->node[h->n_nodes++] =
        (struct seen_node){which, i, add(h, net, name, EVENT_ACTIVATION), false};
    if (y->dim[y->rank - 1] > h->channels)
        h->channels = y->dim[y->rank - 1];
}

/* Statements of a step that are tensors, under their own names. */
static const char *statement_of(const struct graph *g, int i) {
    for (int k = 0; k < g->n_named; k++)
        if (g->named[k].node == i && g->nodes[i].op && !g->nodes[i].op->count &&
            !g->nodes[i].from_means && g->nodes[i].plan.y_kind == TENSOR_ACTS)
            return g->named[k].name;
    return NULL;
}

static void list_nodes(struct histograms *h, int which) {
    const struct plan *p = plan_of(h, which);

    for (int i = 0; i < p->graph->n_nodes; i++) {
        const struct node *node = &p->graph->nodes[i];
        if (is_wanted(p, i))
            add_node(h, which, i, node->home->name, node_label(p->graph, i, &h->pool));
        else if (p->nodes[i].live && statement_of(p->graph, i))
            add_node(h, which, i, "", statement_of(p->graph, i));
    }
}

/* Gradients as large as those of the nets. */
static bool make_room(struct histograms *h) {
    const struct model *m = &h->replica->model;
    const size_t n = (size_t)m->n_nets + 1;
    bool there = true;

    h->moved = pool_take(&h->pool, n * sizeof *h->moved);
    h->gradient = pool_take(&h->pool, n * sizeof *h->gradient);
    h->state = pool_take(&h->pool, n * sizeof *h->state);
    for (int i = 0; i < m->n_nets; i++) {
        h->state[i] = calloc((size_t)m->nets[i]->states.len + 1, sizeof *h->state[i]);
        there = there && h->state[i];
        if (!m->nets[i]->trained)
            continue;
        h->gradient[i] =
            calloc((size_t)m->nets[i]->weights.trained_len + 1, sizeof *h->gradient[i]);
        there = there && h->gradient[i];
    }
    h->room = stats_room_new(h->channels);
    return there && h->room;
}

int histograms_new(struct histograms **out, struct replica *r, const struct job *job,
                   struct err *err) {
    if (!job->histograms.steps && !(job->histograms.epochs > 0))
        return 0;
    struct histograms *h = calloc(1, sizeof *h);
    if (!h)
        return err_set(err, ERR_IO, "no memory for histograms");
    h->replica = r;
    list_params(h, EVENT_WEIGHT);
    h->n_weights = h->n;
    list_params(h, EVENT_GRADIENT);
    h->n_params = h->n;
    for (int i = 0; i < r->n_steps; i++)
        list_nodes(h, i);
    if (!make_room(h)) {
        histograms_free(h);
        return err_set(err, ERR_IO, "no memory for [log] histograms: a copy of all gradients");
    }
    *out = h;
    return 0;
}

void histograms_free(struct histograms *h) {
    if (!h)
        return;
    for (int i = 0; h->gradient && i < h->replica->model.n_nets; i++) {
        free(h->gradient[i]);
        free(h->state[i]);
    }
    stats_room_free(h->room);
    pool_release(&h->pool);
    free(h);
}

void histograms_begin(struct histograms *h) {
    for (int i = 0; i < h->n_nodes; i++)
        h->node[i].done = false;
    for (int i = 0; i < h->replica->model.n_nets; i++)
        h->moved[i] = false;
}

/* Where a batch is computed in parts, the first is looked at. */
static void look_at_node(struct histograms *h, int which, int node) {
    const struct plan *p = plan_of(h, which);
    const struct tensor *y = &p->nodes[node].call.y;

    for (int i = 0; i < h->n_nodes && p->n > 0; i++) {
        struct seen_node *s = &h->node[i];
        if (s->which != which || s->node != node || s->done)
            continue;
        s->done = true;
        tensor_stats_of(y->data, shape_len(&y->shape), y->shape.dim[y->shape.rank - 1], h->room,
                        h->replica->team, &h->item[s->item].stats);
    }
}

void histograms_see_node(struct histograms *h, int which, int node) {
    if (!h->replica->step[which].seen)
        look_at_node(h, which, node);
}

/* A forward as written, and who is told of its nodes. */
struct written_run {
    struct histograms *histograms;
    int which;
};

static void watch(void *context, int node, enum run_phase phase) {
    const struct written_run *w = context;

    if (phase == RUN_FORWARD)
        look_at_node(w->histograms, w->which, node);
}

/* Running statistics come and go. */
static void keep_states(struct histograms *h, bool restore) {
    const struct model *m = &h->replica->model;

    for (int i = 0; i < m->n_nets; i++) {
        const struct net *net = m->nets[i];
        const size_t bytes = (size_t)net->states.len * sizeof(real);
        if (bytes)
            memcpy(restore ? net->state : h->state[i], restore ? h->state[i] : net->state, bytes);
    }
}

void histograms_compute(struct histograms *h, const struct feed_batch *batch, uint64_t seed,
                        int64_t step) {
    const struct replica *r = h->replica;

    keep_states(h, false);
    for (int i = 0; i < r->n_steps && batch->data.n > 0; i++) {
        struct plan *p = r->step[i].seen;
        struct written_run written = {h, i};
        const struct run_context run = {.seed = seed,
                                        .step = (uint64_t)step * JOB_MAX_STEPS + (uint64_t)i,
                                        .first = batch->first,
                                        .watch = watch,
                                        .context = &written};
        if (!p || step % r->step[i].job->every)
            continue;
        feed_point(p, r->fields, r->n_fields, &batch->data, 0);
        run_resize(p, batch->data.n < p->graph->batch ? batch->data.n : p->graph->batch);
        run_forward(p, &run);
    }
    keep_states(h, true);
}

void histograms_see_gradient(struct histograms *h, int which, const struct reducer_piece *piece) {
    const struct net *net = h->replica->step[which].train[piece->span];

    h->moved[net->index] = true;
    memcpy(h->gradient[net->index] + piece->begin, piece->sum,
           (size_t)piece->len * sizeof *piece->sum);
}

/* The statistics of a parameter's weights or gradients. False: it has none in this step. */
static bool look_at_param(struct histograms *h, const struct net *net, const struct param *p,
                          struct event_tensor *item) {
    const bool weight = item->kind == EVENT_WEIGHT;
    const real *v = weight ? net->w : h->gradient[net->index];

    if (!weight && !h->moved[net->index])
        return false;
    tensor_stats_of(v + p->offset, p->len, 0, h->room, h->replica->team, &item->stats);
    return true;
}

static void look_at_params(struct histograms *h) {
    const struct model *m = &h->replica->model;

    for (int i = 0; i < h->n_params; i++) {
        struct event_tensor *item = &h->item[i];
        const struct net *net = model_find(m, item->net);
        const int k = names_find(&net->weights.names, "", item->name);
        item->there = look_at_param(h, net, &net->weights.items[k], item);
    }
}

struct event_tensors histograms_end(struct histograms *h) {
    look_at_params(h);
    for (int i = 0; i < h->n_nodes; i++)
        h->item[h->node[i].item].there = h->node[i].done;
    return (struct event_tensors){h->item, h->n};
}
