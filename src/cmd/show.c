#include "cmd/command.h"
#include "cmd/jobargs.h"
#include "dist/agree.h"
#include "train/feed.h"
#include "train/replica.h"
#include "train/shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How much of the input one output sees: extent and step in input pixels, h and w. */
struct field_of_view {
    int64_t extent[2], jump[2];
};

struct table {
    const struct graph *graph;
    struct field_of_view *fields; /* [n_nodes] */
    struct pool *pool;
    double flops;
    size_t bytes;
};

static void see(struct table *t, int i) {
    const struct node *node = &t->graph->nodes[i];
    struct field_of_view *f = &t->fields[i];

    *f = (struct field_of_view){{1, 1}, {1, 1}};
    for (int d = 0; d < 2; d++) {
        for (int k = 0; k < node->n_x; k++) {
            const struct field_of_view *x = &t->fields[node->x[k]];
            f->extent[d] = x->extent[d] > f->extent[d] ? x->extent[d] : f->extent[d];
            f->jump[d] = x->jump[d] > f->jump[d] ? x->jump[d] : f->jump[d];
        }
        if (!node->plan.kernel.n)
            continue;
        f->extent[d] += (ints_at(&node->plan.kernel, d) - 1) * f->jump[d];
        f->jump[d] *= node->plan.stride.n ? ints_at(&node->plan.stride, d) : 1;
    }
}

static const char *field_text(const struct table *t, int i) {
    const int64_t *e = t->fields[i].extent;

    return e[0] == e[1] ? pool_print(t->pool, "%" PRId64, e[0])
                        : pool_print(t->pool, "%" PRId64 "x%" PRId64, e[0], e[1]);
}

