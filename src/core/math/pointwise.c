/* Gradients that are matrix products of images as they stand: of the weights of 1x1 kernels between
 * many channels, and for the input of kernels that cover all of the image. Pieces are of fixed
 * size, so that the number of threads does not change a bit. */
#include "core/math/conv_parts.h"
#include "core/math/copies.h"
#include "core/math/gemm.h"

/* A product of OpenBLAS packs both its factors. Cut along the rows of the result, pieces pack the
 * right factor anew each; along its columns, the left one: the longer side is cut. */
enum { MIN_CHANNELS = 128, PIECES = 8, PIECE_LEN = 64 };

/* Cut into groups of pixels, each summed into a copy of the gradient, both factors are packed once;
 * but copies take memory, and time to add. */
enum { MAX_GROUPS = 16, GROUP_PIXELS = 768, COPIES_LEN = 1 << 21 };

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

/* y[rows, cols] (+)= op(a) * op(b), in pieces of y's longer side and groups of terms. */
struct product {
    bool trans_a, trans_b;
    int64_t rows, cols, depth;
    const act *a;
    const real *b;
    int64_t lda, ldb;
    bool add;
    real *y;
    struct copies copies; /* of y, one for each group where there are several */
};

static int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static bool by_rows(const struct product *p) {
    return p->rows >= p->cols;
}

/* Pieces of a side. */
static int64_t pieces(const struct product *p) {
    const int64_t most = (by_rows(p) ? p->rows : p->cols) / PIECE_LEN;

    return most < 1 ? 1 : min(most, 1 + (PIECES - 1) / p->copies.n);
}

static void run_pieces(void *context, int64_t begin, int64_t end) {
    const struct product *p = context;
    const int64_t n = pieces(p), len = by_rows(p) ? p->rows : p->cols;
    const bool copies = p->copies.n > 1;

    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / n, from = len * (i % n) / n, to = len * (i % n + 1) / n;
        const int64_t i0 = by_rows(p) ? from : 0, i1 = by_rows(p) ? to : p->rows;
        const int64_t j0 = by_rows(p) ? 0 : from, j1 = by_rows(p) ? p->cols : to;
        const int64_t d0 = p->depth * group / p->copies.n;
        const int64_t d1 = p->depth * (group + 1) / p->copies.n;
        real *y = copies ? copies_at(&p->copies, group) : p->y;

        gemm(p->trans_a, p->trans_b, i1 - i0, j1 - j0, d1 - d0,
             p->a + (p->trans_a ? d0 * p->lda + i0 : i0 * p->lda + d0), p->lda,
             p->b + (p->trans_b ? j0 * p->ldb + d0 : d0 * p->ldb + j0), p->ldb,
             p->add && !copies ? 1 : 0, y + i0 * p->cols + j0, p->cols);
    }
}

static int64_t pixel_groups(const struct conv_shape *s) {
    const int64_t n = min(s->n * s->h * s->w / GROUP_PIXELS, COPIES_LEN / (s->c * s->k));

    return n < 2 ? 1 : min(n, MAX_GROUPS);
}

static struct copies copies_of(const struct conv_shape *s, void *scratch) {
    return (struct copies){pixel_groups(s), s->c, s->k, scratch};
}

size_t pointwise_scratch_bytes(const struct conv_shape *s) {
    const struct copies copies = copies_of(s, NULL);

    return copies_bytes(&copies);
}

void pointwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw, void *scratch) {
    struct product p = {.trans_a = true,
                        .rows = s->c,
                        .cols = s->k,
                        .depth = s->n * s->h * s->w,
                        .a = x,
                        .lda = s->c,
                        .b = dy,
                        .ldb = s->k,
                        .add = true,
                        .y = dw,
                        .copies = copies_of(s, scratch)};

    team_run(team, p.copies.n * pieces(&p), run_pieces, &p);
    if (p.copies.n > 1)
        copies_add(&p.copies, team, dw, s->k);
}

void covering_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                            const real *w, bool add, act *dx) {
    struct product p = {.trans_b = true,
                        .rows = s->n,
                        .cols = s->h * s->w * s->c,
                        .depth = s->k,
                        .a = dy,
                        .lda = s->k,
                        .b = w,
                        .ldb = s->k,
                        .add = add,
                        .y = dx,
                        .copies = {.n = 1}};

    team_run(team, pieces(&p), run_pieces, &p);
}
