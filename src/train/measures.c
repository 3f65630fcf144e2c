/* measures.c - what a validation measures and pictures show: their graphs and plans. */
#include "train/picture.h"
#include "train/replica_parts.h"
#include "core/graph/fuse.h"

#include <math.h>
#include <string.h>

enum { LARGEST_TABLE = 4096 };

bool replica_is_number(const struct graph *g, int node) {
    return g->nodes[node].op && shape_len(&g->nodes[node].plan.y) == 1 &&
           g->nodes[node].plan.y.rank == 1;
}

bool replica_is_table(const struct graph *g, int node) {
    const int64_t len = shape_len(&g->nodes[node].plan.y);

    return len > 1 && len <= LARGEST_TABLE && g->nodes[node].from_means;
}

/* How arithmetic moves with its input k: 1, -1, or 0: not told. */
static int sign_of(const struct graph *g, const struct node *n, int k) {
    const enum op_arithmetic arithmetic = n->op->meaning.arithmetic;

    if (arithmetic == OP_SUM || arithmetic == OP_DIFFERENCE)
        return arithmetic == OP_DIFFERENCE && k == 1 ? -1 : 1;
    if (arithmetic == OP_GROWTH)
        return 1;
    if (arithmetic == OP_PRODUCT || (arithmetic == OP_QUOTIENT && k == 0)) {
        const struct node *factor = &g->nodes[n->x[!k]];
        return factor->op || factor->field ? 0 : (factor->number > 0) - (factor->number < 0);
    }
    return 0;
}

/* Which way a measure gets better: 1 where it should grow, -1 where it should fall, 0 where that
 * cannot be told. Metrics, which have no gradient, grow as things get better; losses fall. */
static int better_way(const struct graph *g, int node) {
    const struct node *n = &g->nodes[node];
    int way = 0;

    if (n->op && (n->op->meaning.better || n->op->count))
        return n->op->meaning.better ? n->op->meaning.better : n->op->backward ? -1 : 1;
    for (int k = 0; k < n->n_x; k++) {
        if (!g->nodes[n->x[k]].op)
            continue; /* a number */
        const int part = sign_of(g, n, k) * better_way(g, n->x[k]);
        if (!part || (way && way != part))
            return 0;
        way = part;
    }
    return way;
}

/* Arguments of `op` that leave out the class that another operator leaves out. */
static void *args_ignoring(struct pool *pool, const struct op *op, int ignored) {
    char *args = pool_take(pool, op->word.args_size);

    word_defaults(&op->word, args);
    for (const struct arg_spec *a = op->word.args; a->name; a++)
        if (!strcmp(a->name, "ignore"))
            *(int *)(void *)(args + a->offset) = ignored;
    return args;
}

/* The confusion matrix of the first loss or metric that takes logits and labels. */
static int add_per_class(struct replica *r, struct err *err) {
    struct graph *g = r->validate;
    const struct op *confusion = op_find("confusion");
    int64_t limit;

    for (int i = 0; i < g->n_nodes && r->per_class < 0; i++) {
        const struct node *n = &g->nodes[i];
        const int x[2] = {n->x[0], n->x[1]};

        if (!n->op || !n->op->count || graph_class_input(g, i, &limit) != 1 ||
            !(g->nodes[x[1]].op || g->nodes[x[1]].field))
            continue;
        const void *args = args_ignoring(&r->model.pool, confusion, op_ignored(n->op, n->args));
        if ((r->per_class = graph_apply(g, confusion, args, x, 2, n->pos, err)) < 0)
            return -1;
    }
    return 0;
}

