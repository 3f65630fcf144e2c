/* lift_window.c - operators with windows and weights. */
#include "export/lift.h"

#include <string.h>

enum { SPATIAL_MAX = SHAPE_MAX_RANK - 2 };

/* Dimensions between channels and the rest, each with its window. */
struct lift_window {
    int n;
    int64_t kernel[SPATIAL_MAX], stride[SPATIAL_MAX], dilation[SPATIAL_MAX];
    int64_t begin[SPATIAL_MAX], end[SPATIAL_MAX]; /* padding */
};

/*   kernel  [n] what kernel_shape must agree with; NULL: it is given */
static int read_window(const struct lifting *l, const Onnx__NodeProto *node, int rank,
                       const int64_t *kernel, struct lift_window *w, struct err *err) {
    const Onnx__AttributeProto *automatic = onnx_attribute(node, "auto_pad");
    int64_t pads[2 * SPATIAL_MAX] = {0};

    *w = (struct lift_window){.n = rank - 2};
    if (w->n < 1 || w->n > SPATIAL_MAX)
        return lift_refuse(l, node, err, "x has %d dimensions, expected 3 to 5", rank);
    if (automatic && !lift_text_is(node, "auto_pad", "NOTSET") &&
        !lift_text_is(node, "auto_pad", "VALID"))
        return lift_refuse(l, node, err, "auto_pad is %.*s, expected padding in numbers",
                           (int)(automatic->s.len < 40 ? automatic->s.len : 40),
                           (const char *)automatic->s.data);
    if (lift_list(l, node, "kernel_shape", w->n, 0,
                  kernel && !onnx_attribute(node, "kernel_shape") ? 0 : 1, w->kernel, err) ||
        lift_list(l, node, "strides", w->n, 1, 1, w->stride, err) ||
        lift_list(l, node, "dilations", w->n, 1, 1, w->dilation, err) ||
        lift_list(l, node, "pads", 2 * w->n, 0, 0, pads, err))
        return -1;
    for (int i = 0; i < w->n; i++) {
        w->begin[i] = pads[i];
        w->end[i] = pads[w->n + i];
        if (kernel && onnx_attribute(node, "kernel_shape") && w->kernel[i] != kernel[i])
            return lift_refuse(l, node, err, "kernel_shape holds %lld, but its weight has %lld",
                               (long long)w->kernel[i], (long long)kernel[i]);
        if (kernel)
            w->kernel[i] = kernel[i];
    }
    return 0;
}

static int check_even(const struct lifting *l, const Onnx__NodeProto *node,
                      const struct lift_window *w, struct err *err) {
    for (int i = 0; i < w->n; i++)
        if (w->begin[i] != w->end[i])
            return lift_refuse(
                l, node, err,
                "pads are %lld before and %lld after, expected the same on both sides",
                (long long)w->begin[i], (long long)w->end[i]);
    return 0;
}

/* Spatial dimensions of y: windows that fit; with `ceil` a last one may begin inside. */
static int shrink(const struct lifting *l, const Onnx__NodeProto *node, const struct lift_window *w,
                  bool ceil, struct shape *y, struct err *err) {
    for (int i = 0; i < w->n; i++) {
        const int64_t cover = w->dilation[i] * (w->kernel[i] - 1) + 1, in = y->dim[2 + i];
        const int64_t room = in + w->begin[i] + w->end[i] - cover;
        if (room < 0)
            return lift_refuse(l, node, err, "its window of %lld is larger than its input of %lld",
                               (long long)cover, (long long)(in + w->begin[i] + w->end[i]));
        y->dim[2 + i] = (room + (ceil ? w->stride[i] - 1 : 0)) / w->stride[i] + 1;
        if (ceil && (y->dim[2 + i] - 1) * w->stride[i] >= in + w->begin[i])
            y->dim[2 + i]--;
    }
    return 0;
}

static const char *filter_text(struct lifting *l, const struct lift_window *w, bool transposed,
                               const struct shape *shape, int64_t groups, bool bias,
                               const char *part) {
    const int64_t channels = transposed ? shape->dim[1] * groups : shape->dim[0];
    const char *text = pool_print(l->pool, "%s(%lld, %s", transposed ? "conv_transpose" : "conv",
                                  (long long)channels, lift_numbers(l, w->kernel, w->n));
    const int64_t *const lists[] = {w->stride, w->begin, w->dilation};
    static const char *const names[] = {"stride", "pad", "dilation"};

    for (int k = 0; k < 3; k++) {
        const char *numbers = lift_numbers(l, lists[k], w->n);
        if (k == 1 || strcmp(numbers, "1") != 0)
            text = pool_print(l->pool, "%s, %s=%s", text, names[k], numbers);
    }
    if (groups > 1)
        text = pool_print(l->pool, "%s, groups=%lld", text, (long long)groups);
    return pool_print(l->pool, "%s, bias=%s, name=\"%s\")", text, bias ? "true" : "false", part);
}

