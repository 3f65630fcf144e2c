#include "train/local_sgd.h"
#include "train/replica_parts.h"
#include "core/graph/fuse.h"
#include "core/math/gemm.h"

#include <string.h>

struct graph_config replica_graph_config(struct replica *r, const struct replica_config *c,
                                         const struct section *section, const char *const *plain,
                                         int64_t batch) {
    return (struct graph_config){.model = &r->model,
                                 .source = &c->job->source,
                                 .section = section,
                                 .plain = plain,
                                 .model_entry = c->job->model,
                                 .fields = r->fields,
                                 .n_fields = r->n_fields,
                                 .batch = batch,
                                 .mode = &c->job->mode};
}

/* Ranks stand for shards where each has one, and what they sum does not depend on their hosts. */
static int check_shards(const struct node *node, int shards, int size, struct err *err) {
    if (!shards || !node->plan.ranks.kind)
        return 0;
    if (node->plan.ranks.kind == RANKS_HOST)
        return pos_error(err, node->pos,
                         "%s: sync is host, and with reduction = reproducible nothing depends on "
                         "who is on which host; expected none, all or a number",
                         node->op->word.name);
    if (size != shards)
        return pos_error(err, node->pos,
                         "%s: sync needs all shards at a time, and reduction = reproducible has %d "
                         "of them for %d rank%s; expected as many ranks as shards",
                         node->op->word.name, shards, size, size == 1 ? "" : "s");
    return 0;
}

/* Groups of so many ranks must be possible. One rank alone is a group of any size: jobs are tried
 * so. */
static int check_groups(const struct graph *g, const struct ranks *all, int shards,
                        struct err *err) {
    for (int i = 0; i < g->n_nodes; i++) {
        const struct ranks_group *group = &g->nodes[i].plan.ranks;

        if (check_shards(&g->nodes[i], shards, all ? all->size : 1, err))
            return -1;
        if (group->kind == RANKS_EVERY && all && all->size > 1 && all->size % group->n)
            return pos_error(err, g->nodes[i].pos,
                             "%s: sync is %d, but %d ranks are no whole number of such groups",
                             g->nodes[i].op->word.name, group->n, all->size);
    }
    return 0;
}

/* Nets with running statistics that this graph's training moves. */
static void find_running(struct replica *r, struct replica_step *s) {
    s->running = pool_take(&r->model.pool, (size_t)(r->model.n_nets + 1) * sizeof *s->running);
    for (int n = 0; n < r->model.n_nets; n++)
        for (int i = 0; i < s->graph->n_nodes; i++)
            if (s->plan->nodes[i].live && s->graph->nodes[i].net == r->model.nets[n] &&
                s->graph->nodes[i].plan.state[0].shape.rank && !s->graph->nodes[i].frozen) {
                s->running[s->n_running++] = r->model.nets[n];
                break;
            }
}

static bool trains(const struct replica_step *s, const struct net *net) {
    for (int i = 0; i < s->n_train; i++)
        if (s->train[i] == net)
            return true;
    return false;
}

/* freeze and lr_scale. */
static int select_parts(struct replica_step *s, const struct graph_config *gc, struct err *err) {
    const struct job_step *job = s->job;

    if (job->freeze && graph_select(gc, job->freeze, false, &s->freeze, &s->n_freeze, err))
        return -1;
    graph_freeze(s->graph, s->freeze, s->n_freeze);
    if (job->lr_scale && graph_select(gc, job->lr_scale, true, &s->lr_scale, &s->n_lr_scale, err))
        return -1;
    for (int i = 0; i < s->n_lr_scale; i++)
        if (!trains(s, s->lr_scale[i].net))
            return pos_error(err, job->lr_scale->pos, "lr_scale: this step does not train net %s",
                             s->lr_scale[i].net->name);
    return 0;
}

/* Is there somebody who looks, and something that fusion hides? */
static bool wants_seen(const struct replica_config *c) {
    const struct interval *every = &c->job->histograms;

    return c->training && c->job->mode.fusion && (every->steps || every->epochs > 0);
}

static int build_step(struct replica *r, const struct replica_config *c, int which,
                      struct err *err) {
    struct replica_step *s = &r->step[which];
    const struct replica_data train = replica_train_data(c);

    s->job = &c->job->step[which];
    const struct graph_config gc =
        replica_graph_config(r, c, s->job->section, c->job->step_keys, c->batch);
    if (graph_new(&s->graph, &gc, err) ||
        graph_nets(&gc, s->job->train, &s->train, &s->n_train, err) ||
        replica_check_classes(s->graph, &train, err) ||
        check_groups(s->graph, c->ranks, r->shards, err) || select_parts(s, &gc, err))
        return -1;
    for (int i = 0; i < s->n_train; i++) {
        s->train[i]->trained = true;
        s->train[i]->averaged = s->train[i]->averaged || s->job->ema > 0;
    }
    s->loss = graph_find(s->graph, "loss");
    if (s->loss < 0 || !replica_is_number(s->graph, s->loss))
        return pos_error(err, section_find(s->job->section, "loss")->pos,
                         "loss: expected a loss, as in cross_entropy(logits, label)");
    s->optimizer = (const struct optimizer *)(const void *)s->job->optimizer.word;
    r->n_steps++;
    return wants_seen(c) ? replica_build_seen(r, &gc, s, err) : 0;
}

