/* synth_photo.h - pictures like those of ImageNet in all that input costs: 400 to 500 pixels a
 * side, some 100 KB as JPEGs, a thousand classes. A class is a shape, what it is covered with, and
 * a hue: each of them tells something, none of them all. Place, size, turn, shade and ground are
 * drawn. */
#pragma once
#include "core/base/err.h"
#include "io/image/image.h"
#include "io/import/synth.h"

#include <stdint.h>

enum {
    PHOTO_COVERS = 5,
    PHOTO_HUES = 20,
    PHOTO_MOST_CLASSES = SYNTH_CLASSES * PHOTO_COVERS * PHOTO_HUES,
    PHOTO_LEAST_SIDE = 400,
    PHOTO_MOST_SIDE = 500,
    PHOTO_QUALITY = 90,
    PHOTO_NAME = 32,
};

/* "star_dotted_126": shape, cover, and hue in degrees. Returns text. */
const char *photo_class_name(int class, char text[PHOTO_NAME]);

/* Picture i of a split, in colour: a function of seed, split, i and the class. Errors: ERR_IO
 * without memory. */
int photo_draw(uint64_t seed, int split, int64_t i, int class, struct image *out, struct err *err);
