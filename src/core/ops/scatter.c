/* scatter(a, b, low, high, bins=64): y [1, bins, bins], the share of numbers whose target b is in
 * the row's part of low .. high and whose guess a in the column's. What lies beyond is counted at
 * the edge; what is not a number is in none. */
#include "core/ops/op.h"

#include <math.h>
#include <string.h>

struct scatter {
    double low, high;
    int bins;
};

static const struct arg_spec specs[] = {
    {.name = "low",
     .kind = ARG_REAL,
     .offset = offsetof(struct scatter, low),
     .min = -1e30,
     .max = 1e30,
     .required = true,
     .help = "where the first part begins"},
    {.name = "high",
     .kind = ARG_REAL,
     .offset = offsetof(struct scatter, high),
     .min = -1e30,
     .max = 1e30,
     .required = true,
     .help = "where the last one ends"},
    {.name = "bins",
     .kind = ARG_INT,
     .offset = offsetof(struct scatter, bins),
     .fallback = 64,
     .min = 2,
     .max = 64,
     .help = "parts, all of one width"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct scatter *a = args;
    char text[2][SHAPE_TEXT];

    (void)n_x;
    if (!(a->high > a->low))
        return err_set(err, ERR_CONFIG, "scatter: high is %g, expected more than low, %g", a->high,
                       a->low);
    if (shape_len(&x[0]) != shape_len(&x[1]) || x[0].dim[0] != x[1].dim[0])
        return err_set(err, ERR_CONFIG,
                       "scatter: the guess is %s and the target %s, expected as many numbers",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    plan->y = (struct shape){3, {1, a->bins, a->bins}};
    plan->y_kind = TENSOR_REALS;
    plan->flops = 4 * (double)shape_len(x);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)shape_len(&c->x->shape);
}

static int64_t bin_of(const struct scatter *a, double v) {
    const double at = floor((v - a->low) / (a->high - a->low) * a->bins);

    return at < 0 ? 0 : at >= a->bins ? a->bins - 1 : (int64_t)at;
}

static void forward(const struct op_call *c) {
    const struct scatter *a = c->args;
    const int64_t len = shape_len(&c->x->shape);

    memset(c->y.reals, 0, (size_t)shape_len(&c->y.shape) * sizeof *c->y.reals);
    for (int64_t i = 0; i < len; i++) {
        const double guess = (double)c->x[0].data[i], target = (double)c->x[1].data[i];

        if (!isnan(guess) && !isnan(target))
            c->y.reals[bin_of(a, target) * a->bins + bin_of(a, guess)] += 1;
    }
}

const struct op op_scatter = {
    .word = {"scatter", "share of numbers by target (row) and guess (column)",
             sizeof(struct scatter), specs},
    .min_x = 2,
    .max_x = 2,
    .plan = plan,
    .count = count,
    .forward = forward,
};
