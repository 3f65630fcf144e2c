/* adaptive_avgpool(x, size): means over windows that divide x into `size` of nearly equal length
 * in each dimension: output i is over the pixels floor(i in / size) to ceil((i + 1) in / size),
 * as torch.nn.AdaptiveAvgPool2d: [n, h, w, c] -> [n, size, size, c]. */
#include "core/ops/parts/window.h"

struct adaptive {
    struct ints size;
};

static const struct arg_spec specs[] = {
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct adaptive, size),
     .min = 1,
     .max = 0,
     .required = true,
     .help = "pixels of the output: one number or one for each dimension"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct ints *size = &((const struct adaptive *)args)->size;
    int64_t kernel[AXES_MAX], stride[AXES_MAX];

    (void)n_x;
    if (axes_check("adaptive_avgpool", x, err) ||
        axes_check_list("adaptive_avgpool", "size", size, axes_of(x), err))
        return -1;
    plan->y = *x;
    for (int i = 0; i < axes_of(x); i++) {
        const int64_t in = x->dim[1 + i], out = ints_at(size, i);

        plan->y.dim[1 + i] = out;
        kernel[i] = (in + out - 1) / out;
        stride[i] = in > out ? in / out : 1;
    }
    plan->kernel = axes_h_w(kernel, axes_of(x));
    plan->stride = axes_h_w(stride, axes_of(x));
    plan->flops = (double)shape_len(x);
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    struct window_axis axes[AXES_MAX];

    window_adapt(&((const struct adaptive *)c->args)->size, &c->x->shape, axes);
    window_mean(c, axes, false, begin, end);
}

static void forward(const struct op_call *c) {
    share(c, window_rows(&c->y.shape), forward_rows);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    struct window_axis axes[AXES_MAX];

    window_adapt(&((const struct adaptive *)c->args)->size, &c->x->shape, axes);
    window_mean_backward(c, axes, false, begin, end);
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_adaptive_avgpool = {
    .word = {"adaptive_avgpool", "means that make any size into the wanted one",
             sizeof(struct adaptive), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
