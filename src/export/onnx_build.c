#include "export/onnx_build.h"

#include <string.h>

/* protobuf-c has no const; nothing is written through what it is handed. */
static char *text(struct onnx_build *b, const char *s) {
    return pool_copy(b->pool, s, strlen(s));
}

void onnx_build_init(struct onnx_build *b, struct pool *pool, const char *name) {
    *b = (struct onnx_build){.pool = pool, .base = "value"};
    onnx__graph_proto__init(&b->graph);
    b->graph.name = text(b, name);
}

static const char *unique(struct onnx_build *b, const char *group, const char *base) {
    const char *name = base;

    for (int i = 1; names_find(&b->taken, group, name) >= 0; i++)
        name = pool_print(b->pool, "%s_%d", base, i);
    name = text(b, name);
    names_set(&b->taken, b->pool, group, name, 1);
    return name;
}

const char *onnx_build_name(struct onnx_build *b, const char *base) {
    return unique(b, "", base);
}

static void add_text(struct onnx_build *b, char ***list, size_t *n, const char *s) {
    *list = pool_grow(b->pool, *list, (int)*n, sizeof **list);
    (*list)[(*n)++] = text(b, s);
}

Onnx__NodeProto *onnx_add(struct onnx_build *b, const char *type, const char *const *x, int n_x) {
    Onnx__NodeProto *node = pool_take(b->pool, sizeof *node);

    onnx__node_proto__init(node);
    node->op_type = text(b, type);
    node->name = text(b, unique(b, "node", b->base));
    for (int i = 0; i < n_x; i++)
        add_text(b, &node->input, &node->n_input, x[i]);
    onnx_add_output(b, node);
    b->graph.node = pool_grow(b->pool, b->graph.node, (int)b->graph.n_node, sizeof *b->graph.node);
    b->graph.node[b->graph.n_node++] = node;
    return node;
}

const char *onnx_output(const Onnx__NodeProto *node) {
    return node->output[0];
}

const char *onnx_add_output(struct onnx_build *b, Onnx__NodeProto *node) {
    add_text(b, &node->output, &node->n_output, onnx_build_name(b, b->base));
    return node->output[node->n_output - 1];
}

const char *onnx_apply(struct onnx_build *b, const char *type, const char *x0, const char *x1,
                       const char *x2) {
    const char *const x[] = {x0, x1, x2};

    return onnx_output(onnx_add(b, type, x, !x1 ? 1 : !x2 ? 2 : 3));
}

static Onnx__AttributeProto *attribute(struct onnx_build *b, Onnx__NodeProto *node,
                                       const char *name, int type) {
    Onnx__AttributeProto *a = pool_take(b->pool, sizeof *a);

    onnx__attribute_proto__init(a);
    a->name = text(b, name);
    a->has_type = 1;
    a->type = type;
    node->attribute =
        pool_grow(b->pool, node->attribute, (int)node->n_attribute, sizeof *node->attribute);
    node->attribute[node->n_attribute++] = a;
    return a;
}

void onnx_set_int(struct onnx_build *b, Onnx__NodeProto *node, const char *name, int64_t v) {
    Onnx__AttributeProto *a = attribute(b, node, name, ONNX_ATTR_INT);

    a->has_i = 1;
    a->i = v;
}

void onnx_set_float(struct onnx_build *b, Onnx__NodeProto *node, const char *name, double v) {
    Onnx__AttributeProto *a = attribute(b, node, name, ONNX_ATTR_FLOAT);

    a->has_f = 1;
    a->f = (float)v;
}

void onnx_set_text(struct onnx_build *b, Onnx__NodeProto *node, const char *name, const char *v) {
    Onnx__AttributeProto *a = attribute(b, node, name, ONNX_ATTR_STRING);

    a->has_s = 1;
    a->s = (ProtobufCBinaryData){strlen(v), (uint8_t *)text(b, v)};
}

static int64_t *copy_int64s(struct onnx_build *b, const int64_t *v, int n) {
    int64_t *copy = pool_take(b->pool, (size_t)(n + 1) * sizeof *copy);

    if (n)
        memcpy(copy, v, (size_t)n * sizeof *copy);
    return copy;
}

void onnx_set_ints(struct onnx_build *b, Onnx__NodeProto *node, const char *name, const int64_t *v,
                   int n) {
    Onnx__AttributeProto *a = attribute(b, node, name, ONNX_ATTR_INTS);

    a->ints = copy_int64s(b, v, n);
    a->n_ints = (size_t)n;
}

bool onnx_has_weight(const struct onnx_build *b, const char *name) {
    return names_find(&b->weights, "", name) >= 0;
}

