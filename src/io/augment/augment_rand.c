/* Words that draw from a table of operations: rand_augment (Cubuk et al. 2019, arXiv:1909.13719)
 * and trivial_augment (Mueller & Hutter 2021, arXiv:2103.10158, its wide space), with the tables,
 * bins and directions of torchvision's RandAugment and TrivialAugmentWide. Pixels move by the
 * nearest one, and zeros come in; masks move along. */
#include "core/base/rng.h"
#include "io/augment/augment_parts.h"
#include "io/augment/augment_pixels.h"

#include <math.h>
#include <string.h>

enum { BINS = 31, DRAWS = 3, MOST_OPERATIONS = 16 };

/* What an operation needs of the image: an affine map from pixels of the result to those of the
 * image, by their centres, relative to its middle where `middle`, else to its corner. */
struct affine {
    double yy, yx, xy, xx; /* y = yy * y' + yx * x' + dy */
    double dy, dx;
    bool middle;
};

enum operation {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTOCONTRAST,
    EQUALIZE,
    N_OPERATIONS
};

/* Strength at the last bin; it grows in equal steps from 0. */
struct space {
    double shear; /* tangent */
    double shift; /* pixels, or parts of a side */
    bool shift_in_sides;
    double degrees;
    double factor;  /* away from 1 */
    double dropped; /* bits */
};

static const struct space rand_space = {0.3, 150.0 / 331, true, 30, 0.9, 4};
static const struct space trivial_space = {0.99, 32, false, 135, 0.99, 6};

static bool has_sign(enum operation op) {
    return op >= SHEAR_X && op <= SHARPNESS;
}

/* Of the shares 0 .. 1 that a bin stands for. */
static double shift_of(const struct space *s, double strength, int64_t side) {
    return trunc(strength * s->shift * (s->shift_in_sides ? (double)side : 1));
}

/* The map of an operation that moves; false where it changes values. strength: -1 .. 1. */
static bool map_of(enum operation op, const struct space *s, double strength,
                   const struct shape *shape, struct affine *map) {
    const double turn = strength * s->degrees * 3.14159265358979323846 / 180;

    *map = (struct affine){.yy = 1, .xx = 1};
    if (op == SHEAR_X)
        map->xy = strength * s->shear;
    else if (op == SHEAR_Y)
        map->yx = strength * s->shear;
    else if (op == TRANSLATE_X)
        map->dx = -shift_of(s, strength, shape->dim[1]);
    else if (op == TRANSLATE_Y)
        map->dy = -shift_of(s, strength, shape->dim[0]);
    else if (op == ROTATE)
        *map = (struct affine){cos(turn), sin(turn), -sin(turn), cos(turn), 0, 0, true};
    return op >= SHEAR_X && op <= ROTATE;
}

/* out from in by the nearest pixel. */
static void move(const struct augment_call *c, const struct affine *map, const float *in,
                 float *out) {
    const int64_t h = c->out_shape.dim[0], w = c->out_shape.dim[1], n = c->out_shape.dim[2];
    const double y0 = map->middle ? (double)h / 2 : 0, x0 = map->middle ? (double)w / 2 : 0;

    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++, out += n) {
            const double dy = (double)i + 0.5 - y0, dx = (double)j + 0.5 - x0;
            const double y = map->yy * dy + map->yx * dx + map->dy + y0;
            const double x = map->xy * dy + map->xx * dx + map->dx + x0;
            const int64_t from_y = (int64_t)floor(y), from_x = (int64_t)floor(x);
            const bool inside = from_y >= 0 && from_y < h && from_x >= 0 && from_x < w;

            for (int64_t ch = 0; ch < n; ch++)
                out[ch] = inside ? in[(from_y * w + from_x) * n + ch] : augment_fill(c);
        }
}

static void change(enum operation op, const struct space *s, double strength,
                   const struct pixels *p, float *scratch) {
    const float factor = (float)(1 + strength * s->factor);

    if (op == BRIGHTNESS)
        pixels_brightness(p, factor);
    else if (op == COLOR)
        pixels_saturation(p, factor);
    else if (op == CONTRAST)
        pixels_contrast(p, factor);
    else if (op == SHARPNESS)
        pixels_sharpness(p, factor, scratch);
    else if (op == POSTERIZE)
        pixels_posterize(p, 8 - (int)rint(strength * s->dropped));
    else if (op == SOLARIZE)
        pixels_solarize(p, (float)(1 - strength));
    else if (op == AUTOCONTRAST)
        pixels_autocontrast(p);
    else if (op == EQUALIZE)
        pixels_equalize(p);
}

