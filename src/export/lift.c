#include "export/lift.h"
#include "core/graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = GRAPH_MAX_NODES };

static const struct lift_op *const tables[] = {lift_ops_window, lift_ops_math, lift_ops_shape,
                                               lift_ops_constant};

const struct lift_op *lift_at(int i) {
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct lift_op *op = tables[t]; op->type; op++)
            if (!i--)
                return op;
    return NULL;
}

int lift_refuse(const struct lifting *l, const Onnx__NodeProto *node, struct err *err,
                const char *fmt, ...) {
    const char *name = node->name && *node->name ? node->name
                       : node->n_output          ? node->output[0]
                                                 : "";
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(err, ERR_DATA, "%s: node %.100s (%.60s): %s", l->path, name, node->op_type,
                   text);
}

/* --- values --- */

struct lift_value *lift_add(struct lifting *l, const char *name, struct err *err) {
    if (names_find(&l->by_name, "", name) >= 0) {
        err_set(err, ERR_DATA, "%s: two values are called '%.200s'", l->path, name);
        return NULL;
    }
    names_set(&l->by_name, l->pool, "", name, l->n_values);
    const int uses = names_find(&l->taken, "uses", name); /* counted before */
    struct lift_value *v = &l->value[l->n_values++];
    *v = (struct lift_value){.name = name, .uses = uses < 0 ? 0 : uses};
    return v;
}

struct lift_value *lift_input(const struct lifting *l, const Onnx__NodeProto *node, size_t k) {
    const int at =
        k < node->n_input && *node->input[k] ? names_find(&l->by_name, "", node->input[k]) : -1;

    return at < 0 ? NULL : &l->value[at];
}

static struct lift_value *expected(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                                   bool fits, const char *what, struct lift_value *v,
                                   struct err *err) {
    if (fits)
        return v;
    if (k >= node->n_input || !*node->input[k])
        lift_refuse(l, node, err, "has no input %zu, expected %s", k, what);
    else
        lift_refuse(l, node, err, "its input %zu, '%.100s', is %s, expected %s", k, node->input[k],
                    v->text     ? "computed"
                    : v->whole  ? "channels in groups, which have no counterpart but in a shuffle"
                    : v->floats ? "float constants"
                                : "whole constants",
                    what);
    return NULL;
}

struct lift_value *lift_tensor(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                               struct err *err) {
    struct lift_value *v = lift_input(l, node, k);

    return expected(l, node, k, v && v->text, "what is computed from the inputs", v, err);
}

struct lift_value *lift_floats(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                               struct err *err) {
    struct lift_value *v = lift_input(l, node, k);

    return expected(l, node, k, v && v->floats, "float constants", v, err);
}

struct lift_value *lift_ints(const struct lifting *l, const Onnx__NodeProto *node, size_t k,
                             struct err *err) {
    struct lift_value *v = lift_input(l, node, k);

    return expected(l, node, k, v && v->ints, "whole constants", v, err);
}

int lift_same(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *x,
              struct err *err) {
    const char *text = x->text && !x->named && x->uses > 1
                           ? lift_name(l, (struct lift_value *)(uintptr_t)x)
                           : x->text;
    struct lift_value *v = lift_add(l, node->output[0], err);

    if (!v)
        return -1;
    const int uses = v->uses;
    *v = *x;
    v->text = text;
    v->input = false;
    v->uses = uses;
    return 0;
}

int lift_constant(struct lifting *l, const Onnx__NodeProto *node, const struct lift_value *from,
                  struct err *err) {
    struct lift_value *v = lift_add(l, node->output[0], err);

    if (!v)
        return -1;
    v->shape = from->shape;
    v->floats = from->floats;
    v->ints = from->ints;
    return 0;
}

/* --- attributes --- */

int64_t lift_int(const Onnx__NodeProto *node, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);

    return a ? a->i : otherwise;
}

double lift_float(const Onnx__NodeProto *node, const char *name, double otherwise) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);

    return a ? (double)a->f : otherwise;
}

bool lift_text_is(const Onnx__NodeProto *node, const char *name, const char *text) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);

    return a && a->has_s && a->s.len == strlen(text) && !memcmp(a->s.data, text, a->s.len);
}

