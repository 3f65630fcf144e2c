/* psnr(a, b, max=1): the peak signal-to-noise ratio 10 log10(max^2 / mean((a - b)^2)) of each
 * sample in dB, the mean over samples. Infinite where two samples are equal. */
#include "core/ops/parts/share.h"

#include <math.h>

struct psnr {
    double max;
};

static const struct arg_spec specs[] = {
    {.name = "max",
     .kind = ARG_REAL,
     .offset = offsetof(struct psnr, max),
     .fallback = 1,
     .min = 0,
     .max = -1,
     .help = "largest value less smallest that a pixel may have"},
    {0},
};

static int plan(const void *args, const struct shape *x, int n_x, struct op_plan *plan,
                struct err *err) {
    const struct psnr *a = args;
    char text[2][SHAPE_TEXT];

    (void)n_x;
    if (!(a->max > 0))
        return err_set(err, ERR_CONFIG, "psnr: max is %g, expected more than 0", a->max);
    if (!shape_equal(&x[0], &x[1]) || x->rank < 2)
        return err_set(err, ERR_CONFIG,
                       "psnr: the first input is %s and the second %s, expected images alike",
                       shape_text(&x[0], text[0]), shape_text(&x[1], text[1]));
    op_plan_mean(plan);
    plan->flops = 3 * (double)shape_len(x);
    return 0;
}

static double count(const struct op_call *c) {
    return (double)c->x->shape.dim[0];
}

static double sum_of_samples(const struct op_call *c, int64_t begin, int64_t end) {
    const double max = ((const struct psnr *)c->args)->max;
    const int64_t len = shape_sample_len(&c->x->shape);
    double decibels = 0;

    for (int64_t i = begin; i < end; i++) {
        const act *a = c->x[0].data + i * len, *b = c->x[1].data + i * len;
        double squares = 0;

        for (int64_t j = 0; j < len; j++) {
            const double d = (double)a[j] - (double)b[j];
            squares += d * d;
        }
        decibels += 10 * log10(max * max * (double)len / squares);
    }
    return decibels;
}

static void forward(const struct op_call *c) {
    c->y.reals[0] = (real)share_sum(c, c->x->shape.dim[0], sum_of_samples);
}

const struct op op_psnr = {
    .word = {"psnr", "peak signal-to-noise ratio of images in dB", sizeof(struct psnr), specs},
    .min_x = 2,
    .max_x = 2,
    .meaning.better = 1,
    .plan = plan,
    .count = count,
    .forward = forward,
};
