#include "core/ops/parts/window.h"

#include <string.h>

const char *const window_no_yes[] = {"false", "true", NULL};

static struct window_axis axis_of(const struct window *w, int64_t n_in, int i) {
    struct window_axis a = {.n_in = n_in};

    a.kernel = ints_at(&w->kernel, i);
    a.stride = ints_at(&w->stride, i) ? ints_at(&w->stride, i) : a.kernel;
    a.pad = ints_at(&w->pad, i);
    const int64_t room = n_in + 2 * a.pad - a.kernel + (w->ceil ? a.stride - 1 : 0);
    a.n_out = room < 0 ? 0 : room / a.stride + 1;
    if (w->ceil && (a.n_out - 1) * a.stride >= n_in + a.pad) /* it would begin in the padding */
        a.n_out--;
    return a;
}

static int missing(const struct shape *x) {
    return AXES_MAX - axes_of(x);
}

void window_axes(const struct window *w, const struct shape *x, struct window_axis axes[AXES_MAX]) {
    for (int i = 0; i < AXES_MAX; i++)
        axes[i] = i < missing(x) ? (struct window_axis){1, 1, 1, 1, 0}
                                 : axis_of(w, x->dim[1 + i - missing(x)], i - missing(x));
}

void window_adapt(const struct ints *size, const struct shape *x,
                  struct window_axis axes[AXES_MAX]) {
    for (int i = 0; i < AXES_MAX; i++) {
        axes[i] = (struct window_axis){.n_in = 1, .n_out = 1};
        if (i >= missing(x)) {
            axes[i].n_in = x->dim[1 + i - missing(x)];
            axes[i].n_out = ints_at(size, i - missing(x));
        }
    }
}

static int check_fit(const char *name, const struct shape *x, const struct window_axis *axes,
                     struct err *err) {
    const int n_axes = axes_of(x);
    int64_t kernel[AXES_MAX], pad[AXES_MAX], padded[AXES_MAX];
    char text[3][SHAPE_TEXT];
    bool wide = false, large = false;

    for (int i = 0; i < n_axes; i++) {
        kernel[i] = axes[i].kernel;
        pad[i] = axes[i].pad;
        padded[i] = axes[i].n_in + 2 * axes[i].pad;
        wide = wide || 2 * pad[i] > kernel[i];
        large = large || axes[i].n_out < 1;
    }
    axes_text(kernel, n_axes, text[0]);
    if (wide)
        return err_set(err, ERR_CONFIG, "%s: pad %s is more than half the kernel %s", name,
                       axes_text(pad, n_axes, text[1]), text[0]);
    if (large)
        return err_set(err, ERR_CONFIG, "%s: kernel %s is larger than the padded input %s", name,
                       text[0], axes_text(padded, n_axes, text[2]));
    return 0;
}

int window_plan(const char *name, const struct window *w, const struct shape *x,
                struct op_plan *plan, struct err *err) {
    struct window_axis axes[AXES_MAX];
    int64_t kernel[AXES_MAX], stride[AXES_MAX];
    double taps = 1;

    if (axes_check(name, x, err) || axes_check_list(name, "kernel", &w->kernel, axes_of(x), err) ||
        axes_check_list(name, "stride", &w->stride, axes_of(x), err) ||
        axes_check_list(name, "pad", &w->pad, axes_of(x), err))
        return -1;
    window_axes(w, x, axes);
    if (check_fit(name, x, axes + missing(x), err))
        return -1;
    plan->y = *x;
    for (int i = 0; i < axes_of(x); i++) {
        const struct window_axis *a = &axes[missing(x) + i];

        plan->y.dim[1 + i] = a->n_out;
        kernel[i] = a->kernel;
        stride[i] = a->stride;
        taps *= (double)a->kernel;
    }
    plan->kernel = axes_h_w(kernel, axes_of(x));
    plan->stride = axes_h_w(stride, axes_of(x));
    plan->flops = (double)shape_len(&plan->y) * taps;
    return 0;
}

struct window_box window_row(const struct window_axis axes[AXES_MAX], int64_t row) {
    const struct window_axis *d = &axes[0], *h = &axes[1];
    struct window_box b = {.h = h->n_in, .w = axes[2].n_in};

    window_clip(d, row / h->n_out % d->n_out, &b.d0, &b.d1);
    window_clip(h, row % h->n_out, &b.h0, &b.h1);
    return b;
}

/* One pixel in[channels] of a window, the `at`-th of the sample, against the best so far. */
static void take_larger(const act *restrict in, int32_t at, int64_t channels, act *restrict best,
                        int32_t *restrict best_at) {
    for (int64_t ch = 0; ch < channels; ch++) {
        const bool better = in[ch] > best[ch] || in[ch] != in[ch];

        best[ch] = better ? in[ch] : best[ch];
        best_at[ch] = better ? at : best_at[ch];
    }
}

