#include "core/ops/parts/filters.h"

enum { BIAS_AUTO, BIAS_TRUE };

const char *const filters_pads[] = {"same", "valid", NULL};
const char *const filters_biases[] = {"auto", "true", "false", NULL};
const char *const filters_truths[] = {"false", "true", NULL};

/* With each=true the images of all lists are samples. */
static struct shape images_of(const struct filters *a, const struct shape *s) {
    return a->each ? (struct shape){4, {s->dim[0] * s->dim[1], s->dim[2], s->dim[3], s->dim[4]}}
                   : *s;
}

/* One dimension of the kernel. */
struct filters_axis {
    int64_t kernel, stride, dilation, pad, output_pad;
    int64_t cover; /* pixels from the first tap to the last */
};

static struct filters_axis axis_of(const struct filters *a, bool transposed, int i) {
    struct filters_axis v = {.kernel = ints_at(&a->kernel, i),
                             .stride = ints_at(&a->stride, i),
                             .dilation = ints_at(&a->dilation, i)};

    v.cover = v.dilation * (v.kernel - 1) + 1;
    if (a->pad.n)
        v.pad = ints_at(&a->pad, i);
    if (transposed)
        v.output_pad = ints_at(&a->output_pad, i);
    if (a->pad.n || a->pad.v[0] == FILTERS_VALID)
        return v;
    if (!transposed) {
        v.pad = v.kernel / 2 * v.dilation;
        return v;
    }
    /* stride times the input: cut what is more evenly, at the beginning if odd; add what lacks */
    if (v.cover > v.stride)
        v.pad = (v.cover - v.stride + 1) / 2;
    v.output_pad = 2 * v.pad - (v.cover - v.stride);
    return v;
}

static int check(const char *name, bool transposed, const struct filters *a, const struct shape *x,
                 struct err *err) {
    const struct ints *const lists[] = {&a->kernel, &a->stride, &a->pad, &a->dilation,
                                        &a->output_pad};
    static const char *const names[] = {"kernel", "stride", "pad", "dilation", "output_pad"};
    const int64_t c = shape_channels(x);

    if (axes_check(name, x, err))
        return -1;
    for (int i = 0; i < (transposed ? 5 : 4); i++)
        if (axes_check_list(name, names[i], lists[i], axes_of(x), err))
            return -1;
    if (c % a->groups)
        return err_set(err, ERR_CONFIG, "%s: groups=%d does not divide the %lld input channels",
                       name, a->groups, (long long)c);
    if (a->channels % a->groups)
        return err_set(err, ERR_CONFIG, "%s: groups=%d does not divide the %d output channels",
                       name, a->groups, a->channels);
    return 0;
}

/* y's height, width ... of a convolution. */
static int shrink(const char *name, const struct filters *a, const struct shape *x, struct shape *y,
                  struct err *err) {
    int64_t cover[AXES_MAX], in[AXES_MAX];
    char kernel[SHAPE_TEXT], padded[SHAPE_TEXT];
    bool fits = true, dilated = false;

    for (int i = 0; i < axes_of(x); i++) {
        const struct filters_axis v = axis_of(a, false, i);

        cover[i] = v.cover;
        in[i] = x->dim[1 + i] + 2 * v.pad;
        y->dim[1 + i] = (in[i] - v.cover) / v.stride + 1;
        fits = fits && in[i] >= v.cover;
        dilated = dilated || v.dilation > 1;
    }
    if (!fits)
        return err_set(err, ERR_CONFIG, "%s: kernel %s%s is larger than the padded input %s", name,
                       axes_text(cover, axes_of(x), kernel), dilated ? " (with its dilation)" : "",
                       axes_text(in, axes_of(x), padded));
    return 0;
}

