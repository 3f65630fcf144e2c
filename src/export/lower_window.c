/* lower_window.c - operators with windows and weights: convolutions, linear, pooling. */
#include "core/ops/bn.h"
#include "core/ops/parts/filters.h"
#include "core/ops/parts/window.h"
#include "export/lower.h"
#include "io/weights/layout.h"

#include <math.h>
#include <string.h>

/* Weights and bias of a product, ours, on their way into the file. */
struct lower_product {
    struct shape shape;
    float *w;        /* [shape_len]; in the pool */
    float *bias;     /* [outputs] in the pool; NULL: none */
    int64_t outputs; /* channels of y */
    int groups;      /* of channels, of transposed ones */
    bool transposed; /* w is [.., outputs / groups, inputs] and not [.., inputs, outputs] */
    bool folded;     /* they are those of the net no more */
};

/* The channel of y that number i of the weights is for. */
static int64_t output_of(const struct lower_product *p, int64_t i) {
    const int64_t inputs = p->shape.dim[p->shape.rank - 1];

    if (!p->transposed)
        return i % inputs; /* the last dimension is that of y */
    return i % inputs / (inputs / p->groups) * (p->outputs / p->groups) +
           i / inputs % (p->outputs / p->groups);
}

/* Weights as validation computes with them where they are divided by their singular value. */
static void normalise(struct lowering *l, int node, struct lower_product *p) {
    const struct node *n = lower_node(l, node);
    const struct spectral s = spectral_of(n->plan.state[0].shape.rank, &p->shape, p->transposed);
    struct op_call call = {.args = n->args};

    if (!s.on)
        return;
    call.saved = pool_take(l->out.pool, n->plan.saved_bytes);
    call.scratch = pool_take(l->out.pool, n->plan.scratch_bytes);
    call.w[0] = p->w;
    for (int k = 0; k < 2; k++)
        call.state[k] = n->net->state + n->net->states.items[n->state[k]].offset;
    memcpy(p->w, spectral_forward(&s, &call), (size_t)shape_len(&p->shape) * sizeof *p->w);
    p->folded = true;
}

/* Batch norm of y, by its running statistics, as part of weights and bias. */
static void fold(struct lowering *l, int norm, struct lower_product *p) {
    const float *scale = lower_weights(l, norm, 0), *shift = lower_weights(l, norm, 1);
    const float *mean = lower_states(l, norm, 0), *variance = lower_states(l, norm, 1);
    double *by = pool_take(l->out.pool, (size_t)p->outputs * sizeof *by);

    if (!p->bias)
        p->bias = pool_take(l->out.pool, (size_t)p->outputs * sizeof *p->bias);
    for (int64_t o = 0; o < p->outputs; o++) {
        by[o] = (double)scale[o] / sqrt((double)variance[o] + lower_real(l, norm, "eps"));
        p->bias[o] = (float)((double)shift[o] + ((double)p->bias[o] - (double)mean[o]) * by[o]);
    }
    for (int64_t i = 0; i < shape_len(&p->shape); i++)
        p->w[i] = (float)((double)p->w[i] * by[output_of(p, i)]);
    p->folded = true;
}

static float *copy(struct lowering *l, const float *from, int64_t len) {
    float *to = pool_take(l->out.pool, (size_t)len * sizeof *to);

    memcpy(to, from, (size_t)len * sizeof *to);
    return to;
}

