/* window.h - windows of pooling over one to three dimensions. Inputs of fewer than three count as
 * volumes [n, d, h, w, c] of depth (and height) 1. */
#pragma once
#include "core/ops/parts/axes.h"
#include "core/ops/parts/share.h"

/* The arguments of maxpool, avgpool and max_unpool; single numbers hold for all dimensions. */
struct window {
    struct ints kernel;
    struct ints stride; /* 0: the kernel, so that windows do not overlap */
    struct ints pad;    /* pixels on either side */
    int ceil;           /* 1: a last window that begins inside may reach beyond the padding */
    int count_pad;      /* avgpool: 1: padding counts as zeros */
};

extern const char *const window_no_yes[];

/* Elements of an array of specs; WINDOW_CEIL as far as the operator has it. */
#define WINDOW_KERNEL                                                                              \
    {                                                                                              \
        .name = "kernel", .kind = ARG_INTS, .offset = offsetof(struct window, kernel),             \
        .fallback = 2, .min = 1, .max = 0, .help = "pixels: one number or one for each dimension"  \
    }
#define WINDOW_STRIDE                                                                              \
    {                                                                                              \
        .name = "stride", .kind = ARG_INTS, .offset = offsetof(struct window, stride),             \
        .fallback = 0, .min = 0, .max = -1, .help = "pixels; 0 means the kernel"                   \
    }
#define WINDOW_PAD                                                                                 \
    {                                                                                              \
        .name = "pad", .kind = ARG_INTS, .offset = offsetof(struct window, pad), .fallback = 0,    \
        .min = 0, .max = -1, .help = "pixels on either side; at most half the kernel"              \
    }
#define WINDOW_CEIL                                                                                \
    {                                                                                              \
        .name = "ceil", .kind = ARG_WORD, .offset = offsetof(struct window, ceil),                 \
        .words = window_no_yes,                                                                    \
        .help = "a last window that begins inside may reach beyond the end"                        \
    }

/* Where the windows of one dimension lie. */
struct window_axis {
    int64_t n_in, n_out, kernel, stride, pad; /* kernel 0: adaptive, n_out of nearly equal length */
};

/* d, h, w for input shape x that window_plan accepted. */
void window_axes(const struct window *w, const struct shape *x, struct window_axis axes[AXES_MAX]);

/* The same for windows that cover x with `size` of them in each dimension. */
void window_adapt(const struct ints *size, const struct shape *x,
                  struct window_axis axes[AXES_MAX]);

/* Fill y, kernel and stride of the plan. Errors: ERR_CONFIG, beginning with name. */
int window_plan(const char *name, const struct window *w, const struct shape *x,
                struct op_plan *plan, struct err *err);

/* The part [*begin, *end) of window `out` that lies inside the input; never empty. */
static inline void window_clip(const struct window_axis *a, int64_t out, int64_t *begin,
                               int64_t *end) {
    const int64_t first = out * a->stride - a->pad, last = first + a->kernel;

    if (!a->kernel) {
        *begin = out * a->n_in / a->n_out;
        *end = ((out + 1) * a->n_in + a->n_out - 1) / a->n_out;
        return;
    }
    *begin = first > 0 ? first : 0;
    *end = last < a->n_in ? last : a->n_in;
}

/* The part of one window that lies inside a sample of h x w pixels in each slice. */
struct window_box {
    int64_t d0, d1, h0, h1, w0, w1, h, w;
};

/* That of the row-th row of y, counted over the batch; w0 and w1 are those of no window yet. */
struct window_box window_row(const struct window_axis axes[AXES_MAX], int64_t row);

/* The largest number of each channel in the box, the first of equals, NaN above all.
 *   sample    its first channel looked at; neighbouring pixels are `pitch` elements apart
 *   best, at  [channels] the number, and its pixel of the sample */
void window_max(const struct window_box *box, const act *sample, int64_t pitch, int64_t channels,
                act *best, int32_t *at);

/* Rows of y in the batch. */
static inline int64_t window_rows(const struct shape *y) {
    return shape_len(y) / (shape_channels(y) * y->dim[y->rank - 2]);
}

/* The mean of each window for rows [begin, end) of y, counted over the batch; and dx += its
 * gradient for the samples [begin, end). */
void window_mean(const struct op_call *c, const struct window_axis axes[AXES_MAX], bool count_pad,
                 int64_t begin, int64_t end);
void window_mean_backward(const struct op_call *c, const struct window_axis axes[AXES_MAX],
                          bool count_pad, int64_t begin, int64_t end);
