/* Words that change values where they are: brightness, contrast, cutout, normalize. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct strength {
    double range;
};

/* Uniform in [1 - range, 1 + range), not below 0. */
static float factor(const struct augment_call *c) {
    const double range = ((const struct strength *)c->args)->range, low = fmax(0, 1 - range);

    return (float)(low + (1 + range - low) * (double)rng_uniform(c->key, c->first));
}

static void apply_brightness(const struct augment_call *c) {
    const int64_t len = shape_len(&c->out_shape);
    const float f = factor(c);

    for (int64_t i = 0; i < len; i++)
        c->out[i] *= f;
}

static void apply_contrast(const struct augment_call *c) {
    const int64_t len = shape_len(&c->out_shape);
    const float f = factor(c);
    double sum = 0;

    for (int64_t i = 0; i < len; i++)
        sum += (double)c->out[i];
    const float mean = (float)(sum / (double)len);
    for (int64_t i = 0; i < len; i++)
        c->out[i] = mean + f * (c->out[i] - mean);
}

static const struct arg_spec strength_args[] = {
    {.name = "range",
     .kind = ARG_REAL,
     .offset = offsetof(struct strength, range),
     .max = 100,
     .required = true,
     .help = "the factor is from 1 - range (not below 0) to 1 + range"},
    {0},
};

const struct augment augment_brightness = {
    .word = {"brightness", "times a random factor; not bounded to 0..1", sizeof(struct strength),
             strength_args},
    .training_only = true,
    .in_place = true,
    .volumes = true,
    .values = AUGMENT_ENDS_UNIT,
    .plan = augment_plan_same,
    .apply = apply_brightness,
};

const struct augment augment_contrast = {
    .word = {"contrast", "the distance from the image's mean times a random factor",
             sizeof(struct strength), strength_args},
    .training_only = true,
    .in_place = true,
    .volumes = true,
    .values = AUGMENT_ENDS_UNIT,
    .plan = augment_plan_same,
    .apply = apply_contrast,
};

struct cutout {
    struct ints size;
};

static int plan_cutout(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    int64_t h, w;

    (void)training, (void)source, (void)s;
    return augment_size("cutout", &((const struct cutout *)args)->size, &h, &w, err);
}

/* DeVries & Taylor 2017, arXiv:1708.04552: the centre is anywhere in the image. */
static void apply_cutout(const struct augment_call *c) {
    const struct cutout *a = c->args;
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1], n = c->out_shape.dim[2];
    const int64_t size_h = ints_at(&a->size, 0), size_w = ints_at(&a->size, 1);
    const int64_t top = (int64_t)rng_below(c->key, c->first, (uint64_t)h) - size_h / 2;
    const int64_t left = (int64_t)rng_below(c->key, c->first + 1, (uint64_t)w) - size_w / 2;
    const int64_t from = left < 0 ? 0 : left, to = left + size_w > w ? w : left + size_w;

    if (to <= from)
        return;
    for (int64_t i = top < 0 ? 0 : top; i < top + size_h && i < h; i++)
        memset(c->out + (i * w + from) * n, 0, (size_t)((to - from) * n) * sizeof *c->out);
}

static const struct arg_spec cutout_args[] = {
    {.name = "size",
     .kind = ARG_INTS,
     .offset = offsetof(struct cutout, size),
     .min = 1,
     .max = AUGMENT_MAX_SIDE,
     .required = true,
     .help = "pixels: a side, or [height, width]"},
    {0},
};

const struct augment augment_cutout = {
    .word = {"cutout", "zeros in a rectangle at a random place", sizeof(struct cutout),
             cutout_args},
    .training_only = true,
    .in_place = true,
    .plan = plan_cutout,
    .apply = apply_cutout,
};

struct normalize {
    struct reals mean, std;
};

static bool given(const struct reals *v) {
    return v->n != 1 || !isnan(v->v[0]);
}

/* Of channel ch: what the job says, else what the dataset says. */
static float value(const struct reals *v, const float *known, int64_t ch) {
    return given(v) ? (float)v->v[v->n == 1 ? 0 : ch] : known[ch];
}