/* y's height, width ... of a transposed convolution. */
static int grow(const char *name, const struct filters *a, const struct shape *x, struct shape *y,
                struct err *err) {
    const bool same = !a->pad.n && a->pad.v[0] == FILTERS_SAME;

    if (same)
        for (int i = 0; i < a->output_pad.n; i++)
            if (a->output_pad.v[i])
                return err_set(err, ERR_CONFIG,
                               "%s: output_pad=%d and pad=same, which works output_pad out", name,
                               a->output_pad.v[i]);
    for (int i = 0; i < axes_of(x); i++) {
        const struct filters_axis v = axis_of(a, true, i);
        const int64_t whole = (x->dim[1 + i] - 1) * v.stride + v.cover;

        if (!same && v.output_pad >= v.stride && v.output_pad >= v.dilation)
            return err_set(err, ERR_CONFIG,
                           "%s: output_pad %lld, expected less than the stride %lld or the "
                           "dilation %lld",
                           name, (long long)v.output_pad, (long long)v.stride,
                           (long long)v.dilation);
        y->dim[1 + i] = whole - 2 * v.pad + v.output_pad;
        if (y->dim[1 + i] < 1)
            return err_set(err, ERR_CONFIG, "%s: pad %lld cuts off all of the %lld output pixels",
                           name, (long long)v.pad, (long long)(whole + v.output_pad));
    }
    return 0;
}

static struct shape weight_shape(const struct filters *a, bool transposed, const struct shape *x,
                                 const struct shape *y) {
    const int n_axes = axes_of(x);
    struct shape w = {.rank = n_axes + 2};

    for (int i = 0; i < n_axes; i++)
        w.dim[i] = ints_at(&a->kernel, i);
    w.dim[n_axes] = shape_channels(transposed ? y : x) / a->groups;
    w.dim[n_axes + 1] = shape_channels(transposed ? x : y);
    return w;
}

static struct conv3d conv3d_of(const struct filters *a, bool transposed, const struct shape *x,
                               const struct shape *y, const struct compute_mode *mode) {
    const struct shape *in = transposed ? y : x, *out = transposed ? x : y;
    const int none = AXES_MAX - axes_of(x); /* dimensions that x lacks: one pixel, one tap */
    int64_t n_in[AXES_MAX] = {1, 1, 1}, n_out[AXES_MAX] = {1, 1, 1};
    struct filters_axis v[AXES_MAX];

    for (int i = 0; i < AXES_MAX; i++)
        v[i] = (struct filters_axis){.kernel = 1, .stride = 1, .dilation = 1};
    for (int i = none; i < AXES_MAX; i++) {
        v[i] = axis_of(a, transposed, i - none);
        n_in[i] = in->dim[1 + i - none];
        n_out[i] = out->dim[1 + i - none];
        if (n_out[i] == 1) /* there is no second window to step to */
            v[i].stride = 1;
    }
    return (struct conv3d){
        .slice = {.n = x->dim[0],
                  .h = n_in[1],
                  .w = n_in[2],
                  .c = shape_channels(in),
                  .out_h = n_out[1],
                  .out_w = n_out[2],
                  .k = shape_channels(out),
                  .kernel_h = v[1].kernel,
                  .kernel_w = v[2].kernel,
                  .stride_h = v[1].stride,
                  .stride_w = v[2].stride,
                  .pad_h = v[1].pad,
                  .pad_w = v[2].pad,
                  .dilation_h = v[1].dilation,
                  .dilation_w = v[2].dilation,
                  .groups = a->groups,
                  .mode = mode},
        .d = n_in[0],
        .out_d = n_out[0],
        .kernel_d = v[0].kernel,
        .stride_d = v[0].stride,
        .pad_d = v[0].pad,
        .dilation_d = v[0].dilation,
    };
}

/* Strides and kernels in which the planning of a convolution would get lost: it looks at each
 * remainder of the stride and searches its taps. */
static int check_strides(const char *name, const struct conv3d *s, struct err *err) {
    const double most = 0x1p28, h = (double)s->slice.stride_h, w = (double)s->slice.stride_w;
    const double taps_h = (double)s->slice.kernel_h, taps_w = (double)s->slice.kernel_w;
    const double searched = (taps_h < h ? taps_h : h) + (taps_w < w ? taps_w : w);
    const int64_t kernel[] = {s->kernel_d, s->slice.kernel_h, s->slice.kernel_w};
    const int64_t stride[] = {s->stride_d, s->slice.stride_h, s->slice.stride_w};
    char text[2][SHAPE_TEXT];

    if (h * w * searched * (double)s->kernel_d <= most)
        return 0;
    return err_set(err, ERR_CONFIG, "%s: kernel %s with stride %s, expected smaller ones", name,
                   axes_text(kernel, AXES_MAX, text[0]), axes_text(stride, AXES_MAX, text[1]));
}