int lift_list(const struct lifting *l, const Onnx__NodeProto *node, const char *name, int n,
              int64_t otherwise, int64_t min, int64_t *out, struct err *err) {
    const Onnx__AttributeProto *a = onnx_attribute(node, name);

    if (a && a->n_ints != (size_t)n)
        return lift_refuse(l, node, err, "%s has %zu numbers, expected %d", name, a->n_ints, n);
    for (int i = 0; i < n; i++) {
        out[i] = a ? a->ints[i] : otherwise;
        if (out[i] < min || out[i] > INT32_MAX)
            return lift_refuse(l, node, err, "%s holds %lld, expected %lld to %d", name,
                               (long long)out[i], (long long)min, INT32_MAX);
    }
    return 0;
}

/* --- readers --- */

const Onnx__NodeProto *lift_reader(const struct lifting *l, const Onnx__NodeProto *node) {
    const Onnx__GraphProto *g = l->model->graph;

    if (node->n_output != 1 || names_find(&l->taken, "uses", node->output[0]) != 1)
        return NULL;
    for (size_t i = l->node + 1; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_input; k++)
            if (!strcmp(g->node[i]->input[k], node->output[0]))
                return g->node[i];
    return NULL;
}

void lift_done(struct lifting *l, const Onnx__NodeProto *node) {
    for (size_t i = l->node; i < l->model->graph->n_node; i++)
        if (l->model->graph->node[i] == node)
            l->done[i] = true;
}

/* --- the graph --- */

static void count_use(struct lifting *l, const char *name) {
    const int n = names_find(&l->taken, "uses", name);

    names_set(&l->taken, l->pool, "uses", name, n < 0 ? 1 : n + 1);
}

static int add_initializers(struct lifting *l, struct err *err) {
    const Onnx__GraphProto *g = l->model->graph;

    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        struct lift_value *v = lift_add(l, t->name ? t->name : "", err);
        if (!v)
            return -1;
        v->shape = onnx_tensor_shape(t);
        v->floats = onnx_tensor_floats(t, l->pool);
        v->ints = onnx_tensor_int64s(t, l->pool);
    }
    return 0;
}

/* "[batch, 3, 32, 32]" */
static const char *declared_text(struct lifting *l, const Onnx__TensorShapeProto *s) {
    const char *text = "[";

    for (size_t i = 0; s && i < s->n_dim; i++)
        text = s->dim[i]->has_dim_value
                   ? pool_print(l->pool, "%s%s%lld", text, i ? ", " : "",
                                (long long)s->dim[i]->dim_value)
                   : pool_print(l->pool, "%s%s%s", text, i ? ", " : "",
                                s->dim[i]->dim_param ? s->dim[i]->dim_param : "?");
    return pool_print(l->pool, "%s]", text);
}

static int add_input(struct lifting *l, const Onnx__ValueInfoProto *in, bool alone,
                     struct err *err) {
    const Onnx__TypeProto__Tensor *type = in->type ? in->type->tensor_type : NULL;
    const Onnx__TensorShapeProto *s = type ? type->shape : NULL;
    const char *name = in->name ? in->name : "";
    bool fits = s && s->n_dim >= 2 && s->n_dim <= SHAPE_MAX_RANK;

    for (size_t i = 1; fits && i < s->n_dim; i++)
        fits = s->dim[i]->has_dim_value && s->dim[i]->dim_value > 0 &&
               s->dim[i]->dim_value <= INT32_MAX;
    if (!fits || type->elem_type != ONNX_FLOAT)
        return err_set(err, ERR_DATA,
                       "%s: input '%.100s' is %s of type %d, expected floats, [batch, channels, "
                       "...] with numbers for all but the batch",
                       l->path, name, declared_text(l, s), type ? type->elem_type : 0);
    struct lift_value *v = lift_add(l, name, err);
    if (!v)
        return -1;
    v->shape = (struct shape){(int)s->n_dim, {1}};
    for (int i = 1; i < v->shape.rank; i++)
        v->shape.dim[i] = s->dim[i]->dim_value;
    v->text = alone && v->shape.rank == 4 ? "image" : lift_word(l->pool, name, false);
    v->named = v->input = true;
    if (!shape_fits(&v->shape) || names_find(&l->taken, "", v->text) >= 0)
        return err_set(err, ERR_DATA, "%s: input '%.100s' is too large, or there are two of it",
                       l->path, name);
    names_set(&l->taken, l->pool, "", v->text, 1);
    return 0;
}

