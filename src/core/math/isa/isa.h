/* isa.h - the innermost loops, once for each instruction set: a table of functions, chosen once
 * from the processor. All tables compute the same sums; the order of a sum may differ. */
#pragma once
#include "core/base/err.h"
#include "core/base/tensor.h"

/* Limits of tile_rows, outer_rows and tile_cols over all tables. */
enum { ISA_MAX_ROWS = 14, ISA_MAX_COLS = 128 / sizeof(real) };

/* A row of pixels of a convolution with one filter per channel, all with the same taps. Steps in
 * elements: from pixel to pixel, and from tap to tap of x and of w along both axes. */
struct isa_depthwise {
    int64_t n, channels, taps_h, taps_w;
    int64_t fresh_h; /* rows of taps, the last ones, that no row of pixels before has read */
    int64_t x_step, x_tap_h, x_tap_w, w_tap_h, w_tap_w, y_step;
    const real *x, *w, *init; /* init [channels], or NULL: zeros */
    bool add;                 /* to y, in place of starting with init */
    real *y;
};

/* The gradient of some rows of such filters' taps over rows of pixels. Tap b of output j reads the
 * column first + j * stride + b * dilation of x, or zeros where that is outside [0, w). */
struct isa_depthwise_weights {
    int rows, cols;             /* taps: 3 x 3, or one row of 1 .. 8 */
    int64_t n_h, n_w, channels; /* rows and columns of outputs */
    int64_t w, first, stride, dilation;
    int64_t inner_begin, inner_end; /* outputs whose taps are all inside */
    int64_t x_row, x_tap_h, dy_row; /* elements from one row of outputs, or of taps, to the next */
    int64_t dw_tap_h;
    const real *x, *dy; /* x: at column 0 of the first row */
    real *dw;           /* added to */
    bool ahead;         /* what follows x and dy in memory is wanted next */
};

/* F(4x4, 3x3) of Lavin & Gray 2015, arXiv:1509.09308: transforms between pixels, or taps, and 36
 * points, numbered by row, and products for one point. Channels are in vectors: c and k are
 * multiples of vec_len. `step`: elements from one point to the next. */
struct isa_winograd {
    /* v[point][c] = B^T x B of x[36][c], a square of 6 x 6 pixels. */
    void (*input)(int64_t c, const real *const *x, real *v, int64_t step);

    /* y[16][k] = A^T m A + bias of m[point][k], a square of 4 x 4 pixels; bias may be NULL.
     * add: y += A^T m A. */
    void (*output)(int64_t k, const real *m, int64_t step, const real *bias, bool add,
                   real *const *y);

    /* v[point][k] = A dy A^T of dy[16][k]. */
    void (*gradient)(int64_t k, const real *const *dy, real *v, int64_t step);

    /* u[point][row][tile_cols] = G g G^T of g[9][row][tile_cols].
     *   tap, ldg  elements from one tap of g to the next, and from one row to the next */
    void (*filter)(int64_t rows, const real *g, int64_t tap, int64_t ldg, real *u, int64_t step);

    /* dg[9][row][tile_cols] += G^T s G of s[point][row][tile_cols]. */
    void (*filter_back)(int64_t rows, const real *s, int64_t step, real *dg, int64_t tap,
                        int64_t ldg);

    /* c[row][j] (+)= sum over k < depth of a[row][k] * b[k][j]
     *   lda     elements from one row of a to the next; tile_cols in b and c
     *   narrow  j < vec_len only
     *   add     to what c holds */
    void (*product)(int64_t rows, int64_t depth, const real *a, int64_t lda, const real *b,
                    bool narrow, bool add, real *c);

    /* c[row][j] = sum over i < n of a[i][row] * b[i][j]; lda and narrow as above. */
    void (*outer)(int64_t rows, int64_t n, const real *a, int64_t lda, const real *b, bool narrow,
                  real *c);
};

struct isa {
    const char *name; /* "generic", "avx2", "avx512" */
    int vec_len;      /* numbers in a vector */
    int tile_rows;    /* of product() and packed_product() */
    int outer_rows;   /* of outer(), at most */
    int tile_cols;    /* of both: two vectors */

    /* Tiles of a matrix product that stay in registers. The left factor's rows are read from an
     * image at offsets (Dukhan 2019, arXiv:1907.02129), so that a convolution needs no im2col.
     * c[to[r] + j] = init[j] + sum over s < n_taps, k < len of
     *                a[at[r] + tap[s] + k] * b[s * len + k][j]
     *   tap   [n_taps] offsets, in elements
     *   at    [tile_rows] offsets of the rows in the image
     *   b     [n_taps * len, tile_cols] weights
     *   init  [tile_cols], or NULL to add to what c holds
     *   to    [tile_rows] offsets of rows of tile_cols, or of vec_len where `narrow` */
    void (*product)(int n_taps, const int64_t *tap, int64_t len, const real *a, const int64_t *at,
                    const real *b, const real *init, bool narrow, real *c, const int64_t *to);

    /* The same from a tile of the left factor that was copied in the order in which it is read, for
     * tiles that meet many weights (Goto & van de Geijn 2008): packed[s * len + k][r] =
     * a[at[r] + tap[s] + k], and packed_product() with len = n_taps * len. */
    void (*pack)(int n_taps, const int64_t *tap, int64_t len, const real *a, const int64_t *at,
                 real *packed);
    void (*packed_product)(int64_t len, const real *packed, const real *b, const real *init,
                           bool narrow, real *c, const int64_t *to);

    /* packed[k][j] = w[j * step + k] for j < tile_cols, k < len: b of products, from columns. */
    void (*pack_columns)(int64_t len, const real *w, int64_t step, real *packed);

    /* c[r][j] += sum over p < n of a[at[p] + r] * b[p][j] for r < rows
     *   rows  1 .. outer_rows
     *   at    [n] offsets, in elements
     *   b     [n, tile_cols]
     *   c     [rows, tile_cols] with row stride ldc, or of vec_len where `narrow` */
    void (*outer)(int rows, int64_t n, const int64_t *at, const real *a, const real *b, bool narrow,
                  real *c, int64_t ldc);

    /* Multiply-adds in registers as fast as the processor can, to know its peak; returns how many
     * FLOPs that were: 2 for each. */
    double (*peak)(int64_t rounds);

    /* y[p][c] = init[c] + sum over taps (i, j) of
     * x[p * x_step + i * x_tap_h + j * x_tap_w + c] * w[i * w_tap_h + j * w_tap_w + c]
     * for `turns` sets of taps in turn, pixel by pixel: d[turns], all of the same n. */
    void (*depthwise_pixels)(int turns, const struct isa_depthwise *d);

    /* dw[a][b][c] += sum over outputs (i, j) of x[i, a][column of (j, b)][c] * dy[i][j][c] */
    void (*depthwise_weights)(const struct isa_depthwise_weights *d);

    struct isa_winograd winograd;
};

/* The chosen table: DLTRAIN_ISA of the environment if this processor can run it, else the last
 * of isa_table(). Never changes within a process. */
const struct isa *isa_get(void);

/* The tables that this processor can run, from the slowest; *n is their number. */
const struct isa *const *isa_table(int *n);

/* Refuse what DLTRAIN_ISA says where it is no table, or none that this processor can run, and a
 * processor that lacks what the program was compiled for. Errors: ERR_CONFIG. */
int isa_check(struct err *err);

extern const struct isa isa_generic, isa_avx2, isa_avx512;
