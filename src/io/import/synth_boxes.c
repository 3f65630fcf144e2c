#include "io/import/synth_boxes.h"

#include "core/base/rng.h"
#include "io/dataset/dataset_writer.h"

#include <math.h>
#include <stdlib.h>

/* Draws of a sample: of the picture, then so many of each object, and of each pixel. */
enum { DRAW_COUNT, DRAW_GROUND, OBJECT_DRAWS = 128, DRAW_NOISE = 4096 };

/* Of an object: its class, colour, turn, and the tries of its place. */
enum { DRAW_CLASS, DRAW_TURN, DRAW_COLOUR, DRAW_PLACE = 32, TRIES = 24 };

#define LEAST_RADIUS 0.07 /* of the side */
#define MOST_RADIUS 0.16
#define CONTRAST 110.0
#define NOISE 14.0
#define REACH 1.05 /* of radii: how far a shape reaches */

enum { SUBPIXELS = 2, COLOUR_TRIES = 9 };

struct object {
    double x, y, radius, cosine, sine;
    double colour[3];
    int class;
};

static double draw(uint64_t key, int i, double low, double high) {
    return low + (high - low) * (double)rng_uniform(key, (uint64_t)i);
}

/* A place apart from the objects before it; false where none of the tries is one. */
static bool draw_place(uint64_t key, int first, int side, const struct object *before, int n,
                       struct object *o) {
    for (int t = 0; t < TRIES; t++) {
        const int at = first + DRAW_PLACE + 3 * t;
        bool apart = true;

        o->radius = side * draw(key, at, LEAST_RADIUS, MOST_RADIUS);
        o->x = draw(key, at + 1, REACH * o->radius, side - REACH * o->radius);
        o->y = draw(key, at + 2, REACH * o->radius, side - REACH * o->radius);
        for (int k = 0; k < n; k++)
            apart = apart && hypot(o->x - before[k].x, o->y - before[k].y) >
                                 REACH * (o->radius + before[k].radius);
        if (apart)
            return true;
    }
    return false;
}

/* A colour that stands out from the ground. */
static void draw_colour(uint64_t key, int first, const double ground[3], double colour[3]) {
    for (int t = 0; t < COLOUR_TRIES; t++) {
        double square = 0;

        for (int c = 0; c < 3; c++) {
            colour[c] = draw(key, first + DRAW_COLOUR + 3 * t + c, 25, 230);
            square += (colour[c] - ground[c]) * (colour[c] - ground[c]);
        }
        if (square >= CONTRAST * CONTRAST)
            return;
    }
    for (int c = 0; c < 3; c++)
        colour[c] = ground[c] < 128 ? 230 : 25;
}

/* How much of the pixel the object covers, 0 .. 1. */
static double coverage(const struct object *o, int column, int row) {
    int inside = 0;

    if (hypot(column + 0.5 - o->x, row + 0.5 - o->y) > REACH * o->radius + 1)
        return 0;
    for (int i = 0; i < SUBPIXELS * SUBPIXELS; i++) {
        const double x = (column + (i % SUBPIXELS + 0.5) / SUBPIXELS - o->x) / o->radius;
        const double y = (row + (i / SUBPIXELS + 0.5) / SUBPIXELS - o->y) / o->radius;

        inside +=
            synth_in_shape(o->class, o->cosine * x + o->sine * y, o->cosine * y - o->sine * x);
    }
    return (double)inside / (SUBPIXELS * SUBPIXELS);
}

/* Objects that have a place, and their number. */
static int draw_objects(const struct synth_boxes *s, uint64_t key, const double ground[3],
                        struct object *object) {
    const int wanted = (int)rng_below(key, DRAW_COUNT, (uint64_t)s->most + 1);
    int n = 0;

    for (int k = 0; k < wanted; k++) {
        const int first = OBJECT_DRAWS * (k + 1);
        struct object *o = &object[n];

        if (!draw_place(key, first, s->side, object, n, o))
            continue;
        o->class = (int)rng_below(key, (uint64_t)(first + DRAW_CLASS), (uint64_t)s->classes);
        draw_colour(key, first, ground, o->colour);
        const double turn = draw(key, first + DRAW_TURN, -0.5, 0.5);
        o->cosine = cos(turn);
        o->sine = sin(turn);
        n++;
    }
    return n;
}

