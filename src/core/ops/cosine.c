/* cosine(a, b): the mean over samples, or over pixels, of 1 - a b / (|a| |b|), where products are
 * over channels. A vector of zeros has cosine 0 with any other, and gets no gradient. */
#include "core/ops/parts/share.h"

#include <math.h>

/* Of one row; 1 / |a|, 1 / |b|: 0 where the vector is 0. */
struct cosine_row {
    double over_a, over_b, cosine;
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    char text[2][SHAPE_TEXT];

    (void)args, (void)n_x;
    if (!shape_equal(&x[0], &x[1]) || x->rank < 2)
        return err_set(err, ERR_CONFIG,
                       "cosine: the first input is %s and the second %s, expected two alike of "
                       "samples x channels",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    op_plan_mean(plan);
    plan->saved_bytes = (size_t)(shape_len(x) / shape_channels(x)) * sizeof(struct cosine_row);
    plan->flops = 6 * (double)shape_len(x);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)(shape_len(&c->x->shape) / shape_channels(&c->x->shape));
}

static double over(double square) {
    return square == 0 ? 0 : 1 / sqrt(square);
}

static double sum_rows(const struct op_call *c, int64_t begin, int64_t end) {
    const int64_t n = shape_channels(&c->x->shape);
    double sum = 0;

    for (int64_t i = begin; i < end; i++) {
        const act *a = c->x[0].data + i * n, *b = c->x[1].data + i * n;
        struct cosine_row *r = (struct cosine_row *)c->saved + i;
        double aa = 0, bb = 0, ab = 0;

        for (int64_t j = 0; j < n; j++) {
            aa += (double)a[j] * (double)a[j];
            bb += (double)b[j] * (double)b[j];
            ab += (double)a[j] * (double)b[j];
        }
        r->over_a = over(aa), r->over_b = over(bb);
        r->cosine = ab * r->over_a * r->over_b;
        sum += 1 - r->cosine;
    }
    return sum;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, (int64_t)count(c), sum_rows);
}

/* Along a: (cosine a / |a| - b / |b|) / |a|; along b the other way round. */
static void backward_rows(const struct op_call *c, int operand, int64_t begin, int64_t end) {
    const double scale = (double)c->dy.reals[0];
    const int64_t n = shape_channels(&c->x->shape);
    const act *u = c->x[operand].data, *v = c->x[!operand].data;
    act *du = c->dx[operand].data;

    for (int64_t k = begin * n; k < end * n; k++) {
        const struct cosine_row *r = (const struct cosine_row *)c->saved + k / n;
        const double over_u = operand ? r->over_b : r->over_a;
        const double over_v = operand ? r->over_a : r->over_b;
        du[k] +=
            (act)(scale * over_u * (r->cosine * (double)u[k] * over_u - (double)v[k] * over_v));
    }
}

static void backward_a(const struct op_call *c, int64_t begin, int64_t end) {
    backward_rows(c, 0, begin, end);
}

static void backward_b(const struct op_call *c, int64_t begin, int64_t end) {
    backward_rows(c, 1, begin, end);
}

static void backward(const struct op_call *c) {
    if (c->dx[0].data)
        share(c, (int64_t)count(c), backward_a);
    if (c->dx[1].data)
        share(c, (int64_t)count(c), backward_b);
}

const struct op op_cosine = {
    .word = {"cosine", "mean of 1 - cosine of the angle between a and b", 0, NULL},
    .min_x = 2,
    .max_x = 2,
    .memory.reads_x = 3,
    .plan = plan,
    .count = count,
    .forward = forward,
    .backward = backward,
};
