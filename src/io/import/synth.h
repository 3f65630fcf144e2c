/* synth.h - a dataset made on the spot: shapes of random place, size, rotation, colour and texture
 * on textured ground. No pixel tells the class by itself, so that a linear model fails, and a
 * small convolutional network does not. */
#pragma once
#include "core/base/err.h"
#include "io/import/import.h"

#include <stdbool.h>
#include <stdint.h>

enum { SYNTH_CLASSES = 10, SYNTH_SIDE = 32, SYNTH_BYTES = SYNTH_SIDE * SYNTH_SIDE * 3 };

enum synth_split { SYNTH_TRAIN, SYNTH_TEST };

struct synth_options {
    int64_t n_train, n_test; /* at least 1 */
    uint64_t seed;
    struct import_progress progress;
};

#define SYNTH_DEFAULTS ((struct synth_options){.n_train = 10000, .n_test = 2000, .seed = 1})

/* "circle", "square" ...; [SYNTH_CLASSES]. */
extern const char *const synth_class_names[];

/* Is the point within the shape of that number, whose radius is about 1, around the origin? */
bool synth_in_shape(int shape, double x, double y);

/* The class of sample i; all classes are equally frequent. */
int synth_class(int64_t i);

/* Sample i of a split into pixels[32, 32, 3]: a function of seed, split and i. */
void synth_image(uint64_t seed, enum synth_split split, int64_t i, unsigned char *pixels);

/* Write the dataset file `path` with the groups train and test. Errors: ERR_IO. */
int synth_write(const char *path, const struct synth_options *options, struct err *err);
