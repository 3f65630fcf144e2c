/* lift_math.c - element by element, normalisation, means. */
#include "export/lift.h"

#include <math.h>
#include <string.h>

static int piped(struct lifting *l, const Onnx__NodeProto *node, const char *what,
                 struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);

    return x ? lift_pipe(l, node, 0, x, &x->shape, what, err) : -1;
}

#define LIFT_SAME(name, word)                                                                      \
    static int name(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {             \
        return piped(l, node, word, err);                                                          \
    }
LIFT_SAME(relu, "relu")
LIFT_SAME(sigmoid, "sigmoid")
LIFT_SAME(hyperbolic, "tanh")
LIFT_SAME(exponential, "exp")
LIFT_SAME(logarithm, "log")
LIFT_SAME(absolute, "abs")
LIFT_SAME(root, "sqrt")
LIFT_SAME(softplus, "softplus")
LIFT_SAME(hard_swish, "hard_swish")

static int leaky_relu(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return piped(l, node, pool_print(l->pool, "leaky_relu(%.9g)", lift_float(node, "alpha", 0.01)),
                 err);
}

static int elu(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return piped(l, node, pool_print(l->pool, "elu(%.9g)", lift_float(node, "alpha", 1)), err);
}

static int hard_sigmoid(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const double alpha = lift_float(node, "alpha", 0.2), beta = lift_float(node, "beta", 0.5);

    if (fabs(alpha - 1.0 / 6) > 1e-6 || beta != 0.5)
        return lift_refuse(l, node, err, "alpha is %g and beta %g, expected 1/6 and 1/2", alpha,
                           beta);
    return piped(l, node, "hard_sigmoid", err);
}

static int clip(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *low = lift_input(l, node, 1), *high = lift_input(l, node, 2);

    if (low && low->floats && low->floats[0] == 0 && high && high->floats && high->floats[0] == 6)
        return piped(l, node, "relu6", err);
    if (low && low->floats && low->floats[0] == 0 && !high)
        return piped(l, node, "relu", err);
    return lift_refuse(l, node, err, "its bounds are not 0 and 6");
}

static int softmax(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const int64_t old = onnx_read_opset(l->model) < 13 ? 1 : -1;

    if (!x)
        return -1;
    const int64_t given = lift_int(node, "axis", old);
    if ((given < 0 ? given + x->shape.rank : given) != 1 || (old == 1 && x->shape.rank > 2))
        return lift_refuse(l, node, err, "axis is %lld, expected that of the channels, 1",
                           (long long)given);
    return piped(l, node, "softmax", err);
}

static int argmax(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);

    if (!x)
        return -1;
    if (lift_int(node, "axis", 0) != 1 || lift_int(node, "keepdims", 1) || x->shape.rank < 2)
        return lift_refuse(l, node, err, "expected axis=1, that of the channels, and keepdims=0");
    if (names_find(&l->taken, "uses", node->output[0]) != 1 || lift_reader(l, node))
        return lift_refuse(l, node, err, "classes have no counterpart but as the output");
    struct shape y = {x->shape.rank - 1, {1}};
    for (int i = 1; i < y.rank; i++)
        y.dim[i] = x->shape.dim[i + 1];
    return lift_pipe(l, node, 0, x, &y, "argmax", err);
}

/* One for all, or one for each channel, as [c] or [c, 1 ...]. */
static int prelu(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const struct lift_value *w = x ? lift_floats(l, node, 1, err) : NULL;

    if (!w)
        return -1;
    const int64_t n = shape_len(&w->shape);
    if ((n != 1 && n != x->shape.dim[1]) || (n > 1 && w->shape.dim[0] != n && x->shape.rank > 2))
        return lift_refuse(l, node, err, "has %lld slopes, expected one, or one for each channel",
                           (long long)n);
    const struct shape shape = {1, {n}};
    const char *part = lift_part(l, node, node->input[1]);
    lift_weight(l, part, "weight", &shape, w->floats);
    return piped(
        l, node,
        pool_print(l->pool, "prelu(shared=%s, name=\"%s\")", n == 1 ? "true" : "false", part), err);
}

/* --- normalisation --- */

static int vectors(struct lifting *l, const Onnx__NodeProto *node, const char *const *names, int n,
                   const char *part, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);

    for (int k = 0; x && k < n; k++) {
        const struct lift_value *v = lift_floats(l, node, (size_t)k + 1, err);
        if (!v)
            return -1;
        if (v->shape.rank != 1 || x->shape.rank < 2 || v->shape.dim[0] != x->shape.dim[1])
            return lift_refuse(l, node, err,
                               "its %s has %lld numbers, expected one for each channel", names[k],
                               (long long)shape_len(&v->shape));
        lift_weight(l, part, names[k], &v->shape, v->floats);
    }
    return x ? 0 : -1;
}

