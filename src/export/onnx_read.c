#include "export/onnx_read.h"

#include <stdlib.h>
#include <string.h>

/* --- tensors --- */

static size_t item_bytes(int type) {
    return type == ONNX_FLOAT || type == ONNX_INT32    ? 4
           : type == ONNX_DOUBLE || type == ONNX_INT64 ? 8
           : type == ONNX_FLOAT16                      ? 2
           : type == ONNX_BOOL                         ? 1
                                                       : 0;
}

struct shape onnx_tensor_shape(const Onnx__TensorProto *t) {
    struct shape s = {(int)t->n_dims, {0}};

    for (int i = 0; i < s.rank; i++)
        s.dim[i] = t->dims[i];
    return s.rank ? s : (struct shape){1, {1}};
}

/* Numbers that stand in a list of their type. */
static size_t n_listed(const Onnx__TensorProto *t) {
    return t->data_type == ONNX_FLOAT    ? t->n_float_data
           : t->data_type == ONNX_DOUBLE ? t->n_double_data
           : t->data_type == ONNX_INT64  ? t->n_int64_data
                                         : t->n_int32_data;
}

static int check_tensor(const char *path, const Onnx__TensorProto *t, struct err *err) {
    const char *name = t->name ? t->name : "";
    const size_t bytes = item_bytes(t->data_type);

    if (t->n_external_data || (t->has_data_location && t->data_location == ONNX_EXTERNAL))
        return err_set(err, ERR_DATA,
                       "%s: tensor '%s' lies in another file, expected all of them in this one",
                       path, name);
    if (t->n_dims > SHAPE_MAX_RANK)
        return err_set(err, ERR_DATA, "%s: tensor '%s' has %zu dimensions, expected at most %d",
                       path, name, t->n_dims, SHAPE_MAX_RANK);
    if (!bytes)
        return err_set(err, ERR_DATA,
                       "%s: tensor '%s' is of data type %d, expected floats or whole numbers", path,
                       name, t->data_type);
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0)
            return err_set(err, ERR_DATA, "%s: tensor '%s' has the dimension %lld", path, name,
                           (long long)t->dims[i]);
    const struct shape shape = onnx_tensor_shape(t);
    char text[SHAPE_TEXT];
    if (!shape_fits(&shape))
        return err_set(err, ERR_DATA, "%s: tensor '%s' would be %s", path, name,
                       shape_text(&shape, text));
    const size_t expected = (size_t)shape_len(&shape);
    const size_t found = t->has_raw_data ? t->raw_data.len / bytes : n_listed(t);
    if (found != expected || (t->has_raw_data && t->raw_data.len % bytes))
        return err_set(err, ERR_DATA, "%s: tensor '%s' holds %zu numbers, expected %zu for %s",
                       path, name, found, expected, shape_text(&shape, text));
    return 0;
}

/* IEEE half precision. */
static float half(uint16_t h) {
    const uint32_t sign = (uint32_t)(h >> 15) << 31, exponent = h >> 10 & 31, mantissa = h & 1023;
    uint32_t bits = sign | (exponent + 112) << 23 | mantissa << 13;
    float v;

    if (!exponent) /* subnormal: mantissa times 2^-24 */
        return (float)mantissa * (sign ? -0x1p-24F : 0x1p-24F);
    if (exponent == 31)
        bits = sign | 0x7F800000U | mantissa << 13;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float float_at(const Onnx__TensorProto *t, size_t i) {
    double d;
    float f;
    uint16_t h;

    switch (t->data_type) {
    case ONNX_FLOAT:
        if (!t->has_raw_data)
            return t->float_data[i];
        memcpy(&f, t->raw_data.data + 4 * i, sizeof f);
        return f;
    case ONNX_DOUBLE:
        if (!t->has_raw_data)
            return (float)t->double_data[i];
        memcpy(&d, t->raw_data.data + 8 * i, sizeof d);
        return (float)d;
    default:
        if (!t->has_raw_data)
            return half((uint16_t)t->int32_data[i]);
        memcpy(&h, t->raw_data.data + 2 * i, sizeof h);
        return half(h);
    }
}

const float *onnx_tensor_floats(const Onnx__TensorProto *t, struct pool *pool) {
    const struct shape shape = onnx_tensor_shape(t);
    const size_t n = (size_t)shape_len(&shape);

    if (t->data_type != ONNX_FLOAT && t->data_type != ONNX_DOUBLE && t->data_type != ONNX_FLOAT16)
        return NULL;
    float *v = pool_take(pool, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = float_at(t, i);
    return v;
}

const int64_t *onnx_tensor_int64s(const Onnx__TensorProto *t, struct pool *pool) {
    const struct shape shape = onnx_tensor_shape(t);
    const size_t n = (size_t)shape_len(&shape);

    if (t->data_type != ONNX_INT64 && t->data_type != ONNX_INT32)
        return NULL;
    int64_t *v = pool_take(pool, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        int32_t narrow;
        if (t->data_type == ONNX_INT64 && t->has_raw_data)
            memcpy(&v[i], t->raw_data.data + 8 * i, sizeof v[i]);
        else if (t->data_type == ONNX_INT64)
            v[i] = t->int64_data[i];
        else if (!t->has_raw_data)
            v[i] = t->int32_data[i];
        else {
            memcpy(&narrow, t->raw_data.data + 4 * i, sizeof narrow);
            v[i] = narrow;
        }
    }
    return v;
}

/* --- the file --- */

const Onnx__AttributeProto *onnx_attribute(const Onnx__NodeProto *node, const char *name) {
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && !strcmp(node->attribute[i]->name, name))
            return node->attribute[i];
    return NULL;
}

int64_t onnx_read_opset(const Onnx__ModelProto *model) {
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = model->opset_import[i];
        if (!o->domain || !*o->domain || !strcmp(o->domain, "ai.onnx"))
            return o->version;
    }
    return 0;
}

static int check(const char *path, const Onnx__ModelProto *m, struct err *err) {
    const int64_t opset = onnx_read_opset(m);

    if (!m->graph || !m->graph->n_node || !m->graph->n_output)
        return err_set(err, ERR_DATA, "%s: is no ONNX file, or one without a graph", path);
    if (opset < ONNX_READ_MIN || opset > ONNX_READ_MAX)
        return err_set(err, ERR_DATA, "%s: has operators of version %lld, expected %d to %d", path,
                       (long long)opset, ONNX_READ_MIN, ONNX_READ_MAX);
    for (size_t i = 0; i < m->graph->n_initializer; i++)
        if (check_tensor(path, m->graph->initializer[i], err))
            return -1;
    for (size_t i = 0; i < m->graph->n_node; i++) {
        const Onnx__NodeProto *node = m->graph->node[i];
        if (!node->op_type)
            return err_set(err, ERR_DATA, "%s: node %s has no operator", path,
                           node->name ? node->name : "");
        for (size_t k = 0; k < node->n_attribute; k++)
            if (node->attribute[k]->t && check_tensor(path, node->attribute[k]->t, err))
                return -1;
    }
    return 0;
}

int onnx_read(const char *path, const void *bytes, size_t len, Onnx__ModelProto **out,
              struct err *err) {
    *out = onnx__model_proto__unpack(NULL, len, bytes);
    if (!*out)
        return err_set(err, ERR_DATA, "%s: is no ONNX file, or cut off", path);
    return check(path, *out, err);
}

void onnx_read_free(Onnx__ModelProto *model) {
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
}
