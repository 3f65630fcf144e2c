/* gram(x): for each sample the products of all pairs of channels, summed over pixels and divided by
 * pixels times channels: [n, ..., c] -> [n, c, c]: what style losses compare.
 * Source: Johnson et al. 2016, arXiv:1603.08155, equation 3 */
#include "core/math/gemm.h"
#include "core/ops/parts/share.h"

/* Channels of y, or pixels of x, of one product; fixed, so that threads change no bit. */
enum { CHANNELS = 64, PIXELS = 256, TILE = 16 };

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t channels = shape_channels(x);
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 3)
        return err_set(err, ERR_CONFIG,
                       "gram: x is %s, expected images (samples x height x width x channels)",
                       shape_text(x, text));
    plan->y = (struct shape){3, {x->dim[0], channels, channels}};
    plan->scratch_bytes = (size_t)shape_len(&plan->y) * sizeof(real);
    plan->flops = 2 * (double)shape_len(x) * (double)channels;
    return 0;
}

static int64_t pieces(int64_t len, int64_t piece) {
    return (len + piece - 1) / piece;
}

/* scratch: y before it is scaled. */
static void forward_pieces(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x->shape), len = shape_sample_len(&c->x->shape);
    const int64_t n_pieces = pieces(n, CHANNELS);
    const real scale = 1 / (real)len;

    for (int64_t i = begin; i < end; i++) {
        const int64_t from = i % n_pieces * CHANNELS;
        const int64_t rows = n - from < CHANNELS ? n - from : CHANNELS;
        const act *x = c->x->data + i / n_pieces * len;
        const int64_t at = (i / n_pieces * n + from) * n;
        real *sums = (real *)c->scratch + at;

        gemm_sum(true, false, rows, n, len / n, x + from, n, x, n, 0, sums, n);
        for (int64_t j = 0; j < rows * n; j++)
            c->y.data[at + j] = (act)(sums[j] * scale);
    }
}

static void forward(const struct op_call *c) {
    share(c, c->x->shape.dim[0] * pieces(shape_channels(&c->x->shape), CHANNELS), forward_pieces);
}

/* scratch: g = (dy + dy transposed) / len, so that dx += x g. */
static void add_transposed(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x->shape), n_tiles = pieces(n, TILE);
    const real scale = 1 / (real)shape_sample_len(&c->x->shape);

    for (int64_t i = begin; i < end; i++) { /* TILE rows of g */
        const act *dy = c->dy.data + i / n_tiles * n * n;
        real *g = (real *)c->scratch + i / n_tiles * n * n;
        const int64_t from = i % n_tiles * TILE, to = from + TILE < n ? from + TILE : n;

        for (int64_t j = 0; j < n; j++)
            for (int64_t row = from; row < to; row++)
                g[row * n + j] = (dy[row * n + j] + dy[j * n + row]) * scale;
    }
}

static void backward_pieces(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x->shape), len = shape_sample_len(&c->x->shape);
    const int64_t n_pieces = pieces(len / n, PIXELS);

    for (int64_t i = begin; i < end; i++) {
        const int64_t from = i % n_pieces * PIXELS;
        const int64_t rows = len / n - from < PIXELS ? len / n - from : PIXELS;
        const int64_t at = i / n_pieces * len + from * n;
        const real *g = (const real *)c->scratch + i / n_pieces * n * n;

        gemm_act(false, false, rows, n, n, c->x->data + at, n, g, n, 1, c->dx->data + at, n);
    }
}

static void backward(const struct op_call *c) {
    const int64_t n = shape_channels(&c->x->shape);

    if (!c->dx->data)
        return;
    share(c, c->x->shape.dim[0] * pieces(n, TILE), add_transposed);
    share(c, c->x->shape.dim[0] * pieces(shape_sample_len(&c->x->shape) / n, PIXELS),
          backward_pieces);
}

const struct op op_gram = {
    .word = {"gram", "products of all pairs of channels", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
