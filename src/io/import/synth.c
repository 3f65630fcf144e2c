#include "io/import/synth.h"

#include "core/base/rng.h"
#include "io/dataset/dataset_writer.h"

#include <math.h>
#include <stdlib.h>

/* Radii of shapes in pixels, least difference of the two colours in 0 .. 255, strength of noise. */
#define RADIUS_LEAST 9.0
#define RADIUS_MOST 13.0
#define CONTRAST 110.0
#define NOISE 12.0
#define TURN 0.5 /* radians, either way */
#define PI 3.14159265358979323846

enum { SLAB = 1000, COLOUR_TRIES = 16, SUBPIXELS = 2 };

/* Which element of the sample's random numbers is what. */
enum draw {
    DRAW_X,
    DRAW_Y,
    DRAW_RADIUS,
    DRAW_TURN,
    DRAW_GROUND,            /* 3 */
    DRAW_TEXTURE = 8,       /* 8 for each of the two */
    DRAW_SHAPE_COLOUR = 32, /* 3 for each try */
    DRAW_NOISE = 1024,      /* one for each pixel */
};

const char *const synth_class_names[] = {"circle", "square",   "triangle", "cross", "ring",
                                         "star",   "crescent", "bar",      "ell",   "hourglass"};

/* Within the shapes of radius about 1 around the origin. */
static bool in_triangle(double x, double y) {
    return y > -0.5 && sqrt(3) * fabs(x) + y < 1;
}

static bool in_cross(double x, double y) {
    return (fabs(x) < 0.27 && fabs(y) < 0.9) || (fabs(y) < 0.27 && fabs(x) < 0.9);
}

/* Ten equal triangles from the centre to a point (radius 1) and a notch (radius 0.42). */
static bool in_star(double x, double y) {
    const double notch = 0.42, wedge = PI / 5;
    const double turn = fabs(remainder(atan2(y, x), 2 * wedge)), r = hypot(x, y);
    const double px = r * cos(turn), py = r * sin(turn);
    const double nx = notch * cos(wedge), ny = notch * sin(wedge);

    return (nx - 1) * py - ny * (px - 1) > 0;
}

static bool in_crescent(double x, double y) {
    return hypot(x, y) < 0.9 && hypot(x - 0.45, y) > 0.7;
}

static bool in_ell(double x, double y) {
    return fabs(x) < 0.7 && fabs(y) < 0.85 && (x < -0.2 || y < -0.35);
}

bool synth_in_shape(int shape, double x, double y) {
    switch (shape) {
    case 0:
        return hypot(x, y) < 0.8;
    case 1:
        return fabs(x) < 0.7 && fabs(y) < 0.7;
    case 2:
        return in_triangle(x, y);
    case 3:
        return in_cross(x, y);
    case 4:
        return hypot(x, y) < 0.9 && hypot(x, y) > 0.5;
    case 5:
        return in_star(x, y);
    case 6:
        return in_crescent(x, y);
    case 7:
        return fabs(x) < 0.95 && fabs(y) < 0.25;
    case 8:
        return in_ell(x, y);
    default:
        return fabs(y) < 0.85 && fabs(x) < 0.9 * fabs(y) + 0.04;
    }
}

/* A colour that varies over the image. */
struct texture {
    double base[3], swing[3]; /* 0 .. 255 */
    double fx, fy, phase;     /* radians a pixel */
    bool checked;
};

static double draw(uint64_t key, int i, double low, double high) {
    return low + (high - low) * (double)rng_uniform(key, (uint64_t)i);
}

static void draw_colour(uint64_t key, int i, double colour[3]) {
    for (int c = 0; c < 3; c++)
        colour[c] = draw(key, i + c, 25, 230);
}

/* A colour that stands out from the ground: of those tried the first that is far enough. */
static void draw_contrast(uint64_t key, const double ground[3], double colour[3]) {
    for (int t = 0; t < COLOUR_TRIES; t++) {
        double square = 0;

        draw_colour(key, DRAW_SHAPE_COLOUR + 3 * t, colour);
        for (int c = 0; c < 3; c++)
            square += (colour[c] - ground[c]) * (colour[c] - ground[c]);
        if (square >= CONTRAST * CONTRAST)
            return;
    }
    for (int c = 0; c < 3; c++)
        colour[c] = ground[c] < 128 ? 230 : 25;
}

static void draw_texture(uint64_t key, int i, struct texture *t) {
    const double direction = draw(key, i, 0, PI), period = draw(key, i + 1, 3, 16);

    t->fx = 2 * PI / period * cos(direction);
    t->fy = 2 * PI / period * sin(direction);
    t->phase = draw(key, i + 2, 0, 2 * PI);
    t->checked = draw(key, i + 3, 0, 1) < 0.4;
    for (int c = 0; c < 3; c++)
        t->swing[c] = draw(key, i + 4 + c, -20, 20);
}

