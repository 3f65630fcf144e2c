#include "train/replica.h"

#include <string.h>

static struct graph_config graph_config(struct replica *r, const struct replica_config *c,
                                        const struct section *section, const char *const *plain,
                                        int64_t batch) {
    return (struct graph_config){.model = &r->model,
                                 .source = &c->job->source,
                                 .section = section,
                                 .plain = plain,
                                 .model_entry = c->job->model,
                                 .fields = r->fields,
                                 .n_fields = r->n_fields,
                                 .batch = batch};
}

/* Classes that the data has in that field; NULL: of no field. */
static int n_classes(const struct replica_config *c, const char *field) {
    for (int i = 0; field && i < c->n_fields; i++)
        if (!strcmp(c->fields[i].name, field))
            return c->most_classes ? c->most_classes[i] : c->fields[i].n_classes;
    return 0;
}

/* Labels must be below the number of channels that they choose from. */
static int check_classes(const struct graph *g, const struct replica_config *c, struct err *err) {
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *node = &g->nodes[i];
        if (!node->op || !node->op->class_index)
            continue;
        const int64_t channels = shape_channels(&g->nodes[node->x[0]].plan.y);
        const int classes = n_classes(c, g->nodes[node->x[1]].field);
        if (classes > channels) {
            pos_error(err, node->pos,
                      "%s has %lld classes, but the network gives %lld numbers "
                      "here",
                      c->data_name, (long long)classes, (long long)channels);
            err->kind = ERR_DATA;
            return -1;
        }
    }
    return 0;
}

/* Nets with running statistics that this graph's training moves. */
static void find_running(struct replica *r, struct replica_step *s) {
    s->running = pool_take(&r->model.pool, (size_t)(r->model.n_nets + 1) * sizeof *s->running);
    for (int n = 0; n < r->model.n_nets; n++)
        for (int i = 0; i < s->graph->n_nodes; i++)
            if (s->plan->nodes[i].live && s->graph->nodes[i].net == r->model.nets[n] &&
                s->graph->nodes[i].plan.state[0].shape.rank) {
                s->running[s->n_running++] = r->model.nets[n];
                break;
            }
}

static bool is_mean(const struct graph *g, int node) {
    return g->nodes[node].op && shape_len(&g->nodes[node].plan.y) == 1 &&
           g->nodes[node].plan.y.rank == 1;
}

static int build_step(struct replica *r, const struct replica_config *c, int which,
                      struct err *err) {
    struct replica_step *s = &r->step[which];

    s->job = &c->job->step[which];
    const struct graph_config gc = graph_config(r, c, s->job->section, job_step_keys, c->batch);
    if (graph_new(&s->graph, &gc, err) ||
        graph_nets(&gc, s->job->train, &s->train, &s->n_train, err) ||
        check_classes(s->graph, c, err))
        return -1;
    for (int i = 0; i < s->n_train; i++)
        s->train[i]->trained = true;
    s->loss = graph_find(s->graph, "loss");
    if (s->loss < 0 || !is_mean(s->graph, s->loss))
        return pos_error(err, section_find(s->job->section, "loss")->pos,
                         "loss: expected a loss, as in cross_entropy(logits, label)");
    s->optimizer = (const struct optimizer *)(const void *)s->job->optimizer.word;
    r->n_steps++;
    return 0;
}

static int plan_step(struct replica *r, struct replica_step *s, struct err *err) {
    const struct plan_config pc = {.graph = s->graph,
                                   .outputs = &s->loss,
                                   .n_outputs = 1,
                                   .loss = s->loss,
                                   .train = s->train,
                                   .n_train = s->n_train,
                                   .training = true};

    if (plan_new(&s->plan, &pc, err))
        return -1;
    find_running(r, s);
    return 0;
}