/* Inputs of the node: x, its weights in PyTorch's order, its bias ("": none). */
static void product_inputs(struct lowering *l, int node, bool transposed, const char *x[3]) {
    const struct node *n = lower_node(l, node);
    const struct op_param *w = &n->plan.w[0], *bias = &n->plan.w[1];
    struct lower_product p = {.shape = w->shape,
                              .outputs = shape_channels(&n->plan.y),
                              .groups = n->op->fusion.groups ? n->op->fusion.groups(n->args) : 1,
                              .transposed = transposed};
    const int norm = lower_folded(l, node);
    const char *name = lower_name(l, node, w);

    x[0] = lower_x(l, node, 0);
    p.w = copy(l, lower_weights(l, node, 0), shape_len(&p.shape));
    if (bias->shape.rank)
        p.bias = copy(l, lower_weights(l, node, 1), p.outputs);
    normalise(l, node, &p);
    if (norm >= 0)
        fold(l, norm, &p);
    const struct shape torch = layout_to_torch(&p.shape), outputs = {1, {p.outputs}};
    const bool known = !p.folded && onnx_has_weight(&l->out, name);
    float *turned = known ? NULL : copy(l, p.w, shape_len(&torch));
    if (!known)
        layout_write_torch(&p.shape, p.w, turned);
    x[1] = known ? name : onnx_weight(&l->out, name, &torch, turned);
    const struct op_param named = {.name = "bias"};
    const char *bias_name = lower_name(l, node, &named);
    x[2] = !p.bias ? ""
           : !p.folded && onnx_has_weight(&l->out, bias_name)
               ? bias_name
               : onnx_weight(&l->out, bias_name, &outputs, p.bias);
}

/* The value of a product is that of the batch norm in it, too. */
static const char *product_output(struct lowering *l, int node, const char *y) {
    const int norm = lower_folded(l, node);

    if (norm >= 0)
        l->value[norm] = y;
    return y;
}

/* What ONNX calls a window, in each of the dimensions between batch and channels. */
struct lower_window {
    int64_t kernel[AXES_MAX], stride[AXES_MAX], dilation[AXES_MAX], pads[2 * AXES_MAX];
    int n;
};

static void set_window(struct lowering *l, Onnx__NodeProto *node, const struct lower_window *w) {
    onnx_set_ints(&l->out, node, "kernel_shape", w->kernel, w->n);
    onnx_set_ints(&l->out, node, "strides", w->stride, w->n);
    onnx_set_ints(&l->out, node, "pads", w->pads, 2 * w->n);
}

static const char *filters(struct lowering *l, int node, bool transposed) {
    const struct node *n = lower_node(l, node);
    const struct filters *a = n->args;
    const struct shape *in = lower_shape(l, node, 0), *out = &n->plan.y;
    struct lower_window w = {.n = axes_of(in)};
    int64_t more[AXES_MAX];
    const char *x[3];

    for (int i = 0; i < w.n; i++) {
        w.kernel[i] = ints_at(&a->kernel, i);
        w.stride[i] = ints_at(&a->stride, i);
        w.dilation[i] = ints_at(&a->dilation, i);
        const int64_t cover = w.dilation[i] * (w.kernel[i] - 1) + 1;
        const int64_t spare = cover > w.stride[i] ? cover - w.stride[i] : 0;
        const int64_t same = transposed ? (spare + 1) / 2 : w.kernel[i] / 2 * w.dilation[i];
        const int64_t pad = a->pad.n ? ints_at(&a->pad, i) : a->pad.v[0] == FILTERS_SAME ? same : 0;
        w.pads[i] = w.pads[w.n + i] = pad;
        more[i] = out->dim[1 + i] - ((in->dim[1 + i] - 1) * w.stride[i] + cover - 2 * pad);
    }
    product_inputs(l, node, transposed, x);
    Onnx__NodeProto *conv =
        onnx_add(&l->out, transposed ? "ConvTranspose" : "Conv", x, *x[2] ? 3 : 2);
    set_window(l, conv, &w);
    onnx_set_ints(&l->out, conv, "dilations", w.dilation, w.n);
    onnx_set_int(&l->out, conv, "group", a->groups);
    if (transposed)
        onnx_set_ints(&l->out, conv, "output_padding", more, w.n);
    return product_output(l, node, onnx_output(conv));
}

static const char *of_lists(const char *word, struct err *err) {
    err_set(err, ERR_CONFIG, "%s: ONNX has no operators for lists of images", word);
    return NULL;
}

static const char *conv(struct lowering *l, int node, struct err *err) {
    if (lower_int(l, node, "each"))
        return of_lists("conv", err);
    return filters(l, node, false);
}

static const char *conv_transpose(struct lowering *l, int node, struct err *err) {
    if (lower_int(l, node, "each"))
        return of_lists("conv_transpose", err);
    return filters(l, node, true);
}