/* Weights may be listed as inputs, too. */
static int add_inputs(struct lifting *l, struct err *err) {
    const Onnx__GraphProto *g = l->model->graph;
    int n = 0;

    for (size_t i = 0; i < g->n_input; i++)
        n += names_find(&l->by_name, "", g->input[i]->name ? g->input[i]->name : "") < 0;
    for (size_t i = 0; i < g->n_input; i++)
        if (names_find(&l->by_name, "", g->input[i]->name ? g->input[i]->name : "") < 0 &&
            add_input(l, g->input[i], n == 1, err))
            return -1;
    return n ? 0 : err_set(err, ERR_DATA, "%s: has no inputs, expected one", l->path);
}

/* What all nodes read exists before them. */
static int check_inputs(const struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    if (!node->n_output || !*node->output[0])
        return lift_refuse(l, node, err, "gives nothing");
    for (size_t k = 0; k < node->n_input; k++)
        if (*node->input[k] && names_find(&l->by_name, "", node->input[k]) < 0)
            return lift_refuse(l, node, err,
                               "reads '%.100s', which nothing before it gives: a circle, or nodes "
                               "out of order",
                               node->input[k]);
    return 0;
}

static int check_attributes(const struct lifting *l, const Onnx__NodeProto *node,
                            const struct lift_op *op, struct err *err) {
    for (size_t i = 0; i < node->n_attribute; i++) {
        const char *name = node->attribute[i]->name ? node->attribute[i]->name : "";
        bool known = false;
        for (int k = 0; op->attributes && op->attributes[k] && !known; k++)
            known = !strcmp(op->attributes[k], name);
        if (!known)
            return lift_refuse(l, node, err, "its attribute %.60s is not understood", name);
    }
    return 0;
}

static int lift_one(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_op *op;

    if (check_inputs(l, node, err))
        return -1;
    if (node->domain && *node->domain && strcmp(node->domain, "ai.onnx") != 0)
        return lift_refuse(l, node, err, "its operator is of %.60s, expected those of ONNX itself",
                           node->domain);
    for (int i = 0; (op = lift_at(i)); i++)
        if (!strcmp(op->type, node->op_type))
            return check_attributes(l, node, op, err) || op->lift(l, node, err) ? -1 : 0;
    return lift_refuse(l, node, err, "the operator has no counterpart in the job language");
}

static int lift_nodes(struct lifting *l, struct err *err) {
    const Onnx__GraphProto *g = l->model->graph;
    size_t n_values = g->n_initializer + g->n_input;

    if (g->n_node > MAX_NODES)
        return err_set(err, ERR_DATA, "%s: has %zu nodes, expected at most %d", l->path, g->n_node,
                       MAX_NODES);
    for (size_t i = 0; i < g->n_node; i++) {
        n_values += g->node[i]->n_output;
        for (size_t k = 0; k < g->node[i]->n_input; k++)
            count_use(l, g->node[i]->input[k]);
    }
    for (size_t i = 0; i < g->n_output; i++)
        count_use(l, g->output[i]->name ? g->output[i]->name : "");
    l->value = pool_take(l->pool, (n_values + 1) * sizeof *l->value);
    l->done = pool_take(l->pool, (g->n_node + 1) * sizeof *l->done);
    if (add_initializers(l, err))
        return -1;
    if (add_inputs(l, err))
        return -1;
    for (l->node = 0; l->node < g->n_node; l->node++)
        if (!l->done[l->node] && lift_one(l, g->node[l->node], err))
            return -1;
    return 0;
}

int lift_graph(struct lifting *l, struct err *err) {
    const Onnx__GraphProto *g = l->model->graph;

    if (lift_nodes(l, err))
        return -1;
    const char *name = g->output[0]->name ? g->output[0]->name : "";
    const int at = names_find(&l->by_name, "", name);
    struct lift_value *y = at < 0 ? NULL : &l->value[at];
    if (g->n_output != 1 || !y || !y->text)
        return err_set(
            err, ERR_DATA,
            "%s: has %zu outputs, of which '%.100s' is %s; expected one that is computed", l->path,
            g->n_output, name, y ? "there" : "given by no node");
    if (y->named) /* the value of a net is its last statement */
        lift_statement(l, pool_print(l->pool, "output = %s", y->text));
    else
        lift_name(l, y);
    return 0;
}
