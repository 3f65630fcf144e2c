#include "io/import/synth_photo.h"

#include "core/base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What is drawn for the small pictures of synth.c has lower splits. */
enum { FIRST_SPLIT = 16, SINES_LOG = 10, GROUND_WAVES = 3, NOISE_FIRST = 1024 };

#define PI 3.14159265358979323846
#define TURN 4294967296.0 /* of a phase */
#define NOISE 27.0        /* 0 .. 255; what brings JPEGs to the size of photographs */
#define CHROMA_NOISE 6.0
#define RELIEF 0.4     /* how much a cover changes brightness */
#define HUE_SPREAD 0.4 /* of the distance between two hues, either way */

enum cover { COVER_STRIPES, COVER_CHECKS, COVER_DOTS, COVER_RINGS, COVER_PLAIN };

static const char *const cover_names[PHOTO_COVERS] = {"striped", "checked", "dotted", "ringed",
                                                      "plain"};

enum photo_element {
    DRAW_WIDTH,
    DRAW_HEIGHT,
    DRAW_RADIUS,
    DRAW_X,
    DRAW_Y,
    DRAW_TURN,
    DRAW_HUE,
    DRAW_SATURATION,
    DRAW_VALUE,
    DRAW_PERIOD,
    DRAW_PHASE,
    DRAW_GROUND = 16, /* hue, saturation, value */
    DRAW_WAVES = 32,  /* direction, period, phase, strength of each */
};

/* A wave over the picture: its phase at the left top corner, a full turn is 2^32, and how much it
 * moves on to the right and down. */
struct wave {
    uint32_t at, right, down;
};

struct photo {
    uint64_t key;
    int width, height, shape;
    enum cover cover;
    double x, y, radius, cosine, sine; /* of the shape; upright is 1, 0 */
    float colour[3], ground[3];        /* 0 .. 255 */
    struct wave cover_wave[2], ground_wave[GROUND_WAVES];
    float ground_swing[GROUND_WAVES]; /* 0 .. 255 */
    double ring;                      /* turns a pixel */
    float sine_of[1 << SINES_LOG];
};

/* Shapes, covers and hues all change from one class to the next; no two classes agree in all. */
static int class_shape(int class) {
    return class % SYNTH_CLASSES;
}

static enum cover class_cover(int class) {
    return (enum cover)((class + class / SYNTH_CLASSES) % PHOTO_COVERS);
}

static int class_hue(int class) {
    return (3 * class + class / (SYNTH_CLASSES * PHOTO_COVERS)) % PHOTO_HUES;
}

const char *photo_class_name(int class, char text[PHOTO_NAME]) {
    snprintf(text, PHOTO_NAME, "%s_%s_%03d", synth_class_names[class_shape(class)],
             cover_names[class_cover(class)], class_hue(class) * 360 / PHOTO_HUES);
    return text;
}

static double draw(const struct photo *p, int i, double low, double high) {
    return low + (high - low) * (double)rng_uniform(p->key, (uint64_t)i);
}

/* Hue in turns, saturation and value 0 .. 1. Source: Smith 1978, "Color gamut transform pairs". */
static void colour_of(double hue, double saturation, double value, float colour[3]) {
    for (int c = 0; c < 3; c++) {
        const double far =
            fabs(remainder(hue - c / 3.0, 1)) * 6; /* from the primary colour, 0..3 */
        const double full = far < 1 ? 1 : far < 2 ? 2 - far : 0;

        colour[c] = (float)(255 * value * (1 - saturation * (1 - full)));
    }
}

static uint32_t phase_of(double turns) {
    return (uint32_t)(int64_t)(remainder(turns, 1) * TURN);
}

static struct wave wave_of(double direction, double period, double phase) {
    return (struct wave){phase_of(phase), phase_of(cos(direction) / period),
                         phase_of(sin(direction) / period)};
}

static float wave_at(const struct photo *p, const struct wave *w, int x, int y) {
    const uint32_t phase = w->at + (uint32_t)x * w->right + (uint32_t)y * w->down;

    return p->sine_of[phase >> (32 - SINES_LOG)];
}

static void draw_object(struct photo *p, int class) {
    const int side = p->width < p->height ? p->width : p->height;
    const double turn = draw(p, DRAW_TURN, -0.5, 0.5), period = draw(p, DRAW_PERIOD, 14, 34);
    const double hue = class_hue(class) + draw(p, DRAW_HUE, -HUE_SPREAD, HUE_SPREAD);

    p->shape = class_shape(class);
    p->cover = class_cover(class);
    p->radius = draw(p, DRAW_RADIUS, 0.25, 0.45) * side;
    p->x = draw(p, DRAW_X, 0.8 * p->radius, p->width - 0.8 * p->radius);
    p->y = draw(p, DRAW_Y, 0.8 * p->radius, p->height - 0.8 * p->radius);
    p->cosine = cos(turn);
    p->sine = sin(turn);
    p->ring = 1 / period;
    p->cover_wave[0] = wave_of(turn, period, draw(p, DRAW_PHASE, 0, 1));
    p->cover_wave[1] = wave_of(turn + PI / 2, period, draw(p, DRAW_PHASE + 1, 0, 1));
    colour_of(hue / PHOTO_HUES, draw(p, DRAW_SATURATION, 0.5, 0.95), draw(p, DRAW_VALUE, 0.5, 0.95),
              p->colour);
}

