#include "report/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How far apart, in input pixels, neighbours are. */
struct jump {
    int64_t step[2];
};

static void see(const struct network *net, struct jump *jumps, int i) {
    const struct node *node = &net->graph->nodes[i];
    int64_t *extent = net->row[i].field;

    for (int d = 0; d < 2; d++) {
        extent[d] = jumps[i].step[d] = 1;
        for (int k = 0; k < node->n_x; k++) {
            const int64_t x = net->row[node->x[k]].field[d], jump = jumps[node->x[k]].step[d];
            extent[d] = x > extent[d] ? x : extent[d];
            jumps[i].step[d] = jump > jumps[i].step[d] ? jump : jumps[i].step[d];
        }
        if (!node->plan.kernel.n)
            continue;
        extent[d] += (ints_at(&node->plan.kernel, d) - 1) * jumps[i].step[d];
        jumps[i].step[d] *= node->plan.stride.n ? ints_at(&node->plan.stride, d) : 1;
    }
}

static const char *field_text(const int64_t *e, struct pool *pool) {
    return e[0] == e[1] ? pool_print(pool, "%" PRId64, e[0])
                        : pool_print(pool, "%" PRId64 "x%" PRId64, e[0], e[1]);
}

/* "32x32x16" of one sample. */
static const char *sample_text(const struct shape *y, struct pool *pool) {
    struct shape sample = {.rank = y->rank > 1 ? y->rank - 1 : 0};
    char text[SHAPE_TEXT];

    memcpy(sample.dim, y->dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample.rank ? pool_print(pool, "%s", shape_text(&sample, text)) : "1";
}

static int64_t n_parameters(const struct node *node) {
    int64_t n = 0;

    for (int k = 0; k < OP_MAX_WEIGHTS; k++)
        n += shape_len(&node->plan.w[k].shape);
    return n;
}

static void describe(struct network *net, const struct graph *g, struct pool *pool) {
    struct jump *jumps = pool_take(pool, (size_t)(g->n_nodes + 1) * sizeof *jumps);

    *net = (struct network){.graph = g};
    net->row = pool_take(pool, (size_t)(g->n_nodes + 1) * sizeof *net->row);
    for (int i = 0; i < g->n_nodes; i++) {
        const struct node *node = &g->nodes[i];
        struct network_row *row = &net->row[i];
        see(net, jumps, i);
        row->name = node->part ? part_path(pool, node->part, "") : "";
        row->output = sample_text(&node->plan.y, pool);
        row->field_text = field_text(row->field, pool);
        if (!node->op)
            continue;
        row->parameters = n_parameters(node);
        row->flops = node->plan.flops;
        row->bytes = (size_t)shape_len(&node->plan.y) * sizeof(act) + node->plan.saved_bytes;
        net->flops += row->flops;
        net->bytes += row->bytes;
    }
}

/* The graph of a section for one sample. */
static int add(struct job *job, struct replica *r, const struct section *section,
               const char *const *plain, struct network *out, struct err *err) {
    const struct graph_config config = {.model = &r->model,
                                        .source = &job->source,
                                        .section = section,
                                        .plain = plain,
                                        .model_entry = job->model,
                                        .fields = r->fields,
                                        .n_fields = r->n_fields,
                                        .batch = 1};
    struct graph *g;

    if (graph_new(&g, &config, err))
        return -1;
    describe(out, g, &job->pool);
    return 0;
}

int network_list(struct job *job, struct replica *r, struct network **out, int *n,
                 struct err *err) {
    struct entry *entry = pool_take(&job->pool, sizeof *entry);
    struct section *network = pool_take(&job->pool, sizeof *network);

    *n = job->model ? 1 : job->n_steps;
    *out = pool_take(&job->pool, (size_t)(*n + 1) * sizeof **out);
    for (int i = 0; !job->model && i < job->n_steps; i++)
        if (add(job, r, job->step[i].section, job->step_keys, *out + i, err))
            return -1;
    if (!job->model)
        return 0;
    *entry = (struct entry){.key = "output",
                            .value = "model(image)",
                            .raw = "model(image)",
                            .key_pos = job->model->key_pos,
                            .pos = job->model->pos};
    *network = (struct section){
        .kind = "network", .name = "", .entries = entry, .n_entries = 1, .pos = entry->pos};
    return add(job, r, network, NULL, *out, err);
}

/* --- JSON --- */

static json_t *shape_json(const struct shape *y) {
    json_t *out = json_array();

    for (int k = 1; k < y->rank; k++)
        json_array_append_new(out, json_integer(y->dim[k]));
    return out;
}

/* Blocks from the outermost; a net that is used again is another. */
static json_t *within_json(const struct node *node, struct pool *pool) {
    json_t *out = json_array();

    for (const struct part *p = node->inside; p; p = p->parent)
        json_array_insert_new(out, 0, json_string(part_path(pool, p, "")));
    if (node->home)
        json_array_insert_new(
            out, 0,
            json_string(node->use > 1 ? pool_print(pool, "%s (use %d)", node->home->name, node->use)
                                      : node->home->name));
    return out;
}

static const char *name_of(const struct network *net, int i, struct pool *pool) {
    const struct node *node = &net->graph->nodes[i];

    if (node->field)
        return node->field;
    return node->op ? net->row[i].name : pool_print(pool, "%.6g", node->number);
}

static json_t *node_json(const struct network *net, int i, struct pool *pool) {
    const struct node *node = &net->graph->nodes[i];
    const struct network_row *row = &net->row[i];
    json_t *inputs = json_array();

    for (int k = 0; k < node->n_x; k++)
        json_array_append_new(inputs, json_integer(node->x[k]));
    return json_pack("{s:i, s:s, s:s, s:o, s:I, s:f, s:I, s:[I, I], s:o, s:o}", "id", i, "name",
                     name_of(net, i, pool), "operator",
                     node->op      ? node->op->word.name
                     : node->field ? "input"
                                   : "number",
                     "output", shape_json(&node->plan.y), "parameters", (json_int_t)row->parameters,
                     "flops", row->flops, "bytes", (json_int_t)row->bytes, "field",
                     (json_int_t)row->field[0], (json_int_t)row->field[1], "inputs", inputs,
                     "within", within_json(node, pool));
}

static json_t *graph_json(const struct network *net) {
    struct pool pool = {0};
    json_t *nodes = json_array();

    for (int i = 0; i < net->graph->n_nodes; i++)
        json_array_append_new(nodes, node_json(net, i, &pool));
    json_t *out = json_pack("{s:s, s:f, s:I, s:o}", "name", net->graph->name, "flops", net->flops,
                            "bytes", (json_int_t)net->bytes, "nodes", nodes);
    pool_release(&pool);
    return out;
}

json_t *network_json(const struct replica *r, const struct network *networks, int n) {
    json_t *graphs = json_array(), *nets = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(graphs, graph_json(&networks[i]));
    for (int i = 0; i < r->model.n_nets; i++) {
        const int64_t len = net_n_weights(r->model.nets[i]);
        json_array_append_new(nets, json_pack("{s:s, s:I, s:I}", "name", r->model.nets[i]->name,
                                              "parameters", (json_int_t)len, "bytes",
                                              (json_int_t)(len * (int64_t)sizeof(real))));
    }
    return json_pack("{s:o, s:o}", "graphs", graphs, "nets", nets);
}
