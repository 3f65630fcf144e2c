/* lower_math.c - element by element, and over axes. */
#include "export/lower.h"

/* What is one operator in both. */
#define LOWER_SAME(name, type)                                                                     \
    static const char *name(struct lowering *l, int node, struct err *err) {                       \
        (void)err;                                                                                 \
        return onnx_apply(&l->out, type, lower_x(l, node, 0), NULL, NULL);                         \
    }
LOWER_SAME(relu, "Relu")
LOWER_SAME(sigmoid, "Sigmoid")
LOWER_SAME(hyperbolic, "Tanh")
LOWER_SAME(exponential, "Exp")
LOWER_SAME(logarithm, "Log")
LOWER_SAME(absolute, "Abs")
LOWER_SAME(root, "Sqrt")

/* One number in the node's own name. */
static const char *with_number(struct lowering *l, const char *type, const char *x, double v) {
    return onnx_apply(&l->out, type, x, onnx_scalar(&l->out, v), NULL);
}

static const char *square(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);

    (void)err;
    return onnx_apply(&l->out, "Mul", x, x, NULL);
}

static const char *relu6(struct lowering *l, int node, struct err *err) {
    const char *low = onnx_scalar(&l->out, 0), *high = onnx_scalar(&l->out, 6);

    (void)err;
    return onnx_apply(&l->out, "Clip", lower_x(l, node, 0), low, high);
}

static const char *with_slope(struct lowering *l, int node, const char *type, const char *arg) {
    const char *x = lower_x(l, node, 0);
    Onnx__NodeProto *y = onnx_add(&l->out, type, &x, 1);

    onnx_set_float(&l->out, y, "alpha", lower_real(l, node, arg));
    return onnx_output(y);
}

static const char *leaky_relu(struct lowering *l, int node, struct err *err) {
    (void)err;
    return with_slope(l, node, "LeakyRelu", "slope");
}

static const char *elu(struct lowering *l, int node, struct err *err) {
    (void)err;
    return with_slope(l, node, "Elu", "alpha");
}

static const char *prelu(struct lowering *l, int node, struct err *err) {
    (void)err;
    return onnx_apply(&l->out, "PRelu", lower_x(l, node, 0),
                      lower_vector(l, node, 0, lower_shape(l, node, 0)->rank), NULL);
}

static const char *swish(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);

    (void)err;
    return onnx_apply(&l->out, "Mul", x, onnx_apply(&l->out, "Sigmoid", x, NULL, NULL), NULL);
}

static const char *hard_sigmoid(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    Onnx__NodeProto *y = onnx_add(&l->out, "HardSigmoid", &x, 1);

    (void)err;
    onnx_set_float(&l->out, y, "alpha", 1.0 / 6);
    onnx_set_float(&l->out, y, "beta", 0.5);
    return onnx_output(y);
}

static const char *hard_swish(struct lowering *l, int node, struct err *err) {
    return onnx_apply(&l->out, "Mul", lower_x(l, node, 0), hard_sigmoid(l, node, err), NULL);
}

/* x / 2 times (1 + erf(x / sqrt(2))) */
static const char *gelu(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    const char *erf =
        onnx_apply(&l->out, "Erf", with_number(l, "Mul", x, 0.70710678118654752), NULL, NULL);

    (void)err;
    return onnx_apply(&l->out, "Mul", with_number(l, "Mul", x, 0.5), with_number(l, "Add", erf, 1),
                      NULL);
}

static const char *softplus(struct lowering *l, int node, struct err *err) {
    const double beta = lower_real(l, node, "beta");
    const char *x = lower_x(l, node, 0);

    (void)err;
    if (beta == 1)
        return onnx_apply(&l->out, "Softplus", x, NULL, NULL);
    x = onnx_apply(&l->out, "Softplus", with_number(l, "Mul", x, beta), NULL, NULL);
    return with_number(l, "Div", x, beta);
}

static const char *softmax(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    Onnx__NodeProto *y = onnx_add(&l->out, "Softmax", &x, 1);

    (void)err;
    onnx_set_int(&l->out, y, "axis", 1);
    return onnx_output(y);
}