int replica_build_validate(struct replica *r, const struct replica_config *c, struct err *err) {
    const struct graph_config gc =
        replica_graph_config(r, c, c->job->validate, c->job->validate_keys, c->validate_batch);
    const struct replica_data train = replica_train_data(c);

    if (graph_new(&r->validate, &gc, err) ||
        replica_check_fields(r->validate, c->validate_data ? c->validate_data : &train, err) ||
        replica_check_classes(r->validate, c->validate_data ? c->validate_data : &train, err))
        return -1;
    if (c->per_class && add_per_class(r, err))
        return -1;
    if (!c->job->best)
        return 0;
    r->best = graph_find(r->validate, c->job->best);
    if (r->best < 0 || !replica_is_number(r->validate, r->best))
        return pos_error(err, section_find(c->job->validate, "best")->pos,
                         "best: '%s' is no loss or metric", c->job->best);
    const int way = better_way(r->validate, r->best);
    if (!way)
        return pos_error(err, section_find(c->job->validate, "best")->pos,
                         "best: whether '%s' should grow or fall cannot be told: losses fall, "
                         "metrics grow, and this mixes them",
                         c->job->best);
    r->maximise = way > 0;
    return 0;
}

static void list_measures(struct replica *r) {
    const struct graph *g = r->validate;
    const size_t room = (size_t)g->n_named + 1;
    struct replica_measures *m = &r->measures;

    m->name = pool_take(&r->model.pool, room * sizeof *m->name);
    m->node = pool_take(&r->model.pool, room * sizeof *m->node);
    m->error = pool_take(&r->model.pool, room * sizeof *m->error);
    for (int pass = r->best >= 0 ? 0 : 1; pass < 2; pass++)
        for (int k = 0; k < g->n_named; k++) {
            const bool best = g->named[k].node == r->best;
            if (!replica_is_number(g, g->named[k].node) || best != (pass == 0))
                continue;
            m->name[m->n] = g->named[k].name;
            m->error[m->n] = (double)NAN;
            m->node[m->n++] = g->named[k].node;
        }
}

/* Every statement that is one number is a measure. */
int replica_plan_validate(struct replica *r, const struct replica_config *config, struct err *err) {
    struct graph *g = r->validate;
    int *outputs = pool_take(&r->model.pool, (size_t)(g->n_named + 2) * sizeof *outputs);
    int n = 0;

    for (int i = 0; i < g->n_named; i++)
        if (replica_is_number(g, g->named[i].node) || replica_is_table(g, g->named[i].node))
            outputs[n++] = g->named[i].node;
    if (!n)
        return pos_error(err, config->job->validate->pos,
                         "[validate] has no statement that is a loss or a metric");
    if (r->per_class >= 0)
        outputs[n++] = r->per_class;
    list_measures(r);
    graph_fuse(g, outputs, n, false);
    const struct plan_config pc = {
        .graph = g, .outputs = outputs, .n_outputs = n, .loss = -1, .training = false};
    return plan_new(&r->validate_plan, &pc, err);
}

int replica_build_picture(struct replica *r, const struct replica_config *c, int which,
                          struct err *err) {
    struct replica_picture *p = &r->picture[which];
    const struct job_picture *job = &c->job->picture[which];
    const int64_t batch = job->count < c->validate_batch ? job->count : c->validate_batch;
    const struct graph_config gc =
        replica_graph_config(r, c, job->section, c->job->picture_keys, batch);

    p->job = job;
    if (graph_new(&p->graph, &gc, err) ||
        (c->validate_data && replica_check_fields(p->graph, c->validate_data, err)))
        return -1;
    p->show = pool_take(&r->model.pool, (size_t)(p->graph->n_named + 1) * sizeof *p->show);
    for (int i = 0; i < p->graph->n_named; i++)
        if (!strcmp(p->graph->named[i].name, "show"))
            p->show[p->n_show++] = p->graph->named[i].node;
    if (!p->n_show)
        return pos_error(err, section_find(job->section, "show")->pos,
                         "show: expected tensors, as in show = image, fake");
    r->n_pictures++;
    return picture_check(p, err);
}

int replica_plan_picture(struct replica *r, int which, struct err *err) {
    struct replica_picture *p = &r->picture[which];
    const struct plan_config pc = {
        .graph = p->graph, .outputs = p->show, .n_outputs = p->n_show, .loss = -1, .tensors = true};

    graph_fuse(p->graph, p->show, p->n_show, false);
    return plan_new(&p->plan, &pc, err);
}