/* Nothing that is computed from here on overflows: what the windows cover is a tensor, too. */
static int check_sizes(const char *name, const struct conv3d *s, int n_axes, const struct shape *y,
                       const struct shape *weight, struct err *err) {
    const struct shape padded = {5,
                                 {s->slice.n, s->d + 2 * s->pad_d, s->slice.h + 2 * s->slice.pad_h,
                                  s->slice.w + 2 * s->slice.pad_w, s->slice.c}};
    char text[SHAPE_TEXT];

    if (!shape_fits(y))
        return err_set(err, ERR_CONFIG, "%s: its output would be %s", name, shape_text(y, text));
    if (!shape_fits(weight))
        return err_set(err, ERR_CONFIG, "%s: its weight would be %s", name,
                       shape_text(weight, text));
    if (!shape_fits(&padded))
        return err_set(err, ERR_CONFIG, "%s: its padded input would be %s", name,
                       axes_text(padded.dim + 1 + AXES_MAX - n_axes, n_axes, text));
    return check_strides(name, s, err);
}

static int plan_images(const char *name, bool transposed, const struct filters *a,
                       const struct shape *x, struct op_plan *plan, struct err *err) {
    const int n_axes = axes_of(x);
    int64_t extent[AXES_MAX], stride[AXES_MAX];

    if (check(name, transposed, a, x, err))
        return -1;
    plan->y = *x;
    plan->y.dim[x->rank - 1] = a->channels;
    if (transposed ? grow(name, a, x, &plan->y, err) : shrink(name, a, x, &plan->y, err))
        return -1;
    const struct conv3d s = conv3d_of(a, transposed, x, &plan->y, plan->mode);
    struct op_param weight = {.name = "weight", .decay = true};

    weight.shape = weight_shape(a, transposed, x, &plan->y);
    if (check_sizes(name, &s, n_axes, &plan->y, &weight.shape, err))
        return -1;
    for (int i = 0; i < n_axes; i++) {
        const struct filters_axis v = axis_of(a, transposed, i);

        extent[i] = transposed ? (v.cover + v.stride - 1) / v.stride : v.cover;
        stride[i] = transposed || plan->y.dim[1 + i] == 1 ? 1 : v.stride;
    }
    weight.init = a->init.word ? a->init : init_default;
    weight.fan_in = shape_len(&weight.shape) / s.slice.k;
    weight.fan_out = shape_len(&weight.shape) / s.slice.c;
    plan->w[0] = weight;
    if (a->bias == BIAS_TRUE || (a->bias == BIAS_AUTO && plan->bias_auto))
        plan->w[1] = (struct op_param){.name = "bias",
                                       .shape = {1, {a->channels}},
                                       .init = a->bias_init,
                                       .fan_in = weight.fan_in,
                                       .fan_out = 1};
    plan->scratch_bytes = conv3d_scratch_bytes(&s);
    plan->flops = conv3d_flops(&s);
    const struct spectral spectral = spectral_of(a->spectral, &weight.shape, transposed);
    spectral_plan(&spectral, plan);
    plan->kernel = axes_h_w(extent, n_axes);
    plan->stride = axes_h_w(stride, n_axes);
    return 0;
}

int filters_plan(const char *name, bool transposed, const struct filters *a, const struct shape *x,
                 struct op_plan *plan, struct err *err) {
    const struct shape images = images_of(a, x);
    char text[SHAPE_TEXT];

    if (a->each && x->rank != 5)
        return err_set(err, ERR_CONFIG, "%s: x is %s, expected lists of images with each=true",
                       name, shape_text(x, text));
    if (plan_images(name, transposed, a, &images, plan, err))
        return -1;
    if (a->each)
        plan->y = (struct shape){
            5, {x->dim[0], x->dim[1], plan->y.dim[1], plan->y.dim[2], plan->y.dim[3]}};
    return 0;
}

struct conv3d filters_conv3d(const struct op_call *c, bool transposed) {
    const struct shape x = images_of(c->args, &c->x->shape), y = images_of(c->args, &c->y.shape);

    return conv3d_of(c->args, transposed, &x, &y, c->mode);
}

struct spectral filters_spectral(const struct filters *a, bool transposed, const struct shape *x,
                                 const struct shape *y) {
    const struct shape in = images_of(a, x), out = images_of(a, y);
    const struct shape w = weight_shape(a, transposed, &in, &out);

    return spectral_of(a->spectral, &w, transposed);
}

int filters_groups(const void *args) {
    return ((const struct filters *)args)->groups;
}

int64_t filters_pixels(const struct shape *s) {
    return shape_len(s) / shape_channels(s);
}