static const char *argmax(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    Onnx__NodeProto *y = onnx_add(&l->out, "ArgMax", &x, 1);

    (void)err;
    onnx_set_int(&l->out, y, "axis", 1);
    onnx_set_int(&l->out, y, "keepdims", 0);
    return onnx_output(y);
}

/* An operand [n, c] of images is [n, c, 1, 1]: it is repeated over pixels. */
static const char *operand(struct lowering *l, int node, int k) {
    const struct shape *own = lower_shape(l, node, k);
    const int rank = lower_node(l, node)->plan.y.rank;
    int64_t dim[SHAPE_MAX_RANK] = {0, own->dim[1]};

    for (int i = 2; i < rank; i++)
        dim[i] = 1;
    return own->rank == 2 && rank > 2 ? onnx_reshape(&l->out, lower_x(l, node, k), dim, rank)
                                      : lower_x(l, node, k);
}

#define LOWER_BINARY(name, type)                                                                   \
    static const char *name(struct lowering *l, int node, struct err *err) {                       \
        (void)err;                                                                                 \
        return onnx_apply(&l->out, type, operand(l, node, 0), operand(l, node, 1), NULL);          \
    }
LOWER_BINARY(add, "Add")
LOWER_BINARY(subtract, "Sub")
LOWER_BINARY(multiply, "Mul")
LOWER_BINARY(divide, "Div")

/* The axis of ONNX that is axis i of ours. */
static int64_t axis_of(const struct shape *x, int i) {
    return i == x->rank - 1 ? 1 : i + 1;
}

static int reduced(const struct lowering *l, int node, int64_t axes[SHAPE_MAX_RANK]) {
    const struct ints *list = lower_ints(l, node, "axes");

    for (int i = 0; i < list->n; i++)
        axes[i] = axis_of(lower_shape(l, node, 0), list->v[i]);
    return list->n;
}

static const char *mean_over(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    int64_t axes[SHAPE_MAX_RANK];
    const int n = reduced(l, node, axes);
    Onnx__NodeProto *y = onnx_add(&l->out, "ReduceMean", &x, 1);

    (void)err;
    onnx_set_ints(&l->out, y, "axes", axes, n);
    return onnx_output(y);
}

static const char *sum_over(struct lowering *l, int node, struct err *err) {
    int64_t axes[SHAPE_MAX_RANK];
    const int n = reduced(l, node, axes);

    (void)err;
    return onnx_apply(&l->out, "ReduceSum", lower_x(l, node, 0), onnx_int64s(&l->out, axes, n),
                      NULL);
}

static const char *gram(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0);
    const int64_t flat[] = {0, shape_channels(in), -1}, turned[] = {0, 2, 1};
    const char *x = onnx_reshape(&l->out, lower_x(l, node, 0), flat, 3);
    const char *y = onnx_apply(&l->out, "MatMul", x, onnx_transpose(&l->out, x, turned, 3), NULL);

    (void)err;
    return with_number(l, "Div", y, (double)shape_sample_len(in));
}

const struct lower_op lower_ops_math[] = {
    {"relu", "Relu", relu},
    {"relu6", "Clip", relu6},
    {"leaky_relu", "LeakyRelu", leaky_relu},
    {"prelu", "PRelu", prelu},
    {"elu", "Elu", elu},
    {"gelu", "Erf, Mul, Add", gelu},
    {"sigmoid", "Sigmoid", sigmoid},
    {"hard_sigmoid", "HardSigmoid", hard_sigmoid},
    {"tanh", "Tanh", hyperbolic},
    {"swish", "Sigmoid, Mul", swish},
    {"hard_swish", "HardSigmoid, Mul", hard_swish},
    {"softplus", "Softplus", softplus},
    {"softmax", "Softmax", softmax},
    {"argmax", "ArgMax", argmax},
    {"exp", "Exp", exponential},
    {"log", "Log", logarithm},
    {"abs", "Abs", absolute},
    {"sqrt", "Sqrt", root},
    {"square", "Mul", square},
    {"add", "Add", add},
    {"sub", "Sub", subtract},
    {"mul", "Mul", multiply},
    {"div", "Div", divide},
    {"mean_over", "ReduceMean", mean_over},
    {"sum_over", "ReduceSum", sum_over},
    {"gram", "Reshape, Transpose, MatMul, Div", gram},
    {0},
};
