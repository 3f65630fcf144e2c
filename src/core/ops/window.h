/* window.h - windows of pooling over [n, h, w, c]. */
#pragma once
#include "core/ops/share.h"

/* The arguments of maxpool and avgpool; single numbers hold for h and w. */
struct window {
    struct ints kernel;
    struct ints stride; /* 0: the kernel, so that windows do not overlap */
    struct ints pad;    /* pixels on either side */
};

extern const struct arg_spec window_specs[];

/* Where the windows of one row or column lie. */
struct window_axis {
    int64_t n_in, n_out, kernel, stride, pad;
};

/* Axis 0 is h, 1 is w, for input shape x that window_plan accepted. */
struct window_axis window_axis(const struct window *w, const struct shape *x, int axis);

/* Fill y, kernel and stride of the plan. Errors: ERR_CONFIG, beginning with name. */
int window_plan(const char *name, const struct window *w, const struct shape *x,
                struct op_plan *plan, struct err *err);

/* The part [*begin, *end) of window `out` that lies inside the input. */
static inline void window_clip(const struct window_axis *a, int64_t out, int64_t *begin,
                               int64_t *end) {
    const int64_t first = out * a->stride - a->pad, last = first + a->kernel;

    *begin = first > 0 ? first : 0;
    *end = last < a->n_in ? last : a->n_in;
}
