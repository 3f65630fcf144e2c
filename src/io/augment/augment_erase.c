/* random_erasing: Zhong et al. 2017, arXiv:1708.04896, as torchvision's. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <math.h>

enum { ZEROS, NOISE, TRIES = 10 };

struct erasing {
    double p;
    struct reals scale, ratio;
    int value;
};

static int plan_erasing(const void *args, bool training, const struct augment_source *source,
                        struct augment_stage *s, struct err *err) {
    const struct erasing *a = args;

    (void)training, (void)source, (void)s;
    if (a->scale.n > 2 || a->scale.v[0] > a->scale.v[a->scale.n - 1])
        return err_set(err, ERR_CONFIG,
                       "random_erasing: scale is [least, most] of the image's area");
    if (a->ratio.n > 2 || (a->ratio.n == 2 && a->ratio.v[0] > a->ratio.v[1]))
        return err_set(err, ERR_CONFIG, "random_erasing: ratio is [least, most] of height / width");
    return 0;
}

/* A rectangle smaller than the image, from draws 1 .. 40; false where ten tries find none. */
static bool choose(const struct augment_call *c, struct augment_box *box) {
    const struct erasing *a = c->args;
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1];
    const double most = a->scale.v[a->scale.n - 1];
    const double least = a->scale.n == 1 ? fmin(0.02, most) : a->scale.v[0];
    const double tall = fmax(a->ratio.v[a->ratio.n - 1], 1 / a->ratio.v[a->ratio.n - 1]);
    const double low = log(a->ratio.n == 1 ? 1 / tall : a->ratio.v[0]);
    const double high = log(a->ratio.n == 1 ? tall : a->ratio.v[1]);

    for (uint64_t i = c->first + 1; i < c->first + 1 + 4 * TRIES; i += 4) {
        const double area =
            (double)(h * w) * (least + (most - least) * (double)rng_uniform(c->key, i));
        const double ratio = exp(low + (high - low) * (double)rng_uniform(c->key, i + 1));
        box->height = (int64_t)floor(sqrt(area * ratio) + 0.5);
        box->width = (int64_t)floor(sqrt(area / ratio) + 0.5);
        if (box->height >= h || box->width >= w)
            continue;
        box->top = (int64_t)rng_below(c->key, i + 2, (uint64_t)(h - box->height + 1));
        box->left = (int64_t)rng_below(c->key, i + 3, (uint64_t)(w - box->width + 1));
        return true;
    }
    return false;
}

static void apply_erasing(const struct augment_call *c) {
    const struct erasing *a = c->args;
    const int64_t w = c->out_shape.dim[1], n = c->out_shape.dim[2];
    const uint64_t noise = rng_key(c->key, RNG_AUGMENT, c->first, 0);
    struct augment_box box;

    if ((double)rng_uniform(c->key, c->first) >= a->p || !choose(c, &box))
        return;
    for (int64_t i = box.top; i < box.top + box.height; i++)
        for (int64_t e = (i * w + box.left) * n; e < (i * w + box.left + box.width) * n; e++)
            c->out[e] = a->value == NOISE ? rng_normal(noise, (uint64_t)e) : 0;
}

static const char *const values[] = {"zeros", "noise", NULL};

static const struct arg_spec erasing_args[] = {
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct erasing, p),
     .fallback = 0.5,
     .max = 1,
     .help = "probability"},
    {.name = "scale",
     .kind = ARG_REALS,
     .offset = offsetof(struct erasing, scale),
     .fallback = 0.33,
     .min = 1e-6,
     .max = 1,
     .help = "[least, most] of the area; one number: from 0.02 to it"},
    {.name = "ratio",
     .kind = ARG_REALS,
     .offset = offsetof(struct erasing, ratio),
     .fallback = 3.3,
     .min = 1e-3,
     .max = 1e3,
     .help = "[least, most] of height / width; one number: from 1/it to it"},
    {.name = "value",
     .kind = ARG_WORD,
     .offset = offsetof(struct erasing, value),
     .words = values,
     .help = "what is put there: zeros, or standard normal noise"},
    {0},
};

const struct augment augment_random_erasing = {
    .word = {"random_erasing", "a random rectangle replaced, or not; after normalize",
             sizeof(struct erasing), erasing_args},
    .training_only = true,
    .in_place = true,
    .plan = plan_erasing,
    .apply = apply_erasing,
};
