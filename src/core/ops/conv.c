/* conv(x, channels, kernel=3, stride=1, pad=same, dilation=1, groups=1, bias=auto, spectral=false):
 * convolution of series [n, t, c], images [n, h, w, c] or volumes [n, d, h, w, c] with weights
 * [kernel..., c / groups, channels]; with each=true of each image of lists [n, r, h, w, c]. */
#include "core/ops/parts/filters.h"

static const struct arg_spec specs[] = {
    FILTERS_SPECS_FIRST,
    FILTERS_SPEC_PAD(FILTERS_SAME, "pixels on either side; same: half the kernel"),
    FILTERS_SPECS_LAST,
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return filters_plan("conv", false, args, x, plan, err);
}

static void forward(const struct op_call *c) {
    const struct conv3d s = filters_conv3d(c, false);
    const struct spectral n = filters_spectral(c->args, false, &c->x->shape, &c->y.shape);
    void *scratch = spectral_rest(&n, c);

    conv3d_forward(&s, c->team, c->x->data, spectral_forward(&n, c), c->w[1], c->y.data, scratch);
}

static void backward(const struct op_call *c) {
    const struct conv3d s = filters_conv3d(c, false);
    const struct spectral n = filters_spectral(c->args, false, &c->x->shape, &c->y.shape);
    void *scratch = spectral_rest(&n, c);

    if (c->dw[0]) {
        conv3d_backward_weights(&s, c->team, c->x->data, c->dy.data, spectral_gradient(&n, c),
                                scratch);
        spectral_backward(&n, c);
    }
    if (c->dw[1])
        conv_backward_bias(filters_pixels(&c->y.shape), s.slice.k, c->team, c->dy.data, c->dw[1]);
    if (c->dx->data)
        conv3d_backward_data(&s, c->team, c->dy.data, spectral_weights(&n, c), !(c->dx_first & 1),
                             c->dx->data, scratch);
}

const struct op op_conv = {
    .word = {"conv", "convolution of images, series or volumes", sizeof(struct filters), specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .memory.overwrites = 1,
    .fusion.role = FUSION_PRODUCT,
    .fusion.groups = filters_groups,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