static const char *with_eps(struct lifting *l, const Onnx__NodeProto *node, const char *word,
                            const char *part) {
    const double eps = lift_float(node, "epsilon", 1e-5);

    return (float)eps == 1e-5F ? pool_print(l->pool, "%s(name=\"%s\")", word, part)
                               : pool_print(l->pool, "%s(eps=%.9g, name=\"%s\")", word, eps, part);
}

static int bn(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};

    if (lift_int(node, "training_mode", 0) || node->n_output != 1)
        return lift_refuse(l, node, err, "is in training, expected a network as it is evaluated");
    if (node->n_input < 2)
        return lift_refuse(l, node, err, "has %zu inputs, expected 5", node->n_input);
    const char *part = lift_part(l, node, node->input[1]);
    return vectors(l, node, names, 4, part, err) ||
                   piped(l, node, with_eps(l, node, "bn", part), err)
               ? -1
               : 0;
}

static int instance_norm(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    static const char *const names[] = {"weight", "bias"};

    if (node->n_input < 2)
        return lift_refuse(l, node, err, "has %zu inputs, expected 3", node->n_input);
    const char *part = lift_part(l, node, node->input[1]);
    const char *text = with_eps(l, node, "instance_norm", part);
    text = pool_print(l->pool, "%.*s, affine=true)", (int)strlen(text) - 1, text);
    return vectors(l, node, names, 2, part, err) || piped(l, node, text, err) ? -1 : 0;
}

static int lrn(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const int64_t size = lift_int(node, "size", 0);

    if (size < 1 || size % 2 == 0)
        return lift_refuse(l, node, err, "size is %lld, expected an odd number", (long long)size);
    return piped(l, node,
                 pool_print(l->pool, "local_response_norm(%lld, alpha=%.9g, beta=%.9g, k=%.9g)",
                            (long long)size, lift_float(node, "alpha", 1e-4),
                            lift_float(node, "beta", 0.75), lift_float(node, "bias", 1)),
                 err);
}

/* --- arithmetic --- */

/* A number as it is written: of constants all of which are the same. */
static const char *number(struct lifting *l, const struct lift_value *v) {
    for (int64_t i = 1; i < shape_len(&v->shape); i++)
        if (v->floats[i] != v->floats[0])
            return NULL;
    return isfinite(v->floats[0]) && shape_len(&v->shape)
               ? pool_print(l->pool, v->floats[0] < 0 ? "(%.9g)" : "%.9g", (double)v->floats[0])
               : NULL;
}

/* The operand k as text, its shape; NULL with err. */
static const char *operand(struct lifting *l, const Onnx__NodeProto *node, size_t k,
                           struct shape *shape, struct err *err) {
    struct lift_value *v = lift_input(l, node, k);
    const char *text = v && v->text ? lift_name(l, v) : v && v->floats ? number(l, v) : NULL;

    if (!text)
        lift_refuse(l, node, err,
                    "its input %zu is neither computed nor one number; constants of several values "
                    "have no place in the job language",
                    k);
    else
        *shape = v->text ? v->shape : (struct shape){0};
    return text;
}

/* Of two tensors with as many dimensions one of length 1 is repeated. */
static int stretch(const struct lifting *l, const Onnx__NodeProto *node, const struct shape *a,
                   const struct shape *b, struct shape *y, struct err *err) {
    char text[2][SHAPE_TEXT];
    bool fits = a->rank == b->rank;

    *y = a->rank ? *a : *b;
    if (!a->rank || !b->rank)
        return y->rank ? 0 : lift_refuse(l, node, err, "both inputs are constants");
    for (int i = 0; i < a->rank && fits; i++) {
        fits = a->dim[i] == b->dim[i] || a->dim[i] == 1 || b->dim[i] == 1;
        y->dim[i] = a->dim[i] == 1 ? b->dim[i] : a->dim[i];
    }
    return fits
               ? 0
               : lift_refuse(l, node, err, "its inputs are %s and %s, expected the same dimensions",
                             shape_text(a, text[0]), shape_text(b, text[1]));
}

static int binary(struct lifting *l, const Onnx__NodeProto *node, const char *sign,
                  struct err *err) {
    const struct lift_value *first = lift_input(l, node, 0);
    struct shape shape[2], y;

    if (first && first->ints)
        return lift_compute(l, node, *sign, err);
    const char *a = operand(l, node, 0, &shape[0], err);
    const char *b = a ? operand(l, node, 1, &shape[1], err) : NULL;

    if (!b || stretch(l, node, &shape[0], &shape[1], &y, err))
        return -1;
    return lift_pipe(l, node, 0, NULL, &y, pool_print(l->pool, "(%s %s %s)", a, sign, b), err);
}

