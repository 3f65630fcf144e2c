/* l2_norm(x, init=20, eps=1e-10): each pixel divided by the length of its channels, times a weight
 * for each channel: w x / sqrt(sum of x^2 + eps).
 * Source: Liu et al. 2015, arXiv:1506.04579, section 3.3 */
#include "core/ops/parts/columns.h"
#include "core/ops/parts/init.h"

#include <math.h>

struct l2_norm {
    struct applied init;
    double eps;
};

static const struct arg_spec specs[] = {
    {.name = "init",
     .kind = ARG_APPLIED,
     .offset = offsetof(struct l2_norm, init),
     .find = init_find,
     .at = init_word,
     .help = "of the weights; 20 when not given"},
    {.name = "eps",
     .kind = ARG_REAL,
     .offset = offsetof(struct l2_norm, eps),
     .fallback = 1e-10,
     .min = 1e-30,
     .max = 1,
     .help = "added to the sum of squares"},
    {0},
};

static const struct constant_args twenty = {20};

static int64_t rows_of(const struct shape *x) {
    return shape_len(x) / shape_channels(x);
}

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct l2_norm *a = args;
    const struct applied usual = {&init_constant.word, &twenty};
    char text[SHAPE_TEXT];

    (void)n_x;
    if (x->rank < 2)
        return err_set(err, ERR_CONFIG, "l2_norm: x is %s, expected samples with channels",
                       shape_text(x, text));
    plan->y = x[0];
    plan->w[0] = (struct op_param){.name = "weight",
                                   .shape = {1, {shape_channels(x)}},
                                   .init = a->init.word ? a->init : usual,
                                   .fan_in = 1,
                                   .fan_out = 1,
                                   .norm = true};
    plan->saved_bytes = (size_t)rows_of(x) * sizeof(real); /* 1 / length */
    plan->scratch_bytes = columns_bytes(rows_of(x), shape_channels(x));
    plan->flops = 4 * (double)shape_len(x);
    return 0;
}

static void forward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->y.shape);
    const double eps = ((const struct l2_norm *)c->args)->eps;
    const real *restrict w = c->w[0];
    real *inverse = c->saved;

    for (int64_t row = begin; row < end; row++) {
        const act *x = c->x->data + row * n;
        act *y = c->y.data + row * n;
        double sum = 0;

        for (int64_t j = 0; j < n; j++)
            sum += (double)x[j] * (double)x[j];
        inverse[row] = (real)(1 / sqrt(sum + eps));
        for (int64_t j = 0; j < n; j++)
            y[j] = (act)(x[j] * inverse[row] * w[j]);
    }
}

static void forward(const struct op_call *c) {
    share(c, rows_of(&c->y.shape), forward_rows);
}

static void add_weight_gradients(const struct op_call *c, int64_t begin, int64_t end,
                                 real *restrict sums) {
    const int64_t n = shape_channels(&c->y.shape);
    const real *inverse = c->saved;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x->data + row * n, *restrict dy = c->dy.data + row * n;

        for (int64_t j = 0; j < n; j++)
            sums[j] += dy[j] * x[j] * inverse[row];
    }
}

/* dx += (w dy - x (sum of x w dy) / length^2) / length */
static void backward_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->y.shape);
    const real *restrict w = c->w[0], *inverse = c->saved;

    for (int64_t row = begin; row < end; row++) {
        const act *restrict x = c->x->data + row * n, *restrict dy = c->dy.data + row * n;
        act *restrict dx = c->dx->data + row * n;
        const real scale = inverse[row];
        double sum = 0;

        for (int64_t j = 0; j < n; j++)
            sum += (double)x[j] * (double)w[j] * (double)dy[j];
        const real along = (real)(sum * (double)scale * (double)scale);
        for (int64_t j = 0; j < n; j++)
            dx[j] += (act)((dy[j] * w[j] - x[j] * along) * scale);
    }
}

static void backward(const struct op_call *c) {
    if (c->dw[0])
        columns_add(c, rows_of(&c->y.shape), shape_channels(&c->y.shape), 1, add_weight_gradients,
                    c->dw);
    if (c->dx->data)
        share(c, rows_of(&c->y.shape), backward_rows);
}

const struct op op_l2_norm = {
    .word = {"l2_norm", "each pixel divided by the length of its channels", sizeof(struct l2_norm),
             specs},
    .min_x = 1,
    .max_x = 1,
    .memory.reads_x = 1,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};
