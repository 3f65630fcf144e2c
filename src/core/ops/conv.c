/* conv(x, channels, kernel=3, stride=1, pad=same, dilation=1, groups=1, bias=auto): convolution of
 * images [n, h, w, c] with weights [kernel_h, kernel_w, c / groups, channels]. */
#include "core/math/conv.h"
#include "core/ops/init.h"
#include "core/ops/op.h"

enum { PAD_SAME, PAD_VALID };
enum { BIAS_AUTO, BIAS_TRUE, BIAS_FALSE };

static const char *const pads[] = {"same", "valid", NULL};
static const char *const biases[] = {"auto", "true", "false", NULL};

struct conv {
    int channels;
    struct ints kernel, stride, pad, dilation;
    int groups, bias;
    struct applied init;
};

static const struct arg_spec specs[] = {
    {.name = "channels",
     .kind = ARG_INT,
     .offset = offsetof(struct conv, channels),
     .min = 1,
     .required = true,
     .help = "of the output"},
    {.name = "kernel",
     .kind = ARG_INTS,
     .offset = offsetof(struct conv, kernel),
     .fallback = 3,
     .min = 1,
     .help = "pixels: one number or height, width"},
    {.name = "stride",
     .kind = ARG_INTS,
     .offset = offsetof(struct conv, stride),
     .fallback = 1,
     .min = 1,
     .help = "pixels"},
    {.name = "pad",
     .kind = ARG_INTS_OR_WORD,
     .offset = offsetof(struct conv, pad),
     .fallback = PAD_SAME,
     .min = 0,
     .max = -1,
     .words = pads,
     .help = "pixels on either side; same: half the kernel"},
    {.name = "dilation",
     .kind = ARG_INTS,
     .offset = offsetof(struct conv, dilation),
     .fallback = 1,
     .min = 1,
     .help = "pixels from one tap to the next"},
    {.name = "groups",
     .kind = ARG_INT,
     .offset = offsetof(struct conv, groups),
     .fallback = 1,
     .min = 1,
     .help = "of channels that do not see each other"},
    {.name = "bias",
     .kind = ARG_WORD,
     .offset = offsetof(struct conv, bias),
     .fallback = BIAS_AUTO,
     .words = biases,
     .help = "auto: unless batch norm follows"},
    {.name = "init",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct conv, init),
     .find = init_find,
     .at = init_word,
     .help = "of the weights; uniform within 1 / sqrt(fan_in) when not given"},
    {0},
};

static int64_t pad_of(const struct conv *a, int axis) {
    if (a->pad.n)
        return ints_at(&a->pad, axis);
    if (a->pad.v[0] == PAD_VALID)
        return 0;
    return (int64_t)(ints_at(&a->kernel, axis) / 2) * ints_at(&a->dilation, axis);
}

/* Without out_h and out_w. */
static struct conv_shape shape_of(const struct conv *a, const struct shape *x) {
    return (struct conv_shape){
        .n = x->dim[0],
        .h = x->dim[1],
        .w = x->dim[2],
        .c = x->dim[3],
        .k = a->channels,
        .kernel_h = ints_at(&a->kernel, 0),
        .kernel_w = ints_at(&a->kernel, 1),
        .stride_h = ints_at(&a->stride, 0),
        .stride_w = ints_at(&a->stride, 1),
        .pad_h = pad_of(a, 0),
        .pad_w = pad_of(a, 1),
        .dilation_h = ints_at(&a->dilation, 0),
        .dilation_w = ints_at(&a->dilation, 1),
        .groups = a->groups,
    };
}