/* How a sum, difference, product or quotient moves with its input k: 1, -1, or 0: not told. */
static int sign_of(const struct graph *g, const struct node *n, int k) {
    const char *word = n->op->word.name;

    if (!strcmp(word, "add") || !strcmp(word, "sub"))
        return word[0] == 's' && k == 1 ? -1 : 1;
    if (!strcmp(word, "mul") || (!strcmp(word, "div") && k == 0)) {
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

    if (n->op && n->op->count)
        return n->op->backward ? -1 : 1;
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

static int build_validate(struct replica *r, const struct replica_config *c, struct err *err) {
    const struct graph_config gc =
        graph_config(r, c, c->job->validate, job_validate_keys, c->validate_batch);

    if (graph_new(&r->validate, &gc, err) || check_classes(r->validate, c, err))
        return -1;
    if (!c->job->best)
        return 0;
    r->best = graph_find(r->validate, c->job->best);
    if (r->best < 0 || !is_mean(r->validate, r->best))
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

/* Every statement that is one number is a measure. */
static int plan_validate(struct replica *r, const struct replica_config *config, struct err *err) {
    struct graph *g = r->validate;
    int *outputs = pool_take(&r->model.pool, (size_t)(g->n_named + 1) * sizeof *outputs);
    int n = 0;

    for (int i = 0; i < g->n_named; i++)
        if (is_mean(g, g->named[i].node))
            outputs[n++] = g->named[i].node;
    if (!n)
        return pos_error(err, config->job->validate->pos,
                         "[validate] has no statement that is a loss or a metric");
    const struct plan_config pc = {
        .graph = g, .outputs = outputs, .n_outputs = n, .loss = -1, .training = false};
    return plan_new(&r->validate_plan, &pc, err);
}

static void copy_fields(struct replica *r, const struct replica_config *c) {
    struct field *fields = pool_take(&r->model.pool, (size_t)(c->n_fields + 1) * sizeof *fields);

    for (int i = 0; i < c->n_fields; i++) {
        fields[i] = c->fields[i];
        fields[i].name = pool_print(&r->model.pool, "%s", fields[i].name);
    }
    r->fields = fields;
    r->n_fields = c->n_fields;
}

int replica_init(struct replica *r, const struct replica_config *c, struct err *err) {
    copy_fields(r, c);
    r->best = -1;
    for (int i = 0; i < c->job->n_steps; i++)
        if (build_step(r, c, i, err))
            return -1;
    if (c->job->validate && c->validate_batch && build_validate(r, c, err))
        return -1;
    /* Plans need to know all nets: a later graph may add parameters to a span. */
    for (int i = 0; i < r->n_steps && c->training; i++)
        if (plan_step(r, &r->step[i], err))
            return -1;
    if (!c->training)
        for (int i = 0; i < r->model.n_nets; i++)
            r->model.nets[i]->trained = false;
    return r->validate ? plan_validate(r, c, err) : 0;
}

/* Parameters with and without decay, merged where neighbours agree. */
static void find_runs(struct pool *pool, const struct net *net, struct decay_run **runs, int *n) {
    for (int i = 0; i < net->weights.n; i++) {
        const struct param *p = &net->weights.items[i];
        const int64_t end = i + 1 < net->weights.n ? p[1].offset : net->weights.len;
        if (*n && (*runs)[*n - 1].decay == p->decay) {
            (*runs)[*n - 1].len = end - (*runs)[*n - 1].begin;
            continue;
        }
        *runs = pool_grow(pool, *runs, *n, sizeof **runs);
        (*runs)[(*n)++] = (struct decay_run){p->offset, end - p->offset, p->decay};
    }
}

size_t replica_activation_bytes(const struct replica *r) {
    size_t bytes = r->validate_plan ? plan_bytes(r->validate_plan) : 0;

    for (int i = 0; i < r->n_steps; i++)
        if (r->step[i].plan && plan_bytes(r->step[i].plan) > bytes)
            bytes = plan_bytes(r->step[i].plan);
    return bytes;
}

size_t replica_moment_bytes(const struct replica *r) {
    size_t bytes = 0;

    for (int i = 0; i < r->n_steps; i++)
        for (int k = 0; r->step[i].plan && k < r->step[i].n_train; k++)
            bytes += (size_t)r->step[i].optimizer->n_moments *
                     arena_round((size_t)r->step[i].train[k]->weights.len * sizeof(real));
    return bytes;
}

size_t replica_bytes(const struct replica *r) {
    return model_bytes(&r->model) + replica_activation_bytes(r) + replica_moment_bytes(r);
}

int replica_allocate(struct replica *r, const struct replica_config *c, struct err *err) {
    const size_t activations = arena_round(replica_activation_bytes(r));

    if (team_new(&r->team, c->threads, err) || model_allocate(&r->model, c->job->seed, err) ||
        arena_init(&r->arena, activations + replica_moment_bytes(r), err))
        return -1;
    void *memory = arena_take(&r->arena, activations);
    if (r->validate_plan)
        plan_place(r->validate_plan, memory, r->team);
    for (int i = 0; i < r->n_steps; i++) {
        struct replica_step *s = &r->step[i];
        if (!s->plan)
            continue;
        plan_place(s->plan, memory, r->team);
        s->nets = pool_take(&r->model.pool, (size_t)(s->n_train + 1) * sizeof *s->nets);
        for (int k = 0; k < s->n_train; k++) {
            find_runs(&r->model.pool, s->train[k], &s->nets[k].runs, &s->nets[k].n_runs);
            for (int m = 0; m < s->optimizer->n_moments; m++)
                s->nets[k].moment[m] =
                    arena_take(&r->arena, (size_t)s->train[k]->weights.len * sizeof(real));
        }
    }
    return 0;
}

void replica_release(struct replica *r) {
    team_free(r->team);
    arena_release(&r->arena);
    model_release(&r->model);
    *r = (struct replica){0};
}

void replica_update(struct replica_step *s, int net, int64_t begin, int64_t len, double lr,
                    double scale) {
    const int64_t end = begin + len;

    for (int i = 0; i < s->nets[net].n_runs; i++) {
        const struct decay_run *run = &s->nets[net].runs[i];
        const int64_t from = run->begin > begin ? run->begin : begin;
        const int64_t to = run->begin + run->len < end ? run->begin + run->len : end;
        if (from >= to)
            continue;
        struct optim_call call = {.w = s->train[net]->w + from,
                                  .dw = s->train[net]->dw + from,
                                  .len = to - from,
                                  .lr = lr,
                                  .scale = scale,
                                  .t = s->n_updates + 1,
                                  .decay = run->decay};
        for (int m = 0; m < s->optimizer->n_moments; m++)
            call.moment[m] = s->nets[net].moment[m] + from;
        s->optimizer->step(s->job->optimizer.args, &call);
    }
}
