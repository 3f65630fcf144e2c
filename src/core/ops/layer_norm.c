/* layer_norm(x, eps=1e-5): each pixel normalised by mean and variance over its channels, with a
 * weight and a bias for each channel, as torch.nn.LayerNorm(channels) on channels that come last:
 * rows [n, c], series [n, t, c] as in transformers, images [n, h, w, c] as in ConvNeXt.
 * Source: Ba et al. 2016, arXiv:1607.06450 */
#include "core/ops/parts/columns.h"
#include "core/ops/parts/init.h"
#include "core/ops/parts/norm.h"
#include "core/ops/parts/rows.h"

struct layer_norm {
    double eps;
};

static const struct arg_spec specs[] = {
    {.name = "eps",
     .kind = ARG_REAL,
     .offset = offsetof(struct layer_norm, eps),
     .fallback = 1e-5,
     .min = 1e-12,
     .max = 1,
     .help = "added to the variance"},
    {0},
};

static const struct constant_args one = {1};

static int64_t rows_of(const struct shape *x) {
    return shape_len(x) / shape_channels(x);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const int64_t channels = shape_channels(x);
    char text[SHAPE_TEXT];

    (void)args, (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "layer_norm: x is %s, expected samples with channels",
                       shape_text(x, text));
    if (channels == 1)
        return norm_refuse("layer_norm", "a pixel", x, err);
    plan->y = x[0];
    plan->w[0] = (struct op_param){.name = "weight",
                                   .shape = {1, {channels}},
                                   .init = {&init_constant.word, &one},
                                   .fan_in = 1,
                                   .fan_out = 1,
                                   .norm = true};
    plan->w[1] = (struct op_param){
        .name = "bias", .shape = {1, {channels}}, .fan_in = 1, .fan_out = 1, .norm = true};
    plan->saved_bytes = 2 * (size_t)rows_of(x) * sizeof(real); /* mean, 1 / sqrt(var + eps) */
    plan->scratch_bytes = columns_bytes(rows_of(x), 2 * channels);
    plan->flops = 8 * (double)shape_len(x);
    return 0;
}

static real sum_of(const real *lanes) {
    real sum = 0;

    for (int l = 0; l < ROW_LANES; l++)
        sum += lanes[l];
    return sum;
}

static void moments(const act *x, int64_t n, real *mean, real *variance) {
    real sums[ROW_LANES] = {0}, squares[ROW_LANES] = {0};
    const int64_t whole = n - n % ROW_LANES;

    for (int64_t j = 0; j < whole; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            sums[l] += x[j + l];
    for (int64_t j = whole; j < n; j++)
        sums[j - whole] += x[j];
    const real m = sum_of(sums) / (real)n;
    for (int64_t j = 0; j < whole; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            squares[l] += (x[j + l] - m) * (x[j + l] - m);
    for (int64_t j = whole; j < n; j++)
        squares[j - whole] += (x[j] - m) * (x[j] - m);
    *mean = m;
    *variance = sum_of(squares) / (real)n;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->y.shape);
    const double eps = ((const struct layer_norm *)c->args)->eps;
    const real *w = c->w[0], *b = c->w[1];
    real *mean = c->saved, *inverse = mean + rows_of(&c->y.shape), variance;

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x->data + row * n;
        act *y = c->y.data + row * n;

        moments(x, n, &mean[row], &variance);
        inverse[row] = (real)(1 / sqrt((double)variance + eps));
        const real shift = mean[row], scale = inverse[row];
        for (int64_t j = 0; j < n; j++)
            y[j] = (act)((x[j] - shift) * scale * w[j] + b[j]);
    }
}

static void forward(const struct op_call *c) {
    share(c, rows_of(&c->y.shape), forward_rows);
}

static void add_weight_gradients(const struct op_call *c, int64_t begin, int64_t end,
                                 real *restrict sums) {
    const int64_t n = shape_channels(&c->y.shape);
    const real *mean = c->saved, *inverse = mean + rows_of(&c->y.shape);
    real *restrict dweight = sums, *restrict dbias = sums + n;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x->data + row * n, *restrict dy = c->dy.data + row * n;
        const real shift = mean[row], scale = inverse[row];

        for (int64_t j = 0; j < n; j++) {
            dweight[j] += dy[j] * ((x[j] - shift) * scale);
            dbias[j] += dy[j];
        }
    }
}

/* The sums of g and g z, where g = weight dy and z = (x - mean) / sqrt(var + eps). */
static void row_products(const act *x, const act *dy, const real *w, int64_t n, real mean,
                         real inverse, real *g, real *gz) {
    real sums[ROW_LANES] = {0}, products[ROW_LANES] = {0};
    const int64_t whole = n - n % ROW_LANES;

    /* one sum in a loop: gcc makes slow code of both */
    for (int64_t j = 0; j < whole; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            sums[l] += dy[j + l] * w[j + l];
    for (int64_t j = 0; j < whole; j += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++)
            products[l] += dy[j + l] * w[j + l] * (x[j + l] - mean);
    for (int64_t j = whole; j < n; j++) {
        sums[j - whole] += dy[j] * w[j];
        products[j - whole] += dy[j] * w[j] * (x[j] - mean);
    }
    *g = sum_of(sums);
    *gz = sum_of(products) * inverse;
}

/* dx += (g - mean of g - z times mean of g z) / sqrt(var + eps) */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->y.shape);
    const bool overwrite = c->dx->data == c->dy.data;
    const real *w = c->w[0], *mean = c->saved, *inverse = mean + rows_of(&c->y.shape);

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x->data + row * n;
        const act *dy = c->dy.data + row * n;
        act *dx = c->dx->data + row * n;
        const real shift = mean[row], scale = inverse[row];
        real g, gz;

        row_products(x, dy, w, n, shift, scale, &g, &gz);
        const real offset = g / (real)n, slope = gz / (real)n * scale;
        for (int64_t j = 0; overwrite && j < n; j++)
            dx[j] = (act)((dx[j] * w[j] - offset - (x[j] - shift) * slope) * scale);
        for (int64_t j = 0; !overwrite && j < n; j++)
            dx[j] += (act)((dy[j] * w[j] - offset - (x[j] - shift) * slope) * scale);
    }
}

static void backward(const struct op_call *c) {
    if (c->dw[0] || c->dw[1]) /* first, as dx may overwrite dy */
        columns_add(c, rows_of(&c->y.shape), shape_channels(&c->y.shape), 2, add_weight_gradients,
                    c->dw);
    if (c->dx->data)
        share(c, rows_of(&c->y.shape), backward_rows);
}

const struct op op_layer_norm = {
    .word = {"layer_norm", "each pixel normalised over its channels", sizeof(struct layer_norm),
             specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .memory.in_place = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