static void draw_ground(struct photo *p) {
    colour_of(draw(p, DRAW_GROUND, 0, 1), draw(p, DRAW_GROUND + 1, 0, 0.6),
              draw(p, DRAW_GROUND + 2, 0.25, 0.8), p->ground);
    for (int k = 0; k < GROUND_WAVES; k++) {
        const int at = DRAW_WAVES + 4 * k;

        p->ground_wave[k] = wave_of(draw(p, at, 0, 2 * PI), pow(10, draw(p, at + 1, 0.9, 2.5)),
                                    draw(p, at + 2, 0, 1));
        p->ground_swing[k] = (float)draw(p, at + 3, 5, 30);
    }
}

/* -1 .. 1 */
static float cover_at(const struct photo *p, int x, int y) {
    const float u = wave_at(p, &p->cover_wave[0], x, y), v = wave_at(p, &p->cover_wave[1], x, y);

    switch (p->cover) {
    case COVER_STRIPES:
        return u;
    case COVER_CHECKS:
        return (u > 0) == (v > 0) ? 0.8F : -0.8F;
    case COVER_DOTS:
        return u + v > 0.9F ? 1 : -0.5F;
    case COVER_RINGS:
        return p->sine_of[phase_of(hypot(x - p->x, y - p->y) * p->ring) >> (32 - SINES_LOG)];
    case COVER_PLAIN:
        break;
    }
    return 0;
}

static bool is_object(const struct photo *p, int column, int row) {
    const double x = (column + 0.5 - p->x) / p->radius, y = (row + 0.5 - p->y) / p->radius;

    return fabs(x) < 1.3 && fabs(y) < 1.3 &&
           synth_in_shape(p->shape, p->cosine * x + p->sine * y, p->cosine * y - p->sine * x);
}

static void draw_row(const struct photo *p, int y, uint32_t *noise, unsigned char *to) {
    rng_bits_span(p->key, NOISE_FIRST + (uint64_t)y * PHOTO_MOST_SIDE, noise, p->width);
    for (int x = 0; x < p->width; x++, to += 3) {
        const uint32_t bits = noise[x];
        /* the sum of two draws: most are small */
        const float light = (float)NOISE * ((float)((bits & 255) + (bits >> 8 & 255)) / 255 - 1);
        const float tint = (float)CHROMA_NOISE * ((float)(bits >> 16 & 255) / 127.5F - 1);
        const bool object = is_object(p, x, y);
        float shade = 0;

        for (int k = 0; k < GROUND_WAVES && !object; k++)
            shade += p->ground_swing[k] * wave_at(p, &p->ground_wave[k], x, y);
        const float relief = object ? 1 + (float)RELIEF * cover_at(p, x, y) : 1;
        for (int c = 0; c < 3; c++) {
            const float v = (object ? p->colour[c] : p->ground[c]) * relief + shade + light +
                            (c == 0   ? tint
                             : c == 2 ? -tint
                                      : 0);

            to[c] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

int photo_draw(uint64_t seed, int split, int64_t i, int class, struct image *out, struct err *err) {
    struct photo p = {.key =
                          rng_key(seed, RNG_SYNTH, (uint64_t)(FIRST_SPLIT + split), (uint64_t)i)};
    const uint64_t sides = PHOTO_MOST_SIDE - PHOTO_LEAST_SIDE + 1;
    uint32_t noise[PHOTO_MOST_SIDE];

    p.width = PHOTO_LEAST_SIDE + (int)rng_below(p.key, DRAW_WIDTH, sides);
    p.height = PHOTO_LEAST_SIDE + (int)rng_below(p.key, DRAW_HEIGHT, sides);
    for (int k = 0; k < 1 << SINES_LOG; k++)
        p.sine_of[k] = (float)sin(2 * PI * k / (1 << SINES_LOG));
    draw_object(&p, class);
    draw_ground(&p);
    *out = (struct image){.width = p.width, .height = p.height, .channels = 3};
    out->pixels = malloc((size_t)p.width * (size_t)p.height * 3);
    if (!out->pixels)
        return err_set(err, ERR_IO, "out of memory for an image of %dx%d", p.width, p.height);
    for (int y = 0; y < p.height; y++)
        draw_row(&p, y, noise, out->pixels + (size_t)y * (size_t)p.width * 3);
    return 0;
}
