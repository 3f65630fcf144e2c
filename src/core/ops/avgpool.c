/* avgpool(x, kernel=2, stride=0, pad=0, ceil=false, count_pad=true): the mean of each window and
 * channel. Padding counts as zeros: y = 1 / (kernel_h * kernel_w) * the sum of what lies inside;
 * with count_pad=false it does not count. What ceil lets reach beyond the padding never counts. */
#include "core/ops/parts/window.h"

static const struct arg_spec specs[] = {
    WINDOW_KERNEL,
    WINDOW_STRIDE,
    WINDOW_PAD,
    WINDOW_CEIL,
    {.name = "count_pad",
     .kind = ARG_WORD,
     .offset = offsetof(struct window, count_pad),
     .fallback = 1,
     .words = window_no_yes,
     .help = "padding counts as zeros"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    (void)n_x;
    return window_plan("avgpool", args, x, plan, err);
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const struct window *w = c->args;
    struct window_axis axes[AXES_MAX];

    window_axes(w, &c->x->shape, axes);
    window_mean(c, axes, w->count_pad, begin, end);
}

static void forward(const struct op_call *c) {
    share(c, window_rows(&c->y.shape), forward_rows);
}

static void backward_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const struct window *w = c->args;
    struct window_axis axes[AXES_MAX];

    window_axes(w, &c->x->shape, axes);
    window_mean_backward(c, axes, w->count_pad, begin, end);
}

static void backward(const struct op_call *c) {
    if (c->dx->data)
        share(c, c->y.shape.dim[0], backward_samples);
}

const struct op op_avgpool = {
    .word = {"avgpool", "mean of each window", sizeof(struct window), specs},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
