/* conv_transpose(x, channels, kernel=3, stride=1, pad=0, output_pad=0, dilation=1, groups=1,
 * bias=auto, spectral=false): the gradient of a convolution as a layer: every pixel of x adds its
 * multiple of the kernel to y, stride pixels from its neighbour's. Each dimension of y has
 *     (in - 1) * stride - 2 * pad + dilation * (kernel - 1) + output_pad + 1
 * pixels. Weights are [kernel..., channels / groups, channels of x]. */
#include "core/ops/parts/filters.h"

static const struct arg_spec specs[] = {
    FILTERS_SPECS_FIRST,
    FILTERS_SPEC_PAD(FILTERS_VALID, "pixels cut from either side of y; same: y is stride times x"),
    {.name = "output_pad",
     .kind = ARG_INTS,
     .offset = offsetof(struct filters, output_pad),
     .min = 0,
     .max = -1,
     .help = "pixels added at the end of y"},
    FILTERS_SPECS_LAST,
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return filters_plan("conv_transpose", true, args, x, plan, err);
}

static void forward(const struct op_call *c) {
    const struct conv3d s = filters_conv3d(c, true);
    const struct spectral n = filters_spectral(c->args, true, &c->x->shape, &c->y.shape);
    void *scratch = spectral_rest(&n, c);

    if (c->w[1])
        conv_fill(filters_pixels(&c->y.shape), s.slice.c, c->team, c->w[1], c->y.data);
    conv3d_backward_data(&s, c->team, c->x->data, spectral_forward(&n, c), c->w[1] != NULL,
                         c->y.data, scratch);
}

static void backward(const struct op_call *c) {
    const struct conv3d s = filters_conv3d(c, true);
    const struct spectral n = filters_spectral(c->args, true, &c->x->shape, &c->y.shape);
    void *scratch = spectral_rest(&n, c);

    if (c->dw[0]) {
        conv3d_backward_weights(&s, c->team, c->dy.data, c->x->data, spectral_gradient(&n, c),
                                scratch);
        spectral_backward(&n, c);
    }
    if (c->dw[1])
        conv_backward_bias(filters_pixels(&c->y.shape), s.slice.c, c->team, c->dy.data, c->dw[1]);
    if (c->dx->data && c->dx_first & 1)
        conv3d_forward(&s, c->team, c->dy.data, spectral_weights(&n, c), NULL, c->dx->data,
                       scratch);
    else if (c->dx->data)
        conv3d_forward_add(&s, c->team, c->dy.data, spectral_weights(&n, c), c->dx->data, scratch);
}

const struct op op_conv_transpose = {
    .word = {"conv_transpose", "transposed convolution: from small images to large ones",
             sizeof(struct filters), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .memory.overwrites = 1,
    .fusion.role = FUSION_PRODUCT,
    .fusion.transposed = true,
    .fusion.groups = filters_groups,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
