/* Convolution by 1x1 kernels, or by kernels that cover all of the image, between many channels:
 * matrix products of images as they stand. With few channels the tiles of correlate.c are faster.
 * Pieces are of fixed size, so that the number of threads does not change a bit. */
#include "core/math/conv_parts.h"
#include "core/math/gemm.h"

/* A product of OpenBLAS packs both its factors: larger pieces pack them fewer times. */
enum { MIN_CHANNELS = 128, PIECES = 8, PIXELS = 256, WEIGHT_ROWS = 64 };

struct work {
    int64_t pixels, c, k;
    const act *x, *dy;
    const real *w, *bias;
    bool add;
    act *y, *dx;
    real *dw;
};

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

/* Of PIECES, or fewer of `least`. */
static int64_t piece_len(int64_t len, int64_t least) {
    const int64_t each = (len + PIECES - 1) / PIECES;

    return each < least ? least : each;
}

static int64_t piece(int64_t i, int64_t size, int64_t len) {
    return len - i * size < size ? len - i * size : size;
}

static int64_t pieces(int64_t size, int64_t len) {
    return (len + size - 1) / size;
}

static void forward_pixels(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const int64_t c = work->c, k = work->k, most = piece_len(work->pixels, PIXELS);

    for (int64_t i = begin; i < end; i++) {
        const int64_t n = piece(i, most, work->pixels);
        act *y = work->y + i * most * k;

        for (int64_t j = 0; work->bias && j < n * k; j++)
            y[j] = work->bias[j % k];
        gemm(false, false, n, k, c, work->x + i * most * c, c, work->w, k,
             work->bias || work->add ? 1 : 0, y, k);
    }
}

static void backward_pixels(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const int64_t c = work->c, k = work->k, most = piece_len(work->pixels, PIXELS);

    for (int64_t i = begin; i < end; i++)
        gemm(false, true, piece(i, most, work->pixels), c, k, work->dy + i * most * k, k, work->w,
             k, work->add, work->dx + i * most * c, c);
}

/* Rows of the weights: pixels and channels of images that the kernel covers. */
static void backward_rows(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const int64_t c = work->c, k = work->k, most = piece_len(c, WEIGHT_ROWS);

    for (int64_t i = begin; i < end; i++)
        gemm(false, true, work->pixels, piece(i, most, c), k, work->dy, k, work->w + i * most * k,
             k, work->add, work->dx + i * most, c);
}

static void weight_rows(void *context, int64_t begin, int64_t end) {
    const struct work *work = context;
    const int64_t c = work->c, k = work->k, most = piece_len(c, WEIGHT_ROWS);

    for (int64_t i = begin; i < end; i++)
        gemm(true, false, piece(i, most, c), k, work->pixels, work->x + i * most, c, work->dy, k, 1,
             work->dw + i * most * k, k);
}

void pointwise_forward(const struct conv_shape *s, struct team *team, const act *x, const real *w,
                       const real *bias, bool add, act *y) {
    struct work work = {.pixels = s->n * s->h * s->w,
                        .c = s->c,
                        .k = s->k,
                        .x = x,
                        .w = w,
                        .bias = bias,
                        .add = add,
                        .y = y};

    team_run(team, pieces(piece_len(work.pixels, PIXELS), work.pixels), forward_pixels, &work);
}

void pointwise_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                             const real *w, bool add, act *dx) {
    struct work work = {
        .pixels = s->n * s->h * s->w, .c = s->c, .k = s->k, .dy = dy, .w = w, .add = add, .dx = dx};

    team_run(team, pieces(piece_len(work.pixels, PIXELS), work.pixels), backward_pixels, &work);
}

void covering_backward_data(const struct conv_shape *s, struct team *team, const act *dy,
                            const real *w, bool add, act *dx) {
    struct work work = {
        .pixels = s->n, .c = s->h * s->w * s->c, .k = s->k, .dy = dy, .w = w, .add = add, .dx = dx};

    team_run(team, pieces(piece_len(work.c, WEIGHT_ROWS), work.c), backward_rows, &work);
}

void pointwise_backward_weights(const struct conv_shape *s, struct team *team, const act *x,
                                const act *dy, real *dw) {
    struct work work = {
        .pixels = s->n * s->h * s->w, .c = s->c, .k = s->k, .x = x, .dy = dy, .dw = dw};

    team_run(team, pieces(piece_len(s->c, WEIGHT_ROWS), s->c), weight_rows, &work);
}
