#include "core/ops/window.h"

const struct arg_spec window_specs[] = {
    {.name = "kernel",
     .kind = ARG_INTS,
     .offset = offsetof(struct window, kernel),
     .fallback = 2,
     .min = 1,
     .max = 0,
     .help = "pixels: one number or height, width"},
    {.name = "stride",
     .kind = ARG_INTS,
     .offset = offsetof(struct window, stride),
     .fallback = 0,
     .min = 0,
     .max = -1,
     .help = "pixels; 0 means the kernel"},
    {.name = "pad",
     .kind = ARG_INTS,
     .offset = offsetof(struct window, pad),
     .fallback = 0,
     .min = 0,
     .max = -1,
     .help = "pixels on either side; at most half the kernel"},
    {0},
};

struct window_axis window_axis(const struct window *w, const struct shape *x, int axis) {
    struct window_axis a = {.n_in = x->dim[1 + axis]};

    a.kernel = ints_at(&w->kernel, axis);
    a.stride = ints_at(&w->stride, axis) ? ints_at(&w->stride, axis) : a.kernel;
    a.pad = ints_at(&w->pad, axis);
    a.n_out = (a.n_in + 2 * a.pad - a.kernel) / a.stride + 1;
    return a;
}

static int check_lengths(const char *name, const struct window *w, struct err *err) {
    const struct ints *const lists[] = {&w->kernel, &w->stride, &w->pad};

    for (int i = 0; i < 3; i++)
        if (lists[i]->n != 1 && lists[i]->n != 2)
            return err_set(err, ERR_CONFIG, "%s: %s has %d numbers, expected one, or height, width",
                           name, window_specs[i].name, lists[i]->n);
    return 0;
}

int window_plan(const char *name, const struct window *w, const struct shape *x,
                struct op_plan *plan, struct err *err) {
    char text[SHAPE_TEXT];

    if (x->rank != 4)
        return err_set(err, ERR_CONFIG,
                       "%s: x is %s, expected images (samples x height x width x channels)", name,
                       shape_text(x, text));
    if (check_lengths(name, w, err))
        return -1;
    const struct window_axis h = window_axis(w, x, 0), v = window_axis(w, x, 1);
    if (2 * h.pad > h.kernel || 2 * v.pad > v.kernel)
        return err_set(err, ERR_CONFIG, "%s: pad %dx%d is more than half the kernel %dx%d", name,
                       (int)h.pad, (int)v.pad, (int)h.kernel, (int)v.kernel);
    if (h.kernel > h.n_in + 2 * h.pad || v.kernel > v.n_in + 2 * v.pad)
        return err_set(err, ERR_CONFIG,
                       "%s: kernel %dx%d is larger than the padded input %lldx%lld", name,
                       (int)h.kernel, (int)v.kernel, (long long)(h.n_in + 2 * h.pad),
                       (long long)(v.n_in + 2 * v.pad));
    plan->y = (struct shape){4, {x->dim[0], h.n_out, v.n_out, x->dim[3]}};
    plan->kernel = (struct ints){2, {(int)h.kernel, (int)v.kernel}};
    plan->stride = (struct ints){2, {(int)h.stride, (int)v.stride}};
    plan->flops = (double)shape_len(&plan->y) * (double)(h.kernel * v.kernel);
    return 0;
}
