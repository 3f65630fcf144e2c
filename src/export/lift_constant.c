/* lift_constant.c - constants, and shapes that are computed from shapes. */
#include "export/lift.h"

#include <string.h>

static int constant(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const Onnx__AttributeProto *a = onnx_attribute(node, "value");

    if (!a || !a->t)
        return lift_refuse(l, node, err, "expected the attribute value, a tensor");
    const struct lift_value v = {.shape = onnx_tensor_shape(a->t),
                                 .floats = onnx_tensor_floats(a->t, l->pool),
                                 .ints = onnx_tensor_int64s(a->t, l->pool)};
    return lift_constant(l, node, &v, err);
}

/* Of the batch, which is any number: 0, as Reshape takes it. */
static int shape_of(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);

    if (!x)
        return -1;
    int64_t *dims = pool_take(l->pool, SHAPE_MAX_RANK * sizeof *dims);
    for (int i = 1; i < x->shape.rank; i++)
        dims[i] = x->shape.dim[i];
    return lift_constant(l, node, &(struct lift_value){.shape = {1, {x->shape.rank}}, .ints = dims},
                         err);
}

static int gather(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_ints(l, node, 0, err);
    const struct lift_value *at = x ? lift_ints(l, node, 1, err) : NULL;

    if (!at)
        return -1;
    const int64_t n = shape_len(&x->shape), n_at = shape_len(&at->shape);
    int64_t *out = pool_take(l->pool, (size_t)(n_at + 1) * sizeof *out);
    for (int64_t i = 0; i < n_at; i++) {
        const int64_t place = at->ints[i] < 0 ? at->ints[i] + n : at->ints[i];
        if (lift_int(node, "axis", 0) || x->shape.rank != 1 || place < 0 || place >= n)
            return lift_refuse(l, node, err, "place %lld of %lld", (long long)at->ints[i],
                               (long long)n);
        out[i] = x->ints[place];
    }
    return lift_constant(l, node, &(struct lift_value){.shape = at->shape, .ints = out}, err);
}

/* Constants are vectors here whatever their dimensions. */
int lift_vector(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_ints(l, node, 0, err);

    if (!x)
        return -1;
    return lift_constant(
        l, node, &(struct lift_value){.shape = {1, {shape_len(&x->shape)}}, .ints = x->ints}, err);
}

int lift_concat_ints(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    int64_t n = 0;

    for (size_t k = 0; k < node->n_input; k++) {
        const struct lift_value *v = lift_ints(l, node, k, err);
        if (!v)
            return -1;
        n += shape_len(&v->shape);
    }
    int64_t *out = pool_take(l->pool, (size_t)(n + 1) * sizeof *out), at = 0;
    for (size_t k = 0; k < node->n_input; k++) {
        const struct lift_value *v = lift_input(l, node, k);
        memcpy(out + at, v->ints, (size_t)shape_len(&v->shape) * sizeof *out);
        at += shape_len(&v->shape);
    }
    return lift_constant(l, node, &(struct lift_value){.shape = {1, {n}}, .ints = out}, err);
}

/* Of numbers whose results no shape exceeds. */
static bool compute(char sign, int64_t a, int64_t b, int64_t *out) {
    const int64_t most = (int64_t)1 << 31;

    if (a < -most || a > most || b < -most || b > most || (sign == '/' && !b))
        return false;
    *out = sign == '+' ? a + b : sign == '-' ? a - b : sign == '*' ? a * b : a / b;
    return true;
}

int lift_compute(struct lifting *l, const Onnx__NodeProto *node, char sign, struct err *err) {
    const struct lift_value *a = lift_ints(l, node, 0, err);
    const struct lift_value *b = a ? lift_ints(l, node, 1, err) : NULL;

    if (!b)
        return -1;
    const int64_t n_a = shape_len(&a->shape), n_b = shape_len(&b->shape);
    const int64_t n = n_a > n_b ? n_a : n_b;
    int64_t *out = pool_take(l->pool, (size_t)(n + 1) * sizeof *out);
    for (int64_t i = 0; i < n; i++)
        if ((n_a != n && n_a != 1) || (n_b != n && n_b != 1) ||
            !compute(sign, a->ints[n_a == 1 ? 0 : i], b->ints[n_b == 1 ? 0 : i], &out[i]))
            return lift_refuse(l, node, err, "its constants cannot be computed with");
    return lift_constant(l, node, &(struct lift_value){.shape = {1, {n}}, .ints = out}, err);
}

static const char *const of_constant[] = {"value", NULL};
static const char *const of_axis[] = {"axis", NULL};
static const char *const of_axes[] = {"axes", NULL};

const struct lift_op lift_ops_constant[] = {
    {"Constant", of_constant, constant},
    {"Shape", NULL, shape_of},
    {"Gather", of_axis, gather},
    {"Unsqueeze", of_axes, lift_vector},
    {0},
};
