#include "export/export.h"
#include "export/lower.h"

#include <stdlib.h>
#include <string.h>

/* The input's dimensions as the file has them. */
static int declared(const struct export_config *c, const struct node *n,
                    int64_t dim[SHAPE_MAX_RANK]) {
    const int rank =
        n->plan.y_kind == TENSOR_INDICES ? n->plan.y.rank : lower_dims(&n->plan.y, dim);

    for (int i = 1; n->plan.y_kind == TENSOR_INDICES && i < rank; i++)
        dim[i] = n->plan.y.dim[i];
    dim[0] = c->batch ? c->batch : -1;
    return rank;
}

static void declare(struct lowering *l, const struct export_config *c, bool output, int node,
                    const char *name, const char *doc) {
    const struct node *n = lower_node(l, node);
    int64_t dim[SHAPE_MAX_RANK] = {0};
    const int rank = declared(c, n, dim);

    onnx_declare(&l->out, output, name, n->plan.y_kind == TENSOR_INDICES ? ONNX_INT64 : ONNX_FLOAT,
                 dim, rank, doc);
}

/* (x - mean) / std of each channel. */
static const char *normalised(struct lowering *l, const struct export_config *c, int node,
                              const char *x) {
    const struct shape *s = &lower_node(l, node)->plan.y;
    struct shape channels = {s->rank > 2 ? s->rank - 1 : 1, {shape_channels(s)}};

    for (int i = 1; i < channels.rank; i++)
        channels.dim[i] = 1;
    l->out.base = "normalize";
    x = onnx_apply(&l->out, "Sub", x, onnx_floats(&l->out, &channels, c->mean), NULL);
    return onnx_apply(&l->out, "Div", x, onnx_floats(&l->out, &channels, c->std), NULL);
}

/* A node that two inputs mean is the first of them. */
static void add_inputs(struct lowering *l, const struct export_config *c) {
    const struct section *s = c->use->net->section;

    for (int i = 0; i < s->n_params; i++) {
        const struct value *v = &c->use->values[i];
        if (v->kind != VALUE_TENSOR && v->kind != VALUE_USE)
            continue;
        const char *given = s->params[i].name, *name = onnx_build_name(&l->out, given);
        const bool normal = c->normalised && !strcmp(c->normalised, given);
        declare(l, c, false, v->index, name, NULL);
        if (!l->value[v->index])
            l->value[v->index] = normal ? normalised(l, c, v->index, name) : name;
    }
}

/* The output has the name of the net's last statement, whatever computes it. */
static void add_output(struct lowering *l, const struct export_config *c, const char *name) {
    const char *value = l->value[c->use->output];
    bool computed = false;

    for (size_t i = 0; i < l->out.graph.n_node; i++)
        computed = computed || !strcmp(l->out.graph.node[i]->output[0], value);
    l->out.base = name;
    if (!computed)
        value = onnx_apply(&l->out, "Identity", value, NULL, NULL);
    onnx_rename(&l->out, value, name);
    declare(l, c, true, c->use->output, name, NULL);
}

static char *text(struct pool *pool, const char *s) {
    return pool_copy(pool, s, strlen(s));
}

static void add_texts(Onnx__ModelProto *m, const struct export_config *c, struct pool *pool) {
    m->n_metadata_props = (size_t)c->n_texts;
    m->metadata_props = pool_take(pool, (size_t)(c->n_texts + 1) * sizeof *m->metadata_props);
    for (int i = 0; i < c->n_texts; i++) {
        Onnx__StringStringEntryProto *e = pool_take(pool, sizeof *e);
        onnx__string_string_entry_proto__init(e);
        e->key = text(pool, c->texts[i].key);
        e->value = text(pool, c->texts[i].text);
        m->metadata_props[i] = e;
    }
}

static int pack(struct lowering *l, const struct export_config *c, struct export_result *out,
                struct err *err) {
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    struct pool *pool = l->out.pool;

    m.has_ir_version = opset.has_version = 1;
    m.ir_version = ONNX_IR_VERSION;
    opset.version = c->opset;
    opset.domain = text(pool, "");
    m.n_opset_import = 1;
    m.opset_import = opsets;
    m.producer_name = text(pool, "dltrain");
    m.producer_version = text(pool, c->version);
    m.doc_string = c->doc ? text(pool, c->doc) : NULL;
    m.graph = &l->out.graph;
    add_texts(&m, c, pool);
    out->len = onnx__model_proto__get_packed_size(&m);
    if (out->len > INT32_MAX)
        return err_set(err, ERR_CONFIG,
                       "net %s: takes %.1f GiB, expected at most 2, which is all that an ONNX file "
                       "holds",
                       c->use->net->name, (double)out->len / (1 << 30));
    if (!(out->bytes = malloc(out->len)))
        return err_set(err, ERR_IO, "net %s: no memory for its file", c->use->net->name);
    onnx__model_proto__pack(&m, out->bytes);
    out->n_nodes = (int)l->out.graph.n_node;
    out->n_weights = (int)l->out.graph.n_initializer;
    return 0;
}

int export_onnx(const struct export_config *c, struct export_result *out, struct err *err) {
    const struct section *s = c->use->net->section;
    struct pool pool = {0};
    struct lowering l = {.graph = c->graph, .net = c->use->net, .fold = c->fold};

    *out = (struct export_result){0};
    onnx_build_init(&l.out, &pool, c->use->net->name);
    l.value = pool_take(&pool, (size_t)(c->graph->n_nodes + 1) * sizeof *l.value);
    add_inputs(&l, c);
    const char *name = onnx_build_name(&l.out, s->entries[s->n_entries - 1].key);
    int rc = lower_graph(&l, c->use->output, err);
    if (!rc) {
        add_output(&l, c, name);
        rc = pack(&l, c, out, err);
    }
    pool_release(&pool);
    return rc;
}
