/* Convolution with one filter per channel. Pixels whose taps all lie inside go by rows, those at
 * the borders one by one with the taps that they have. */
#include "core/math/conv_parts.h"

#include "core/base/arena.h"
#include "core/math/isa/isa.h"

#include <string.h>

enum { MAX_PHASES = 4 };

/* How the pixels m < n of an axis of the result read the source: pixel dst + m * dst_step reads
 * src + m * src_step + k * src_tap through tap + k * tap_step, for those k < taps that fall into
 * [0, src_len). src_step and src_tap are positive. */
struct reach {
    int64_t n, dst, dst_step, src, src_step, src_tap, src_len, taps, tap, tap_step;
};

/* Part of the work of all threads. */
struct depthwise_work {
    const struct conv_shape *s;
    const struct isa *isa;
    bool transposed; /* from the output's gradient to the input's */
    bool add;
    const act *from;
    const real *w, *bias;
    act *to;
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* a / b rounded up, 0 where a is negative; b > 0. */
static int64_t ratio_up(int64_t a, int64_t b) {
    return a > 0 ? (a + b - 1) / b : 0;
}

static struct reach reach_forward(int64_t len, int64_t out, int64_t kernel, int64_t stride,
                                  int64_t pad, int64_t dilation) {
    return (struct reach){out, 0, 1, -pad, stride, dilation, len, kernel, 0, 1};
}

/* Pixels i of the input with (i + pad) mod stride = phase: output (i + pad - t * dilation) / stride
 * read them through tap t, where that divides. The last tap comes first, so that src_tap > 0. */
static struct reach reach_backward(int64_t len, int64_t out, int64_t kernel, int64_t stride,
                                   int64_t pad, int64_t dilation, int64_t phase) {
    struct reach r = {.dst = (phase + stride - pad % stride) % stride,
                      .dst_step = stride,
                      .src_step = 1,
                      .src_tap = 1,
                      .src_len = out};
    int64_t first = 0;

    r.n = ratio_up(len - r.dst, stride);
    for (int64_t t = 0; t < kernel; t++)
        if ((r.dst + pad - t * dilation) % stride == 0) {
            first = r.taps++ ? first : t;
            r.tap = t;
        }
    if (r.taps)
        r.src = (r.dst + pad - r.tap * dilation) / stride;
    if (r.taps > 1) {
        r.tap_step = (first - r.tap) / (r.taps - 1);
        r.src_tap = -r.tap_step * dilation / stride;
    }
    return r;
}

/* The taps [*begin, *end) that pixel m has. */
static void clip(const struct reach *r, int64_t m, int64_t *begin, int64_t *end) {
    const int64_t src = r->src + m * r->src_step;

    *begin = ratio_up(-src, r->src_tap);
    *end = least(ratio_up(r->src_len - src, r->src_tap), r->taps);
    if (*begin > *end)
        *begin = *end;
}

/* The pixels [*begin, *end) that have all taps. */
static void inner(const struct reach *r, int64_t *begin, int64_t *end) {
    const int64_t room = r->src_len - r->src - (r->taps - 1) * r->src_tap;

    *begin = least(ratio_up(-r->src, r->src_step), r->n);
    *end = least(ratio_up(room, r->src_step), r->n);
    if (*end < *begin)
        *end = *begin;
}

/* What pixels m .. m + n - 1 of a row read and write, all with the same taps across. d is filled
 * along the height; its x and y are those of column 0. */
static struct isa_depthwise along(const struct reach *w, struct isa_depthwise d, int64_t m,
                                  int64_t n) {
    int64_t begin, end;

    clip(w, m, &begin, &end);
    d.n = n;
    d.taps_w = end - begin;
    if (d.taps_w * d.taps_h > 0) {
        d.x += (w->src + m * w->src_step + begin * w->src_tap) * d.channels;
        d.w += (w->tap + begin * w->tap_step) * d.channels;
    }
    d.x_step = w->src_step * d.channels, d.x_tap_w = w->src_tap * d.channels;
    d.w_tap_w = w->tap_step * d.channels;
    d.y += (w->dst + m * w->dst_step) * d.channels, d.y_step = w->dst_step * d.channels;
    return d;
}

/* The pixels [begin, end) one by one. */
static void run_ends(const struct isa *isa, const struct reach *w, const struct isa_depthwise *d,
                     int64_t begin, int64_t end) {
    for (int64_t m = begin; m < end; m++) {
        const struct isa_depthwise one = along(w, *d, m, 1);

        isa->depthwise_pixels(1, &one);
    }
}

static struct reach reach_h(const struct depthwise_work *work, int64_t phase) {
    const struct conv_shape *s = work->s;

