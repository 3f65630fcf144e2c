/* Convolution by 1x1 kernels, or by kernels that cover all of the image, between many channels:
 * matrix products of images as they stand. With few channels the tiles of correlate.c are faster.
 * Pieces are of fixed size, so that the number of threads does not change a bit. */
#include "core/math/conv_parts.h"
#include "core/math/gemm.h"

#include <string.h>

/* A product of OpenBLAS packs both its factors. Cut along the rows of the result, pieces pack the
 * right factor anew each; along its columns, the left one: the longer side is cut. */
enum { MIN_CHANNELS = 128, PIECES = 8, PIECE_LEN = 64 };

/* Where packing costs nothing to speak of: more pieces, so that threads end together. */
enum { LONG_PIECES = 32, LONG_PIECE_LEN = 512 };

bool pointwise(const struct conv_shape *s) {
    return s->kernel_h * s->kernel_w * s->stride_h * s->stride_w * s->groups == 1 &&
           s->pad_h + s->pad_w == 0 && s->out_h == s->h && s->out_w == s->w &&
           conv_x_n(s) == s->h * s->w * s->c && s->c >= MIN_CHANNELS && s->k >= MIN_CHANNELS;
}

bool covering(const struct conv_shape *s) {
    return s->out_h * s->out_w * s->groups * s->dilation_h * s->dilation_w == 1 &&
           s->kernel_h == s->h && s->kernel_w == s->w && s->h * s->w > 1 &&
           s->pad_h + s->pad_w == 0 && conv_x_n(s) == s->h * s->w * s->c;
}

/* y[rows, cols] (+)= op(a) * op(b), in pieces. */
struct product {
    bool trans_a, trans_b;
    int64_t rows, cols, depth;
    const act *a;
    const real *b;
    const real *bias; /* [cols], or NULL */
    int64_t lda, ldb;
    bool add;
    real *y;
};

static bool by_rows(const struct product *p) {
    return p->rows >= p->cols;
}

static int64_t pieces(const struct product *p) {
    const int64_t len = by_rows(p) ? p->rows : p->cols;
    const int64_t n = len / LONG_PIECE_LEN;

    if (n > PIECES)
        return n < LONG_PIECES ? n : LONG_PIECES;
    return len < PIECE_LEN ? 1 : len < PIECES * PIECE_LEN ? len / PIECE_LEN : PIECES;
}

static void run_pieces(void *context, int64_t begin, int64_t end) {
    const struct product *p = context;
    const int64_t n = pieces(p), len = by_rows(p) ? p->rows : p->cols;

    for (int64_t i = begin; i < end; i++) {
        const int64_t from = len * i / n, to = len * (i + 1) / n;
        const int64_t i0 = by_rows(p) ? from : 0, i1 = by_rows(p) ? to : p->rows;
        const int64_t j0 = by_rows(p) ? 0 : from, j1 = by_rows(p) ? p->cols : to;

        for (int64_t row = i0; p->bias && row < i1; row++)
            memcpy(p->y + row * p->cols + j0, p->bias + j0, (size_t)(j1 - j0) * sizeof *p->bias);
        gemm(p->trans_a, p->trans_b, i1 - i0, j1 - j0, p->depth,
             p->a + i0 * (p->trans_a ? 1 : p->lda), p->lda, p->b + j0 * (p->trans_b ? p->ldb : 1),
             p->ldb, p->bias || p->add ? 1 : 0, p->y + i0 * p->cols + j0, p->cols);
    }
}

static void run(const struct product *p, struct team *team) {
    struct product product = *p;

    team_run(team, pieces(p), run_pieces, &product);
}

void pointwise_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                       const real *bias, bool add, act *y) {
    run(&(struct product){.rows = s->n * s->h * s->w,
                          .cols = s->k,
                          .depth = s->c,
                          .a = x,
                          .lda = s->c,
                          .b = w,
                          .ldb = s->k,
                          .bias = bias,
                          .add = add,
                          .y = y},
        team);
}

/* dx[rows, cols] (+)= dy * w, transposed. */
static void backward_data(const struct conv_shape *s, struct team *team, int64_t rows, int64_t cols,
                          const act *dy, const real *w, bool add, act *dx) {
    run(&(struct product){.trans_b = true,
                          .rows = rows,
                          .cols = cols,
                          .depth = s->k,
                          .a = dy,
                          .lda = s->k,
                          .b = w,
                          .ldb = s->k,
                          .add = add,
                          .y = dx},
        team);
}

void pointwise_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                             const real *w, bool add, act *dx) {
    backward_data(s, team, s->n * s->h * s->w, s->c, dy, w, add, dx);
}

void covering_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                            const real *w, bool add, act *dx) {
    backward_data(s, team, s->n, s->h * s->w * s->c, dy, w, add, dx);
}

void pointwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw) {
    run(&(struct product){.trans_a = true,
                          .rows = s->c,
                          .cols = s->k,
                          .depth = s->n * s->h * s->w,
                          .a = x,
                          .lda = s->c,
                          .b = dy,
                          .ldb = s->k,
                          .add = true,
                          .y = dw},
        team);
}