static int bias_of(struct lifting *l, const Onnx__NodeProto *node, size_t k, int64_t channels,
                   const char *part, struct err *err) {
    if (!lift_input(l, node, k))
        return 0;
    const struct lift_value *b = lift_floats(l, node, k, err);
    if (!b)
        return -1;
    if (b->shape.rank != 1 || b->shape.dim[0] != channels)
        return lift_refuse(l, node, err, "its bias has %lld numbers, expected %lld",
                           (long long)shape_len(&b->shape), (long long)channels);
    lift_weight(l, part, "bias", &b->shape, b->floats);
    return 0;
}

static int check_groups(const struct lifting *l, const Onnx__NodeProto *node,
                        const struct lift_value *x, const struct lift_value *w, int64_t groups,
                        bool transposed, struct err *err) {
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    const int64_t channels = x->shape.rank > 1 ? x->shape.dim[1] : 0;

    if (w->shape.rank == x->shape.rank && x->shape.rank > 2 && groups > 0 && shape_len(&w->shape) &&
        (transposed ? w->shape.dim[0] == channels && channels % groups == 0
                    : w->shape.dim[1] == channels / groups && channels % groups == 0 &&
                          w->shape.dim[0] % groups == 0))
        return 0;
    return lift_refuse(l, node, err, "its weight %s with group %lld does not fit its input %s",
                       shape_text(&w->shape, a), (long long)groups, shape_text(&x->shape, b));
}

static int filters(struct lifting *l, const Onnx__NodeProto *node, bool transposed,
                   struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const struct lift_value *weight = x ? lift_floats(l, node, 1, err) : NULL;
    const int64_t groups = lift_int(node, "group", 1);
    struct lift_window w;

    if (!weight || check_groups(l, node, x, weight, groups, transposed, err) ||
        read_window(l, node, x->shape.rank, weight->shape.dim + 2, &w, err) ||
        check_even(l, node, &w, err))
        return -1;
    struct shape y = x->shape;
    y.dim[1] = transposed ? weight->shape.dim[1] * groups : weight->shape.dim[0];
    int64_t more[SPATIAL_MAX] = {0};
    if (transposed ? lift_list(l, node, "output_padding", w.n, 0, 0, more, err)
                   : shrink(l, node, &w, false, &y, err))
        return -1;
    for (int i = 0; i < w.n && transposed; i++)
        y.dim[2 + i] = (y.dim[2 + i] - 1) * w.stride[i] + w.dilation[i] * (w.kernel[i] - 1) + 1 -
                       2 * w.begin[i] + more[i];
    const char *part = lift_part(l, node, node->input[1]);
    const char *text =
        filter_text(l, &w, transposed, &weight->shape, groups, lift_input(l, node, 2), part);
    const char *padded = lift_numbers(l, more, w.n);
    if (transposed && strcmp(padded, "0") != 0)
        text = pool_print(l->pool, "%.*s, output_pad=%s)", (int)strlen(text) - 1, text, padded);
    lift_weight(l, part, "weight", &weight->shape, weight->floats);
    return bias_of(l, node, 2, y.dim[1], part, err) || lift_pipe(l, node, 0, x, &y, text, err) ? -1
                                                                                               : 0;
}

static int conv(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return filters(l, node, false, err);
}

static int conv_transpose(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return filters(l, node, true, err);
}

/* Weights [in, out] as [out, in]. */
static const float *turned(struct lifting *l, const struct lift_value *w) {
    float *v = pool_take(l->pool, (size_t)shape_len(&w->shape) * sizeof *v);
    const int64_t rows = w->shape.dim[0], cols = w->shape.dim[1];

    for (int64_t i = 0; i < rows * cols; i++)
        v[i % cols * rows + i / cols] = w->floats[i];
    return v;
}

/*   out_first  the weights are [out, in] */
static int linear(struct lifting *l, const Onnx__NodeProto *node, bool out_first, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const struct lift_value *w = x ? lift_floats(l, node, 1, err) : NULL;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];

    if (!w)
        return -1;
    if (w->shape.rank != 2 || x->shape.rank != 2 || w->shape.dim[out_first] != x->shape.dim[1] ||
        !shape_len(&w->shape))
        return lift_refuse(l, node, err, "its weight %s does not fit its input %s",
                           shape_text(&w->shape, a), shape_text(&x->shape, b));
    const struct shape y = {2, {1, w->shape.dim[!out_first]}};
    const struct shape shape = {2, {y.dim[1], x->shape.dim[1]}};
    const char *part = lift_part(l, node, node->input[1]);
    lift_weight(l, part, "weight", &shape, out_first ? w->floats : turned(l, w));
    if (bias_of(l, node, 2, y.dim[1], part, err))
        return -1;
    return lift_pipe(l, node, 0, x, &y,
                     pool_print(l->pool, "linear(%lld, bias=%s, name=\"%s\")", (long long)y.dim[1],
                                lift_input(l, node, 2) ? "true" : "false", part),
                     err);
}

