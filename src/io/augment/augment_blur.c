/* gaussian_blur: as torchvision's, mirrored at the edges. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <inttypes.h>
#include <math.h>

enum { MOST_TAPS = 63 };

struct blur {
    int kernel;
    struct reals sigma;
    double p;
};

static double least(const struct blur *a) {
    return a->sigma.v[0];
}

static double most(const struct blur *a) {
    return a->sigma.v[a->sigma.n - 1];
}

static int plan_blur(const void *args, bool training, const struct augment_source *source,
                     struct augment_stage *s, struct err *err) {
    const struct blur *a = args;
    const int64_t side = s->in.dim[0] < s->in.dim[1] ? s->in.dim[0] : s->in.dim[1];

    (void)training, (void)source;
    if (a->kernel % 2 == 0)
        return err_set(err, ERR_CONFIG, "gaussian_blur: kernel is %d, expected an odd number",
                       a->kernel);
    if (a->kernel / 2 >= side)
        return err_set(err, ERR_CONFIG,
                       "gaussian_blur: kernel %d is too large for a side of %" PRId64, a->kernel,
                       side);
    if (a->sigma.n > 2 || least(a) > most(a))
        return err_set(err, ERR_CONFIG, "gaussian_blur: sigma is a number or [least, most]");
    s->scratch_len = shape_len(&s->in);
    return 0;
}

static void weigh(float weight[MOST_TAPS], int taps, double sigma) {
    double sum = 0, value[MOST_TAPS];

    for (int k = 0; k < taps; k++) {
        const double far = (k - taps / 2) / sigma;
        value[k] = exp(-far * far / 2);
        sum += value[k];
    }
    for (int k = 0; k < taps; k++)
        weight[k] = (float)(value[k] / sum);
}

/* 0 1 2 of length 3 goes on as 1 0 on either side. */
static int64_t mirrored(int64_t i, int64_t len) {
    return i < 0 ? -i : i >= len ? 2 * (len - 1) - i : i;
}

/* Blur n lines of len items that are `step` apart, of `inner` contiguous floats each; lines are
 * `line` apart. */
static void blur_lines(const float *in, float *out, int64_t n, int64_t line, int64_t len,
                       int64_t step, int64_t inner, const float *weight, int taps) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < len; j++) {
            float *to = out + i * line + j * step;

            for (int64_t e = 0; e < inner; e++)
                to[e] = 0;
            for (int k = 0; k < taps; k++) {
                const float *from = in + i * line + mirrored(j + k - taps / 2, len) * step;
                for (int64_t e = 0; e < inner; e++)
                    to[e] += weight[k] * from[e];
            }
        }
}

/* Columns to scratch, then lines back to the image. */
static void apply_blur(const struct augment_call *c) {
    const struct blur *a = c->args;
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1], n = c->out_shape.dim[2];
    const double draw = (double)rng_uniform(c->key, c->first + 1);
    float weight[MOST_TAPS];

    if ((double)rng_uniform(c->key, c->first) >= a->p)
        return;
    weigh(weight, a->kernel, least(a) + (most(a) - least(a)) * draw);
    blur_lines(c->out, c->scratch, 1, 0, h, w * n, w * n, weight, a->kernel);
    blur_lines(c->scratch, c->out, h, w * n, w, n, n, weight, a->kernel);
}

static const struct arg_spec blur_args[] = {
    {.name = "kernel",
     .kind = ARG_INT,
     .offset = offsetof(struct blur, kernel),
     .fallback = 3,
     .min = 1,
     .max = MOST_TAPS,
     .help = "pixels of a side, odd"},
    {.name = "sigma",
     .kind = ARG_REALS,
     .offset = offsetof(struct blur, sigma),
     .fallback = 1,
     .min = 1e-3,
     .max = 1e3,
     .help = "pixels: a number, or [least, most]"},
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct blur, p),
     .fallback = 1,
     .max = 1,
     .help = "probability"},
    {0},
};

const struct augment augment_gaussian_blur = {
    .word = {"gaussian_blur", "blurred, or not", sizeof(struct blur), blur_args},
    .training_only = true,
    .in_place = true,
    .plan = plan_blur,
    .apply = apply_blur,
};