/* "32x32x16" of one sample. */
static const char *sample_text(const struct table *t, const struct shape *y) {
    struct shape sample = {.rank = y->rank - 1};
    char text[SHAPE_TEXT];

    memcpy(sample.dim, y->dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample.rank ? pool_print(t->pool, "%s", shape_text(&sample, text)) : "1";
}

static int64_t n_parameters(const struct node *node) {
    int64_t n = 0;

    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        n += shape_len(&node->plan.w[k].shape);
    return n;
}

static void print_row(struct table *t, int i) {
    const struct node *node = &t->graph->nodes[i];
    const size_t bytes = (size_t)shape_len(&node->plan.y) * sizeof(act) + node->plan.saved_bytes;
    const char *name = node->part ? part_path(t->pool, node->part, "") : "";
    const int64_t params = n_parameters(node);

    printf("%-28s %-16s %-16s ", name, node->op->word.name, sample_text(t, &node->plan.y));
    if (params)
        printf("%12" PRId64, params);
    else
        printf("%12s", "");
    printf(" %12.3f %9s %10.1f\n", node->plan.flops / 1e6, field_text(t, i), (double)bytes / 1024);
    t->flops += node->plan.flops;
    t->bytes += bytes;
}

static void print_graph(const struct graph *g, struct pool *pool) {
    struct table t = {.graph = g, .pool = pool};
    const char *last = "1";

    t.fields = pool_take(pool, (size_t)(g->n_nodes + 1) * sizeof *t.fields);
    printf("%s, for one image\n", g->name);
    printf("%-28s %-16s %-16s %12s %12s %9s %10s\n", "name", "operator", "output", "parameters",
           "MFLOP", "field", "KiB");
    for (int i = 0; i < g->n_nodes; i++) {
        see(&t, i);
        if (!g->nodes[i].op)
            continue;
        print_row(&t, i);
        last = field_text(&t, i);
    }
    printf("total: %.3f MFLOP forward, receptive field %s, %.1f KiB of activations\n\n",
           t.flops / 1e6, last, (double)t.bytes / 1024);
}

/* The graph of a section for one image. */
static int show_section(struct jobargs *a, struct replica *r, const struct section *section,
                        const char *const *plain, struct err *err) {
    const struct graph_config config = {.model = &r->model,
                                        .source = &a->job.source,
                                        .section = section,
                                        .plain = plain,
                                        .model_entry = a->job.model,
                                        .fields = r->fields,
                                        .n_fields = r->n_fields,
                                        .batch = 1};
    struct graph *g;

    if (graph_new(&g, &config, err))
        return -1;
    print_graph(g, &a->job.pool);
    return 0;
}

/* The network itself where the job names one, else every step. */
static int show_networks(struct jobargs *a, struct replica *r, struct err *err) {
    struct entry *out = pool_take(&a->job.pool, sizeof *out);
    struct section *network = pool_take(&a->job.pool, sizeof *network);

    for (int i = 0; !a->job.model && i < a->job.n_steps; i++)
        if (show_section(a, r, a->job.step[i].section, a->job.step_keys, err))
            return -1;
    if (!a->job.model)
        return 0;
    *out = (struct entry){.key = "output",
                          .value = "model(image)",
                          .raw = "model(image)",
                          .key_pos = a->job.model->key_pos,
                          .pos = a->job.model->pos};
    *network = (struct section){
        .kind = "network", .name = "", .entries = out, .n_entries = 1, .pos = out->pos};
    return show_section(a, r, network, NULL, err);
}

static void print_totals(const struct jobargs *a, const struct replica *r, int64_t batch) {
    for (int i = 0; i < r->model.n_nets; i++)
        printf("net %s: %" PRId64 " parameters, %.1f MiB\n", r->model.nets[i]->name,
               net_n_weights(r->model.nets[i]),
               (double)net_n_weights(r->model.nets[i]) * sizeof(real) / (1 << 20));
    if (r->n_steps)
        printf(
            "training with batch %" PRId64 " over %d rank%s: each rank holds %.1f MiB of weights "
            "and gradients, %.1f MiB of optimiser moments, %.1f MiB of activations (%" PRId64
            " samples at a time)\n",
            a->job.batch, comm_size(a->comm), comm_size(a->comm) == 1 ? "" : "s",
            (double)model_bytes(&r->model) / (1 << 20), (double)replica_moment_bytes(r) / (1 << 20),
            (double)replica_activation_bytes(r) / (1 << 20), batch);
    if (r->n_steps && r->shards)
        printf("reduction = reproducible over %d shards: rank 0 holds %.1f MiB more of gradients "
               "that wait for those of other shards\n",
               r->shards,
               (double)shards_bytes(r, comm_rank(a->comm), comm_size(a->comm)) / (1 << 20));
}

static int show(struct jobargs *a, struct replica *r, struct err *err) {
    struct loader_field seen[LOADER_MAX_FIELDS];
    struct field fields[LOADER_MAX_FIELDS];
    int n;

    if (feed_fields(&a->job, seen, &n, err))
        return -1;
    feed_graph_fields(seen, n, fields);
    const int64_t batch = shards_at_a_time(&a->job, a->job.batch, comm_size(a->comm));
    const struct replica_config config = {.job = &a->job,
                                          .fields = fields,
                                          .n_fields = n,
                                          .batch = batch,
                                          .training = true,
                                          .data_name = a->job.path};
    if (replica_init(r, &config, err))
        return -1;
    if (comm_rank(a->comm) == 0) {
        if (show_networks(a, r, err))
            return -1;
        print_totals(a, r, batch);
    }
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct replica replica = {0};
    struct jobargs a;
    int rc = jobargs_init(&a, argc, argv, 0, err);

    if (!rc)
        rc = agree(a.comm, show(&a, &replica, err), err);
    replica_release(&replica);
    jobargs_release(&a, err);
    return rc;
}

const struct command command_show = {
    .name = "show",
    .summary = "print the network of a job: shapes, parameters, FLOPs, receptive field, memory",
    .usage =
        "dltrain show JOB.ini [--set NAME=VALUE]...\n"
        "\n"
        "One line for each operator: its name, its output for one image, its parameters, the\n"
        "FLOPs of its forward pass (a multiply-add is 2), the receptive field of one output in\n"
        "pixels of the input, and the memory of its output. The shape of the images is that of\n"
        "the job's key image in [data], or of its training data.\n"
        "\n"
        "  dltrain show jobs/cifar10_resnet20.ini\n",
    .run = run,
};