/* Let the box reach around a pixel of its object. */
static void reach(float *b, int x, int y) {
    if (b[4] < 0)
        b[0] = b[2] = (float)x, b[1] = b[3] = (float)y, b[4] = 0;
    b[0] = (float)x < b[0] ? (float)x : b[0];
    b[1] = (float)y < b[1] ? (float)y : b[1];
    b[2] = (float)(x + 1) > b[2] ? (float)(x + 1) : b[2];
    b[3] = (float)(y + 1) > b[3] ? (float)(y + 1) : b[3];
}

void synth_boxes_sample(const struct synth_boxes *s, enum synth_split split, int64_t i,
                        unsigned char *pixels, float *boxes) {
    const uint64_t key = rng_key(s->seed, RNG_SYNTH, (uint64_t)split + 2, (uint64_t)i);
    struct object object[SYNTH_MOST_OBJECTS];
    double ground[3];

    for (int c = 0; c < 3; c++)
        ground[c] = draw(key, DRAW_GROUND + c, 25, 230);
    const int n = draw_objects(s, key, ground, object);
    for (int k = 0; k < s->most * DATASET_BOX; k++)
        boxes[k] = k % DATASET_BOX == DATASET_BOX - 1 ? -1 : 0;
    for (int p = 0; p < s->side * s->side; p++) {
        const int x = p % s->side, y = p / s->side;
        const uint32_t noise = rng_bits(key, (uint64_t)(DRAW_NOISE + p));
        double colour[3] = {ground[0], ground[1], ground[2]};

        for (int k = 0; k < n; k++) {
            const double cover = coverage(&object[k], x, y);

            if (cover >= 0.5)
                reach(boxes + (ptrdiff_t)k * DATASET_BOX, x, y);
            for (int c = 0; c < 3; c++)
                colour[c] += cover * (object[k].colour[c] - colour[c]);
        }
        for (int c = 0; c < 3; c++) {
            const double v = colour[c] + NOISE * ((noise >> (8 * c) & 255) / 127.5 - 1);

            pixels[3 * p + c] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
        }
    }
    for (int k = 0; k < n; k++)
        boxes[k * DATASET_BOX + 4] = (float)object[k].class;
}

static int write_split(struct dataset_writer *writer, const struct synth_boxes *s,
                       enum synth_split split, unsigned char *pixels, float *boxes,
                       struct err *err) {
    const struct writer_field fields[] = {
        {.name = "images", .kind = DATASET_BYTES, .sample = {3, {s->side, s->side, 3}}},
        {.name = "boxes",
         .kind = DATASET_REALS,
         .sample = {2, {s->most, DATASET_BOX}},
         .says = "boxes"}};
    const int64_t n = split == SYNTH_TRAIN ? s->n_train : s->n_test;
    const int64_t before = split == SYNTH_TRAIN ? 0 : s->n_train;

    if (dataset_writer_fields(writer, split == SYNTH_TRAIN ? "train" : "test", fields, 2, err) ||
        dataset_writer_texts(writer, 1, "classes", synth_class_names, s->classes, err))
        return -1;
    for (int64_t i = 0; i < n; i++) {
        synth_boxes_sample(s, split, i, pixels, boxes);
        if (dataset_writer_add(writer, 0, pixels, 1, err) ||
            dataset_writer_add(writer, 1, boxes, 1, err))
            return -1;
        if (s->progress.report)
            s->progress.report(s->progress.context, before + i + 1, s->n_train + s->n_test);
    }
    return 0;
}

int synth_boxes_write(const char *path, const struct synth_boxes *s, struct err *err) {
    unsigned char *pixels = malloc((size_t)s->side * (size_t)s->side * 3);
    float *boxes = malloc((size_t)s->most * DATASET_BOX * sizeof *boxes);
    struct dataset_writer *writer = NULL;
    int status = -1;

    if (!pixels || !boxes)
        err_set(err, ERR_IO, "%s: out of memory", path);
    else if (!dataset_writer_new(&writer, path, err) &&
             !write_split(writer, s, SYNTH_TRAIN, pixels, boxes, err) &&
             !write_split(writer, s, SYNTH_TEST, pixels, boxes, err))
        status = dataset_writer_finish(writer, NULL, 0, err);
    dataset_writer_free(writer);
    free(pixels);
    free(boxes);
    return status;
}