    return work->transposed
               ? reach_backward(s->h, s->out_h, s->kernel_h, s->stride_h, s->pad_h, s->dilation_h,
                                phase)
               : reach_forward(s->h, s->out_h, s->kernel_h, s->stride_h, s->pad_h, s->dilation_h);
}

static struct reach reach_w(const struct depthwise_work *work, int64_t phase) {
    const struct conv_shape *s = work->s;

    return work->transposed
               ? reach_backward(s->w, s->out_w, s->kernel_w, s->stride_w, s->pad_w, s->dilation_w,
                                phase)
               : reach_forward(s->w, s->out_w, s->kernel_w, s->stride_w, s->pad_w, s->dilation_w);
}

/* A row of the result, d filled along the height, for some phases of the width. */
static void run_row(const struct isa *isa, int phases, const struct reach *w,
                    const struct isa_depthwise *d) {
    struct isa_depthwise all[MAX_PHASES];
    int64_t begin = 0, end = INT64_MAX;

    for (int i = 0; i < phases; i++) {
        int64_t from, to;

        inner(&w[i], &from, &to);
        begin = from > begin ? from : begin;
        end = least(to, end);
    }
    for (int i = 0; i < phases; i++) {
        run_ends(isa, &w[i], d, 0, least(begin, w[i].n));
        if (begin < end)
            all[i] = along(&w[i], *d, begin, end - begin);
        run_ends(isa, &w[i], d, begin > end ? begin : end, w[i].n);
    }
    if (begin < end)
        isa->depthwise_pixels(phases, all);
}

/* Rows [begin, end) of the result, counted over the batch. */
static void run_phases(const struct depthwise_work *work, int phases, const struct reach *w,
                       int64_t begin, int64_t end) {
    const struct conv_shape *s = work->s;
    const bool back = work->transposed;
    const int64_t from_w = back ? s->out_w : s->w, rows = back ? s->h : s->out_h;
    const int64_t from_n = back ? s->out_h * s->out_w * s->c : conv_x_n(s);
    const int64_t to_n = back ? conv_x_n(s) : s->out_h * s->out_w * s->c;

    for (int64_t row = begin; row < end; row++) {
        const int64_t i = row % rows, n = row / rows;
        const struct reach h = reach_h(work, (i + s->pad_h) % s->stride_h);
        const int64_t m = (i - h.dst) / h.dst_step;
        struct isa_depthwise d = {.channels = s->c,
                                  .x = work->from + n * from_n,
                                  .w = work->w,
                                  .init = work->bias,
                                  .add = work->add,
                                  .y = work->to + n * to_n + i * (back ? s->w : s->out_w) * s->c};
        int64_t tap, tap_end;

        clip(&h, m, &tap, &tap_end);
        d.taps_h = tap_end - tap;
        d.fresh_h = least(h.src_step, d.taps_h);
        if (d.taps_h > 0) {
            d.x += (h.src + m * h.src_step + tap * h.src_tap) * from_w * s->c;
            d.w += (h.tap + tap * h.tap_step) * s->kernel_w * s->c;
        }
        d.x_tap_h = h.src_tap * from_w * s->c, d.w_tap_h = h.tap_step * s->kernel_w * s->c;
        run_row(work->isa, phases, w, &d);
    }
}

static void run_rows(void *context, int64_t begin, int64_t end) {
    const struct depthwise_work *work = context;
    const int64_t phases = work->transposed ? work->s->stride_w : 1;

    for (int64_t first = 0; first < phases; first += MAX_PHASES) {
        const int some = (int)least(phases - first, MAX_PHASES);
        struct reach w[MAX_PHASES];

        for (int i = 0; i < some; i++)
            w[i] = reach_w(work, first + i);
        run_phases(work, some, w, begin, end);
    }
}

void depthwise_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                       const real *bias, bool add, act *y) {
    struct depthwise_work work = {s, isa_get(), false, add, x, w, bias, y};

    team_run(team, s->n * s->out_h, run_rows, &work);
}

void depthwise_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                             const real *w, bool add, act *dx) {
    struct depthwise_work work = {s, isa_get(), true, add, dy, w, NULL, dx};

    team_run(team, s->n * s->h, run_rows, &work);
}
