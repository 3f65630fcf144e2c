/* reference.h - kernels' definitions as nested loops, in a wider type, with the sum of the
 * magnitudes of what they add up: the scale that rounding is measured on. */
#pragma once
#include "core/math/conv3d.h"
#include "core/math/correlate.h"

#include <math.h>
#include <stdlib.h>

#ifdef CORE_DOUBLE
#define WIDE long double
#define REAL_EPSILON 0x1p-52
#else
#define WIDE double
#define REAL_EPSILON 0x1p-23
#endif

/* What a kernel should find. */
struct expected {
    WIDE *sum, *size;   /* [len]; size: of magnitudes */
    int64_t len, terms; /* products in all sums together */
};

static inline void expect_term(struct expected *e, int64_t at, WIDE term) {
    e->sum[at] += term;
    e->size[at] += term < 0 ? -term : term;
}

enum direction { FORWARD, FORWARD_ADD, DATA, DATA_ADD, WEIGHTS, N_DIRECTIONS };

/* What a convolution reads: a and b are x and w, dy and w, or x and dy; x [n, d, h, w, c],
 * w [kernel_d, kernel_h, kernel_w, c / groups, k], y [n, out_d, out_h, out_w, k]. */
struct conv_operands {
    const struct conv3d *s;
    enum direction direction;
    const real *a, *b;
};

/* One tap of one output pixel: `out`, `in` and `tap` are where their channels begin. */
static inline void reference_tap(const struct conv_operands *o, int64_t out, int64_t in,
                                 int64_t tap, struct expected *e) {
    const struct conv_shape *s = &o->s->slice;
    const int64_t n_c = s->c / s->groups, n_k = s->k / s->groups;

    for (int64_t c = 0; c < n_c; c++)
        for (int64_t k = 0; k < s->k; k++) {
            const int64_t y = out + k, x = in + k / n_k * n_c + c, w = tap + c * s->k + k;

            if (o->direction <= FORWARD_ADD)
                expect_term(e, y, (WIDE)o->a[x] * o->b[w]);
            else if (o->direction <= DATA_ADD)
                expect_term(e, x, (WIDE)o->a[y] * o->b[w]);
            else
                expect_term(e, w, (WIDE)o->a[x] * o->b[y]);
            e->terms++;
        }
}

/* The pixel that output i meets at tap t, or -1 in the padding. */
static inline int64_t reference_pixel(int64_t i, int64_t stride, int64_t pad, int64_t t,
                                      int64_t dilation, int64_t size) {
    const int64_t at = i * stride - pad + t * dilation;

    return at < size ? at : -1;
}

/* Adds to what e->sum holds. */
static inline void reference_conv(const struct conv_operands *o, struct expected *e) {
    const struct conv3d *v = o->s;
    const struct conv_shape *s = &v->slice;
    const int64_t taps = v->kernel_d * s->kernel_h * s->kernel_w;

    for (int64_t p = 0; p < s->n * v->out_d * s->out_h * s->out_w; p++)
        for (int64_t t = 0; t < taps; t++) {
            const int64_t j = p % s->out_w, i = p / s->out_w % s->out_h;
            const int64_t q = p / s->out_w / s->out_h % v->out_d;
            const int64_t n = p / s->out_w / s->out_h / v->out_d;
            const int64_t d = reference_pixel(q, v->stride_d, v->pad_d,
                                              t / s->kernel_w / s->kernel_h, v->dilation_d, v->d);
            const int64_t h = reference_pixel(i, s->stride_h, s->pad_h,
                                              t / s->kernel_w % s->kernel_h, s->dilation_h, s->h);
            const int64_t w =
                reference_pixel(j, s->stride_w, s->pad_w, t % s->kernel_w, s->dilation_w, s->w);

            if (d >= 0 && h >= 0 && w >= 0)
                reference_tap(o, p * s->k, (((n * v->d + d) * s->h + h) * s->w + w) * s->c,
                              t * (s->c / s->groups) * s->k, e);
        }
}

/* c += op(a) op(b), all without gaps; of gemm.h. */
static inline void reference_gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
                                  const real *a, const real *b, struct expected *e) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            for (int64_t l = 0; l < k; l++)
                expect_term(e, i * n + j,
                            (WIDE)a[trans_a ? l * m + i : i * k + l] *
                                b[trans_b ? j * k + l : l * n + j]);
    e->terms += m * n * k;
}

/* dst += src with w, of correlate.h. */
static inline void reference_correlate(const struct correlation *s, const act *src, const real *w,
                                       struct expected *e) {
    const struct axis *h = &s->from.h, *v = &s->from.w;

    for (int64_t p = 0; p < s->from.n * h->out * v->out; p++)
        for (int64_t t = 0; t < h->taps * v->taps; t++) {
            const int64_t n = p / v->out / h->out, i = p / v->out % h->out, j = p % v->out;
            const int64_t a = t / v->taps, b = t % v->taps;
            const int64_t row = h->first + i * h->step + a * h->tap_step;
            const int64_t column = v->first + j * v->step + b * v->tap_step;
            const real *tap = w + ((s->h.w_first + a * s->h.w_step) * s->w_columns + s->w.w_first +
                                   b * s->w.w_step) *
                                      s->w_pixel;

            for (int64_t k = 0; k < s->k; k++)
                for (int64_t c = 0; c < s->from.c; c++)
                    if (row >= 0 && row < h->src && column >= 0 && column < v->src) {
                        const int64_t to = n * s->dst_n +
                                           ((s->h.dst_first + i * s->h.dst_step) * s->w.dst +
                                            s->w.dst_first + j * s->w.dst_step) *
                                               s->dst_c +
                                           s->k0 + k;
                        expect_term(e, to,
                                    (WIDE)src[n * s->from.src_n +
                                              (row * v->src + column) * s->from.src_c + s->c0 + c] *
                                        tap[s->w_c * c + s->w_k * k]);
                        e->terms++;
                    }
        }
}