static const char *initializer(struct onnx_build *b, const char *name, int type, const int64_t *dim,
                               int n, const void *data, size_t bytes) {
    Onnx__TensorProto *t = pool_take(b->pool, sizeof *t);

    onnx__tensor_proto__init(t);
    t->name = text(b, onnx_build_name(b, name));
    t->has_data_type = 1;
    t->data_type = type;
    t->dims = copy_int64s(b, dim, n);
    t->n_dims = (size_t)n;
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data};
    names_set(&b->weights, b->pool, "", t->name, (int)b->graph.n_initializer);
    b->graph.initializer = pool_grow(b->pool, b->graph.initializer, (int)b->graph.n_initializer,
                                     sizeof *b->graph.initializer);
    b->graph.initializer[b->graph.n_initializer++] = t;
    return t->name;
}

const char *onnx_weight(struct onnx_build *b, const char *name, const struct shape *shape,
                        const float *data) {
    return initializer(b, name, ONNX_FLOAT, shape->dim, shape->rank, data,
                       (size_t)shape_len(shape) * sizeof *data);
}

const char *onnx_scalar(struct onnx_build *b, double v) {
    float *copy = pool_take(b->pool, sizeof *copy);

    *copy = (float)v;
    return initializer(b, pool_print(b->pool, "%s.number", b->base), ONNX_FLOAT, NULL, 0, copy,
                       sizeof *copy);
}

const char *onnx_floats(struct onnx_build *b, const struct shape *shape, const float *v) {
    const size_t bytes = (size_t)shape_len(shape) * sizeof *v;
    float *copy = pool_take(b->pool, bytes);

    memcpy(copy, v, bytes);
    return initializer(b, pool_print(b->pool, "%s.numbers", b->base), ONNX_FLOAT, shape->dim,
                       shape->rank, copy, bytes);
}

const char *onnx_int64s(struct onnx_build *b, const int64_t *v, int n) {
    const int64_t dim = n;

    return initializer(b, pool_print(b->pool, "%s.shape", b->base), ONNX_INT64, &dim, 1,
                       copy_int64s(b, v, n), (size_t)n * sizeof *v);
}

const char *onnx_reshape(struct onnx_build *b, const char *x, const int64_t *dim, int n) {
    return onnx_apply(b, "Reshape", x, onnx_int64s(b, dim, n), NULL);
}

const char *onnx_transpose(struct onnx_build *b, const char *x, const int64_t *perm, int n) {
    Onnx__NodeProto *node = onnx_add(b, "Transpose", &x, 1);

    onnx_set_ints(b, node, "perm", perm, n);
    return onnx_output(node);
}

static Onnx__TypeProto *type_of(struct onnx_build *b, int type, const int64_t *dim, int n) {
    Onnx__TypeProto *t = pool_take(b->pool, sizeof *t);
    Onnx__TypeProto__Tensor *tensor = pool_take(b->pool, sizeof *tensor);
    Onnx__TensorShapeProto *shape = pool_take(b->pool, sizeof *shape);

    onnx__type_proto__init(t);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    t->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = type;
    tensor->shape = shape;
    shape->dim = pool_take(b->pool, (size_t)(n + 1) * sizeof *shape->dim);
    shape->n_dim = (size_t)n;
    for (int i = 0; i < n; i++) {
        Onnx__TensorShapeProto__Dimension *d = pool_take(b->pool, sizeof *d);
        onnx__tensor_shape_proto__dimension__init(d);
        if (dim[i] < 0)
            d->dim_param = text(b, "batch");
        d->has_dim_value = dim[i] >= 0;
        d->dim_value = dim[i] < 0 ? 0 : dim[i];
        shape->dim[i] = d;
    }
    return t;
}

void onnx_declare(struct onnx_build *b, bool output, const char *name, int type, const int64_t *dim,
                  int n, const char *doc) {
    Onnx__ValueInfoProto ***list = output ? &b->graph.output : &b->graph.input;
    size_t *count = output ? &b->graph.n_output : &b->graph.n_input;
    Onnx__ValueInfoProto *v = pool_take(b->pool, sizeof *v);

    onnx__value_info_proto__init(v);
    v->name = text(b, name);
    v->type = type_of(b, type, dim, n);
    v->doc_string = doc ? text(b, doc) : NULL;
    *list = pool_grow(b->pool, *list, (int)*count, sizeof **list);
    (*list)[(*count)++] = v;
}

void onnx_rename(struct onnx_build *b, const char *old, const char *name) {
    for (size_t i = 0; i < b->graph.n_node; i++) {
        Onnx__NodeProto *node = b->graph.node[i];
        for (size_t k = 0; k < node->n_input; k++)
            if (!strcmp(node->input[k], old))
                node->input[k] = text(b, name);
        for (size_t k = 0; k < node->n_output; k++)
            if (!strcmp(node->output[k], old))
                node->output[k] = text(b, name);
    }
}
