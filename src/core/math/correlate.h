/* correlate.h - many dot products of image windows with filters: what a convolution forward is,
 * and what its gradient for the input is, once for each phase of the stride. */
#pragma once
#include "core/base/parallel.h"
#include "core/math/patch.h"

/* Where the outputs of an axis go, and which taps of the weights they meet. */
struct axis_map {
    int64_t dst, dst_first, dst_step; /* output i is pixel dst_first + i * dst_step of dst */
    int64_t w_first, w_step;          /* tap t is row or column w_first + t * w_step of w */
};

struct correlation {
    struct patches from; /* n, src_n, src_c, c and the axes set; correlate() cuts it */
    struct axis_map h, w;
    int64_t c0;        /* first source channel */
    int64_t dst_c, k0; /* channels of dst, and the first one computed */
    int64_t dst_n;     /* elements of dst from one sample to the next */
    int64_t k;         /* channels computed */
    /* w[row][column] begins at (row * w_columns + column) * w_pixel; source channel i and
     * destination channel j meet at w_c * i + w_k * j from there. */
    int64_t w_columns, w_pixel, w_c, w_k;
    bool add; /* to dst, in place of overwriting it */
};

/* Bytes that correlate() needs, whatever the number of threads. */
size_t correlate_scratch_bytes(const struct correlation *s);

/* dst[n, i, j, k0 + k] (+)= bias[k] + sum of src[n, i', j', c0 + c] * w[.., c, k] over taps and c.
 *   bias     [k], or NULL; only where not s->add
 *   scratch  correlate_scratch_bytes, 64-byte aligned */
void correlate(const struct correlation *s, struct team *team, const act *src, const real *w,
               const real *bias, act *dst, void *scratch);
