/* moments(x): y [1, channels + 1, channels] of samples x [n, channels]: row 0 the mean of x, below
 * it that of x x^T, the second moments. Covariances are their difference: see frechet. */
#include "core/math/gemm.h"
#include "core/ops/parts/share.h"

/* Rows of y at a time: always the same products, so that threads do not change a bit. */
enum { PIECE = 128 };

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t c = shape_channels(x);
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 2 || shape_sample_len(x) != c)
        return err_set(err, ERR_CONFIG,
                       "moments: x is %s, expected samples x channels; put flatten or "
                       "global_avgpool before it",
                       shape_text(x, text));
    plan->y = (struct shape){3, {1, c + 1, c}};
    plan->y_kind = TENSOR_REALS;
    plan->flops = 2.0 * (double)x->dim[0] * (double)(c * c);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x->shape.dim[0];
}

static void means(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = c->x->shape.dim[0], channels = shape_channels(&c->x->shape);

    for (int64_t j = begin; j < end; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)c->x->data[i * channels + j];
        c->y.reals[j] = (real)sum;
    }
}

static void products(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = c->x->shape.dim[0], channels = shape_channels(&c->x->shape);

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t first = piece * PIECE;
        const int64_t rows = channels - first < PIECE ? channels - first : PIECE;

        gemm_sum(true, false, rows, channels, n, c->x->data + first, channels, c->x->data, channels,
                 0, c->y.reals + (1 + first) * channels, channels);
    }
}

static void forward(const struct op_call *c) {
    const int64_t channels = shape_channels(&c->x->shape);

    share(c, channels, means);
    share(c, (channels + PIECE - 1) / PIECE, products);
}

const struct op op_moments = {
    .word = {"moments", "mean of x and of x x^T, for frechet()", 0, NULL},
    .min_x = 1,
    .max_x = 1,
    .plan = plan,
    .count = count,
    .forward = forward,
};