/* Numbers of 0 .. 255, as some programs want them, would make every image nearly one colour. */
static int check_scale(const struct normalize *a, const struct augment_source *source,
                       int64_t channels, struct err *err) {
    for (int64_t at = 0; at < 2 * channels; at++) {
        const int64_t ch = at / 2;
        const struct reals *list = at % 2 ? &a->std : &a->mean;
        const double v = (double)value(list, at % 2 ? source->std : source->mean, ch);

        if (v > 1)
            return err_set(err, ERR_CONFIG,
                           "normalize: %s of channel %" PRId64 " is %g%s, expected 0 to 1: bytes "
                           "are divided by 255 first; %g/255 is %.4g",
                           at % 2 ? "std" : "mean", ch, v, given(list) ? "" : " in the dataset", v,
                           v / 255);
    }
    return 0;
}

static int plan_normalize(const void *args, bool training, const struct augment_source *source,
                          struct augment_stage *s, struct err *err) {
    const struct normalize *a = args;
    const struct reals *const lists[] = {&a->mean, &a->std};
    const int64_t channels = shape_channels(&s->in);

    (void)training;
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "std" : "mean";

        if (!given(lists[i]) && !(i ? source->std : source->mean))
            return err_set(err, ERR_CONFIG,
                           "normalize: the dataset does not say its %s; give %s=[...], one number "
                           "a channel",
                           name, name);
        if (lists[i]->n != 1 && lists[i]->n != channels)
            return err_set(err, ERR_CONFIG,
                           "normalize: %s has %d numbers, the image has %" PRId64 " channels", name,
                           lists[i]->n, channels);
    }
    for (int64_t ch = 0; ch < channels; ch++) {
        const float std = value(&a->std, source->std, ch);

        if (!(std > 0))
            return err_set(err, ERR_CONFIG,
                           "normalize: std of channel %" PRId64 " is %g, expected more than 0", ch,
                           (double)std);
    }
    return s->scaled ? check_scale(a, source, channels, err) : 0;
}

enum { STRETCH = 96 };

/* (v - mean) * by at every element of v[len]. */
static void scale_stretch(float *restrict v, const float *restrict mean, const float *restrict by,
                          int64_t len) {
    for (int64_t i = 0; i < len; i++)
        v[i] = (v[i] - mean[i]) * by[i];
}

/* The numbers of a few channels are repeated over a stretch of pixels, so that its loop is long
 * enough to be vectorised; more channels than that go pixel by pixel, in parts. */
static void apply_normalize(const struct augment_call *c) {
    const struct normalize *a = c->args;
    const int64_t len = shape_len(&c->out_shape), channels = shape_channels(&c->out_shape);
    const int64_t step = channels > STRETCH ? channels : STRETCH / channels * channels;
    float mean[STRETCH], by[STRETCH];

    for (int64_t first = 0; first < channels; first += STRETCH) {
        int64_t n = channels > STRETCH ? channels - first : step;

        n = n > STRETCH ? STRETCH : n;
        for (int64_t e = 0; e < n; e++) {
            mean[e] = value(&a->mean, c->source->mean, first + e % channels);
            by[e] = 1 / value(&a->std, c->source->std, first + e % channels);
        }
        for (int64_t i = first; i < len; i += step)
            scale_stretch(c->out + i, mean, by, len - i < n ? len - i : n);
    }
}

static const struct arg_spec normalize_args[] = {
    {.name = "mean",
     .kind = ARG_REALS,
     .offset = offsetof(struct normalize, mean),
     .fallback = NAN,
     .help = "one number or one a channel; nan: the dataset's"},
    {.name = "std",
     .kind = ARG_REALS,
     .offset = offsetof(struct normalize, std),
     .fallback = NAN,
     .help = "one number or one a channel; nan: the dataset's"},
    {0},
};

const struct augment augment_normalize = {
    .word = {"normalize", "(x - mean) / std of each channel", sizeof(struct normalize),
             normalize_args},
    .in_place = true,
    .volumes = true,
    .values = AUGMENT_ENDS_SCALE,
    .fixed = true,
    .plan = plan_normalize,
    .apply = apply_normalize,
};
