/* Words for what scanners do to values: gamma, gaussian_noise. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <math.h>

struct gamma {
    double range;
};

/* Between the smallest and the largest value of the image, so that any scale will do. */
static void apply_gamma(const struct augment_call *c) {
    const double range = ((const struct gamma *)c->args)->range;
    const double power =
        pow(1 + range, 2 * (double)rng_uniform(c->key, c->first) - 1); /* as likely 1 / power */
    const int64_t len = shape_len(&c->out_shape);
    float least = c->out[0], most = c->out[0];

    for (int64_t i = 1; i < len; i++) {
        least = c->out[i] < least ? c->out[i] : least;
        most = c->out[i] > most ? c->out[i] : most;
    }
    if (!(most > least))
        return;
    for (int64_t i = 0; i < len; i++)
        c->out[i] =
            least + (most - least) * powf((c->out[i] - least) / (most - least), (float)power);
}

static const struct arg_spec gamma_args[] = {
    {.name = "range",
     .kind = ARG_REAL,
     .offset = offsetof(struct gamma, range),
     .max = 10,
     .required = true,
     .help = "the power is from 1 / (1 + range) to 1 + range"},
    {0},
};

const struct augment augment_gamma = {
    .word = {"gamma", "values to a random power, between the image's smallest and largest",
             sizeof(struct gamma), gamma_args},
    .training_only = true,
    .in_place = true,
    .volumes = true,
    .plan = augment_plan_same,
    .apply = apply_gamma,
};

struct gaussian_noise {
    double sigma;
};

static void apply_noise(const struct augment_call *c) {
    const double sigma = ((const struct gaussian_noise *)c->args)->sigma;
    /* More draws than a word has: a key of its own. */
    const uint64_t key = rng_key(c->key, RNG_AUGMENT, c->first, 0);
    const int64_t len = shape_len(&c->out_shape);

    for (int64_t i = 0; i < len; i++)
        c->out[i] += (float)sigma * rng_normal(key, (uint64_t)i);
}

static const struct arg_spec noise_args[] = {
    {.name = "sigma",
     .kind = ARG_REAL,
     .offset = offsetof(struct gaussian_noise, sigma),
     .max = 1e6,
     .required = true,
     .help = "standard deviation, in values as they are at that place"},
    {0},
};

const struct augment augment_gaussian_noise = {
    .word = {"gaussian_noise", "plus normal noise of its own for each value",
             sizeof(struct gaussian_noise), noise_args},
    .training_only = true,
    .in_place = true,
    .volumes = true,
    .values = AUGMENT_ENDS_UNIT,
    .plan = augment_plan_same,
    .apply = apply_noise,
};