/* One operation on c->out. strength: 0 .. 1 of its range, negative the other way. */
static void operate(const struct augment_call *c, enum operation op, const struct space *s,
                    double strength) {
    const struct pixels p = {c->out, c->out_shape.dim[0], c->out_shape.dim[1], c->out_shape.dim[2]};
    struct affine map;

    if (map_of(op, s, strength, &c->out_shape, &map)) {
        memcpy(c->scratch, c->out, (size_t)shape_len(&c->out_shape) * sizeof *c->out);
        move(c, &map, c->scratch, c->out);
    } else if (c->source->role == AUGMENT_IMAGE) {
        change(op, s, strength, &p, c->scratch);
    }
}

/* The i-th operation of an image, with that strength in one of both directions. */
static enum operation draw_operation(const struct augment_call *c, int i, int bin,
                                     double *strength) {
    const uint64_t first = c->first + (uint64_t)(DRAWS * i);
    const enum operation op = (enum operation)rng_below(c->key, first, N_OPERATIONS);
    const bool back = has_sign(op) && rng_uniform(c->key, first + 1) < 0.5F;

    *strength = (double)bin / (BINS - 1);
    if (back)
        *strength = -*strength;
    return op;
}

static void draw_and_operate(const struct augment_call *c, int i, const struct space *s, int bin) {
    double strength;
    const enum operation op = draw_operation(c, i, bin, &strength);

    operate(c, op, s, strength);
}

/* Where points go by the i-th operation, behind those before. */
static void add_affine(const struct augment_call *c, int i, const struct space *s, int bin,
                       struct augment_affine *all) {
    double strength;
    const enum operation op = draw_operation(c, i, bin, &strength);
    struct affine m;

    if (!map_of(op, s, strength, &c->out_shape, &m))
        return;
    const double y0 = m.middle ? (double)c->out_shape.dim[0] / 2 : 0;
    const double x0 = m.middle ? (double)c->out_shape.dim[1] / 2 : 0;
    const struct augment_affine from = {m.yy, m.yx, m.dy + y0 - m.yy * y0 - m.yx * x0,
                                        m.xy, m.xx, m.dx + x0 - m.xy * y0 - m.xx * x0};
    const struct augment_affine to = augment_inverse(&from);
    *all = augment_then(all, &to);
}

static int plan_operations(const void *args, bool training, const struct augment_source *source,
                           struct augment_stage *s, struct err *err) {
    (void)args, (void)training, (void)source, (void)err;
    s->scratch_len = shape_len(&s->in);
    return 0;
}

struct rand_augment {
    int n, magnitude;
};

static void apply_rand(const struct augment_call *c) {
    const struct rand_augment *a = c->args;

    for (int i = 0; i < a->n; i++)
        draw_and_operate(c, i, &rand_space, a->magnitude);
}

static void rand_affine(const struct augment_call *c, struct augment_affine *map) {
    const struct rand_augment *a = c->args;

    *map = augment_same;
    for (int i = 0; i < a->n; i++)
        add_affine(c, i, &rand_space, a->magnitude, map);
}

static const struct arg_spec rand_args[] = {
    {.name = "n",
     .kind = ARG_INT,
     .offset = offsetof(struct rand_augment, n),
     .fallback = 2,
     .min = 1,
     .max = MOST_OPERATIONS,
     .help = "operations, one after another"},
    {.name = "magnitude",
     .kind = ARG_INT,
     .offset = offsetof(struct rand_augment, magnitude),
     .fallback = 9,
     .max = BINS - 1,
     .help = "strength, of at most 30"},
    {0},
};

const struct augment augment_rand_augment = {
    .word = {"rand_augment", "operations drawn from a table of 14, all of one strength",
             sizeof(struct rand_augment), rand_args},
    .training_only = true,
    .in_place = true,
    .moves = true,
    .values = AUGMENT_NEEDS_UNIT,
    .plan = plan_operations,
    .apply = apply_rand,
    .affine = rand_affine,
};

static void apply_trivial(const struct augment_call *c) {
    draw_and_operate(c, 0, &trivial_space, (int)rng_below(c->key, c->first + 2, BINS));
}

static void trivial_affine(const struct augment_call *c, struct augment_affine *map) {
    *map = augment_same;
    add_affine(c, 0, &trivial_space, (int)rng_below(c->key, c->first + 2, BINS), map);
}

const struct augment augment_trivial_augment = {
    .word = {"trivial_augment", "one operation drawn from a table of 14, of random strength", 0,
             NULL},
    .training_only = true,
    .in_place = true,
    .moves = true,
    .values = AUGMENT_NEEDS_UNIT,
    .plan = plan_operations,
    .apply = apply_trivial,
    .affine = trivial_affine,
};
