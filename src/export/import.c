#include "export/import.h"
#include "core/graph/graph.h"
#include "export/lift.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The inputs of the net, in their order; their number. */
static int inputs(const struct lifting *l, const struct lift_value **out, int most) {
    int n = 0;

    for (int i = 0; i < l->n_values && n < most; i++)
        if (l->value[i].input)
            out[n++] = &l->value[i];
    return n;
}

/* [spatial..., channels] of one sample. */
static struct shape sample_of(const struct lift_value *v) {
    struct shape s = {v->shape.rank - 1, {0}};

    for (int i = 0; i < s.rank; i++)
        s.dim[i] = v->shape.dim[i == s.rank - 1 ? 1 : i + 2];
    return s;
}

/* "64x64x3", or with brackets "[64, 64, 3]". */
static const char *shape_list(struct pool *pool, const struct shape *s, const char *between) {
    const char *text = "";

    for (int i = 0; i < s->rank; i++)
        text = pool_print(pool, "%s%s%lld", text, i ? between : "", (long long)s->dim[i]);
    return text;
}

/* What a sample is, where [data] can say it: vectors and images. */
static const char *data_text(const struct lifting *l, const char *net) {
    const struct lift_value *in[OP_ANY_INPUTS];
    const int n = inputs(l, in, OP_ANY_INPUTS);
    const char *text = "[data]\nfields = ";

    for (int i = 0; i < n; i++) {
        const struct shape sample = sample_of(in[i]);
        if (n == 1 && sample.rank == 3)
            return pool_print(l->pool, "[job]\nmodel = %s\n\n[data]\nimage = [%s]\n\n", net,
                              shape_list(l->pool, &sample, ", "));
        if (sample.rank != 1 && sample.rank != 3)
            return "";
        text = pool_print(l->pool, "%s%s%s %s", text, i ? ", " : "", in[i]->text,
                          shape_list(l->pool, &sample, "x"));
    }
    return pool_print(l->pool, "%s\n\n", text);
}

/* Who wrote the file, in letters that a comment may hold. */
static const char *producer(const struct lifting *l) {
    const Onnx__ModelProto *m = l->model;
    char *text = pool_print(l->pool, "%.60s %.60s", m->producer_name ? m->producer_name : "",
                            m->producer_version ? m->producer_version : "");

    for (char *at = text; *at; at++)
        if (*at < 32 || *at > 126)
            *at = '?';
    return text;
}

/* The job, of which steps are to be written by whoever trains it on. */
static const char *job_text(const struct lifting *l, const char *net, const char *weights) {
    const struct lift_value *in[OP_ANY_INPUTS];
    const int n = inputs(l, in, OP_ANY_INPUTS);
    const char *list = "";
    struct pool *pool = l->pool;
    size_t len = 0;

    for (int i = 0; i < n; i++)
        list = pool_print(pool, "%s%s%s", list, i ? ", " : "", in[i]->text);
    for (int i = 0; i < l->n_statements; i++)
        len += strlen(l->statement[i]) + 1;
    const char *loaded =
        l->n_tensors ? pool_print(pool, "\n[weights %s]\nfile = %s\n", net, weights) : "";
    char *statements = pool_take(pool, len + 1), *at = statements;
    for (int i = 0; i < l->n_statements; i++)
        at += sprintf(at, "%s\n", l->statement[i]);
    return pool_print(pool,
                      IMPORT_ONNX_BEGINS " of %s, operators of version %lld.\n%s[net %s(%s)]\n%s%s",
                      producer(l), (long long)onnx_read_opset(l->model), data_text(l, net), net,
                      list, statements, loaded);
}