/* -1 .. 1 */
static double texture_at(const struct texture *t, double x, double y) {
    const double stripe = sin(t->fx * x + t->fy * y + t->phase);

    return t->checked ? stripe * cos(t->fx * y - t->fy * x) : stripe;
}

struct synth_place {
    double x, y, radius, cosine, sine;
};

static void draw_place(uint64_t key, struct synth_place *p) {
    const double turn = draw(key, DRAW_TURN, -TURN, TURN);
    double margin;

    p->radius = draw(key, DRAW_RADIUS, RADIUS_LEAST, RADIUS_MOST);
    margin = 0.9 * p->radius;
    p->x = draw(key, DRAW_X, margin, SYNTH_SIDE - margin);
    p->y = draw(key, DRAW_Y, margin, SYNTH_SIDE - margin);
    p->cosine = cos(turn);
    p->sine = sin(turn);
}

/* How much of the pixel the shape covers, 0 .. 1. */
static double coverage(int class, const struct synth_place *p, int column, int row) {
    int inside = 0;

    for (int i = 0; i < SUBPIXELS * SUBPIXELS; i++) {
        const double x = (column + (i % SUBPIXELS + 0.5) / SUBPIXELS - p->x) / p->radius;
        const double y = (row + (i / SUBPIXELS + 0.5) / SUBPIXELS - p->y) / p->radius;

        inside += synth_in_shape(class, p->cosine * x + p->sine * y, p->cosine * y - p->sine * x);
    }
    return (double)inside / (SUBPIXELS * SUBPIXELS);
}

int synth_class(int64_t i) {
    return (int)(i % SYNTH_CLASSES);
}

void synth_image(uint64_t seed, enum synth_split split, int64_t i, unsigned char *pixels) {
    const uint64_t key = rng_key(seed, RNG_SYNTH, (uint64_t)split, (uint64_t)i);
    struct texture ground, shape;
    struct synth_place place;

    draw_place(key, &place);
    draw_colour(key, DRAW_GROUND, ground.base);
    draw_contrast(key, ground.base, shape.base);
    draw_texture(key, DRAW_TEXTURE, &ground);
    draw_texture(key, DRAW_TEXTURE + 8, &shape);
    for (int p = 0; p < SYNTH_SIDE * SYNTH_SIDE; p++) {
        const int x = p % SYNTH_SIDE, y = p / SYNTH_SIDE;
        const double cover = coverage(synth_class(i), &place, x, y);
        const double front = texture_at(&shape, x, y), back = texture_at(&ground, x, y);
        const uint32_t noise = rng_bits(key, (uint64_t)(DRAW_NOISE + p));

        for (int c = 0; c < 3; c++) {
            const double v = cover * (shape.base[c] + front * shape.swing[c]) +
                             (1 - cover) * (ground.base[c] + back * ground.swing[c]) +
                             NOISE * ((noise >> (8 * c) & 255) / 127.5 - 1);

            pixels[3 * p + c] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
        }
    }
}

static int write_split(struct dataset_writer *writer, const char *name, enum synth_split split,
                       int64_t n, int64_t before, const struct synth_options *options,
                       unsigned char *pixels, int32_t *labels, struct err *err) {
    const struct shape sample = {3, {SYNTH_SIDE, SYNTH_SIDE, 3}};

    if (dataset_writer_split(writer, name, &sample, err))
        return -1;
    for (int64_t first = 0; first < n; first += SLAB) {
        const int64_t rows = n - first < SLAB ? n - first : SLAB;

        for (int64_t i = 0; i < rows; i++) {
            synth_image(options->seed, split, first + i, pixels + i * SYNTH_BYTES);
            labels[i] = synth_class(first + i);
        }
        if (dataset_writer_append(writer, pixels, labels, rows, err))
            return -1;
        if (options->progress.report)
            options->progress.report(options->progress.context, before + first + rows,
                                     options->n_train + options->n_test);
    }
    return 0;
}

int synth_write(const char *path, const struct synth_options *options, struct err *err) {
    unsigned char *pixels = malloc((size_t)SLAB * SYNTH_BYTES);
    int32_t *labels = malloc(SLAB * sizeof *labels);
    struct dataset_writer *writer = NULL;
    int status = -1;

    if (!pixels || !labels)
        err_set(err, ERR_IO, "%s: out of memory", path);
    else if (!dataset_writer_new(&writer, path, err) &&
             !write_split(writer, "train", SYNTH_TRAIN, options->n_train, 0, options, pixels,
                          labels, err) &&
             !write_split(writer, "test", SYNTH_TEST, options->n_test, options->n_train, options,
                          pixels, labels, err))
        status = dataset_writer_finish(writer, synth_class_names, SYNTH_CLASSES, err);
    dataset_writer_free(writer);
    free(pixels);
    free(labels);
    return status;
}
