/* residuals(a, b, around=0): y [1, k, 3] of a guess a and a target b of k numbers each: of number j
 * the means over samples of (a - b)^2, b - around and (b - around)^2, for r2(). `around` is a
 * number near the targets: without it, what float keeps of the squares of targets that are far from
 * 0 beside their spread is not enough. */
#include "core/ops/parts/share.h"

struct residuals {
    double around;
};

enum { SQUARES, TARGETS, TARGET_SQUARES, N_MEANS };

static const struct arg_spec specs[] = {
    {.name = "around",
     .kind = ARG_REAL,
     .offset = offsetof(struct residuals, around),
     .min = -1e30,
     .max = 1e30,
     .help = "a number near the targets, where they are far from 0"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[2][SHAPE_TEXT];

    (void)args, (void)n_x;
    if (shape_len(&x[0]) != shape_len(&x[1]) || x[0].dim[0] != x[1].dim[0])
        return err_set(err, ERR_CONFIG,
                       "residuals: the guess is %s and the target %s, expected as many numbers",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    plan->y = (struct shape){3, {1, shape_sample_len(x), N_MEANS}};
    plan->y_kind = TENSOR_REALS;
    plan->flops = 6 * (double)shape_len(x);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x->shape.dim[0];
}

static void sums(const struct op_call *c, int64_t begin, int64_t end) {
    const double around = ((const struct residuals *)c->args)->around;
    const int64_t n = c->x->shape.dim[0], len = shape_sample_len(&c->x->shape);

    for (int64_t j = begin; j < end; j++) {
        double sum[N_MEANS] = {0};

        for (int64_t i = 0; i < n; i++) {
            const double a = (double)c->x[0].data[i * len + j];
            const double b = (double)c->x[1].data[i * len + j];

            sum[SQUARES] += (a - b) * (a - b);
            sum[TARGETS] += b - around;
            sum[TARGET_SQUARES] += (b - around) * (b - around);
        }
        for (int k = 0; k < N_MEANS; k++)
            c->y.reals[j * N_MEANS + k] = (real)sum[k];
    }
}

static void forward(const struct op_call *c) {
    share(c, shape_sample_len(&c->x->shape), sums);
}

const struct op op_residuals = {
    .word = {"residuals", "means of squares of a guess less its target, for r2()",
             sizeof(struct residuals), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
};