static int check(const struct conv *a, const struct shape *x, struct err *err) {
    const struct ints *const lists[] = {&a->kernel, &a->stride, &a->pad, &a->dilation};
    static const char *const names[] = {"kernel", "stride", "pad", "dilation"};
    char text[SHAPE_TEXT];

    if (x->rank != 4)
        return err_set(err, ERR_CONFIG,
                       "conv: x is %s, expected images (samples x height x width x channels)",
                       shape_text(x, text));
    for (int i = 0; i < 4; i++)
        if (lists[i]->n > 2)
            return err_set(err, ERR_CONFIG,
                           "conv: %s has %d numbers, expected one, or height, width", names[i],
                           lists[i]->n);
    if (x->dim[3] % a->groups)
        return err_set(err, ERR_CONFIG, "conv: groups=%d does not divide the %lld input channels",
                       a->groups, (long long)x->dim[3]);
    if (a->channels % a->groups)
        return err_set(err, ERR_CONFIG, "conv: groups=%d does not divide the %d output channels",
                       a->groups, a->channels);
    return 0;
}

/* Where one output covers a dimension there is no second one to step to. */
static void set_output(struct conv_shape *s, int64_t out_h, int64_t out_w) {
    s->out_h = out_h;
    s->out_w = out_w;
    s->stride_h = out_h == 1 ? 1 : s->stride_h;
    s->stride_w = out_w == 1 ? 1 : s->stride_w;
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct conv *a = args;

    (void)n_x;
    if (check(a, x, err))
        return -1;
    struct conv_shape s = shape_of(a, x);
    const int64_t cover_h = s.dilation_h * (s.kernel_h - 1) + 1, in_h = s.h + 2 * s.pad_h;
    const int64_t cover_w = s.dilation_w * (s.kernel_w - 1) + 1, in_w = s.w + 2 * s.pad_w;
    const int64_t c = s.c / s.groups, taps = s.kernel_h * s.kernel_w;

    if (cover_h > in_h || cover_w > in_w)
        return err_set(err, ERR_CONFIG,
                       "conv: kernel %lldx%lld%s is larger than the padded input %lldx%lld",
                       (long long)cover_h, (long long)cover_w,
                       s.dilation_h * s.dilation_w > 1 ? " (with its dilation)" : "",
                       (long long)in_h, (long long)in_w);
    set_output(&s, (in_h - cover_h) / s.stride_h + 1, (in_w - cover_w) / s.stride_w + 1);
    plan->y = (struct shape){4, {s.n, s.out_h, s.out_w, s.k}};
    plan->w[0] = (struct op_param){
        .name = "weight",
        .shape = {4, {s.kernel_h, s.kernel_w, c, s.k}},
        .init = a->init.word ? a->init : init_default,
        .fan_in = taps * c,
        .fan_out = taps * (s.k / s.groups),
        .decay = true,
    };
    if (a->bias == BIAS_TRUE || (a->bias == BIAS_AUTO && plan->bias_auto))
        plan->w[1] = (struct op_param){
            .name = "bias", .shape = {1, {s.k}}, .fan_in = taps * c, .fan_out = 1};
    plan->scratch_bytes = conv_scratch_bytes(&s);
    plan->flops = conv_flops(&s);
    plan->kernel = (struct ints){2, {(int)cover_h, (int)cover_w}};
    plan->stride = (struct ints){2, {(int)s.stride_h, (int)s.stride_w}};
    return 0;
}

static struct conv_shape shape_of_call(const struct op_call *c) {
    struct conv_shape s = shape_of(c->args, &c->x->shape);

    set_output(&s, c->y.shape.dim[1], c->y.shape.dim[2]);
    return s;
}

static void forward(const struct op_call *c) {
    const struct conv_shape s = shape_of_call(c);

    conv_forward(&s, c->team, c->x->data, c->w[0], c->w[1], c->y.data, c->scratch);
}

static void backward(const struct op_call *c) {
    const struct conv_shape s = shape_of_call(c);

    if (c->dw[0])
        conv_backward_weights(&s, c->team, c->x->data, c->dy.data, c->dw[0], c->scratch);
    if (c->dw[1])
        conv_backward_bias(s.n * s.out_h * s.out_w, s.k, c->team, c->dy.data, c->dw[1]);
    if (c->dx->data)
        conv_backward_data(&s, c->team, c->dy.data, c->w[0], c->dx->data, c->scratch);
}

const struct op op_conv = {
    .word = {"conv", "convolution of images", sizeof(struct conv), specs},
    .min_x = 1,
    .max_x = 1,
    .reads_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