void window_max(const struct window_box *box, const act *sample, int64_t pitch, int64_t channels,
                act *best, int32_t *at) {
    const int64_t first = (box->d0 * box->h + box->h0) * box->w + box->w0;

    memcpy(best, sample + first * pitch, (size_t)channels * sizeof(act));
    for (int64_t ch = 0; ch < channels; ch++)
        at[ch] = (int32_t)first;
    for (int64_t d = box->d0; d < box->d1; d++)
        for (int64_t i = box->h0; i < box->h1; i++)
            for (int64_t j = box->w0; j < box->w1; j++) {
                const int64_t pixel = (d * box->h + i) * box->w + j;

                if (pixel > first)
                    take_larger(sample + pixel * pitch, (int32_t)pixel, channels, best, at);
            }
}

/* What a sum over part of an axis is divided by. */
static int64_t divisor(const struct window_axis *a, int64_t out, int64_t inside, bool count_pad) {
    const int64_t first = out * a->stride - a->pad, last = a->n_in + a->pad;

    if (!count_pad || !a->kernel)
        return inside;
    return (first + a->kernel < last ? first + a->kernel : last) - first;
}

/* What the sums of one row of windows are divided by, but for their width. */
static int64_t row_divisor(const struct window_axis axes[AXES_MAX], const struct window_box *b,
                           int64_t row, bool count_pad) {
    const struct window_axis *d = &axes[0], *h = &axes[1];

    return divisor(d, row / h->n_out % d->n_out, b->d1 - b->d0, count_pad) *
           divisor(h, row % h->n_out, b->h1 - b->h0, count_pad);
}

static void add_scaled(const act *restrict from, real scale, int64_t channels, act *restrict to) {
    for (int64_t ch = 0; ch < channels; ch++)
        to[ch] += (act)(from[ch] * scale);
}

/* Of x, the sample that row `row` of y belongs to. */
static int64_t sample_at(const struct window_axis axes[AXES_MAX], int64_t row, int64_t channels) {
    return row / (axes[0].n_out * axes[1].n_out) * axes[0].n_in * axes[1].n_in * axes[2].n_in *
           channels;
}

void window_mean(const struct op_call *c, const struct window_axis axes[AXES_MAX], bool count_pad,
                 int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->x->shape), n_out = axes[2].n_out;

    for (int64_t row = begin; row < end; row++) {
        const act *sample = c->x->data + sample_at(axes, row, channels);
        struct window_box b = window_row(axes, row);
        const int64_t high = row_divisor(axes, &b, row, count_pad);
        act *y = c->y.data + row * n_out * channels;

        memset(y, 0, (size_t)(n_out * channels) * sizeof(act));
        for (int64_t out = 0; out < n_out; out++, y += channels) {
            window_clip(&axes[2], out, &b.w0, &b.w1);
            const real scale = 1 / (real)(high * divisor(&axes[2], out, b.w1 - b.w0, count_pad));

            for (int64_t d = b.d0; d < b.d1; d++)
                for (int64_t i = b.h0; i < b.h1; i++)
                    for (int64_t j = b.w0; j < b.w1; j++)
                        add_scaled(sample + ((d * b.h + i) * b.w + j) * channels, scale, channels,
                                   y);
        }
    }
}

/* By whole samples: windows of one sample may overlap. */
void window_mean_backward(const struct op_call *c, const struct window_axis axes[AXES_MAX],
                          bool count_pad, int64_t begin, int64_t end) {
    const int64_t channels = shape_channels(&c->x->shape), n_out = axes[2].n_out;
    const int64_t rows = axes[0].n_out * axes[1].n_out;

    for (int64_t row = begin * rows; row < end * rows; row++) {
        act *sample = c->dx->data + sample_at(axes, row, channels);
        struct window_box b = window_row(axes, row);
        const int64_t high = row_divisor(axes, &b, row, count_pad);
        const act *dy = c->dy.data + row * n_out * channels;

        for (int64_t out = 0; out < n_out; out++, dy += channels) {
            window_clip(&axes[2], out, &b.w0, &b.w1);
            const real scale = 1 / (real)(high * divisor(&axes[2], out, b.w1 - b.w0, count_pad));

            for (int64_t d = b.d0; d < b.d1; d++)
                for (int64_t i = b.h0; i < b.h1; i++)
                    for (int64_t j = b.w0; j < b.w1; j++)
                        add_scaled(dy, scale, channels,
                                   sample + ((d * b.h + i) * b.w + j) * channels);
        }
    }
}