static int plan_step(struct replica *r, const struct replica_config *c, struct replica_step *s,
                     struct err *err) {
    const struct plan_config pc = {.graph = s->graph,
                                   .outputs = &s->loss,
                                   .n_outputs = 1,
                                   .loss = s->loss,
                                   .train = s->train,
                                   .n_train = s->n_train,
                                   .training = true,
                                   .in_parts = c->job->accumulate > 1 ||
                                               r->shards > (c->ranks ? c->ranks->size : 1)};

    graph_fuse(s->graph, &s->loss, 1, true);
    if (plan_new(&s->plan, &pc, err) || (s->written && replica_plan_seen(s, err)))
        return -1;
    find_running(r, s);
    s->nets = pool_take(&r->model.pool, (size_t)(s->n_train + 1) * sizeof *s->nets);
    return 0;
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

/* Does any step move this parameter? */
static bool is_trained(const struct replica *r, const struct net *net, const char *param) {
    for (int i = 0; i < r->n_steps; i++)
        if (trains(&r->step[i], net) &&
            !selection_of(r->step[i].freeze, r->step[i].n_freeze, net, param))
            return true;
    return false;
}

/* What no step trains needs no gradients and no moments. A net of which nothing is trained is left
 * as it is: its plan says what is wrong. */
static void arrange(struct replica *r) {
    for (int n = 0; n < r->model.n_nets; n++) {
        struct net *net = r->model.nets[n];
        int n_trained = 0;
        for (int i = 0; i < net->weights.n; i++)
            n_trained += is_trained(r, net, net->weights.items[i].name);
        for (int i = 0; i < net->weights.n; i++)
            net->weights.items[i].frozen =
                n_trained && !is_trained(r, net, net->weights.items[i].name);
        params_arrange(&net->weights);
    }
}

int replica_init(struct replica *r, const struct replica_config *c, struct err *err) {
    copy_fields(r, c);
    r->best = r->per_class = -1;
    r->shards = c->job->shards;
    for (int i = 0; i < c->job->n_steps; i++)
        if (build_step(r, c, i, err))
            return -1;
    if (c->job->validate && c->validate_batch && replica_build_validate(r, c, err))
        return -1;
    for (int i = 0; r->validate && i < c->job->n_pictures; i++)
        if (replica_build_picture(r, c, i, err))
            return -1;
    arrange(r);
    /* Plans need to know all nets: a later graph may add parameters to a span. */
    for (int i = 0; i < r->n_steps && c->training; i++)
        if (plan_step(r, c, &r->step[i], err))
            return -1;
    for (int i = 0; i < r->n_pictures; i++)
        if (replica_plan_picture(r, i, err))
            return -1;
    for (int i = 0; !c->training && i < r->model.n_nets; i++)
        r->model.nets[i]->trained = r->model.nets[i]->averaged = false;
    if (r->validate && replica_plan_validate(r, c, err))
        return -1;
    replica_list_spans(r);
    return c->training ? local_sgd_check(r, c->job, err) : 0;
}

size_t replica_activation_bytes(const struct replica *r) {
    size_t bytes = r->validate_plan ? plan_bytes(r->validate_plan) : 0;

    for (int i = 0; i < r->n_pictures; i++)
        if (plan_bytes(r->picture[i].plan) > bytes)
            bytes = plan_bytes(r->picture[i].plan);
    for (int i = 0; i < r->n_steps; i++) {
        if (r->step[i].plan && plan_bytes(r->step[i].plan) > bytes)
            bytes = plan_bytes(r->step[i].plan);
        if (r->step[i].seen && plan_bytes(r->step[i].seen) > bytes)
            bytes = plan_bytes(r->step[i].seen);
    }
    return bytes;
}

size_t replica_moment_bytes(const struct replica *r) {
    size_t bytes = 0;

    for (int i = 0; i < r->n_spans; i++)
        if (r->spans[i].kind == SPAN_MOMENT)
            bytes += arena_round(r->spans[i].bytes);
    return bytes;
}

size_t replica_bytes(const struct replica *r) {
    return model_bytes(&r->model) + replica_activation_bytes(r) + replica_moment_bytes(r);
}

void replica_meet(const struct replica *r, const struct ranks *all) {
    for (int i = 0; i < r->n_steps && all && all->size > 1; i++)
        for (int k = 0; k < r->step[i].graph->n_nodes; k++)
            if (r->step[i].graph->nodes[k].plan.ranks.kind)
                all->group(all, r->step[i].graph->nodes[k].plan.ranks);
}

int replica_allocate(struct replica *r, const struct replica_config *c, struct err *err) {
    const size_t activations = arena_round(replica_activation_bytes(r));

    for (int i = 0; i < r->n_steps; i++)
        if (r->step[i].plan && replica_check_values(&r->step[i], c, err))
            return -1;
    if (gemm_reserve(c->threads, err) || team_new(&r->team, c->threads, err) ||
        model_allocate(&r->model, c->job->seed, err) ||
        arena_init(&r->arena, activations + replica_moment_bytes(r), err))
        return -1;
    void *memory = arena_take(&r->arena, activations);
    if (r->validate_plan)
        plan_place(r->validate_plan, memory, r->team, c->ranks);
    for (int i = 0; i < r->n_pictures; i++)
        plan_place(r->picture[i].plan, memory, r->team, c->ranks);
    for (int i = 0; i < r->n_steps; i++) {
        struct replica_step *s = &r->step[i];
        if (!s->plan)
            continue;
        plan_place(s->plan, memory, r->team, c->ranks);
        if (s->seen)
            plan_place(s->seen, memory, r->team, NULL);
        for (int k = 0; k < s->n_train; k++)
            replica_find_runs(r, s, k);
    }
    replica_place_spans(r);
    return 0;
}

void replica_release(struct replica *r) {
    team_free(r->team);
    arena_release(&r->arena);
    model_release(&r->model);
    *r = (struct replica){0};
}