/* Build the net from its text, as whoever reads the job will. */
static int build(const struct lifting *l, const char *net, struct source *source,
                 struct model *model, struct graph **out, struct err *err) {
    const struct lift_value *in[OP_ANY_INPUTS];
    struct field fields[OP_ANY_INPUTS];
    const int n = inputs(l, in, OP_ANY_INPUTS);
    const char *call = net, *comma = "(";

    for (int i = 0; i < n; i++) {
        fields[i] = (struct field){.name = in[i]->text, .sample = sample_of(in[i])};
        call = pool_print(l->pool, "%s%s%s", call, comma, in[i]->text);
        comma = ", ";
    }
    call = pool_print(l->pool, "%s)", call);
    const struct section *section = source_find(source, "net", net);
    struct entry output = {
        .key = "output", .value = call, .raw = call, .key_pos = section->pos, .pos = section->pos};
    const struct section step = {
        .kind = "step", .name = "", .entries = &output, .n_entries = 1, .pos = section->pos};
    const struct graph_config config = {.model = model,
                                        .source = source,
                                        .section = &step,
                                        .fields = fields,
                                        .n_fields = n,
                                        .batch = 1};
    return graph_new(out, &config, err);
}

/* The shape in PyTorch of a weight of ours. */
static struct shape turned(const struct shape *ours) {
    struct shape s = *ours;

    for (int i = 0; i < s.rank && s.rank > 1; i++)
        s.dim[i] = i < 2 ? ours->dim[s.rank - 1 - i] : ours->dim[i - 2];
    return s;
}

static int check_params(const struct lifting *l, const struct params *params, int *n_found,
                        struct err *err) {
    for (int i = 0; i < params->n; i++) {
        const struct param *p = &params->items[i];
        const struct shape expected = turned(&p->shape);
        char a[SHAPE_TEXT], b[SHAPE_TEXT];
        int k = 0;
        while (k < l->n_tensors && strcmp(l->tensors[k].name, p->name) != 0)
            k++;
        if (k == l->n_tensors)
            return err_set(err, ERR_DATA, "%s: has no weight for %s", l->path, p->name);
        if (!shape_equal(&l->tensors[k].shape, &expected))
            return err_set(err, ERR_DATA, "%s: %s is %s, expected %s", l->path, p->name,
                           shape_text(&l->tensors[k].shape, a), shape_text(&expected, b));
        ++*n_found;
    }
    return 0;
}

static int check_text(const struct lifting *l, const char *text, const char *net, struct err *err) {
    struct source source = {0};
    struct model model = {0};
    struct err inner = {0};
    struct graph *g;
    int n_found = 0;

    if (source_read_text(&source, "text", text, NULL, 0, NULL, &inner))
        return err_set(err, ERR_DATA, "%s: is a network that makes no job: %s", l->path, inner.msg);
    int rc =
        build(l, net, &source, &model, &g, &inner)
            ? err_set(err, ERR_DATA, "%s: is a network that makes no job: %s", l->path, inner.msg)
            : 0;
    const struct net *made = rc ? NULL : model_find(&model, net);
    if (!rc)
        rc = check_params(l, &made->weights, &n_found, err) ||
                     check_params(l, &made->states, &n_found, err)
                 ? -1
                 : 0;
    if (!rc && n_found != l->n_tensors)
        rc = err_set(err, ERR_DATA, "%s: %d of its %d weights have no place in the network",
                     l->path, l->n_tensors - n_found, l->n_tensors);
    model_release(&model);
    source_release(&source);
    return rc;
}

/* A name for the net that no operator has. */
static const char *net_name(struct lifting *l) {
    const char *given =
        l->model->graph->name && *l->model->graph->name ? l->model->graph->name : "network";
    const char *name = lift_word(l->pool, given, false);

    if (!strcmp(name, "torch_jit") || !strcmp(name, "main_graph") || op_find(name) ||
        !strcmp(name, "model") || !strcmp(name, "image"))
        name = "network";
    names_set(&l->taken, l->pool, "", name, 1);
    return name;
}

int import_onnx(const char *path, const void *bytes, size_t len, const char *weights,
                struct pool *pool, struct onnx_import *out, struct err *err) {
    struct lifting l = {.path = path, .pool = pool};
    Onnx__ModelProto *model = NULL;

    int rc = onnx_read(path, bytes, len, &model, err);
    l.model = model;
    if (!rc) {
        const char *net = net_name(&l);
        rc = lift_graph(&l, err);
        const char *text = rc ? NULL : job_text(&l, net, weights);
        if (!rc)
            rc = check_text(&l, text, net, err);
        *out = (struct onnx_import){net, text, l.tensors, l.n_tensors,
                                    rc ? 0 : (int)model->graph->n_node};
    }
    onnx_read_free(model);
    return rc;
}
