#include "cmd/bench.h"
#include "core/base/clock.h"

#include <stdlib.h>
#include <string.h>

static int n_nodes(const struct bench_layers *l, int step) {
    return l->replica->step[step].graph->n_nodes;
}

/* [n_nodes][BENCH_PHASES] of the n-th kept run of a step. */
static double *kept(const struct bench_layers *l, int step, int n) {
    return l->seconds[step] + (size_t)n * (size_t)n_nodes(l, step) * BENCH_PHASES;
}

static void watch(void *context, int step, int node, enum run_phase phase) {
    struct bench_layers *l = context;
    const double now = clock_now();

    if (phase != RUN_OTHER)
        kept(l, step, l->n_timed[step])[node * BENCH_PHASES + (int)phase - RUN_FORWARD] +=
            now - l->last;
    l->last = clock_now();
}

int bench_layers_init(struct bench_layers *l, struct stepper *stepper, int64_t n_samples,
                      int n_steps, struct err *err) {
    *l = (struct bench_layers){
        .replica = stepper->replica, .n_samples = n_samples, .n_steps = n_steps};
    for (int s = 0; s < l->replica->n_steps; s++) {
        l->seconds[s] =
            calloc((size_t)n_steps * (size_t)n_nodes(l, s) * BENCH_PHASES, sizeof *l->seconds[s]);
        if (!l->seconds[s])
            return err_set(err, ERR_IO, "no memory for the times of %d steps", n_steps);
    }
    stepper->watch = watch;
    stepper->watch_context = l;
    return 0;
}

void bench_layers_next(struct bench_layers *l, const struct step_output *out, bool warms_up) {
    for (int s = 0; s < l->replica->n_steps; s++)
        if (warms_up)
            memset(kept(l, s, 0), 0, (size_t)n_nodes(l, s) * BENCH_PHASES * sizeof(double));
        else if (out->ran[s])
            l->n_timed[s]++;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Room: [n_timed] */
static double median(const struct bench_layers *l, int step, int node, int phase, double *room) {
    const int n = l->n_timed[step];

    for (int i = 0; i < n; i++)
        room[i] = kept(l, step, i)[node * BENCH_PHASES + phase];
    qsort(room, (size_t)n, sizeof *room, by_value);
    return n ? room[n / 2] : 0;
}

static double tensor_bytes(const struct shape *s) {
    return (double)shape_len(s) * sizeof(act);
}

static double weight_bytes(const struct node *node) {
    double bytes = 0;

    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        bytes += (double)shape_len(&node->plan.w[k].shape) * sizeof(real);
    return bytes;
}

/* What a call reads and writes: every operand once. */
static void count_bytes(const struct node *node, const struct op_call *c, double *bytes) {
    const double y = tensor_bytes(&c->y.shape), w = weight_bytes(node);
    const double saved = (double)node->plan.saved_bytes;
    double x = 0, x_read = 0, dx = 0;

    for (int k = 0; k < c->n_x; k++) {
        x += tensor_bytes(&c->x[k].shape);
        if (node->op->memory.reads_x >> k & 1)
            x_read += tensor_bytes(&c->x[k].shape);
        if (c->dx[k].data)
            dx += tensor_bytes(&c->dx[k].shape);
    }
    const bool matrix = node->plan.w[0].shape.rank > 1;
    bytes[0] = x + w + y + saved;
    bytes[1] = y + (node->op->memory.reads_y ? y : 0) + (matrix ? 0 : x_read) + saved + w + dx;
    bytes[2] = y + x_read + w;
}

/* Of forward; of each product that backward computes. */
static double flops_of(const struct node *node, const struct op_call *c, int phase) {
    const bool matrix = node->plan.w[0].shape.rank > 1;
    const bool computed = phase == 0 || (matrix && (phase == 1 ? !!c->dx[0].data : !!c->dw[0]));

    return computed ? node->plan.flops : 0;
}

static void fill_figures(const struct bench_layers *l, int step, int i, double *room,
                         struct bench_figures *f) {
    const struct plan *p = l->replica->step[step].plan;
    const struct node *node = &l->replica->step[step].graph->nodes[i];
    /* Operands are those of the last part of a batch that is computed in several. */
    const double parts = (double)l->n_samples / (double)p->n;
    double bytes[BENCH_PHASES];

    count_bytes(node, &p->nodes[i].call, bytes);
    for (int k = 0; k < BENCH_PHASES; k++) {
        f->seconds[k] = median(l, step, i, k, room);
        if (!(f->seconds[k] > 0))
            continue;
        f->bytes[k] = bytes[k] * parts;
        f->flops[k] = flops_of(node, &p->nodes[i].call, k) * parts;
    }
}

/* "layer1.0.conv1", or the block it stands in; with the net's name where there are several. */
static const char *path_of(const struct replica *r, const struct node *node, struct pool *pool) {
    const struct part *part = node->part ? node->part : node->inside;
    const char *path = part ? part_path(pool, part, "") : "";

    if (r->model.n_nets < 2 || !node->home)
        return path;
    return path[0] ? pool_print(pool, "%s.%s", node->home->name, path) : node->home->name;
}

static void finish_graph(struct bench_layers *l, int step, struct pool *pool) {
    const struct replica_step *s = &l->replica->step[step];
    struct bench_graph *g = &l->graph[step];
    double *room = pool_take(pool, ((size_t)l->n_timed[step] + 1) * sizeof *room);

    *g = (struct bench_graph){.name = s->graph->name, .n_timed = l->n_timed[step]};
    g->rows = pool_take(pool, (size_t)(s->graph->n_nodes + 1) * sizeof *g->rows);
    for (int i = 0; i < s->graph->n_nodes; i++) {
        const struct node *node = &s->graph->nodes[i];
        if (!node->op || !s->plan->nodes[i].live)
            continue;
        struct bench_row *row = &g->rows[g->n_rows++];
        *row = (struct bench_row){.node = i,
                                  .path = path_of(l->replica, node, pool),
                                  .word = node->op->word.name,
                                  .y = &s->plan->nodes[i].call.y.shape,
                                  .is_conv = node->plan.w[0].shape.rank > 2};
        fill_figures(l, step, i, room, &row->figures);
    }
}

void bench_layers_finish(struct bench_layers *l, struct pool *pool) {
    l->n_graphs = l->replica->n_steps;
    for (int s = 0; s < l->n_graphs; s++)
        finish_graph(l, s, pool);
}

void bench_layers_release(struct bench_layers *l) {
    for (int s = 0; s < JOB_MAX_STEPS; s++)
        free(l->seconds[s]);
    *l = (struct bench_layers){0};
}

void bench_add(struct bench_figures *sum, const struct bench_figures *f) {
    for (int k = 0; k < BENCH_PHASES; k++) {
        sum->seconds[k] += f->seconds[k];
        sum->flops[k] += f->flops[k];
        sum->bytes[k] += f->bytes[k];
    }
}

double bench_rate(double amount, double seconds) {
    return seconds > 0 ? amount / seconds : 0;
}

struct bench_figures bench_total(const struct bench_layers *l, bool conv_only) {
    struct bench_figures sum = {0};

    for (int g = 0; g < l->n_graphs; g++)
        for (int i = 0; i < l->graph[g].n_rows; i++)
            if (!conv_only || l->graph[g].rows[i].is_conv)
                bench_add(&sum, &l->graph[g].rows[i].figures);
    return sum;
}