/* Of each row of a list, whose channels ONNX has second. */
static const char *list_linear(struct lowering *l, int node, const char *x[3]) {
    const int64_t turn[2] = {1, 0};
    const char *y =
        onnx_apply(&l->out, "MatMul", lower_channels_last(l, x[0], lower_shape(l, node, 0)->rank),
                   onnx_transpose(&l->out, x[1], turn, 2), NULL);

    if (*x[2])
        y = onnx_apply(&l->out, "Add", y, x[2], NULL);
    return product_output(l, node, lower_channels_second(l, y, 3));
}

static const char *linear(struct lowering *l, int node, struct err *err) {
    const char *x[3];

    (void)err;
    product_inputs(l, node, false, x);
    if (lower_node(l, node)->plan.y.rank > 2)
        return list_linear(l, node, x);
    if (lower_shape(l, node, 0)->rank > 2)
        x[0] = onnx_apply(&l->out, "Flatten", x[0], NULL, NULL);
    Onnx__NodeProto *gemm = onnx_add(&l->out, "Gemm", x, *x[2] ? 3 : 2);
    onnx_set_int(&l->out, gemm, "transB", 1);
    return product_output(l, node, onnx_output(gemm));
}

/* --- pooling --- */

/* The window of a pool: with ceil=true the padding at the end is as much as the last window needs,
 * so that nothing depends on how a runtime rounds. */
static struct lower_window pool_window(const struct window *a, const struct shape *x) {
    struct window_axis axes[AXES_MAX];
    struct lower_window w = {.n = axes_of(x)};

    window_axes(a, x, axes);
    for (int i = 0; i < w.n; i++) {
        const struct window_axis *axis = &axes[AXES_MAX - w.n + i];
        const int64_t end =
            (axis->n_out - 1) * axis->stride + axis->kernel - axis->n_in - axis->pad;
        w.kernel[i] = axis->kernel;
        w.stride[i] = axis->stride;
        w.pads[i] = axis->pad;
        w.pads[w.n + i] = a->ceil && end > axis->pad ? end : axis->pad;
    }
    return w;
}

static const char *maxpool(struct lowering *l, int node, struct err *err) {
    const struct window *a = lower_node(l, node)->args;
    const char *x = lower_x(l, node, 0);
    const struct lower_window w = pool_window(a, lower_shape(l, node, 0));
    Onnx__NodeProto *pool = onnx_add(&l->out, "MaxPool", &x, 1);

    (void)err;
    set_window(l, pool, &w);
    return onnx_output(pool);
}

/* Zeros around x as pixels of their own: padding that counts in means, where the padding at the end
 * of a last window does not. */
static const char *pad(struct lowering *l, const char *x, const struct window *a, int n) {
    int64_t pads[2 * SHAPE_MAX_RANK] = {0};

    for (int i = 0; i < n; i++)
        pads[2 + i] = pads[n + 4 + i] = ints_at(&a->pad, i);
    const char *of_pads = onnx_int64s(&l->out, pads, 2 * (n + 2));
    return onnx_apply(&l->out, "Pad", x, of_pads, NULL);
}

static const char *average(struct lowering *l, const char *x, const struct lower_window *w,
                           bool count_pad) {
    Onnx__NodeProto *pool = onnx_add(&l->out, "AveragePool", &x, 1);

    set_window(l, pool, w);
    onnx_set_int(&l->out, pool, "count_include_pad", count_pad);
    return onnx_output(pool);
}

static const char *avgpool(struct lowering *l, int node, struct err *err) {
    const struct window *a = lower_node(l, node)->args;
    const char *x = lower_x(l, node, 0);
    struct lower_window w = pool_window(a, lower_shape(l, node, 0));
    bool padded = false;

    (void)err;
    for (int i = 0; i < w.n; i++)
        padded = padded || w.pads[i];
    if (a->ceil && a->count_pad && padded) {
        x = pad(l, x, a, w.n);
        for (int i = 0; i < w.n; i++) {
            w.pads[w.n + i] -= w.pads[i];
            w.pads[i] = 0;
        }
    }
    return average(l, x, &w, a->count_pad && !a->ceil);
}

