/* synth_boxes.h - a dataset of detection made on the spot: several shapes in a picture, apart from
 * each other, at random places, of random size, turn and colour on noisy ground, with their boxes;
 * some pictures have none. */
#pragma once
#include "io/import/synth.h"

enum { SYNTH_MOST_OBJECTS = 16, SYNTH_LEAST_SIDE = 32, SYNTH_MOST_SIDE = 1024 };

struct synth_boxes {
    int64_t n_train, n_test; /* at least 1 */
    int side, classes, most; /* pixels; of synth_class_names the first; objects in a picture */
    uint64_t seed;
    struct import_progress progress;
};

#define SYNTH_BOXES_DEFAULTS                                                                       \
    ((struct synth_boxes){                                                                         \
        .n_train = 2000, .n_test = 400, .side = 96, .classes = 3, .most = 4, .seed = 1})

/* Sample i of a split: pixels[side, side, 3] and boxes[most, 5], class -1 in rows that are none; a
 * function of seed, split and i. */
void synth_boxes_sample(const struct synth_boxes *s, enum synth_split split, int64_t i,
                        unsigned char *pixels, float *boxes);

/* Write the dataset file `path` with the groups train and test. Errors: ERR_IO. */
int synth_boxes_write(const char *path, const struct synth_boxes *s, struct err *err);
