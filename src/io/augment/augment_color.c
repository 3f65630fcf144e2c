/* Words that change colours: color_jitter, random_gray. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"
#include "io/augment/augment_pixels.h"

#include <inttypes.h>
#include <math.h>

struct jitter {
    double brightness, contrast, saturation, hue;
};

static int plan_jitter(const void *args, bool training, const struct augment_source *source,
                       struct augment_stage *s, struct err *err) {
    const struct jitter *a = args;

    (void)training, (void)source;
    if ((a->saturation == 0 && a->hue == 0) || s->in.dim[2] == 3)
        return 0;
    return err_set(err, ERR_CONFIG,
                   "color_jitter: saturation and hue are for images of 3 channels, found %" PRId64,
                   s->in.dim[2]);
}

enum { JITTERS = 4 };

/* One of the four, by a uniform draw. */
static void jitter_once(const struct pixels *p, const struct jitter *a, int which, double draw) {
    const double ranges[JITTERS] = {a->brightness, a->contrast, a->saturation, a->hue};
    const double low = which == 3 ? -a->hue : fmax(0, 1 - ranges[which]);
    const double high = which == 3 ? a->hue : 1 + ranges[which];
    const float value = (float)(low + (high - low) * draw);

    if (ranges[which] == 0)
        return;
    if (which == 0)
        pixels_brightness(p, value);
    else if (which == 1)
        pixels_contrast(p, value);
    else if (which == 2)
        pixels_saturation(p, value);
    else
        pixels_hue(p, value);
}

/* In an order of its own for each image (draws 0 .. 2), by strengths from draws 3 .. 6. */
static void apply_jitter(const struct augment_call *c) {
    const struct pixels p = {c->out, c->out_shape.dim[0], c->out_shape.dim[1], c->out_shape.dim[2]};
    int order[JITTERS] = {0, 1, 2, 3};

    for (int left = JITTERS; left > 1; left--) {
        const uint64_t draw = c->first + (uint64_t)(JITTERS - left);
        const int k = (int)rng_below(c->key, draw, (uint64_t)left), last = order[left - 1];
        order[left - 1] = order[k];
        order[k] = last;
    }
    for (int i = 0; i < JITTERS; i++) {
        const uint64_t draw = c->first + 3 + (uint64_t)order[i];
        jitter_once(&p, c->args, order[i], (double)rng_uniform(c->key, draw));
    }
}

#define FACTOR(member)                                                                             \
    {                                                                                              \
        .name = #member, .kind = ARG_REAL, .offset = offsetof(struct jitter, member), .max = 100,  \
        .help = "the factor is from 1 - this (not below 0) to 1 + this"                            \
    }

static const struct arg_spec jitter_args[] = {
    FACTOR(brightness),
    FACTOR(contrast),
    FACTOR(saturation),
    {.name = "hue",
     .kind = ARG_REAL,
     .offset = offsetof(struct jitter, hue),
     .max = 0.5,
     .help = "turned by at most this part of the circle, either way"},
    {0},
};

const struct augment augment_color_jitter = {
    .word = {"color_jitter", "brightness, contrast, saturation and hue, in random order",
             sizeof(struct jitter), jitter_args},
    .training_only = true,
    .in_place = true,
    .values = AUGMENT_NEEDS_UNIT,
    .plan = plan_jitter,
    .apply = apply_jitter,
};

struct gray {
    double p;
};

static int plan_gray(const void *args, bool training, const struct augment_source *source,
                     struct augment_stage *s, struct err *err) {
    (void)args, (void)training, (void)source;
    if (s->in.dim[2] == 3)
        return 0;
    return err_set(err, ERR_CONFIG, "random_gray: the image has %" PRId64 " channels, expected 3",
                   s->in.dim[2]);
}

static void apply_gray(const struct augment_call *c) {
    const struct pixels p = {c->out, c->out_shape.dim[0], c->out_shape.dim[1], c->out_shape.dim[2]};

    if ((double)rng_uniform(c->key, c->first) < ((const struct gray *)c->args)->p)
        pixels_gray(&p);
}

static const struct arg_spec gray_args[] = {
    {.name = "p",
     .kind = ARG_REAL,
     .offset = offsetof(struct gray, p),
     .fallback = 0.1,
     .max = 1,
     .help = "probability"},
    {0},
};

const struct augment augment_random_gray = {
    .word = {"random_gray", "without colours, or not", sizeof(struct gray), gray_args},
    .training_only = true,
    .in_place = true,
    .plan = plan_gray,
    .apply = apply_gray,
};
