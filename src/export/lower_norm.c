/* lower_norm.c - normalisation. */
#include "export/lower.h"

static const char *bn(struct lowering *l, int node, struct err *err) {
    const char *const x[] = {lower_x(l, node, 0), lower_vector(l, node, 0, 1),
                             lower_vector(l, node, 1, 1), lower_state(l, node, 0),
                             lower_state(l, node, 1)};
    Onnx__NodeProto *norm = onnx_add(&l->out, "BatchNormalization", x, 5);

    (void)err;
    onnx_set_float(&l->out, norm, "epsilon", lower_real(l, node, "eps"));
    return onnx_output(norm);
}

/* n numbers v as a vector. */
static const char *constants(struct lowering *l, int64_t n, float v) {
    const struct shape shape = {1, {n}};
    float *numbers = pool_take(l->out.pool, (size_t)n * sizeof *numbers);

    for (int64_t i = 0; i < n; i++)
        numbers[i] = v;
    return onnx_floats(&l->out, &shape, numbers);
}

/* Each channel of each sample over its pixels, then times scale plus shift. */
static const char *instance(struct lowering *l, int node, const char *y, const char *scale,
                            const char *shift) {
    const char *const x[] = {y, scale, shift};
    Onnx__NodeProto *norm = onnx_add(&l->out, "InstanceNormalization", x, 3);

    onnx_set_float(&l->out, norm, "epsilon", lower_real(l, node, "eps"));
    return onnx_output(norm);
}

static const char *affine(struct lowering *l, int node, const char *y, int rank) {
    y = onnx_apply(&l->out, "Mul", y, lower_vector(l, node, 0, rank), NULL);
    return onnx_apply(&l->out, "Add", y, lower_vector(l, node, 1, rank), NULL);
}

static const char *instance_norm(struct lowering *l, int node, struct err *err) {
    const int64_t channels = shape_channels(lower_shape(l, node, 0));
    const bool own = lower_node(l, node)->plan.w[0].shape.rank;

    (void)err;
    return instance(l, node, lower_x(l, node, 0),
                    own ? lower_vector(l, node, 0, 1) : constants(l, channels, 1),
                    own ? lower_vector(l, node, 1, 1) : constants(l, channels, 0));
}

static const char *group_norm(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0);
    const int64_t groups = lower_int(l, node, "groups"), cut[] = {0, groups, -1};
    int64_t whole[SHAPE_MAX_RANK];
    const int rank = lower_dims(in, whole);
    const char *y = onnx_reshape(&l->out, lower_x(l, node, 0), cut, 3);

    (void)err;
    y = instance(l, node, y, constants(l, groups, 1), constants(l, groups, 0));
    return affine(l, node, onnx_reshape(&l->out, y, whole, rank), rank);
}

static const char *mean_of_channels(struct lowering *l, const char *x) {
    const int64_t channels = 1;
    Onnx__NodeProto *mean = onnx_add(&l->out, "ReduceMean", &x, 1);

    onnx_set_ints(&l->out, mean, "axes", &channels, 1);
    return onnx_output(mean);
}

/* Each pixel over its channels, which are the second dimension: LayerNormalization has its own in
 * the last ones, and would need two transpositions. */
static const char *layer_norm(struct lowering *l, int node, struct err *err) {
    struct onnx_build *b = &l->out;
    const char *x = lower_x(l, node, 0);
    const char *d = onnx_apply(b, "Sub", x, mean_of_channels(l, x), NULL);
    const char *variance = mean_of_channels(l, onnx_apply(b, "Mul", d, d, NULL));
    const char *eps = onnx_scalar(b, lower_real(l, node, "eps"));
    const char *deviation =
        onnx_apply(b, "Sqrt", onnx_apply(b, "Add", variance, eps, NULL), NULL, NULL);

    (void)err;
    return affine(l, node, onnx_apply(b, "Div", d, deviation, NULL), lower_shape(l, node, 0)->rank);
}

/* The length from the mean of squares. */
static const char *l2_norm(struct lowering *l, int node, struct err *err) {
    struct onnx_build *b = &l->out;
    const struct shape *in = lower_shape(l, node, 0);
    const char *x = lower_x(l, node, 0);
    const char *mean = mean_of_channels(l, onnx_apply(b, "Mul", x, x, NULL));
    const char *n = onnx_scalar(b, (double)shape_channels(in));
    const char *sum = onnx_apply(b, "Mul", mean, n, NULL);
    const char *eps = onnx_scalar(b, lower_real(l, node, "eps"));
    const char *length = onnx_apply(b, "Sqrt", onnx_apply(b, "Add", sum, eps, NULL), NULL, NULL);

    (void)err;
    return onnx_apply(b, "Mul", onnx_apply(b, "Div", x, length, NULL),
                      lower_vector(l, node, 0, in->rank), NULL);
}

static const char *local_response_norm(struct lowering *l, int node, struct err *err) {
    const char *x = lower_x(l, node, 0);
    const int size = lower_int(l, node, "size");

    if (size % 2 == 0) {
        err_set(err, ERR_CONFIG,
                "local_response_norm: size is %d; windows of an even size lie elsewhere in ONNX, "
                "expected an odd one",
                size);
        return NULL;
    }
    Onnx__NodeProto *norm = onnx_add(&l->out, "LRN", &x, 1);
    onnx_set_int(&l->out, norm, "size", size);
    onnx_set_float(&l->out, norm, "alpha", lower_real(l, node, "alpha"));
    onnx_set_float(&l->out, norm, "beta", lower_real(l, node, "beta"));
    onnx_set_float(&l->out, norm, "bias", lower_real(l, node, "k"));
    return onnx_output(norm);
}

const struct lower_op lower_ops_norm[] = {
    {"bn", "BatchNormalization; nothing with --fold-bn behind a layer with weights", bn},
    {"instance_norm", "InstanceNormalization", instance_norm},
    {"group_norm", "Reshape, InstanceNormalization, Reshape, Mul, Add", group_norm},
    {"layer_norm", "ReduceMean, Sub, Mul, Add, Sqrt, Div over channels", layer_norm},
    {"l2_norm", "ReduceMean, Mul, Add, Sqrt, Div over channels", l2_norm},
    {"local_response_norm", "LRN", local_response_norm},
    {0},
};