static int add(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return binary(l, node, "+", err);
}

static int subtract(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return binary(l, node, "-", err);
}

static int multiply(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return binary(l, node, "*", err);
}

static int divide(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return binary(l, node, "/", err);
}

/* --- over axes --- */

/* Our axis of theirs, of a sample: 1 is the last, 2 the first. */
static int64_t axis_of(const struct shape *x, int64_t axis) {
    return axis == 1 ? x->rank - 1 : axis - 1;
}

static int reduce(struct lifting *l, const Onnx__NodeProto *node, const char *word,
                  const int64_t *axes, size_t n, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    int64_t ours[SHAPE_MAX_RANK];
    bool pixels = true;

    if (!x)
        return -1;
    struct shape y = x->shape;
    if (n < 1 || n >= (size_t)y.rank)
        return lift_refuse(l, node, err, "it is over %zu axes, expected 1 to %d", n, y.rank - 1);
    for (size_t i = 0; i < n; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + y.rank : axes[i];
        if (axis < 1 || axis >= y.rank)
            return lift_refuse(l, node, err, "axes holds %lld, expected 1 to %d",
                               (long long)axes[i], y.rank - 1);
        pixels = pixels && axis > 1;
        ours[i] = axis_of(&y, axis);
        y.dim[axis] = 1;
    }
    const bool keeps = lift_int(node, "keepdims", 1);
    if (!keeps && (!pixels || n != (size_t)y.rank - 2 || strcmp(word, "mean_over") != 0))
        return lift_refuse(l, node, err, "keepdims is 0, expected 1 but for means over all pixels");
    y.rank = keeps ? y.rank : 2;
    for (int i = y.rank; i < SHAPE_MAX_RANK; i++)
        y.dim[i] = 0;
    if (!keeps)
        return lift_pipe(l, node, 0, x, &y, "global_avgpool", err);
    const char *list = lift_numbers(l, ours, (int)n);
    return lift_pipe(l, node, 0, x, &y,
                     pool_print(l->pool, n == 1 ? "%s([%s])" : "%s(%s)", word, list), err);
}

static int mean_over(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const Onnx__AttributeProto *axes = onnx_attribute(node, "axes");

    return reduce(l, node, "mean_over", axes ? axes->ints : NULL, axes ? axes->n_ints : 0, err);
}

static int sum_over(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    const Onnx__AttributeProto *axes = onnx_attribute(node, "axes");
    const struct lift_value *input = axes ? NULL : lift_ints(l, node, 1, err);

    if (!axes && !input)
        return -1;
    return axes ? reduce(l, node, "sum_over", axes->ints, axes->n_ints, err)
                : reduce(l, node, "sum_over", input->ints, (size_t)shape_len(&input->shape), err);
}

static const char *const of_slope[] = {"alpha", NULL};
static const char *const of_hard[] = {"alpha", "beta", NULL};
static const char *const of_softmax[] = {"axis", NULL};
static const char *const of_argmax[] = {"axis", "keepdims", NULL};
static const char *const of_bn[] = {"epsilon", "momentum", "training_mode", NULL};
static const char *const of_norm[] = {"epsilon", NULL};
static const char *const of_lrn[] = {"alpha", "beta", "bias", "size", NULL};
static const char *const of_mean[] = {"axes", "keepdims", NULL};

const struct lift_op lift_ops_math[] = {
    {"Relu", NULL, relu},
    {"Clip", NULL, clip},
    {"LeakyRelu", of_slope, leaky_relu},
    {"PRelu", NULL, prelu},
    {"Elu", of_slope, elu},
    {"Sigmoid", NULL, sigmoid},
    {"HardSigmoid", of_hard, hard_sigmoid},
    {"HardSwish", NULL, hard_swish},
    {"Tanh", NULL, hyperbolic},
    {"Softplus", NULL, softplus},
    {"Softmax", of_softmax, softmax},
    {"ArgMax", of_argmax, argmax},
    {"Exp", NULL, exponential},
    {"Log", NULL, logarithm},
    {"Abs", NULL, absolute},
    {"Sqrt", NULL, root},
    {"Add", NULL, add},
    {"Sub", NULL, subtract},
    {"Mul", NULL, multiply},
    {"Div", NULL, divide},
    {"BatchNormalization", of_bn, bn},
    {"InstanceNormalization", of_norm, instance_norm},
    {"LRN", of_lrn, lrn},
    {"ReduceMean", of_mean, mean_over},
    {"ReduceSum", of_mean, sum_over},
    {0},
};
