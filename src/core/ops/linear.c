/* linear(x, channels, bias=auto, spectral=false): y = x w + bias for x [n, c], or for each row of a
 * list [n, r, c], and weights [c, channels]. */
#include "core/math/conv.h"
#include "core/math/gemm.h"
#include "core/math/rows.h"
#include "core/ops/parts/init.h"
#include "core/ops/op.h"
#include "core/ops/parts/share.h"
#include "core/ops/parts/spectral.h"

/* Products are cut into pieces of this many columns of y, or rows of the weights: few enough calls
 * to be fast, and always the same ones, so that the number of threads does not change a bit. */
enum { PIECE = 128 };
enum { BIAS_AUTO, BIAS_TRUE, BIAS_FALSE };

static const char *const biases[] = {"auto", "true", "false", NULL};

struct linear {
    int channels, bias;
    struct applied init;
    int spectral;
};

static const struct arg_spec specs[] = {
    {.name = "channels",
     .kind = ARG_INT,
     .offset = offsetof(struct linear, channels),
     .min = 1,
     .required = true,
     .help = "of the output"},
    {.name = "bias",
     .kind = ARG_WORD,
     .offset = offsetof(struct linear, bias),
     .fallback = BIAS_AUTO,
     .words = biases,
     .help = "auto: unless bn or instance_norm follows"},
    {.name = "init",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct linear, init),
     .find = init_find,
     .at = init_word,
     .help = "of the weights; uniform within 1/sqrt(inputs) when not given"},
    SPECTRAL_SPEC(struct linear),
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct linear *a = args;
    const int64_t n = x->rank ? x->dim[0] : 0, c = shape_channels(x);
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2 || (x->rank != 3 && shape_sample_len(x) != c))
        return err_set(err, ERR_CONFIG,
                       "linear: x is %s, expected samples x channels; put flatten or "
                       "global_avgpool before it",
                       shape_text(x, text));
    plan->y = x->rank == 3 ? (struct shape){3, {n, x->dim[1], a->channels}}
                           : (struct shape){2, {n, a->channels}};
    plan->w[0] = (struct op_param){
        .name = "weight",
        .shape = {2, {c, a->channels}},
        .init = a->init.word ? a->init : init_default,
        .fan_in = c,
        .fan_out = a->channels,
        .decay = true,
    };
    if (a->bias == BIAS_TRUE || (a->bias == BIAS_AUTO && plan->bias_auto))
        plan->w[1] = (struct op_param){
            .name = "bias", .shape = {1, {a->channels}}, .fan_in = c, .fan_out = 1};
    const struct spectral spectral = spectral_of(a->spectral, &plan->w[0].shape, false);
    spectral_plan(&spectral, plan);
    plan->flops = 2.0 * (double)shape_len(x) * (double)a->channels;
    return 0;
}

/* Rows of x and y. */
static int64_t rows_of(const struct op_call *c) {
    return shape_len(&c->y.shape) / shape_channels(&c->y.shape);
}

static int64_t pieces(int64_t len) {
    return (len + PIECE - 1) / PIECE;
}

static int64_t piece_len(int64_t piece, int64_t len) {
    return len - piece * PIECE < PIECE ? len - piece * PIECE : PIECE;
}

static struct spectral spectral_of_call(const struct op_call *c) {
    const struct linear *a = c->args;
    const struct shape w = {2, {shape_channels(&c->x->shape), a->channels}};

    return spectral_of(a->spectral, &w, false);
}

/* Here and below w[0] and dw[0] are those after normalisation. A prediction does not depend on the
 * samples beside it, to the bit; training, whose gradients are sums over them, has what is fastest.
 */
static void forward_columns(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = rows_of(c), k = shape_channels(&c->y.shape),
                  in = shape_channels(&c->x->shape);

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t k0 = piece * PIECE, cols = piece_len(piece, k);

        if (!c->training) {
            rows_product(n, cols, in, c->x->data, in, c->w[0] + k0, k,
                         c->w[1] ? c->w[1] + k0 : NULL, c->y.data + k0, k);
            continue;
        }
        for (int64_t i = 0; c->w[1] && i < n; i++)
            for (int64_t j = k0; j < k0 + cols; j++)
                c->y.data[i * k + j] = (act)c->w[1][j];
        gemm_act(false, false, n, cols, in, c->x->data, in, c->w[0] + k0, k, c->w[1] ? 1 : 0,
                 c->y.data + k0, k);
    }
}

static void forward(const struct op_call *c) {
    const struct spectral spectral = spectral_of_call(c);
    struct op_call with = *c;

    with.w[0] = spectral_forward(&spectral, c);
    share(&with, pieces(shape_channels(&c->y.shape)), forward_columns);
}

/* dx[:, c] (+)= dy w[c, :] transposed. */
static void data_channels(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = rows_of(c), k = shape_channels(&c->y.shape),
                  in = shape_channels(&c->x->shape);
    const bool add = !(c->dx_first & 1);

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t c0 = piece * PIECE;

        gemm_act(false, true, n, piece_len(piece, in), k, c->dy.data, k, c->w[0] + c0 * k, k, add,
                 c->dx->data + c0, in);
    }
}

/* dw[c, :] += x[:, c] transposed dy. */
static void weight_channels(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = rows_of(c), k = shape_channels(&c->y.shape),
                  in = shape_channels(&c->x->shape);

    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t c0 = piece * PIECE;

        gemm_sum(true, false, piece_len(piece, in), k, n, c->x->data + c0, in, c->dy.data, k, 1,
                 c->dw[0] + c0 * k, k);
    }
}

static void backward(const struct op_call *c) {
    const struct spectral spectral = spectral_of_call(c);
    const int64_t n_pieces = pieces(shape_channels(&c->x->shape));
    struct op_call with = *c;

    if (c->dx->data) {
        with.w[0] = spectral_weights(&spectral, c);
        share(&with, n_pieces, data_channels);
    }
    if (c->dw[0]) {
        with.dw[0] = spectral_gradient(&spectral, c);
        share(&with, n_pieces, weight_channels);
        spectral_backward(&spectral, c);
    }
    if (c->dw[1])
        conv_backward_bias(rows_of(c), shape_channels(&c->y.shape), c->team, c->dy.data, c->dw[1]);
}

const struct op op_linear = {
    .word = {"linear", "a weight for every pair of input and output channel", sizeof(struct linear),
             specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.weights_x = 1,
    .memory.overwrites = 1,
    .fusion.role = FUSION_PRODUCT,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
