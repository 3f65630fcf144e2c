/* image.h - JPEG and PNG files, and images of another size. */
#pragma once
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum image_mode {
    IMAGE_AS_STORED,
    IMAGE_GREY,
    IMAGE_COLOUR,
    IMAGE_CLASSES, /* the numbers in the file: indices of a palette, grey values as they are */
};

/* {0} is releasable. */
struct image {
    int width, height, channels; /* 1 grey, 3 red, green, blue */
    unsigned char *pixels;       /* [height, width, channels], owned */
    bool palette;                /* IMAGE_CLASSES: the numbers are indices */
    bool lossy;                  /* the numbers are only near what they were */
};

/* Read a JPEG or PNG file, told apart by its content. Palettes are expanded, transparency is
 * dropped, 16 bits become 8 (IMAGE_CLASSES: an error), CMYK becomes RGB.
 * Errors: ERR_IO or ERR_DATA, beginning with the path; an incomplete image is an error. */
int image_read(const char *path, enum image_mode mode, struct image *out, struct err *err);

/* The same from bytes[len] in memory; `name` is what errors call it. */
int image_decode(const unsigned char *bytes, size_t len, const char *name, enum image_mode mode,
                 struct image *out, struct err *err);

void image_release(struct image *image);

/* Write pixels[height, width, channels], 1 or 3 channels, as a PNG file. Errors: ERR_IO. */
int image_write_png(const char *path, int width, int height, int channels,
                    const unsigned char *pixels, struct err *err);

enum image_fit {
    IMAGE_CROP,    /* keep the proportions; cut equally at both ends what does not fit */
    IMAGE_STRETCH, /* keep everything */
};

/* image at width x height into out[height, width, channels]. The filter is a triangle whose base
 * grows with the reduction: bilinear when enlarging, an average over the area when reducing.
 * Errors: ERR_IO when there is no memory. */
int image_resize(const struct image *image, int width, int height, enum image_fit fit,
                 unsigned char *out, struct err *err);

/* The same for classes: of each place the pixel nearest to its centre. */
void image_resize_nearest(const struct image *image, int width, int height, enum image_fit fit,
                          unsigned char *out);