static const char *global_pool(struct lowering *l, int node, const char *type) {
    const char *y = lower_x(l, node, 0);

    if (lower_shape(l, node, 0)->rank > 2)
        y = onnx_apply(&l->out, type, y, NULL, NULL);
    return onnx_apply(&l->out, "Flatten", y, NULL, NULL);
}

static const char *global_avgpool(struct lowering *l, int node, struct err *err) {
    (void)err;
    return global_pool(l, node, "GlobalAveragePool");
}

static const char *global_maxpool(struct lowering *l, int node, struct err *err) {
    (void)err;
    return global_pool(l, node, "GlobalMaxPool");
}

/* The means along one axis as a matrix: [in, out], or [out, in] where it stands on the left. */
static const char *means(struct lowering *l, const struct window_axis *a, bool left) {
    const struct shape shape = {2, {left ? a->n_out : a->n_in, left ? a->n_in : a->n_out}};
    float *v = pool_take(l->out.pool, (size_t)shape_len(&shape) * sizeof *v);

    for (int64_t out = 0; out < a->n_out; out++) {
        int64_t begin, end;
        window_clip(a, out, &begin, &end);
        for (int64_t in = begin; in < end; in++)
            v[left ? out * a->n_in + in : in * a->n_out + out] = 1 / (float)(end - begin);
    }
    return onnx_floats(&l->out, &shape, v);
}

static const char *adaptive_avgpool(struct lowering *l, int node, struct err *err) {
    const struct shape *in = lower_shape(l, node, 0);
    const char *y = lower_x(l, node, 0);
    struct window_axis axes[AXES_MAX];
    struct lower_window w = {.n = axes_of(in)};
    bool even = true;

    window_adapt(lower_ints(l, node, "size"), in, axes);
    for (int i = 0; i < w.n; i++) {
        const struct window_axis *a = &axes[AXES_MAX - w.n + i];
        even = even && a->n_in % a->n_out == 0;
        w.kernel[i] = w.stride[i] = a->n_in / a->n_out;
    }
    if (even)
        return average(l, y, &w, false);
    if (w.n > 2) {
        err_set(err, ERR_CONFIG,
                "adaptive_avgpool: windows of different sizes over a volume have no operator in "
                "ONNX; expected a size that divides that of x");
        return NULL;
    }
    y = onnx_apply(&l->out, "MatMul", y, means(l, &axes[2], false), NULL);
    return w.n < 2 ? y : onnx_apply(&l->out, "MatMul", means(l, &axes[1], true), y, NULL);
}

/* Where the pool found its maxima is asked once more, of x. */
static const char *max_unpool(struct lowering *l, int node, struct err *err) {
    const struct window *a = lower_node(l, node)->args;
    const char *z = lower_x(l, node, 0), *x = lower_x(l, node, 1);
    const struct lower_window w = pool_window(a, lower_shape(l, node, 1));
    Onnx__NodeProto *pool = onnx_add(&l->out, "MaxPool", &x, 1);

    (void)err;
    set_window(l, pool, &w);
    const char *inputs[] = {z, onnx_add_output(&l->out, pool),
                            onnx_apply(&l->out, "Shape", x, NULL, NULL)};
    Onnx__NodeProto *unpool = onnx_add(&l->out, "MaxUnpool", inputs, 3);
    set_window(l, unpool, &w);
    return onnx_output(unpool);
}

const struct lower_op lower_ops_window[] = {
    {"conv", "Conv", conv},
    {"conv_transpose", "ConvTranspose", conv_transpose},
    {"linear", "Gemm; MatMul of lists", linear},
    {"maxpool", "MaxPool", maxpool},
    {"avgpool", "AveragePool, with Pad where ceil=true", avgpool},
    {"global_avgpool", "GlobalAveragePool, Flatten", global_avgpool},
    {"global_maxpool", "GlobalMaxPool, Flatten", global_maxpool},
    {"adaptive_avgpool", "AveragePool; MatMul where windows differ", adaptive_avgpool},
    {"max_unpool", "MaxPool, MaxUnpool", max_unpool},
    {0},
};