static int gemm(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    if (lift_int(node, "transA", 0) || lift_float(node, "alpha", 1) != 1 ||
        lift_float(node, "beta", 1) != 1)
        return lift_refuse(l, node, err, "expected transA=0, alpha=1 and beta=1");
    return linear(l, node, lift_int(node, "transB", 0) != 0, err);
}

static int matmul(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return linear(l, node, false, err);
}

/* --- pooling --- */

static int pool(struct lifting *l, const Onnx__NodeProto *node, bool average, struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);
    const bool count = average && lift_int(node, "count_include_pad", 0);
    bool ceil = lift_int(node, "ceil_mode", 0), padded = false;
    struct lift_window w;

    if (!x || read_window(l, node, x->shape.rank, NULL, &w, err))
        return -1;
    struct shape y = x->shape, expected = x->shape;
    if (shrink(l, node, &w, ceil, &y, err))
        return -1;
    for (int i = 0; i < w.n; i++) {
        padded = padded || w.begin[i] || w.end[i];
        if (w.dilation[i] != 1)
            return lift_refuse(l, node, err, "dilations holds %lld, expected 1",
                               (long long)w.dilation[i]);
        if (w.end[i] != w.begin[i]) { /* what is more at the end may be a last window's */
            ceil = true;
            w.end[i] = w.begin[i];
        }
    }
    if (shrink(l, node, &w, ceil, &expected, err))
        return -1;
    if (!shape_equal(&y, &expected) || (ceil && count && padded && !lift_int(node, "ceil_mode", 0)))
        return lift_refuse(l, node, err,
                           "pads are not the same on both sides, and no last window explains it");
    const char *text = pool_print(l->pool, "%s(%s", average ? "avgpool" : "maxpool",
                                  lift_numbers(l, w.kernel, w.n));
    const char *stride = lift_numbers(l, w.stride, w.n), *pad = lift_numbers(l, w.begin, w.n);
    text = pool_print(l->pool, "%s, stride=%s%s%s%s%s)", text, stride,
                      strcmp(pad, "0") ? ", pad=" : "", strcmp(pad, "0") ? pad : "",
                      ceil ? ", ceil=true" : "",
                      average && !count && (padded || ceil) ? ", count_pad=false" : "");
    return lift_pipe(l, node, 0, x, &y, text, err);
}

static int maxpool(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    if (node->n_output > 1)
        return lift_refuse(l, node, err,
                           "gives the places of its maxima, which have no counterpart");
    return pool(l, node, false, err);
}

static int avgpool(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return pool(l, node, true, err);
}

/* [n, c, 1 ...]; a Flatten behind it that nobody else reads is part of it. */
static int global(struct lifting *l, const Onnx__NodeProto *node, const char *word,
                  struct err *err) {
    const struct lift_value *x = lift_tensor(l, node, 0, err);

    if (!x)
        return -1;
    struct shape y = {x->shape.rank, {1, x->shape.dim[1]}}, flat = {2, {1, x->shape.dim[1]}};
    if (y.rank < 3)
        return lift_refuse(l, node, err, "x has %d dimensions, expected 3 to 5", y.rank);
    const Onnx__NodeProto *next = lift_reader(l, node);
    if (next && !strcmp(next->op_type, "Flatten") && lift_int(next, "axis", 1) == 1) {
        lift_done(l, next);
        return lift_pipe(l, next, 0, x, &flat, word, err);
    }
    const char *ones = "";
    for (int i = 2; i < y.rank; i++) {
        y.dim[i] = 1;
        ones = pool_print(l->pool, "%s1, ", ones);
    }
    return lift_pipe(l, node, 0, x, &y,
                     pool_print(l->pool, "%s | reshape([%s%lld])", word, ones, (long long)y.dim[1]),
                     err);
}

static int global_avgpool(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return global(l, node, "global_avgpool", err);
}

static int global_maxpool(struct lifting *l, const Onnx__NodeProto *node, struct err *err) {
    return global(l, node, "global_maxpool", err);
}

static const char *const of_conv[] = {"auto_pad", "dilations", "group", "kernel_shape",
                                      "pads",     "strides",   NULL};
static const char *const of_transposed[] = {"auto_pad", "dilations",      "group",   "kernel_shape",
                                            "pads",     "output_padding", "strides", NULL};
static const char *const of_gemm[] = {"alpha", "beta", "transA", "transB", NULL};
static const char *const of_pool[] = {"auto_pad", "ceil_mode", "dilations",     "kernel_shape",
                                      "pads",     "strides",   "storage_order", NULL};
static const char *const of_avgpool[] = {
    "auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides", NULL};

const struct lift_op lift_ops_window[] = {
    {"Conv", of_conv, conv},
    {"ConvTranspose", of_transposed, conv_transpose},
    {"Gemm", of_gemm, gemm},
    {"MatMul", NULL, matmul},
    {"MaxPool", of_pool, maxpool},
    {"AveragePool", of_avgpool, avgpool},
    {"GlobalAveragePool", NULL, global_avgpool},
    {"GlobalMaxPool", NULL, global_maxpool},
    {0},
};
